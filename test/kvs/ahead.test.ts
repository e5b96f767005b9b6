/** Lines opened ahead of their offer: what they save, and that none of them outlives its purpose. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { createAhead } from '../../src/kvs/ahead.ts'
import type { ChannelConnection } from '../../src/kvs/channel.ts'
import { createKvsSignaling } from '../../src/kvs/signaling.ts'
import { all } from './all.ts'
import { frameOf, startFakeKvs, type FakeKvs } from './fake-kvs.ts'
import { until } from '../until.ts'

const sdp = 'v=0\r\ns=offer\r\n'
const answer = { type: 'answer', sdp: 'v=0\r\ns=answer\r\n' }
const viewer = { channelName: 'door', road: 'viewer' } as const

let fake: FakeKvs
let signaling: ReturnType<typeof createKvsSignaling>
let logged: string[]
let patient: AbortController

beforeEach(async () => {
  fake = await startFakeKvs()
  logged = []
  patient = new AbortController()
  signaling = createKvsSignaling(fake.access, { clock: Date.now, log: (_level, event) => void logged.push(event) })
  fake.script.frame = (socket) => {
    socket.send(frameOf('SDP_ANSWER', answer))
    socket.close()
  }
})
afterEach(async () => {
  await signaling.close()
  await until(async () => (await fake.connections()) === 0)
  await fake.close()
})

const offer = (viewerId: string) => all(signaling.offer(viewer, viewerId, sdp, patient.signal))
const said = [{ kind: 'answer', sdp: answer.sdp }]
const upgrades = () => fake.log.filter((call) => call === 'upgrade').length
const warm = async (...viewerIds: string[]) => {
  for (const viewerId of viewerIds) signaling.warm(viewer, viewerId)
  await until(() => fake.sockets.size === viewerIds.length)
}

describe('an offer for which a line was opened ahead', () => {
  test('costs one message: no REST call, no connection, no handshake', async () => {
    await warm('display-1')
    await signaling.iceServers(viewer, patient.signal)
    fake.log.length = 0
    const connections = await fake.connections()
    expect(await offer('display-1')).toEqual(said)
    expect(fake.log).toEqual([])
    expect(await fake.connections()).toBeLessThanOrEqual(connections)
    expect(fake.frames).toMatchObject([{ action: 'SDP_OFFER', clientId: 'display-1' }])
  })

  test('takes it even while it is being opened, and opens no second one', async () => {
    signaling.warm(viewer, 'display-1')
    signaling.warm(viewer, 'display-1')
    expect(await offer('display-1')).toEqual(said)
    expect(upgrades()).toBe(1)
  })

  test('of another viewer opens its own', async () => {
    await warm('display-1')
    expect(await offer('display-2')).toEqual(said)
    expect(upgrades()).toBe(2)
  })

  test('finds it gone when the service has ended it, and opens its own', async () => {
    await warm('display-1')
    for (const socket of fake.sockets) socket.close()
    await until(() => fake.sockets.size === 0)
    expect(await offer('display-1')).toEqual(said)
    expect(upgrades()).toBe(2)
  })

  test('that gets no word on it, because the service ended it in that instant, is sent again on one of its own', async () => {
    await warm('display-1')
    const regular = fake.script.frame
    fake.script.frame = (socket) => {
      fake.script.frame = regular
      socket.close()
    }
    expect(await offer('display-1')).toEqual(said)
    expect(upgrades()).toBe(2)
  })

  test('opens its own when the first could not be opened', async () => {
    let refusals = 1
    fake.script.upgrade = () => (refusals-- > 0 ? { status: 500, type: 'InternalFailure' } : undefined)
    signaling.warm(viewer, 'display-1')
    await until(() => logged.includes('kvs.warming-failed'))
    expect(await offer('display-1')).toEqual(said)
  })

  test('that is hung up closes it at once', async () => {
    await warm('display-1')
    fake.script.frame = () => {}
    const messages = offer('display-1')
    await until(() => fake.frames.length === 1)
    patient.abort()
    expect(await messages).toEqual([])
    await until(() => fake.sockets.size === 0)
  })
})

test('of lines that nobody takes only two stay open on a channel: viewers are few there', async () => {
  await warm('display-1', 'display-2')
  signaling.warm(viewer, 'display-3')
  await until(() => upgrades() === 3 && fake.sockets.size === 2)
  expect(await offer('display-3')).toEqual(said)
  expect(upgrades()).toBe(3)
})

test('a channel on the Alexa road has no line to open', async () => {
  signaling.warm({ channelName: 'door', road: 'alexa-offer' }, 'display-1')
  await signaling.iceServers(viewer, patient.signal)
  expect(upgrades()).toBe(0)
})

test('closing the signaling closes lines that wait, and none is opened any more', async () => {
  await warm('display-1')
  await signaling.close()
  await until(() => fake.sockets.size === 0)
  signaling.warm(viewer, 'display-2')
  expect(upgrades()).toBe(1)
})

test('a line that is not taken within fifteen seconds is closed', () => {
  jest.useFakeTimers()
  try {
    const ahead = createAhead(() => {})
    const signals: AbortSignal[] = []
    const open = (signal: AbortSignal) => {
      signals.push(signal)
      return new Promise<ChannelConnection>(() => {})
    }
    ahead.prepare('door', 'display-1', open)
    ahead.prepare('door', 'display-2', open)
    expect(ahead.take('display-2')).toBeDefined()
    jest.advanceTimersByTime(15_000)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    expect(ahead.take('display-1')).toBeUndefined()
    expect(jest.getTimerCount()).toBe(0)
  } finally {
    jest.useRealTimers()
  }
})
