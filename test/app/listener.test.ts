/** The bridge's own server under connections that never say what they want. */
import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import { createBridgeServer } from '../../src/transom/listener.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function serve(limits: Parameters<typeof createBridgeServer>[0]): Promise<number> {
  const server = createBridgeServer(limits)
  server.on('request', (request, response) => {
    request.resume()
    if (request.url === '/stream') response.writeHead(200).write('begun')
    else request.on('end', () => void response.end('done'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A connection on which this much was said; `said` is what came back. */
async function open(port: number, text = ''): Promise<{ readonly socket: Socket; readonly closed: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  closing.push(() => socket.destroy())
  const closed = once(socket, 'close')
  socket.write(text)
  return { socket, closed }
}

test('half-open connections, half bodies and idle ones cost one another their place, and streams none', async () => {
  const port = await serve({ headMs: 10_000, requestMs: 30_000, strangers: 3 })
  const stream = await open(port, 'GET /stream HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(stream.socket, 'data')
  const idle = await open(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(idle.socket, 'data')
  const strangers = []
  for (const text of ['', 'GET / HTTP/1.1\r\n', 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf'])
    strangers.push(await open(port, text))
  await idle.closed
  // Whoever says what they want is served, and the oldest stranger makes room.
  const response = await fetch(`http://127.0.0.1:${port}/`)
  expect(await response.text()).toBe('done')
  await strangers[0]?.closed
  expect(stream.socket.destroyed).toBe(false)
})

test('a head that never ends is answered and cut', async () => {
  const port = await serve({ headMs: 100, requestMs: 200, strangers: 3 })
  const { socket, closed } = await open(port, 'GET / HTTP/1.1\r\nX-Slow: ')
  const [said] = (await once(socket, 'data')) as [Buffer]
  expect(said.toString()).toContain('408')
  await closed
})
