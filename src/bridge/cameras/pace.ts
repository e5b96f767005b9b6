/** How often a camera may speak: a stuck button stops ringing, and a sensor that chatters does not fill the store. */
import { createRates, type Rate } from 'transom-core/admission'
import type { Clock } from 'transom-core/ports'

/** Faster than anybody who wants to come in rings, for a while. */
const presses: Rate = { perSecond: 0.2, burst: 12 }
/** A button that was found stuck rings again after it has been quiet for so long. */
export const restMs = 60_000
/** Of everything else together. */
const news: Rate = { perSecond: 2, burst: 60 }

export type Verdict = 'admitted' | 'stuck' | 'still-stuck' | 'too-often'

export interface Pace {
  /** `stuck` is said once for each time, and `still-stuck` until the button has rested. */
  admit(cameraId: string, kind: string): Verdict
}

/** In this process's memory, by camera: only those whose key was shown get here. */
export function createPace(clock: Clock): Pace {
  const rates = createRates(clock)
  const lastPressAt = new Map<string, number>()
  return {
    admit(cameraId, kind) {
      if (kind !== 'press') return rates.tryTake(`news ${cameraId}`, news) ? 'admitted' : 'too-often'
      const now = clock()
      const pressedAt = lastPressAt.get(cameraId)
      if (pressedAt !== undefined && now - pressedAt < restMs) {
        lastPressAt.set(cameraId, now)
        return 'still-stuck'
      }
      lastPressAt.delete(cameraId)
      if (rates.tryTake(`press ${cameraId}`, presses)) return 'admitted'
      lastPressAt.set(cameraId, now)
      return 'stuck'
    },
  }
}
