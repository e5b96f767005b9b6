/** The bridge's own server under connections that never say what they want. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { afterEach, expect, test } from '@jest/globals'
import { makeAuthority, makeServer } from '../../src/signaling/make-certificate.ts'
import { createBridgeServer, createFront, createSecureServer } from '../../src/transom/listener.ts'

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
  // Cut with a reset or in peace: `once` would reject for the first.
  const closed = new Promise((resolve) => socket.once('close', resolve))
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

/** One port for both; what came by TLS is answered `secure`, the rest `plain`, with the number of bytes that were sent. */
async function openBoth(limits: Parameters<typeof createBridgeServer>[0]) {
  const [secure, plain] = [createSecureServer(limits), createBridgeServer(limits)]
  for (const [name, server] of [['secure', secure] as const, ['plain', plain] as const])
    server.on('request', (asked, response) => {
      let bytes = 0
      asked.on('data', (chunk: Buffer) => (bytes += chunk.length))
      asked.on('end', () => void response.end(`${name} ${bytes}`))
    })
  const front = createFront(secure, plain, limits)
  front.server.listen(0, '127.0.0.1')
  await once(front.server, 'listening')
  closing.push(() => void front.close())
  const ca = await makeAuthority(Date.now())
  const use = async (commonName: string) => {
    const { cert, key } = await makeServer(ca, { names: ['localhost'], commonName }, Date.now())
    secure.setSecureContext({ cert, key })
  }
  const { port } = front.server.address() as AddressInfo
  /** The answer by TLS, and whose certificate came with it. */
  const ask = async (body: Buffer) => {
    const asked = request({
      host: '127.0.0.1',
      port,
      ca: ca.cert,
      servername: 'localhost',
      method: 'PUT',
      agent: false,
    })
    asked.end(body)
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    const subject = (response.socket as TLSSocket).getPeerCertificate().subject.CN
    return { text: Buffer.concat(await response.toArray()).toString(), subject }
  }
  return { port, front, use, ask }
}

test('one port speaks TLS and plain HTTP, with bodies whole, and a certificate is changed between two connections', async () => {
  const { port, use, ask } = await openBoth({ headMs: 10_000, requestMs: 30_000, strangers: 3 })
  const body = Buffer.alloc(3_000_000, 'x')
  const inPlain = async () => (await fetch(`http://127.0.0.1:${port}/`, { method: 'PUT', body })).text()
  expect(await inPlain()).toBe('plain 3000000')
  await expect(ask(body)).rejects.toThrow()
  await use('First')
  expect(await ask(body)).toEqual({ text: 'secure 3000000', subject: 'First' })
  await use('Second')
  expect(await ask(Buffer.alloc(0))).toEqual({ text: 'secure 0', subject: 'Second' })
  expect(await inPlain()).toBe('plain 3000000')
})

test('of connections that say nothing the oldest makes room, those that begin in a byte or a handshake too', async () => {
  const { port, use, ask } = await openBoth({ headMs: 10_000, requestMs: 30_000, strangers: 2 })
  await use('First')
  const silent = [await open(port), await open(port), await open(port)]
  await silent[0]!.closed
  const begun = [await open(port, 'G'), await open(port, 'G'), await open(port, 'G')]
  await begun[0]!.closed
  const hello = [await open(port, '\x16'), await open(port, '\x16'), await open(port, '\x16')]
  await hello[0]!.closed
  expect((await ask(Buffer.alloc(10))).text).toBe('secure 10')
})

test('a connection that says nothing, or half a head, is cut on the shared port as well; closing ends all others', async () => {
  const impatient = await openBoth({ headMs: 100, requestMs: 200, strangers: 9 })
  for (const text of ['', 'GET / HTTP/1.1\r\nX-Slow: ', '\x16\x03\x01']) {
    const { socket, closed } = await open(impatient.port, text)
    socket.resume()
    await closed
  }
  const patient = await openBoth({ headMs: 10_000, requestMs: 30_000, strangers: 9 })
  const others = [await open(patient.port), await open(patient.port, 'GET '), await open(patient.port, '\x16')]
  await patient.front.close()
  await Promise.all(others.map(({ closed }) => closed))
})
