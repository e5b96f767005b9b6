/** The outbox: presses first, reports in order, nothing lost, nothing twice, nothing late. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { createOutbox } from '../../src/bridge/outbox/outbox.ts'
import type { Delivery, Outgoing } from '../../src/bridge/outbox/outgoing.ts'
import { accountId, cameraId, type Store } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createWorld, press, report, tick } from './world.ts'
import { wrapped } from '../store/wrapped.ts'

let store: Store
beforeEach(() => {
  jest.useFakeTimers({ now: 1_000_000 })
  store = createSqliteStore(':memory:', Date.now)
})
afterEach(async () => {
  await store.close()
  jest.useRealTimers()
})

const done = async (): Promise<Delivery> => ({ kind: 'done' })
const never = () => new Promise<Delivery>(() => {})
const retry = async (): Promise<Delivery> => ({ kind: 'retry', reason: 'busy' })

/** One camera's state, which together with another one's is that of all. */
const stateOf = (camera: string, id: string) => report(camera, { id, subject: 'states', together: 'all' })

const bodies = (told: readonly { event: Pick<Outgoing, 'body'> }[]) =>
  told.map(({ event }) => JSON.stringify(event.body))

describe('an event', () => {
  test('is told once, however often it is added, also after it was told', async () => {
    const world = createWorld(store, done)
    const { outbox } = world.boot()
    const event = press()
    await Promise.all([outbox.add([event, event]), outbox.add([event])])
    await outbox.settled()
    await outbox.add([event])
    await outbox.settled()
    const state = report('open')
    await outbox.add([state])
    await outbox.settled()
    await outbox.add([state])
    await outbox.settled()
    expect(world.told.map(({ event: { id } }) => id)).toEqual([event.id, state.id])
  })

  test('is durable when `add` resolves: a process that dies right after it leaves it to the next', async () => {
    const world = createWorld(store, done)
    const first = world.boot()
    const events = [press(), report('x')]
    const added = first.outbox.add(events)
    await added
    first.kill()
    world.told.length = 0
    const next = world.boot()
    await next.outbox.start()
    await tick(10_000)
    expect(world.told.map(({ event }) => event.id).sort()).toEqual(events.map(({ id }) => id).sort())
  })

  test('for a destination that nobody delivers to is not kept', async () => {
    const outbox = createOutbox({ store, deliver: {}, clock: Date.now, log: () => {} })
    await outbox.add([press()])
    expect(await store.collection('outbox').list('press')).toEqual([])
  })

  test('that the store does not take rejects `add`', async () => {
    const { outbox } = createWorld(
      wrapped(store, (_kind, records) => ({ ...records, put: () => Promise.reject(new Error('disk full')) })),
      done,
    ).boot()
    await expect(outbox.add([press()])).rejects.toThrow('disk full')
  })

  test('that fails is tried again, each time later, until it is not useful any more', async () => {
    const world = createWorld(store, retry)
    const { outbox } = world.boot()
    const event = press()
    await outbox.add([event])
    await tick(60_000)
    await outbox.settled()
    const times = world.told.map(({ at }) => at)
    const gaps = times.slice(1).map((at, index) => at - times[index]!)
    expect(gaps.length).toBeGreaterThanOrEqual(3)
    for (const [index, gap] of gaps.entries()) {
      expect(gap).toBeGreaterThanOrEqual(1_000 * 2 ** index)
      expect(gap).toBeLessThanOrEqual(1_500 * 2 ** index)
    }
    expect(Math.max(...times)).toBeLessThan(event.usefulUntil)
    expect(world.lines.at(-1)).toMatchObject({ level: 'error', event: 'outbox.dropped', fields: { error: 'busy' } })
  })

  test('waits as long as it was told to', async () => {
    let isFirst = true
    const world = createWorld(store, async () => {
      if (!isFirst) return { kind: 'done' }
      isFirst = false
      return { kind: 'retry', afterMs: 7_000, reason: 'Retry-After' }
    })
    const { outbox } = world.boot()
    await outbox.add([press()])
    await tick(6_999)
    expect(world.told).toHaveLength(1)
    await tick(1)
    expect(world.told).toHaveLength(2)
  })

  test('that is refused for good is not tried again', async () => {
    const world = createWorld(store, async () => ({ kind: 'drop', reason: 'no such customer' }))
    const { outbox } = world.boot()
    await outbox.add([press(), report('x')])
    await outbox.settled()
    expect(world.told).toHaveLength(2)
  })

  test('whose attempt never ends is tried again', async () => {
    let count = 0
    const world = createWorld(store, () => (++count === 1 ? never() : done()))
    const { outbox } = world.boot({ attemptMs: 5_000 })
    await outbox.add([press()])
    await tick(5_000 + 1_500)
    expect(world.told).toHaveLength(2)
  })

  test('that is stale when its turn comes is not told', async () => {
    const world = createWorld(store, done)
    const first = world.boot()
    const event = press({ usefulUntil: Date.now() + 1_000 })
    await first.outbox.add([event])
    first.kill()
    world.told.length = 0
    await tick(1_000)
    await world.boot().outbox.start()
    await tick(10_000)
    expect(world.told).toEqual([])
  })
})

describe('a press', () => {
  test('waits behind nothing: neither a thousand reports nor other presses that hang', async () => {
    const world = createWorld(store, async ({ id }) => (id === 'last' ? { kind: 'done' } : never()))
    const process = world.boot()
    const { outbox } = process
    await outbox.add(Array.from({ length: 1_000 }, (_, index) => report('x', { cameraId: cameraId(`c${index}`) })))
    await outbox.add(Array.from({ length: 20 }, () => press()))
    await outbox.add([press({ id: 'last' })])
    await tick()
    expect(world.told.map(({ event }) => event.id)).toContain('last')
    expect(world.told.filter(({ event }) => event.lane === 'report').length).toBe(2)
    process.kill()
  })

  test('that another process is sending is not sent by us, unless it dies', async () => {
    const world = createWorld(store, never)
    const first = world.boot({ attemptMs: 5_000 })
    await first.outbox.add([press()])
    await tick()
    const second = world.boot()
    await second.outbox.start()
    await tick(4_000)
    expect(world.told).toHaveLength(1)
    first.kill()
    await tick(1_000)
    expect(world.told).toHaveLength(2)
  })

  test('that two processes find is sent by one of them', async () => {
    const world = createWorld(store, done)
    const first = world.boot()
    await first.outbox.add([press()])
    first.kill()
    world.told.length = 0
    const [one, other] = [world.boot(), world.boot()]
    await Promise.all([one.outbox.start(), other.outbox.start()])
    await tick(10_000)
    expect(world.told.length).toBeLessThanOrEqual(1)
  })

  test('is waited for without the reports', async () => {
    let isUp = false
    const world = createWorld(store, ({ lane }) => (lane === 'report' || !isUp ? retry() : done()))
    const { outbox } = world.boot()
    await outbox.add([press(), report('x')])
    let hasLeft = false
    const left = outbox.settled('press').then(() => (hasLeft = true))
    await tick(100)
    expect(hasLeft).toBe(false)
    isUp = true
    await tick(1_500)
    expect(hasLeft).toBe(true)
    await left
    await outbox.close()
  })

  test('is waited for without what an earlier request has left, of presses and of reports', async () => {
    const world = createWorld(store, async ({ id }) => (id.startsWith('stuck') ? retry() : done()))
    const { outbox } = world.boot()
    await outbox.add([press({ id: 'stuck press' }), report('x', { id: 'stuck report', cameraId: cameraId('barn') })])
    await tick(100)
    const since = outbox.now()
    await outbox.add([press({ id: 'mine' }), report('y', { id: 'mine too' })])
    const settled: string[] = []
    const left = [
      outbox.settled('press', since).then(() => settled.push('my press')),
      outbox.settled(undefined, since).then(() => settled.push('all of mine')),
      outbox.settled('press').then(() => settled.push('every press')),
    ]
    await tick(100)
    expect(settled).toEqual(['my press', 'all of mine'])
    await tick(700_000)
    await Promise.all(left)
    await outbox.close()
  })

  test('is not waited for while its line is put off for long: somebody else will send it', async () => {
    const world = createWorld(store, async ({ id }) =>
      id === 'first' ? { kind: 'retry', afterMs: 5_000, reason: 'the quota is used up' } : done(),
    )
    const { outbox } = world.boot()
    const settled: string[] = []
    const invoke = async (event: Outgoing) => {
      const since = outbox.now()
      await outbox.add([event])
      void outbox.settled(undefined, since).then(() => settled.push(event.id))
      await tick(10)
    }
    await invoke(report('x', { id: 'first', subject: 'first' }))
    await invoke(report('y', { id: 'behind it', subject: 'second' }))
    expect(settled).toEqual(['first', 'behind it'])
    expect(world.told.map(({ event }) => event.id)).toEqual(['first'])
    await tick(700_000)
    expect(world.told.map(({ event }) => event.id)).toContain('behind it')
    await outbox.close()
  })

  test('of before presses were spread over lists is found, told and forgotten', async () => {
    const world = createWorld(store, done)
    const [old, foreign] = [press({ id: 'old' }), press({ id: 'foreign', accountId: accountId('bert') })]
    const lines = store.collection('outbox')
    for (const event of [old, foreign]) await lines.put(event.id, { state: 'open', event }, { group: 'press' })
    const { outbox } = world.boot()
    await outbox.forget(foreign.accountId)
    await outbox.start()
    await tick()
    expect(world.told.map(({ event }) => event.id)).toEqual(['old'])
    expect(await lines.list('press')).toEqual([])
    await outbox.close()
  })

  test('between two attempts can be taken over at once', async () => {
    const world = createWorld(store, retry)
    const first = world.boot()
    await first.outbox.add([press()])
    await tick()
    first.kill()
    await world.boot().outbox.start()
    await tick()
    expect(world.told).toHaveLength(2)
  })
})

describe('reports', () => {
  test('of one camera are told one after the other, and the newest of those that wait replaces the others', async () => {
    const first = Promise.withResolvers<Delivery>()
    const world = createWorld(store, ({ body }) => (body === 'a' ? first.promise : done()))
    const { outbox } = world.boot()
    for (const body of ['a', 'b', 'c', 'd']) await outbox.add([report(body)])
    await tick()
    expect(bodies(world.told)).toEqual(['"a"'])
    first.resolve({ kind: 'done' })
    await outbox.settled()
    expect(bodies(world.told)).toEqual(['"a"', '"d"'])
  })

  test('about different subjects do not replace each other', async () => {
    const world = createWorld(store, done)
    const { outbox } = world.boot()
    await outbox.add([
      report('on', { subject: 'motion' }),
      report('ok', { subject: 'health' }),
      report('off', { subject: 'motion' }),
    ])
    await outbox.settled()
    expect(bodies(world.told).slice(-2)).toEqual(expect.arrayContaining(['"off"', '"ok"']))
  })

  test('that replace one which waits say what both do, where they know how', async () => {
    let isUp = false
    const world = createWorld(store, async () => (isUp ? done() : retry()))
    const { outbox } = world.boot()
    await outbox.add([stateOf('garden', 'one')])
    await tick(10)
    await outbox.add([stateOf('barn', 'two')])
    isUp = true
    await tick(5_000)
    await outbox.add([stateOf('shed', 'three')])
    await tick(10)
    expect(bodies(world.told)).toEqual(['"garden"', '"all"', '"shed"'])
    await outbox.close()
  })

  test('that are older than what was told are not told', async () => {
    const world = createWorld(store, done)
    const { outbox } = world.boot()
    await outbox.add([report('new')])
    await outbox.settled()
    await outbox.add([report('old', { at: Date.now() - 1 })])
    await outbox.settled()
    expect(bodies(world.told)).toEqual(['"new"'])
  })

  test('that fail hold up their camera, not the others of the account', async () => {
    const world = createWorld(store, ({ body }) => (body === 'bad' ? retry() : done()))
    const { outbox } = world.boot()
    const garden = { cameraId: cameraId('garden') }
    await outbox.add([report('bad', { subject: 'one' })])
    await tick()
    await outbox.add([report('next', { subject: 'two' }), report('good', garden)])
    await tick()
    expect(bodies(world.told)).toEqual(['"bad"', '"good"'])
    await outbox.close()
  })

  test('of one account take two places at most, and other accounts go on', async () => {
    const world = createWorld(store, ({ accountId: whose }) => (whose === 'anna' ? never() : done()))
    const { outbox } = world.boot()
    await outbox.add(Array.from({ length: 9 }, (_, index) => report('x', { cameraId: cameraId(`c${index}`) })))
    await outbox.add(
      Array.from({ length: 9 }, (_, index) =>
        report('y', { accountId: accountId('bob'), cameraId: cameraId(`b${index}`) }),
      ),
    )
    await tick()
    expect(Object.groupBy(bodies(world.told), (body) => body)).toMatchObject({
      '"x"': { length: 2 },
      '"y"': { length: 9 },
    })
  })
})

describe('reports among several processes', () => {
  test('that another process is sending are not sent by us, unless it dies', async () => {
    const world = createWorld(store, never)
    const first = world.boot({ attemptMs: 5_000 })
    await first.outbox.add([report('x')])
    await tick()
    await world.boot().outbox.start()
    await tick(4_000)
    expect(world.told).toHaveLength(1)
    first.kill()
    await tick(1_000)
    expect(world.told).toHaveLength(2)
  })

  test('are not told by a process that slept while another one told something newer', async () => {
    const world = createWorld(store, ({ body }) => (body === 'old' ? retry() : done()))
    await world.boot({ firstRetryMs: 5_000 }).outbox.add([report('old')])
    await tick()
    await tick(1)
    await world.boot().outbox.add([report('new')])
    await tick(10_000)
    expect(bodies(world.told)).toEqual(['"old"', '"new"'])
  })

  test('that wait for long are marked anew before they are sent', async () => {
    let isFirst = true
    const world = createWorld(store, async () => {
      if (isFirst) await new Promise((resolve) => setTimeout(resolve, 4_900))
      isFirst = false
      return { kind: 'done' }
    })
    const first = world.boot({ attemptMs: 5_000 })
    await first.outbox.add([report('a', { subject: 'one' }), report('b', { subject: 'two' })])
    await tick(4_000)
    await world.boot().outbox.start()
    await tick(60_000)
    expect(bodies(world.told).toSorted()).toEqual(['"a"', '"b"'])
  })
})

test('a new press is written once before it leaves', async () => {
  let writes = 0
  const counting = wrapped(store, (_kind, records) => ({
    ...records,
    put: (...args) => (writes++, records.put(...args)),
  }))
  const seen: number[] = []
  const world = createWorld(counting, async () => {
    seen.push(writes)
    return { kind: 'done' }
  })
  const { outbox } = world.boot()
  await outbox.add([press()])
  await outbox.settled()
  expect(seen).toEqual([1])
})

describe('closing', () => {
  test('may be done twice, ends what hangs, and leaves what is open to the next process', async () => {
    const world = createWorld(
      store,
      (_event, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    const { outbox } = world.boot()
    await outbox.add([press()])
    await tick()
    const closed = Promise.all([outbox.close(), outbox.close()])
    await tick(2_000)
    await closed
    expect(jest.getTimerCount()).toBe(0)
    await expect(outbox.add([press()])).rejects.toThrow('closed')
    await world.boot().outbox.start()
    await tick()
    expect(world.told).toHaveLength(2)
  })
})
