/** What ends or refuses a client that is welcome otherwise: rates, lifetimes, revoked keys, replays, too many strangers. */
import { once } from 'node:events'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { DescribeSignalingChannelCommand, ListSignalingChannelsCommand } from '@aws-sdk/client-kinesis-video'
import { WebSocket } from 'ws'
import { defaultLimits, type SignalingLimits } from '../../src/signaling/limits.ts'
import { openReplayMemory } from '../../src/signaling/replay.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { base64, noRates, refusal, run, type Key, type Running } from './running-service.ts'
import { send, sign } from './signed-post.ts'
import { hold } from '../timers.ts'
import { until } from '../until.ts'

let running: Running
afterEach(() => running.close())
const start = async (limits: Partial<SignalingLimits>, now?: () => number) => {
  running = await run({ limits, ...(now && { clock: now }) })
  const query = { 'X-Amz-ChannelARN': await running.service.ensureChannel('door') }
  return {
    master: () => running.connect(running.key, query),
    viewer: (id: string) => running.connect(running.key, { ...query, 'X-Amz-ClientId': id }),
    query,
  }
}
const rate = (name: keyof SignalingLimits['rates'], burst: number) => ({
  rates: { ...noRates, [name]: { perSecond: 0.001, burst } },
})

const describeDoor = () => running.control().send(new DescribeSignalingChannelCommand({ ChannelName: 'door' }))
const signature = (count: number, signedAt: number, validMs = 300_000) => ({
  hex: count.toString(16).padStart(64, '0'),
  signedAt,
  validUntil: signedAt + validMs,
})
const quiet = () => {}

describe('rates', () => {
  test('a connection sends so many descriptions and candidates, and is told when it sends more', async () => {
    const { viewer } = await start({
      rates: {
        ...noRates,
        socketDescription: { perSecond: 0.001, burst: 2 },
        socketCandidate: { perSecond: 1, burst: 3 },
      },
    })
    const client = await viewer('v')
    const tries = ['SDP_OFFER', 'SDP_OFFER', 'SDP_OFFER', ...Array<string>(4).fill('ICE_CANDIDATE')]
    for (const [index, action] of tries.entries()) {
      client.send({ action, messagePayload: base64('x'), correlationId: `c${index}` })
    }
    for (const correlationId of ['c2', 'c6']) {
      expect(await client.next()).toMatchObject({
        statusResponse: { correlationId, errorType: 'ClientLimitExceededException', statusCode: '400' },
      })
    }
    expect(client.unread).toEqual([])
  })

  test('a channel is connected to so often', async () => {
    const { viewer, query } = await start(rate('channelConnect', 1))
    await viewer('one')
    const url = await running.presign(running.key, { ...query, 'X-Amz-ClientId': 'two' })
    expect(await refusal(url, running.ca)).toMatchObject({ status: 400, type: 'ClientLimitExceededException' })
    // Masters are counted by themselves: viewers lock no camera out.
    await running.connect(running.key, query)
  })

  test.each([['channelCall' as const], ['accountRead' as const]])('a call is refused over %s', async (name) => {
    await start(rate(name, 2))
    await describeDoor()
    await describeDoor()
    await expect(describeDoor()).rejects.toMatchObject({
      name: 'ClientLimitExceededException',
      $metadata: { httpStatusCode: 400 },
    })
  })

  test('AWS publishes the numbers that hold by default', () => {
    const perSecond = Object.entries(defaultLimits.rates).map(([name, { perSecond: each }]) => [name, each])
    expect(Object.fromEntries(perSecond)).toEqual({
      accountWrite: 50,
      accountRead: 300,
      channelCall: 5,
      channelConnect: 3,
      socketDescription: 5,
      socketCandidate: 20,
      keyCall: 20,
      wrongKey: 1,
    })
  })

  test('one camera that never stops asking leaves the others and the applications what is theirs', async () => {
    const now = Date.now()
    const small = { perSecond: 1, burst: 10 }
    await start({ rates: { ...noRates, accountRead: { perSecond: 1, burst: 30 }, channelCall: small } }, () => now)
    const keyFor = (channelName: string) => running.service.createCredentials({ kind: 'camera', channelName })
    const [loud, other] = [await keyFor('door'), await keyFor('porch')]
    const ask = (key: Key, name: string) =>
      running.control(key).send(new DescribeSignalingChannelCommand({ ChannelName: name }))
    for (let calls = 0; calls < 10; calls += 1) await ask(loud, 'door')
    for (let calls = 0; calls < 50; calls += 1)
      await expect(ask(loud, 'door')).rejects.toMatchObject({ name: 'ClientLimitExceededException' })
    // No time has passed: what the key's own bucket refused has taken nothing from the account's.
    await running.service.ensureChannel('porch')
    for (let calls = 0; calls < 10; calls += 1) await ask(other, 'porch')
    for (let calls = 0; calls < 10; calls += 1) await describeDoor()
  })

  test('whatever a key asks for, allowed or not, counts as its own', async () => {
    const now = Date.now()
    await start({ rates: { ...noRates, keyCall: { perSecond: 1, burst: 3 } } }, () => now)
    const key = await running.service.createCredentials({ kind: 'camera', channelName: 'door' })
    const answers = await Promise.allSettled(
      Array.from({ length: 5 }, (_, name) =>
        running.control(key).send(new DescribeSignalingChannelCommand({ ChannelName: `other-${name}` })),
      ),
    )
    const names = answers.map((answer) => (answer.status === 'rejected' ? answer.reason.name : 'let in'))
    expect(names.filter((name) => name === 'AccessDeniedException')).toHaveLength(3)
    expect(names.filter((name) => name === 'ClientLimitExceededException')).toHaveLength(2)
    await describeDoor()
  })
})

describe('time', () => {
  const heartbeatMs = 1_000
  let now = Date.now()
  beforeEach(() => hold('setInterval'))
  afterEach(() => void jest.useRealTimers())
  const beat = (atMs: number) => {
    now += atMs
    jest.advanceTimersByTime(heartbeatMs)
  }

  test('a viewer that sends nothing is closed, one that pings and a master are not', async () => {
    const { master, viewer } = await start({ heartbeatMs, idleMs: 60_000 }, () => now)
    const [camera, silent, pinging] = [await master(), await viewer('silent'), await viewer('pinging')]
    now += 59_000
    pinging.socket.ping()
    await once(pinging.socket, 'pong')
    beat(1_000)
    expect(await silent.closed).toMatchObject({ code: 4008 })
    expect([camera.socket.readyState, pinging.socket.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN])
  })

  test('a connection is closed at the end of its life, without a GO_AWAY', async () => {
    const { master } = await start({ heartbeatMs, lifetimeMs: 60_000 }, () => now)
    const camera = await master()
    beat(66_000)
    expect(await camera.closed).toEqual({ code: 4010, reason: 'connect again' })
    expect(camera.unread).toEqual([])
  })

  test('with one where it is configured', async () => {
    const { master } = await start({ heartbeatMs, lifetimeMs: 60_000, goAwayMs: 30_000 }, () => now)
    const camera = await master()
    beat(50_000)
    expect(await camera.next()).toEqual({ messageType: 'GO_AWAY' })
    beat(16_000)
    await camera.closed
    expect(camera.unread).toEqual([])
  })
})

test('a revoked key opens nothing, and what it had opened is closed', async () => {
  const { query } = await start({})
  const { service } = running
  const scope = { kind: 'camera', channelName: 'door' } as const
  const [kept, lost] = [await service.createCredentials(scope), await service.createCredentials(scope)]
  const [stays, goes] = [await running.connect(kept, query), await running.connect(lost, query)]
  const listed = await service.listCredentials(scope)
  expect(listed.map(({ accessKeyId }) => accessKeyId).sort()).toEqual([kept.accessKeyId, lost.accessKeyId].sort())
  expect(await service.revokeCredentials(lost.accessKeyId)).toBe(true)
  expect(await goes.closed).toEqual({ code: 4003, reason: 'the key was revoked' })
  expect(await refusal(await running.presign(lost, query), running.ca)).toMatchObject({ status: 403 })
  expect(stays.socket.readyState).toBe(WebSocket.OPEN)
  expect(await service.revokeCredentials(lost.accessKeyId)).toBe(false)
  expect(await service.revokeCredentials('no such key')).toBe(false)
})

describe('a recorded request', () => {
  test('opens nothing when it is sent again, by header or by query', async () => {
    let now = Date.now()
    const { query } = await start({}, () => now)
    const url = await running.presign(running.key, query, { at: now })
    const path = '/listSignalingChannels'
    const headers = await sign(running, path, '{}', now)
    const first = new WebSocket(url, { ca: running.ca })
    await once(first, 'open')
    first.terminate()
    expect(await send(running, path, '{}', headers)).toMatchObject({ status: 200 })
    // Within the second a client that signs anew signs the same.
    expect(await send(running, path, '{}', headers)).toMatchObject({ status: 200 })
    now += 3_000
    expect(await refusal(url, running.ca)).toMatchObject({ status: 403, type: 'InvalidSignatureException' })
    expect(await send(running, path, '{}', headers)).toMatchObject({ status: 403, type: 'InvalidSignatureException' })
  })

  test('is remembered as long as it would be valid, and no longer', async () => {
    let now = 0
    const store = createSqliteStore(':memory:', () => now)
    const memory = await openReplayMemory(store, () => now, quiet)
    memory.use('a', signature(1, 0, 600_000))
    now = 599_000
    memory.sweep()
    expect(() => memory.use('a', signature(1, 0, 600_000))).toThrow('used before')
    now = 600_000
    memory.sweep()
    memory.use('a', signature(1, 0, 600_000))
    await store.close()
  })

  test('opens nothing after a restart either', async () => {
    let now = 0
    const store = createSqliteStore(':memory:', () => now)
    const before = await openReplayMemory(store, () => now, quiet)
    // More than one page of them.
    for (let used = 0; used < 700; used += 1) before.use('a', signature(used, 0, 604_800_000))
    now = 86_400_000
    const after = await openReplayMemory(store, () => now, quiet)
    for (const used of [0, 350, 699])
      expect(() => after.use('a', signature(used, 0, 604_800_000))).toThrow('used before')
    after.use('a', signature(700, 0, 604_800_000))
    await store.close()
  })

  test('takes bounded memory: a key that signs without end closes its own past, and no other key', async () => {
    let now = 0
    const store = createSqliteStore(':memory:', () => now)
    const memory = await openReplayMemory(store, () => now, quiet)
    memory.use('other', signature(0, 0))
    for (let used = 0; used <= 10_000; used += 1) memory.use('a', signature(used, used))
    now = 13_000
    // The first of them is forgotten: whatever is as old counts as used.
    expect(() => memory.use('a', signature(0, 0))).toThrow('used before')
    expect(() => memory.use('a', signature(20_000, 0))).toThrow('used before')
    memory.use('a', signature(20_001, 13_000))
    memory.use('other', signature(1, 0))
    await store.close()
  })
})

test('of too many strangers the oldest is cut, and a known client stays', async () => {
  const { master } = await start({ strangers: 5 })
  const camera = await master()
  const { hostname, port } = new URL(running.service.endpoint)
  const strangers: TLSSocket[] = []
  let cut = 0
  for (let count = 0; count < 20; count += 1) {
    const socket = connectTls({ host: hostname, port: Number(port), ca: running.ca })
    socket.on('error', () => {})
    socket.once('close', () => (cut += 1))
    await once(socket, 'secureConnect')
    strangers.push(socket)
  }
  await until(() => cut === 15)
  expect(strangers.slice(-5).every(({ destroyed }) => !destroyed)).toBe(true)
  await running.control().send(new ListSignalingChannelsCommand({}))
  expect(camera.socket.readyState).toBe(WebSocket.OPEN)
  for (const socket of strangers) socket.destroy()
})

describe('a browser', () => {
  const path = '/describeSignalingChannel'
  const wanted = 'amz-sdk-invocation-id,authorization,content-type,x-amz-content-sha256,x-amz-date'

  test('may ask from a page of any origin, with the headers that the SDK signs', async () => {
    await start({})
    const asked = await send(
      running,
      path,
      '',
      {
        origin: 'https://page.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': wanted,
      },
      'OPTIONS',
    )
    expect(asked).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': wanted,
      },
    })
  })

  test('may read the answer, an error too', async () => {
    await start({})
    for (const [body, status] of [
      ['{"ChannelName":"door"}', 200],
      ['{"ChannelName":"other"}', 404],
    ] as const) {
      const headers = { ...(await sign(running, path, body)), origin: 'https://page.example' }
      expect(await send(running, path, body, headers)).toMatchObject({
        status,
        headers: {
          'access-control-allow-origin': '*',
          'access-control-expose-headers': 'x-amzn-RequestId, x-amzn-errortype, Date',
        },
      })
    }
  })
})
