/** How long sound takes through the gateway, from the display's packet in to the camera's packet out. */

/** The latest packets: ten seconds of talk. */
const mostKept = 500

export interface Delays {
  add(ms: number): void
  /** The delay, milliseconds, that 95 % of the latest packets stay below; `undefined` before the first one. */
  p95(): number | undefined
}

export function createDelays(): Delays {
  const kept: number[] = []
  let next = 0
  return {
    add(ms) {
      kept[next] = ms
      next = (next + 1) % mostKept
    },
    p95() {
      const delay = kept.toSorted((one, other) => one - other)[Math.floor(kept.length * 0.95)]
      return delay === undefined ? undefined : Math.round(delay)
    },
  }
}
