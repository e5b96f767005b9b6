/** A server on loopback that means harm to whoever asks it: it never answers, never ends, or sends its guest elsewhere. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Harm = 'silence' | 'endless body' | 'stalled body' | 'redirect'

export async function openHostileServer(harm: Harm) {
  const asked: string[] = []
  let onAsked: (() => void) | undefined
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (asked.length === 1) doHarm[harm](response)
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    onAsked?.()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The path of each request; a redirect that is followed makes a second one. */
    asked,
    /** Called at each request, when the harm is under way. */
    whenAsked: (call: () => void) => void (onAsked = call),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const json = { 'content-type': 'application/json' }
const doHarm: Readonly<Record<Harm, (response: ServerResponse) => void>> = {
  silence: () => {},
  'stalled body': (response) => void response.writeHead(200, json).write('{'),
  'endless body': (response) => {
    const chunk = ' '.repeat(65_536)
    const more = () => {
      while (response.write(chunk));
    }
    response.writeHead(200, json).on('drain', more)
    more()
  },
  redirect: (response) => void response.writeHead(307, { location: '/elsewhere' }).end(),
}
