/** Clients that mean harm or are broken: each is refused or let go, and the service goes on serving others. */
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { base64, noRates, run, type Running } from './running-service.ts'
import { post } from './signed-post.ts'
import { until } from '../until.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')
const heapUsed = () => {
  collect()
  return process.memoryUsage().heapUsed
}

let running: Running
let arn: string
beforeAll(async () => {
  running = await run({ limits: { queueBytes: 64 * 1_024, rates: noRates, offlineDelayMs: 0 } })
  arn = await running.service.ensureChannel('hostile')
})
afterAll(() => running.close())

afterEach(async () => {
  const master = await running.connect(running.key, {
    'X-Amz-ChannelARN': await running.service.ensureChannel('other'),
  })
  const viewer = await running.connect(running.key, {
    'X-Amz-ChannelARN': await running.service.ensureChannel('other'),
    'X-Amz-ClientId': 'v',
  })
  viewer.send({ action: 'SDP_OFFER', messagePayload: base64('still here') })
  expect(await master.next()).toMatchObject({ messagePayload: base64('still here') })
  master.socket.terminate()
  viewer.socket.terminate()
  await until(() => running.service.openSockets() === 0)
})

const join = (clientId: string) => running.connect(running.key, { 'X-Amz-ChannelARN': arn, 'X-Amz-ClientId': clientId })

test.each([
  ['no JSON', '{"ChannelName":', 'SerializationException', 400],
  ['a list', '[]', 'InvalidArgumentException', 400],
  ['null', 'null', 'InvalidArgumentException', 400],
  ['nothing', '', 'InvalidArgumentException', 400],
  ['a number for a name', '{"ChannelName":1}', 'InvalidArgumentException', 400],
  ['20,000 levels', '['.repeat(20_000) + ']'.repeat(20_000), 'InvalidArgumentException', 400],
  ['100 kB', JSON.stringify({ ChannelName: 'x'.repeat(100_000) }), 'RequestEntityTooLargeException', 413],
])('a body of %s gets an error of the service', async (_case, body, type, status) => {
  expect(await post(running, '/describeSignalingChannel', body)).toMatchObject({
    status,
    type,
    answer: { Message: expect.any(String) },
  })
})

test.each([
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /../../etc HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n',
])('a stranger is refused in the form of the service: %j', async (text) => {
  const { hostname, port } = new URL(running.service.endpoint)
  const socket = connectTls({ host: hostname, port: Number(port), ca: running.ca })
  socket.write(text)
  const [data] = await once(socket, 'data', { signal: AbortSignal.timeout(60_000) })
  expect(String(data)).toMatch(/^HTTP\/1\.1 40[03] /)
  expect(String(data)).toMatch(/x-amzn-errortype: \w+Exception/)
  socket.destroy()
})

test('what is not HTTP is refused, and what is not TLS is hung up on', async () => {
  const { hostname, port } = new URL(running.service.endpoint)
  const tls = connectTls({ host: hostname, port: Number(port), ca: running.ca })
  tls.write('\0\r\n\r\nnonsense\r\n\r\n')
  const [data] = await once(tls, 'data', { signal: AbortSignal.timeout(60_000) })
  expect(String(data)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  tls.destroy()
  const tcp = connectTcp(Number(port), hostname)
  tcp.on('error', () => {})
  tcp.resume().write('GET / HTTP/1.1\r\n\r\n')
  await once(tcp, 'close', { signal: AbortSignal.timeout(60_000) })
})

test('a frame that is too large ends its connection', async () => {
  const viewer = await join('huge')
  viewer.socket.send('x'.repeat(33 * 1_024))
  expect(await viewer.closed).toMatchObject({ code: 1009 })
})

test('frames that are no messages are dropped, and too many of them end the connection', async () => {
  const viewer = await join('noise')
  const frames = [Buffer.from('{"action":"SDP_OFFER"}'), 'null', '[]', '"x"', '{', '', '['.repeat(10_000)]
  for (const frame of frames) viewer.socket.send(frame)
  viewer.send({ action: 'nothing', correlationId: 'c' })
  expect(await viewer.next()).toMatchObject({ statusResponse: { correlationId: 'c' } })
  for (let sent = 0; sent < 101; sent += 1) viewer.socket.send('{}')
  expect(await viewer.closed).toMatchObject({ code: 1008 })
})

test('a hundred thousand tiny frames are taken without harm, and leave nothing in memory', async () => {
  const viewer = await join('tiny')
  const tiny = '{"action":"ICE_CANDIDATE","messagePayload":"A"}'
  const flood = async () => {
    for (let sent = 0; sent < 100_000; sent += 1) viewer.socket.send(tiny)
    viewer.send({ action: 'nothing', correlationId: 'last' })
    await until(() => viewer.unread.length > 0 && viewer.socket.bufferedAmount === 0)
    expect(await viewer.next()).toMatchObject({ statusResponse: { correlationId: 'last' } })
  }
  await flood()
  const before = heapUsed()
  await flood()
  expect(heapUsed() - before).toBeLessThan(3_000_000)
  viewer.socket.terminate()
})

test('a master that does not read is let go, and what it missed waits for the next one', async () => {
  const query = { 'X-Amz-ChannelARN': arn }
  const stuck = await running.connect(running.key, query)
  stuck.socket.pause()
  const viewer = await join('eager')
  const payload = 'A'.repeat(10_000)
  while (running.service.openSockets() === 2) {
    for (let sent = 0; sent < 20; sent += 1) viewer.send({ action: 'SDP_OFFER', messagePayload: payload })
    await until(() => viewer.socket.bufferedAmount === 0)
  }
  await until(() => running.logged.findLast(({ event }) => event === 'signaling.presence')?.fields['online'] === false)
  viewer.send({ action: 'SDP_OFFER', messagePayload: base64('newest') })
  const next = await running.connect(running.key, query)
  let last: Record<string, unknown> = {}
  await until(() => {
    last = JSON.parse(next.unread.at(-1) ?? '{}')
    return last['messagePayload'] === base64('newest')
  })
  for (const { socket } of [stuck, viewer, next]) socket.terminate()
})

test('a client that pings and does not read is let go too', async () => {
  const pinger = await join('pinger')
  pinger.socket.pause()
  const data = Buffer.alloc(125)
  while (running.service.openSockets() === 1) {
    for (let sent = 0; sent < 200; sent += 1) pinger.socket.ping(data)
    await until(() => pinger.socket.bufferedAmount === 0 || running.service.openSockets() === 0)
  }
  pinger.socket.terminate()
})
