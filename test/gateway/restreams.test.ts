/** The streams of go2rtc and Frigate, by what both answer in their newest forms. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import { listRestreams } from '../../src/gateway/restreams.ts'
import { createTrust } from '../../src/gateway/trust.ts'

const never = new AbortController().signal
const login = { user: 'anna', password: 's3cret' }
const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

type Answer = object | string | { readonly status: number; readonly headers?: Record<string, string> }

/** Answers by path; what `answer` does not know is 404. Returns the base URL, and what was asked. */
async function serve(answer: (path: string, request: IncomingMessage) => Answer | undefined) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const given = answer(request.url ?? '', request) ?? { status: 404 }
    if (typeof given === 'string') return void response.end(given)
    if ('status' in given)
      return void response.writeHead(given.status, 'headers' in given ? { ...given.headers } : {}).end('{}')
    response.end(JSON.stringify(given))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

async function closedPort(): Promise<string> {
  const { url } = await serve(() => undefined)
  closing.splice(0).forEach((close) => close())
  return new URL(url).port
}

const producer = { producers: [{ url: 'rtsp://admin:tlJwpbo6@10.0.0.9/live' }], consumers: null }

test('go2rtc gives each stream at the RTSP port of its settings, and no password of a camera', async () => {
  const { url } = await serve((path) => {
    if (path === '/api/streams') return { porch: producer, 'Back yard/2': producer }
    return path === '/api' ? { version: '1.9.9', rtsp: { listen: ':8555', default_query: 'video&audio' } } : undefined
  })
  const found = await listRestreams(`${url}/`, undefined, never)
  expect(found).toEqual({
    streams: [
      { name: 'porch', address: 'rtsp://127.0.0.1:8555/porch' },
      { name: 'Back yard/2', address: 'rtsp://127.0.0.1:8555/Back%20yard%2F2' },
    ],
  })
})

test('a go2rtc that asks for a password gets it by HTTP authentication', async () => {
  const right = `Basic ${Buffer.from('anna:s3cret').toString('base64')}`
  const { url } = await serve((path, { headers }) => {
    if (headers.authorization !== right) return { status: 401, headers: { 'www-authenticate': 'Basic realm="go2rtc"' } }
    return path === '/api/streams' ? { porch: producer } : {}
  })
  const wrong = listRestreams(url, { ...login, password: 'no' }, never)
  await expect(wrong).rejects.toMatchObject({ code: 'source_password' })
  await expect(listRestreams(url, undefined, never)).rejects.toMatchObject({ code: 'source_password' })
  expect((await listRestreams(url, login, never)).streams).toEqual([
    { name: 'porch', address: 'rtsp://127.0.0.1:8554/porch' },
  ])
})

test('Frigate is asked below its own path, and signed in to by its cookie', async () => {
  const { url, asked } = await serve((path, { headers }) => {
    if (path === '/api/login') return { status: 200, headers: { 'set-cookie': 'frigate_token=t; HttpOnly' } }
    if (headers.cookie !== 'frigate_token=t') return { status: 401 }
    return path === '/api/go2rtc/streams' ? { front: producer } : undefined
  })
  expect((await listRestreams(url, login, never)).streams).toEqual([
    { name: 'front', address: 'rtsp://127.0.0.1:8554/front' },
  ])
  expect(asked).toContain('POST /api/login')
})

test.each([
  ['a web page', async () => (await serve(() => '<html>a router</html>')).url, 'source_garbled'],
  ['JSON of something else', async () => (await serve(() => ({ hello: 'world' }))).url, 'source_garbled'],
  ['nothing that listens', async () => `http://127.0.0.1:${await closedPort()}`, 'source_refused'],
  ['no URL', async () => 'rtsp://127.0.0.1/', 'source_invalid'],
  ['an address with a password in it', async () => 'http://anna:s3cret@127.0.0.1/', 'source_invalid'],
])('%s is refused with its cause', async (_what, base, code) => {
  await expect(listRestreams(await base(), undefined, never)).rejects.toMatchObject({ code })
})

test('outside of the allowed networks nothing is asked, by whatever name', async () => {
  const { url, asked } = await serve(() => ({}))
  const trust = createTrust({ networks: ['192.0.2.0/24'] })
  for (const base of [url, url.replace('127.0.0.1', 'localhost')])
    await expect(listRestreams(base, undefined, never, trust)).rejects.toMatchObject({ code: 'source_invalid' })
  expect(asked).toEqual([])
})
