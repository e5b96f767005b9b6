/** When a camera's media happened, on our clock: RTP timestamps made steady over wraps and jumps, and tracks kept together. */
import { distance, type SenderReport } from './rtp.ts'

/** A step larger than this is a jump of the camera's clock: time goes on from where it was. */
const jumpMs = 2_000
/** Backwards a smaller one is: pictures out of order are no further apart. */
const backMs = 500
/** So far sound and picture may be apart by their sender reports before the sound is moved. */
const lipSyncMs = 30
const mostApartMs = 500

export interface Timeline {
  /** Milliseconds of the instant that this timestamp stands for; `now`: when its packet arrived. */
  at(timestamp: number, now: number): number
  /** By its sender report the track's media of `report.timestamp` was captured at the camera's `report.ntpMs`. */
  anchor(report: SenderReport): void
}

/** What the tracks of one session share: the difference between the camera's clock and ours. */
export interface Wall {
  offsetMs: number | undefined
}

/** `leads`: the track whose arrival sets the camera's clock against ours; the others are moved to fit it. */
export function createTimeline(clockRate: number, wall: Wall, leads: boolean): Timeline {
  let base: { readonly timestamp: number; readonly at: number } | undefined
  let lastArrival = 0
  const toMs = (ticks: number) => (ticks * 1_000) / clockRate

  return {
    at(timestamp, now) {
      if (base) {
        const step = toMs(distance(base.timestamp, timestamp, 32))
        const ideal = base.at + step
        const elapsed = now - lastArrival
        // Pictures of one burst arrive together, so only a large difference says that the clock is another now.
        const isJump = step < -backMs || Math.abs(step - elapsed) > jumpMs || Math.abs(ideal - now) > jumpMs
        base = { timestamp, at: isJump ? Math.max(base.at + 1, Math.min(now, base.at + Math.max(1, elapsed))) : ideal }
        if (isJump && leads) wall.offsetMs = undefined
      } else base = { timestamp, at: now }
      lastArrival = now
      return base.at
    },
    anchor({ ntpMs, timestamp }) {
      // A camera without a clock says zero.
      if (!base || ntpMs <= 0) return
      const at = base.at + toMs(distance(base.timestamp, timestamp, 32))
      if (leads) wall.offsetMs = at - ntpMs
      else if (wall.offsetMs !== undefined) {
        const apartMs = ntpMs + wall.offsetMs - at
        // Further apart than that, the report is wrong and not the sound.
        if (Math.abs(apartMs) > lipSyncMs && Math.abs(apartMs) < mostApartMs) base = { ...base, at: base.at + apartMs }
      }
    },
  }
}
