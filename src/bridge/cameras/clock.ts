/** When a camera's event happened by our clock: cameras lose their time with their power, and find it late. */

/** So much an honest clock may be off, with what the network and the rounding of timestamps add. */
const toleranceMs = 5_000
/** Nobody keeps an event for so long to tell it: a camera that says so has the wrong day. */
const implausibleMs = 24 * 3_600_000

/**
 * `at` and `sentAt` are by the camera's clock, `now` is ours. Whoever says when it was sent says how old it is, whatever its
 * clock shows. Without that a late event cannot be told from a slow clock, unless the time is absurd.
 */
export function happenedAt(at: number, sentAt: number | undefined, now: number): number {
  if (sentAt === undefined) return now - at > implausibleMs ? now : Math.min(at, now)
  const behindMs = now - sentAt
  const corrected = Math.abs(behindMs) > toleranceMs ? at + behindMs : at
  // A camera may say that it sent this in the year 285,000.
  return Math.max(0, Math.min(corrected, now))
}
