/** Google's limit on Home Graph calls: 6,000 in 60 seconds for one project, all methods counted together. */
import type { Clock, Log, Store } from 'transom-core/ports'

/** A press must never wait behind reports, nor a report behind a reconciliation: the last calls of a minute are kept for them. */
export type QuotaLane = 'press' | 'report' | 'reconcile'

/** Neither verb ever rejects. */
export interface Quota {
  /**
   * 0 when the call may be made now, and is counted; else the milliseconds to wait before asking again. A press is counted and
   * never waits: what Google turns down of it is tried again, and reports make room.
   */
  take(lane: QuotaLane): Promise<number>
  /** Google says that there is nothing left, whatever we counted: others share the project. */
  exhausted(forMs: number): Promise<void>
}

/** Plain data, which may lie in a store. */
interface Bucket {
  /** Less than none once presses have taken more than there was: reports wait until that has flowed in again. */
  readonly held: number
  /** When that was so, in epoch milliseconds. */
  readonly at: number
  /** Only presses go before. */
  readonly reportsFrom: number
}

/**
 * The rules of a bucket: whatever the pattern of calls, no 60 seconds see more than `perMinute` of them, as long as presses
 * alone are no more (what the bucket holds and what flows in within a minute are `perMinute` together).
 */
function rulesOf(perMinute: number) {
  const most = perMinute / 4
  const perMs = (perMinute - most) / 60_000
  const kept: Record<QuotaLane, number> = { press: -perMinute, report: most / 4, reconcile: most / 2 }

  return {
    fillUp: (bucket: Bucket | undefined, now: number): Bucket => {
      const { held, at, reportsFrom } = bucket ?? { held: most, at: now, reportsFrom: 0 }
      return { held: Math.min(most, held + Math.max(0, now - at) * perMs), at: now, reportsFrom }
    },
    /** What is left when one more call goes out, or how long that has to wait. */
    draw(bucket: Bucket, lane: QuotaLane): { readonly bucket: Bucket; readonly waitMs: number } {
      const { held, at, reportsFrom } = bucket
      if (lane !== 'press' && at < reportsFrom) return { bucket, waitMs: reportsFrom - at }
      const missing = kept[lane] + 1 - held
      if (missing > 0 && lane !== 'press') return { bucket, waitMs: Math.ceil(missing / perMs) }
      return { bucket: { ...bucket, held: Math.max(kept[lane], held - 1) }, waitMs: 0 }
    },
  }
}

export interface QuotaDeps {
  readonly clock: Clock
  /** Of the Google project; default 6000. */
  readonly perMinute?: number | undefined
}

/** The quota of a process that alone speaks to Home Graph. */
export function createQuota({ clock, perMinute = 6000 }: QuotaDeps): Quota {
  const { fillUp, draw } = rulesOf(perMinute)
  let bucket = fillUp(undefined, clock())

  return {
    async take(lane) {
      const drawn = draw(fillUp(bucket, clock()), lane)
      bucket = drawn.bucket
      return drawn.waitMs
    },
    async exhausted(forMs) {
      bucket = { ...bucket, reportsFrom: Math.max(bucket.reportsFrom, clock() + forMs) }
    },
  }
}

const key = 'home-graph'
/** What is turned down comes back when others may have done so, too: not all of a fleet in the same instant. */
const turnedDownMs = 5_000

/**
 * The quota that the processes of a fleet share: one bucket in the store. Each write is of all calls that this process has
 * waiting; what finds nothing left costs a read. A store that fails lets presses go, and nothing else.
 */
export function createSharedQuota(deps: QuotaDeps & { readonly store: Store; readonly log: Log }): Quota {
  const { clock, log, perMinute = 6000 } = deps
  const { fillUp, draw } = rulesOf(perMinute)
  const buckets = deps.store.collection<Bucket>('google-quota')
  let asked: { readonly lane: QuotaLane; readonly answer: (waitMs: number) => void }[] = []
  let isAtIt = false

  async function answerAll(): Promise<void> {
    isAtIt = true
    while (asked.length > 0) {
      const turn = asked
      asked = []
      const waits = await drawAll(turn.map(({ lane }) => lane))
      for (const [index, { answer }] of turn.entries()) answer(waits[index] ?? turnedDownMs)
    }
    isAtIt = false
  }

  async function drawAll(lanes: readonly QuotaLane[]): Promise<readonly number[]> {
    let waits: readonly number[] = []
    try {
      await buckets.change(key, (stored) => {
        let bucket = fillUp(stored?.value, clock())
        waits = lanes.map((lane) => {
          const drawn = draw(bucket, lane)
          bucket = drawn.bucket
          return drawn.waitMs
        })
        return waits.includes(0) ? { value: bucket } : undefined
      })
    } catch (error) {
      log('warn', 'google.quota-unknown', { error: String(error) })
      waits = lanes.map((lane) => (lane === 'press' ? 0 : 1))
    }
    return waits.map((waitMs) => (waitMs === 0 ? 0 : Math.max(waitMs, turnedDownMs * (1 + Math.random()))))
  }

  return {
    take: (lane) =>
      new Promise((answer) => {
        asked.push({ lane, answer })
        if (!isAtIt) void answerAll()
      }),
    async exhausted(forMs) {
      try {
        await buckets.change(key, (stored) => {
          const bucket = fillUp(stored?.value, clock())
          return { value: { ...bucket, reportsFrom: Math.max(bucket.reportsFrom, clock() + forMs) } }
        })
      } catch (error) {
        log('warn', 'google.quota-unknown', { error: String(error) })
      }
    },
  }
}
