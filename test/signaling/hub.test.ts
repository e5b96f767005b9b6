/** The hub with peers that only remember: who is master, what waits, and for how long. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { Channel } from '../../src/signaling/channel-records.ts'
import { defaultLimits } from '../../src/signaling/limits.ts'
import { createHub, type Hub } from '../../src/signaling/hub.ts'
import type { Delivery } from '../../src/signaling/message.ts'
import type { Peer } from '../../src/signaling/room.ts'

interface FakePeer extends Peer {
  readonly got: Delivery[]
  closedWith?: number
  /** Set: it takes nothing more. */
  isFull?: boolean
}

function createPeer(): FakePeer {
  const peer: FakePeer = {
    got: [],
    deliver(message) {
      if (peer.isFull) return false
      peer.got.push(message)
      return true
    },
    close(code) {
      peer.closedWith ??= code
    },
  }
  return peer
}

const channel: Channel = {
  name: 'door',
  arn: 'arn',
  createdAt: 0,
  messageTtlS: 60,
  version: '1',
  storage: { status: 'DISABLED' },
}
const limits = { ...defaultLimits, undeliveredPerChannel: 4 }
const offer = (payload: string) => ({ type: 'SDP_OFFER' as const, payload })
let hub: Hub
let presence: boolean[]
beforeEach(() => {
  jest.useFakeTimers()
  presence = []
  hub = createHub(limits, Date.now, (_name, online) => presence.push(online))
})
afterEach(() => {
  hub.close()
  expect(jest.getTimerCount()).toBe(0)
  jest.useRealTimers()
})

const payloads = (peer: FakePeer) => peer.got.map(({ payload }) => payload)

describe('two masters', () => {
  test('the newest gets the offers, and the older one is closed only after a grace', () => {
    const [older, newer] = [createPeer(), createPeer()]
    hub.joinAsMaster(channel, older)
    hub.joinAsMaster(channel, newer)
    const viewer = hub.joinAsViewer(channel, 'v', createPeer())
    viewer.post(offer('1'))
    expect([payloads(older), payloads(newer)]).toEqual([[], ['1']])
    jest.advanceTimersByTime(29_999)
    expect(older.closedWith).toBeUndefined()
    jest.advanceTimersByTime(1)
    expect([older.closedWith, newer.closedWith]).toEqual([4001, undefined])
  })

  test('the older one may finish the calls that it has begun', () => {
    const older = hub.joinAsMaster(channel, createPeer())
    hub.joinAsMaster(channel, createPeer())
    const viewer = createPeer()
    hub.joinAsViewer(channel, 'v', viewer)
    older.post({ type: 'SDP_ANSWER', payload: 'a', recipientClientId: 'v' })
    expect(payloads(viewer)).toEqual(['a'])
  })

  test('the older one is master again when the newest leaves first', () => {
    const older = createPeer()
    const olderSeat = hub.joinAsMaster(channel, older)
    hub.joinAsMaster(channel, createPeer()).leave()
    hub.joinAsViewer(channel, 'v', createPeer()).post(offer('1'))
    expect(payloads(older)).toEqual(['1'])
    jest.advanceTimersByTime(60_000)
    expect(older.closedWith).toBeUndefined()
    expect(presence).toEqual([true])
    olderSeat.leave()
    olderSeat.leave()
    jest.advanceTimersByTime(1_000)
    expect(presence).toEqual([true, false])
  })

  test('two that come back whenever they are closed replace each other twice a minute, not more', () => {
    let joined = 0
    let isOver = false
    const join = () => {
      joined += 1
      const seat = hub.joinAsMaster(channel, {
        deliver: () => true,
        close() {
          seat.leave()
          if (!isOver) setTimeout(join, 200)
        },
      })
    }
    join()
    join()
    jest.advanceTimersByTime(60_000)
    expect(joined).toBeLessThanOrEqual(4)
    isOver = true
  })

  test('of more than ten the oldest go at once', () => {
    const masters = Array.from({ length: 12 }, createPeer)
    for (const master of masters) hub.joinAsMaster(channel, master)
    expect(masters.map(({ closedWith }) => closedWith !== undefined)).toEqual([true, true, ...Array(10).fill(false)])
  })
})

const leaveFor = (awayMs: number) => {
  const seat = hub.joinAsMaster(channel, createPeer())
  seat.leave()
  jest.advanceTimersByTime(awayMs)
}

describe('presence', () => {
  test('a master that is back in a moment was never away', () => {
    leaveFor(700)
    hub.joinAsMaster(channel, createPeer())
    jest.advanceTimersByTime(60_000)
    expect(presence).toEqual([true])
    expect(hub.presence('door')).toMatchObject({ online: true })
  })

  test('one that is not is offline within a second, from the moment it left', () => {
    const at = Date.now()
    leaveFor(999)
    expect(presence).toEqual([true, false])
    expect(hub.presence('door')).toEqual({ online: false, sinceAt: at })
  })

  test('one that keeps coming and going is news every now and then only', () => {
    for (let times = 0; times < 30; times += 1) leaveFor(2_000)
    // Twice before it is known for it; then it would have to be away for 10 s.
    expect(presence).toEqual([true, false, true, false, true])
    jest.advanceTimersByTime(10_000)
    expect(presence.at(-1)).toBe(false)
  })
})

describe('what cannot be delivered', () => {
  test('waits as long as the channel says', () => {
    const viewer = hub.joinAsViewer(channel, 'v', createPeer())
    viewer.post(offer('1'))
    hub.joinAsViewer(channel, 'w', createPeer()).post(offer('2'))
    jest.advanceTimersByTime(59_999)
    const master = createPeer()
    const seat = hub.joinAsMaster(channel, master)
    expect(payloads(master)).toEqual(['1', '2'])
    seat.leave()
    viewer.post(offer('3'))
    jest.advanceTimersByTime(60_000)
    const late = createPeer()
    hub.joinAsMaster(channel, late)
    expect(payloads(late)).toEqual([])
  })

  test('makes room for others when its time is over', () => {
    const viewer = hub.joinAsViewer(channel, 'v', createPeer())
    const fill = () => viewer.post({ type: 'ICE_CANDIDATE', payload: 'c' })
    for (let kept = 0; kept < limits.undeliveredPerChannel; kept += 1) fill()
    expect(fill).toThrow('Too many undelivered messages')
    jest.advanceTimersByTime(60_000)
    hub.sweep()
    fill()
  })

  test('is kept for the next master when this one takes nothing more', () => {
    const stuck = createPeer()
    stuck.isFull = true
    const seat = hub.joinAsMaster(channel, stuck)
    hub.joinAsViewer(channel, 'v', createPeer()).post(offer('1'))
    seat.leave()
    const next = createPeer()
    hub.joinAsMaster(channel, next)
    expect(payloads(next)).toEqual(['1'])
  })
})

test('a channel made again under the name of a deleted one starts empty', () => {
  const master = createPeer()
  const seat = hub.joinAsMaster(channel, master)
  hub.joinAsViewer(channel, 'v', createPeer()).post({ type: 'ICE_CANDIDATE', payload: 'c' })
  hub.remove('door')
  expect([master.closedWith, presence]).toEqual([4004, [true, false]])
  hub.joinAsMaster(channel, createPeer())
  seat.leave()
  expect(presence).toEqual([true, false, true])
  expect(hub.presence('door')?.online).toBe(true)
})
