/** Sources stamp media with a clock that never jumps; what is recorded is looked for by the time of day, which may be set. */
import type { Clock } from 'transom-core/ports'

/** Media is not on its way for so long. */
const mostApartMs = 5_000

export interface TimeOfDay {
  /** The time of day of an instant of the source, epoch milliseconds. */
  of(at: number): number
  /** Compares what comes now with the clock. True when the clock was set, or the source began anew: `of` is another from now on. */
  follow(at: number): boolean
}

export function createTimeOfDay(clock: Clock): TimeOfDay {
  let shift = 0
  return {
    of: (at) => at + shift,
    follow(at) {
      const apart = clock() - at
      if (Math.abs(apart - shift) <= mostApartMs) return false
      shift = Math.abs(apart) <= mostApartMs ? 0 : apart
      return true
    },
  }
}
