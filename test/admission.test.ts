import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import {
  createQueue,
  createRates,
  createShares,
  createStrangers,
  createWrongKeys,
  networkOf,
  type WrongKeys,
} from '../src/core/admission.ts'

/** As much of a socket as admission looks at. */
function socketFrom(remoteAddress: string): Socket & { readonly wasCut: boolean } {
  const socket = Object.assign(new EventEmitter(), {
    remoteAddress,
    wasCut: false,
    destroy: () => (socket.wasCut = true),
  })
  return socket as unknown as Socket & { readonly wasCut: boolean }
}

const gated = () => {
  const queue = createQueue({ atOnce: 2, waiting: 3, retryAfterMs: 2_000 })
  const gates: PromiseWithResolvers<number>[] = []
  const ask = () =>
    queue.run(() => {
      const gate = Promise.withResolvers<number>()
      gates.push(gate)
      return gate.promise
    })
  return { gates, ask }
}

describe('a queue', () => {
  const refusal = { code: 'rate_limited', retryAfterMs: 2_000 }

  test('runs two at once, lets three wait in order, and refuses the rest at once', async () => {
    const { gates, ask } = gated()
    const asked = [1, 2, 3, 4, 5].map(ask)
    expect(gates).toHaveLength(2)
    await expect(ask()).rejects.toMatchObject(refusal)
    for (let n = 0; n < 5; n += 1) {
      gates[n]?.resolve(n)
      expect(await asked[n]).toBe(n)
      expect(gates).toHaveLength(Math.min(5, n + 3))
    }
  })

  test('gives the place of work that failed to the next one', async () => {
    const { gates, ask } = gated()
    const [first, , third] = [ask(), ask(), ask()]
    gates[0]?.reject(new Error('no'))
    await expect(first).rejects.toThrow('no')
    gates[2]?.resolve(3)
    expect(await third).toBe(3)
  })

  test('never runs more than it should, also when somebody comes while a place is handed over', async () => {
    const queue = createQueue({ atOnce: 2, waiting: 50, retryAfterMs: 1 })
    let running = 0
    let most = 0
    const work = async () => {
      most = Math.max(most, (running += 1))
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
      running -= 1
    }
    const all: Promise<void>[] = []
    for (let n = 0; n < 40; n += 1) {
      all.push(queue.run(work))
      if (n % 3 === 0) await Promise.resolve()
    }
    await Promise.all(all)
    expect([most, running]).toEqual([2, 0])
  })
})

test('one owner has its share of what runs, and others have theirs', async () => {
  const shares = createShares({ most: 2, retryAfterMs: 1_000 })
  const gate = Promise.withResolvers<void>()
  const mine = [shares.run('a', () => gate.promise), shares.run('a', () => gate.promise)]
  await expect(shares.run('a', async () => {})).rejects.toMatchObject({ code: 'rate_limited' })
  await shares.run('b', async () => {})
  gate.resolve()
  await Promise.all(mine)
  await shares.run('a', async () => {})
})

test('rates: a burst, then so many a second; nothing for a clock that was set back; names from outside are bounded', () => {
  let now = 1_000_000
  const rates = createRates(() => now)
  const rate = { perSecond: 2, burst: 3 }
  const taken = (name: string, count: number) =>
    Array.from({ length: count }, () => rates.tryTake(name, rate)).filter(Boolean).length
  expect(taken('a', 5)).toBe(3)
  expect(taken('b', 1)).toBe(1)
  now += 1_000
  expect(taken('a', 5)).toBe(2)
  now -= 500
  expect(taken('a', 5)).toBe(0)
  for (let n = 0; n < 50_000; n += 1) rates.tryTake(`name ${n}`, rate)
  // Whoever was forgotten begins with a full bucket again.
  expect(taken('a', 5)).toBe(3)
})

const setUp = () => {
  const lines: unknown[] = []
  return { lines, wrongKeys: createWrongKeys({ clock: Date.now, log: (...line) => void lines.push(line) }) }
}

const isRefused = async (wrongKeys: WrongKeys, socket: Socket) => {
  let isDone = false
  const refused = wrongKeys.refuse({ socket }, { door: 'operator' }).then(() => (isDone = true))
  await Promise.resolve()
  await Promise.resolve()
  return { refused, isDone }
}

describe('wrong keys', () => {
  beforeEach(() => void jest.useFakeTimers({ now: 1_000_000 }))
  afterEach(() => void jest.useRealTimers())

  test('are refused at once and logged at first, then after a second each, for that address alone', async () => {
    const { lines, wrongKeys } = setUp()
    for (let n = 0; n < 20; n += 1) expect((await isRefused(wrongKeys, socketFrom('192.0.2.1'))).isDone).toBe(true)
    expect(lines).toHaveLength(20)
    expect(lines[0]).toEqual(['warn', 'admission.wrong-key', { door: 'operator' }])
    const slowed = await isRefused(wrongKeys, socketFrom('::ffff:192.0.2.1'))
    expect(slowed.isDone).toBe(false)
    expect((await isRefused(wrongKeys, socketFrom('192.0.2.2'))).isDone).toBe(true)
    jest.advanceTimersByTime(1_000)
    expect(await slowed.refused).toBe(true)
  })

  test('are counted by the client’s address, where a proxy that is trusted says so', async () => {
    const { wrongKeys } = setUp()
    const socket = socketFrom('192.0.2.1')
    for (let n = 0; n < 20; n += 1) await wrongKeys.refuse({ socket, ip: '198.51.100.1' }, {})
    const slowed = wrongKeys.refuse({ socket, ip: '198.51.100.1' }, {})
    expect(jest.getTimerCount()).toBe(1)
    await wrongKeys.refuse({ socket, ip: '198.51.100.2' }, {})
    expect(jest.getTimerCount()).toBe(1)
    jest.advanceTimersByTime(1_000)
    await slowed
  })

  test('are not waited for once the connection is gone, nor by more than can be held', async () => {
    const { wrongKeys } = setUp()
    const socket = socketFrom('192.0.2.1')
    for (let n = 0; n < 20; n += 1) await isRefused(wrongKeys, socket)
    const held = Array.from({ length: 200 }, () => wrongKeys.refuse({ socket }, {}))
    await expect(wrongKeys.refuse({ socket }, {})).rejects.toMatchObject({ code: 'rate_limited' })
    socket.emit('close')
    await Promise.all(held)
    expect(jest.getTimerCount()).toBe(0)
  })
})

test('of too many strangers the oldest is cut, and whoever is known is not', () => {
  const strangers = createStrangers(2)
  const [one, two, three, four] = ['1', '2', '3', '4'].map(socketFrom)
  if (!one || !two || !three || !four) throw new Error('four sockets')
  strangers.enter('1', one)
  strangers.enter('2', two)
  strangers.leave('1')
  strangers.enter('3', three)
  strangers.enter('4', four)
  expect([one, two, three, four].map(({ wasCut }) => wasCut)).toEqual([false, true, false, false])
})

test('a /64 is one network, and an IPv4 address one whether mapped or not', () => {
  expect(networkOf('2001:db8::1')).toBe(networkOf('2001:db8:0:0:ffff::2'))
  expect(networkOf('2001:db8:0:1::1')).not.toBe(networkOf('2001:db8::1'))
  expect(networkOf('::ffff:192.0.2.1')).toBe('192.0.2.1')
})
