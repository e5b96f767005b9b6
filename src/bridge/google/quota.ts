/** Google's limit on Home Graph calls: 6,000 in 60 seconds for one project, all methods counted together. */
import type { Clock } from 'transom-core/ports'

/** A press must never wait behind reports, nor a report behind a reconciliation: the last calls of a minute are kept for them. */
export type QuotaLane = 'press' | 'report' | 'reconcile'

export interface Quota {
  /** 0 when the call may be made now, and is counted; else the milliseconds to wait before asking again. */
  take(lane: QuotaLane): number
  /** Google says that there is nothing left, whatever we counted: other machines share the project. */
  exhausted(forMs: number): void
}

/**
 * A bucket: whatever the pattern of calls, no 60 seconds see more than `perMinute` of them (what the bucket holds and what
 * flows in within a minute are `perMinute` together).
 */
export function createQuota({ clock, perMinute = 6000 }: { clock: Clock; perMinute?: number }): Quota {
  const most = perMinute / 4
  const perMs = (perMinute - most) / 60_000
  const kept: Record<QuotaLane, number> = { press: 0, report: most / 4, reconcile: most / 2 }
  let held = most
  let at = clock()
  let reportsFrom = 0

  return {
    take(lane) {
      const now = clock()
      held = Math.min(most, held + Math.max(0, now - at) * perMs)
      at = now
      if (lane !== 'press' && now < reportsFrom) return reportsFrom - now
      const missing = kept[lane] + 1 - held
      if (missing > 0) return Math.ceil(missing / perMs)
      held -= 1
      return 0
    },
    exhausted(forMs) {
      reportsFrom = Math.max(reportsFrom, clock() + forMs)
    },
  }
}
