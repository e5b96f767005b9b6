/** Random days of an outbox: presses and reports, gateways that fail, hang or say yes to a dead process, crashes at any time, several processes at once. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import fc from 'fast-check'
import { listOf } from '../../src/bridge/outbox/ledger.ts'
import type { Delivery } from '../../src/bridge/outbox/outgoing.ts'
import { cameraId } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createWorld, press, report, tick } from './world.ts'

beforeEach(() => void jest.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void jest.useRealTimers())

type Gateway = 'ok' | 'slow' | 'busy' | 'down' | 'hangs'

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'press' } as const) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('report' as const), camera: fc.nat(2), subject: fc.nat(1) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(9_000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('gateway' as const),
      is: fc.constantFrom<Gateway>('ok', 'slow', 'busy', 'down', 'hangs'),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'crash' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'sweep' } as const) },
)

/** Lives through the steps and then a quiet quarter of an hour in which the gateway works. */
async function live(steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[], usefulMs: number) {
  const store = createSqliteStore(':memory:', Date.now)
  let gateway: Gateway = 'ok'
  /** The gateway's yeses. */
  const announced: string[] = []
  const tooOften: string[] = []
  const world = createWorld(store, async (event, signal): Promise<Delivery> => {
    if (event.lane === 'press') {
      // The record of its end must be known to whoever comes after it.
      const open = await store.collection<{ event: { id: string } }>('outbox').list(listOf(event))
      if (!open.some(({ value }) => value.event.id === event.id)) tooOften.push(event.id)
    }
    const is = gateway
    if (is === 'busy') return { kind: 'retry', afterMs: 2_000, reason: '429' }
    if (is === 'down') throw new Error('connection refused')
    if (is === 'hangs') {
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    if (is === 'slow') await new Promise((resolve) => setTimeout(resolve, 3_000))
    announced.push(event.id)
    return { kind: 'done' }
  })
  let process = world.boot()
  const boot = async () => {
    process = world.boot()
    const started = process.outbox.start()
    await tick()
    await started
  }
  const added: ReturnType<typeof press>[] = []
  const sweepers: ReturnType<typeof world.boot>[] = []
  for (const each of steps) {
    if (each.kind === 'wait') await tick(each.ms)
    else if (each.kind === 'gateway') gateway = each.is
    else if (each.kind === 'crash') {
      process.kill()
      await boot()
    } else if (each.kind === 'restart') {
      const closed = process.outbox.close()
      await tick(4_000)
      await closed
      await boot()
    } else if (each.kind === 'sweep') {
      // On Lambda: another process picks up what it finds while this one lives on.
      const sweeper = world.boot()
      sweepers.push(sweeper)
      const started = sweeper.outbox.start()
      await tick()
      await started
    } else {
      await tick(1)
      const over = { usefulUntil: Date.now() + usefulMs }
      const event =
        each.kind === 'press'
          ? press(over)
          : report(`${Date.now()}`, { ...over, cameraId: cameraId(`c${each.camera}`), subject: `${each.subject}` })
      added.push(event)
      await process.outbox.add([event, event])
    }
  }
  gateway = 'ok'
  await tick(900_000)
  await Promise.all([process, ...sweepers].map(({ outbox }) => outbox.settled()))
  expect(tooOften).toEqual([])
  expect(jest.getTimerCount()).toBe(0)
  await store.close()
  return { added, announced, told: world.told }
}

const runs = { numRuns: 100 }

test('no press is lost, and none is announced twice but by a crash in the middle of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { added, announced } = await live(steps, 3_600_000)
      const crashes = steps.filter(({ kind }) => kind === 'crash').length
      for (const { id } of added.filter(({ lane }) => lane === 'press')) {
        const times = announced.filter((one) => one === id).length
        expect(times).toBeGreaterThan(0)
        expect(times).toBeLessThanOrEqual(1 + crashes)
      }
    }),
    runs,
  )
})

test('nothing is told late', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { told } = await live(steps, 30_000)
      for (const { event, at } of told) expect(at).toBeLessThan(event.usefulUntil)
    }),
    runs,
  )
})

test('reports about one subject are told in order, and the last of them always is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { added, told } = await live(steps, 3_600_000)
      const subjects = Map.groupBy(
        added.filter(({ lane }) => lane === 'report'),
        ({ cameraId: camera, subject }) => `${camera}#${subject}`,
      )
      for (const [subject, events] of subjects) {
        const times = told
          .filter(({ event }) => event.lane === 'report' && `${event.cameraId}#${event.subject}` === subject)
          .map(({ event }) => event.at)
        expect(times).toEqual(times.toSorted((one, other) => one - other))
        expect(times.at(-1)).toBe(events.at(-1)!.at)
      }
    }),
    runs,
  )
})

test('a press is under way before any time has passed, whatever else waits', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { added, told } = await live(steps, 3_600_000)
      for (const { id, at } of added.filter(({ lane }) => lane === 'press')) {
        expect(told.find(({ event }) => event.id === id)?.at).toBe(at)
      }
    }),
    runs,
  )
})
