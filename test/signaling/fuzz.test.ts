/** Anything at all, thrown at the HTTP and WebSocket doors: the process answers or hangs up, and goes on serving others. */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { ListSignalingChannelsCommand } from '@aws-sdk/client-kinesis-video'
import fc from 'fast-check'
import { base64, noRates, run, type Client, type Running } from './running-service.ts'
import { post } from './signed-post.ts'
import { until } from '../until.ts'

let running: Running
let arn: string
let bystander: { master: Client; viewer: Client }
beforeAll(async () => {
  running = await run({ limits: { rates: noRates, requestMs: 400, strangers: 200, viewersPerChannel: 100 } })
  const query = { 'X-Amz-ChannelARN': await running.service.ensureChannel('bystanders') }
  bystander = {
    master: await running.connect(running.key, query),
    viewer: await running.connect(running.key, { ...query, 'X-Amz-ClientId': 'v' }),
  }
})
// Anything, signed, may well be an order to delete it.
beforeEach(async () => {
  arn = await running.service.ensureChannel('fuzzed')
})
afterAll(() => running.close())
/** Whoever was connected before is served as before, and nothing was a mistake of our own. */
afterEach(async () => {
  bystander.viewer.send({ action: 'SDP_OFFER', messagePayload: base64('still here') })
  expect(await bystander.master.next()).toMatchObject({ messagePayload: base64('still here') })
  await running.control().send(new ListSignalingChannelsCommand({}))
  expect(running.logged.filter(({ level }) => level === 'error')).toEqual([])
})

const address = () => {
  const { hostname, port } = new URL(running.service.endpoint)
  return { host: hostname, port: Number(port), ca: running.ca }
}
async function openTls(): Promise<TLSSocket> {
  const socket = connectTls(address())
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  return socket.resume()
}
/** Sends and hangs up when the other side has had its say. */
async function throwAt(socket: TLSSocket, ...chunks: readonly (string | Uint8Array)[]): Promise<void> {
  for (const chunk of chunks) if (!socket.destroyed) socket.write(chunk)
  socket.end()
  if (!socket.destroyed) await once(socket, 'close', { signal: AbortSignal.timeout(60_000) })
}

const line = fc.string({ unit: 'binary', maxLength: 60 })
const head = fc
  .tuple(
    fc.constantFrom('GET', 'POST', 'OPTIONS', 'PUT', 'CONNECT', 'BREW', ''),
    fc.oneof(fc.constantFrom('/', '/createSignalingChannel', '/?X-Amz-Signature=x', '*', '//'), line),
    fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/9.9', ''),
    fc.array(
      fc.oneof(
        fc.constantFrom(
          'Host: x',
          'Upgrade: websocket',
          'Connection: Upgrade',
          'Content-Length: 5',
          'Content-Length: -1',
          'Transfer-Encoding: chunked',
          'Sec-WebSocket-Version: 13',
          'Authorization: AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=;;, Signature=',
          'Origin: null',
          'Expect: 100-continue',
        ),
        line,
      ),
      { maxLength: 8 },
    ),
    line,
  )
  .map(([method, target, version, headers, body]) =>
    [`${method} ${target} ${version}`, ...headers, '', body].join('\r\n'),
  )

test('any bytes instead of a request', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(head, fc.uint8Array({ maxLength: 2_000 })), async (bytes) => {
      await throwAt(await openTls(), bytes)
    }),
    { numRuns: 100 },
  )
})

const paths = [
  '/createSignalingChannel',
  '/describeSignalingChannel',
  '/listSignalingChannels',
  '/updateSignalingChannel',
  '/deleteSignalingChannel',
  '/getSignalingChannelEndpoint',
  '/TagResource',
  '/UntagResource',
  '/ListTagsForResource',
  '/updateMediaStorageConfiguration',
  '/describeMediaStorageConfiguration',
  '/joinStorageSession',
  '/v1/get-ice-server-config',
  '/v1/send-alexa-offer-to-master',
  '/__proto__',
  '/constructor',
]
const names = ['ChannelName', 'ChannelARN', 'ResourceARN', 'Tags', 'TagKeyList', 'NextToken', 'MaxResults', '__proto__']

test('any JSON, signed, to every operation', async () => {
  const value = fc.oneof(fc.anything({ withNullPrototype: true }), fc.constantFrom('a', arn, 'x'.repeat(300), -1, 1e99))
  const body = fc.oneof(
    fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), value).map((fields) => JSON.stringify(fields)),
    fc.json(),
    fc.string({ unit: 'binary' }),
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), body, async (path, text) => {
      const { status, type, answer } = await post(running, path, text)
      if (status === 200) return
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
      expect(type).toMatch(/^[A-Z]\w+Exception$/)
      expect(answer['Message']).toEqual(expect.any(String))
    }),
    { numRuns: 150 },
  )
})

let viewers = 0
const join = () => running.connect(running.key, { 'X-Amz-ChannelARN': arn, 'X-Amz-ClientId': `fuzz-${(viewers += 1)}` })

test('any messages, as text and as binary frames', async () => {
  const fields = fc.record(
    {
      action: fc.oneof(fc.constantFrom('SDP_OFFER', 'SDP_ANSWER', 'ICE_CANDIDATE', 'GO_AWAY'), fc.string()),
      messagePayload: fc.oneof(fc.base64String(), fc.string({ unit: 'binary' }), fc.anything()),
      recipientClientId: fc.oneof(fc.string(), fc.constant('__proto__'), fc.anything()),
      correlationId: fc.oneof(fc.constant('c'), fc.string(), fc.anything()),
    },
    { requiredKeys: [] },
  )
  const frame = fc.oneof(
    fields.map((message) => JSON.stringify(message)),
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.uint8Array(),
    fc.nat(30_000).map((depth) => '['.repeat(depth)),
  )
  const master = await running.connect(running.key, { 'X-Amz-ChannelARN': arn })
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 20 }), async (frames) => {
      const viewer = await join()
      for (const one of frames) viewer.socket.send(one)
      viewer.send({ action: 'nothing', correlationId: 'fuzzed-to-the-end' })
      await until(() => viewer.unread.some((text) => text.includes('fuzzed-to-the-end')))
      viewer.socket.terminate()
    }),
    { numRuns: 50 },
  )
  // Whatever a viewer sent, what the camera got is JSON of the protocol.
  for (const text of master.unread) {
    expect(JSON.parse(text)).toMatchObject({
      messageType: expect.stringMatching(/^(SDP_OFFER|SDP_ANSWER|ICE_CANDIDATE)$/),
      messagePayload: expect.any(String),
      senderClientId: expect.stringMatching(/^fuzz-\d+$/),
    })
  }
  master.socket.terminate()
})

test('any bytes instead of frames', async () => {
  const framed = fc
    .tuple(fc.nat(255), fc.nat(255), fc.uint8Array({ maxLength: 200 }))
    .map(([first, second, rest]) => Buffer.from([first, second, ...rest]))
  await fc.assert(
    fc.asyncProperty(fc.array(framed, { minLength: 1, maxLength: 10 }), async (frames) => {
      const query = { 'X-Amz-ChannelARN': arn, 'X-Amz-ClientId': `raw-${(viewers += 1)}` }
      const url = new URL(await running.presign(running.key, query))
      const socket = connectTls(address())
      socket.on('error', () => {})
      socket.write(
        [
          `GET ${url.pathname}${url.search} HTTP/1.1`,
          `Host: ${url.host}`,
          'Upgrade: websocket',
          'Connection: Upgrade',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          'Sec-WebSocket-Version: 13',
          '\r\n',
        ].join('\r\n'),
      )
      const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(60_000) })
      expect(String(answer)).toMatch(/^HTTP\/1\.1 101 /)
      socket.resume()
      await throwAt(socket, ...frames)
    }),
    { numRuns: 50 },
  )
  await until(() => running.service.openSockets() === 2)
})

/** Reads what comes, and does not mind being cut. */
const quiet = <T extends Socket>(socket: T): T => socket.on('error', () => {}).resume()

test('clients that take for ever are cut: no handshake, half a head, half a body', async () => {
  const { host, port } = address()
  // Those without a handshake may be cut while the others still have theirs.
  const bare = Array.from({ length: 30 }, () => quiet(connectTcp(port, host)))
  const slow = (await Promise.all(Array.from({ length: 30 }, openTls))).map(quiet)
  const starts = ['POST / HT', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf', '']
  for (const [index, socket] of slow.entries()) socket.write(starts[index % 3] ?? '')
  const drip = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write('x')
  }, 50)
  try {
    await until(() => [...bare, ...slow].every(({ closed }) => closed))
  } finally {
    clearInterval(drip)
  }
})
