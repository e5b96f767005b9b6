/** One WebSocket to a channel, against a service that checks every signature. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { openKvs, type Kvs } from '../../src/kvs/access.ts'
import { openChannel, type ChannelConnection } from '../../src/kvs/channel.ts'
import type { ChannelMessage } from '../../src/kvs/message.ts'
import { fetchIceServers, findChannel, type ChannelResources } from '../../src/kvs/resources.ts'
import { frameOf, startFakeKvs, type FakeKvs } from './fake-kvs.ts'
import { until } from '../until.ts'

const sdp = 'v=0\r\n'
let fake: FakeKvs
let kvs: Kvs
let life: AbortController

/** Lets the event loop go round. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

beforeEach(async () => {
  fake = await startFakeKvs()
  kvs = openKvs(fake.access)
  life = new AbortController()
})

afterEach(async () => {
  jest.useRealTimers()
  life.abort()
  kvs.close()
  await fake.close()
})

const find = (): Promise<ChannelResources> => findChannel(kvs, 'door', 'VIEWER', life.signal)
const openAs = async (role: Parameters<typeof openChannel>[2]) => openChannel(kvs, await find(), role, life.signal)
const openViewer = () => openAs({ role: 'VIEWER', clientId: 'v1' })

async function take(connection: ChannelConnection, count: number): Promise<ChannelMessage[]> {
  const taken: ChannelMessage[] = []
  for await (const message of connection.messages) {
    taken.push(message)
    if (taken.length === count) break
  }
  return taken
}

describe('a channel', () => {
  test('is found by name with its ARN and endpoints', async () => {
    expect(await find()).toEqual({
      channelName: 'door',
      arn: expect.stringMatching(/channel\/door\/\d{13}$/),
      wss: expect.stringMatching(/^wss:/),
      https: expect.stringMatching(/^https:/),
    })
  })

  test('that does not exist is named in the error, with what to do', async () => {
    await expect(findChannel(kvs, 'barn', 'MASTER', life.signal)).rejects.toMatchObject({
      code: 'signaling_failed',
      message: expect.stringContaining('no signaling channel barn in eu-west-1'),
    })
  })

  test('has ICE servers as a browser takes them, without AWS STUN when the service is not AWS', async () => {
    expect(await fetchIceServers(kvs, await find(), life.signal)).toEqual({
      servers: [
        { urls: ['turn:192.0.2.1:443?transport=udp'], username: '1795:u=', credential: 'p' },
        { urls: ['turns:192.0.2.2:443?transport=tcp'], username: '1796:u=', credential: 'q' },
      ],
      ttlMs: 300_000,
    })
  })

  test('of AWS has its STUN server too, which AWS leaves out of the list', async () => {
    const { endpoint: _, ...amazon } = fake.access
    const cloud = openKvs(amazon)
    const { servers } = await fetchIceServers(cloud, await find(), life.signal)
    expect(servers).toHaveLength(3)
    expect(servers[0]).toEqual({ urls: ['stun:stun.kinesisvideo.eu-west-1.amazonaws.com:443'] })
    cloud.close()
  })

  test('is opened by a viewer with its id and by a master without one, both correctly signed', async () => {
    await openViewer()
    await openAs({ role: 'MASTER' })
    expect(fake.upgrades.map((query) => query.get('X-Amz-ClientId'))).toEqual(['v1', null])
  })

  test('carries messages both ways, those that came with the opening included', async () => {
    fake.script.frame = (socket, { clientId }) => {
      socket.send(frameOf('SDP_ANSWER', { type: 'answer', sdp }))
      socket.send(frameOf('ICE_CANDIDATE', { candidate: '' }, { senderClientId: clientId }))
      socket.close()
    }
    const connection = await openViewer()
    connection.send({ kind: 'offer', sdp })
    await until(() => fake.sockets.size === 0)
    expect(await take(connection, 9)).toEqual([
      { kind: 'answer', sdp },
      { kind: 'end-of-candidates', senderClientId: 'v1' },
    ])
    expect(fake.frames).toMatchObject([
      { action: 'SDP_OFFER', payload: { type: 'offer', sdp }, correlationId: 'offer-1' },
    ])
    expect(await connection.closed).toMatchObject({ code: 1005 })
  })

  test('names the viewer that a master answers', async () => {
    const connection = await openAs({ role: 'MASTER' })
    connection.send({ kind: 'answer', sdp }, 'v7')
    await until(() => fake.frames.length === 1)
    expect(fake.frames).toMatchObject([{ action: 'SDP_ANSWER', recipientClientId: 'v7', clientId: null }])
  })

  test('is closed by leaving the loop, by close and by the signal, each more than once', async () => {
    fake.script.frame = (socket) => socket.send(frameOf('GO_AWAY', {}))
    const [left, closed, aborted] = [await openViewer(), await openViewer(), await openViewer()]
    left.send({ kind: 'offer', sdp })
    expect(await take(left, 1)).toEqual([{ kind: 'go-away' }])
    closed.close()
    closed.close()
    const waiting = take(aborted, 1)
    life.abort()
    life.abort()
    expect(await waiting).toEqual([])
    await Promise.all([left.closed, closed.closed, aborted.closed])
    closed.send({ kind: 'offer', sdp })
    await until(async () => (await fake.connections()) <= 1)
  })

  test('ends when a frame is larger than any message may be', async () => {
    const connection = await openViewer()
    for (const socket of fake.sockets) socket.send('x'.repeat(40_000))
    expect(await take(connection, 1)).toEqual([])
    expect(await connection.closed).toMatchObject({ code: 1006, reason: expect.stringContaining('payload size') })
  })

  test('holds a flood back until somebody reads, and loses none of it', async () => {
    const connection = await openViewer()
    const frame = frameOf('ICE_CANDIDATE', { candidate: `candidate:${'1 '.repeat(400)}` })
    const [socket] = fake.sockets
    for (let sent = 0; sent < 20_000; sent += 1) socket?.send(frame)
    await until(() => (socket?.bufferedAmount ?? 0) > 0)
    expect(await take(connection, 20_000)).toHaveLength(20_000)
  })

  test('that no longer answers pings is given up', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] })
    const connection = await openViewer()
    const pings: unknown[] = []
    for (const socket of fake.sockets) {
      socket.on('ping', (data) => pings.push(data))
    }
    jest.advanceTimersByTime(10_000)
    while (pings.length === 0) await turn()
    // The first ping was answered: the second goes out; then the service falls silent.
    for (let turns = 0; turns < 20; turns += 1) await turn()
    for (const socket of fake.sockets) socket.pause()
    jest.advanceTimersByTime(20_000)
    expect(await connection.closed).toEqual({ code: 1006, reason: 'the service did not answer a ping' })
  })
})

describe('a channel that cannot be opened', () => {
  test.each([
    [{ status: 403, type: 'AccessDeniedException' }, 'signaling_failed', /refuses our credentials/],
    [{ status: 404, type: 'ResourceNotFoundException' }, 'signaling_failed', /no signaling channel door/],
    [
      { status: 400, type: 'ClientLimitExceededException', text: 'more than 10 viewers' },
      'camera_busy',
      /no further viewer/,
    ],
    [{ status: 400, type: 'ClientLimitExceededException', text: 'Rate exceeded' }, 'rate_limited', /too many calls/],
    [{ status: 500, type: 'InternalFailure' }, 'signaling_failed', /InternalFailure/],
  ])('for %j says so', async (refusal, code, message) => {
    fake.script.upgrade = () => refusal
    await expect(openViewer()).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    await until(async () => (await fake.connections()) <= 1)
  })

  test('because the reply to the upgrade never comes ends with the signal, and nothing stays open', async () => {
    fake.script.upgrade = () => 'hang'
    const opening = openViewer()
    await until(() => fake.log.includes('upgrade'))
    life.abort(new Error('enough'))
    await expect(opening).rejects.toThrow('enough')
    await until(async () => (await fake.connections()) <= 1)
  })

  test('because the reply to the upgrade never comes is given up after five seconds', async () => {
    fake.script.upgrade = () => 'hang'
    const channel = await find()
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] })
    const opening = openChannel(kvs, channel, { role: 'MASTER' }, life.signal)
    const outcome = expect(opening).rejects.toMatchObject({ code: 'signaling_failed', message: /in time/ })
    while (!fake.log.includes('upgrade')) await turn()
    jest.advanceTimersByTime(5_000)
    await outcome
  })

  test('because the certificate is not trusted says what to check', async () => {
    const { ca: _, ...untrusting } = fake.access
    const doubtful = openKvs(untrusting)
    await expect(openChannel(doubtful, await find(), { role: 'MASTER' }, life.signal)).rejects.toMatchObject({
      code: 'signaling_failed',
      message: expect.stringContaining('check the CA'),
    })
    // The reason is not looked at: under Jest the SDK does not know Node's own errors as errors and wraps them.
    await expect(findChannel(doubtful, 'door', 'VIEWER', life.signal)).rejects.toMatchObject({
      code: 'signaling_failed',
    })
    doubtful.close()
  })

  test('because the keys are wrong says what to check, and repeats nothing of what the service said', async () => {
    const locked = openKvs({ ...fake.access, credentials: { accessKeyId: 'AKIDOTHER', secretAccessKey: 'x' } })
    const channel = await find()
    for (const attempt of [
      () => findChannel(locked, 'door', 'VIEWER', life.signal),
      () => openChannel(locked, channel, { role: 'MASTER' }, life.signal),
    ]) {
      const refused: unknown = await attempt().catch((error: unknown) => error)
      expect(refused).toMatchObject({ code: 'signaling_failed', message: expect.stringContaining('check keys') })
      expect(String(refused instanceof Error && refused.cause)).toMatch(/refused the (call|upgrade): 403 \w+$/)
    }
    locked.close()
  })

  test('because the keys never come ends with the signal', async () => {
    const keyless = openKvs({ ...fake.access, credentials: () => new Promise(() => {}) })
    const channel = await find()
    const attempts = [
      findChannel(keyless, 'door', 'VIEWER', life.signal),
      openChannel(keyless, channel, { role: 'MASTER' }, life.signal),
    ]
    life.abort(new Error('enough'))
    const enough = { status: 'rejected', reason: expect.objectContaining({ message: 'enough' }) }
    expect(await Promise.allSettled(attempts)).toEqual([enough, enough])
    keyless.close()
  })
})
