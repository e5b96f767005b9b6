/** What happened at a camera and what was recorded of it, on a line of time: pure functions, in epoch milliseconds. */

/** From when to when. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** Something that was recorded. */
export interface Stretch extends Span {
  readonly id: number
  /** It is still being recorded. */
  readonly isOpen: boolean
}

/** Something that happened. */
export interface Mark {
  readonly kind: 'press' | 'person' | 'motion'
  readonly at: number
}

/** All of a time, each in its order. */
export interface Past {
  readonly stretches: readonly Stretch[]
  readonly marks: readonly Mark[]
}

/** How much time the line shows. */
export const spansMs = [10 * 60_000, 3_600_000, 6 * 3_600_000, 24 * 3_600_000] as const
/** What is so new is live. */
const liveMs = 3_000
/** An event is looked at from so long before. */
const leadMs = 2_000
/** From so long after its begin, an event is gone back to once more. */
const againMs = 3_000
/** What is shown of an instant was taken so long before it at most. */
const pictureMs = 1_000
const mostTicks = 6

const holds = ({ from, to, isOpen }: Stretch, at: number): boolean => from <= at && (isOpen || at < to)

/** Where there is a picture: at this instant, or the next one after it. Otherwise now. */
export function snap({ stretches }: Past, at: number, now: number): number | 'live' {
  if (at >= now - liveMs) return 'live'
  if (stretches.some((one) => holds(one, at))) return at
  return stretches.find(({ from }) => from > at)?.from ?? 'live'
}

/** The recording of an instant, or the last one that began before it. */
export const stretchAt = ({ stretches }: Past, at: number): Stretch | undefined =>
  stretches.findLast(({ from }) => from <= at)

/** From where to look at the next event that was recorded, or at the one before. */
export function eventFrom({ stretches, marks }: Past, at: number, by: 1 | -1): number | undefined {
  const begins = marks.flatMap((mark) => {
    const held = stretches.find((one) => holds(one, mark.at))
    return held ? [Math.max(held.from, mark.at - leadMs)] : []
  })
  return by === 1 ? begins.find((one) => one > at + pictureMs) : begins.findLast((one) => one < at - againMs)
}

/** The time that the line shows: so long, with `at` in it, and now where that is near. */
export function spanAround(at: number, lengthMs: number, now: number): Span {
  const to = Math.min(now, Math.max(at + lengthMs / 2, at))
  return { from: to - lengthMs, to }
}

/** The same again as long as `at` is in it. */
export function spanWith(span: Span, at: number, now: number): Span {
  const isNow = span.to >= now - (span.to - span.from) / 20
  if (isNow && at >= span.from) return { from: now - (span.to - span.from), to: now }
  return at >= span.from && at <= span.to ? span : spanAround(at, span.to - span.from, now)
}

/** Where on the line it is: 0 to 1. */
export const placeOf = ({ from, to }: Span, at: number): number => Math.min(1, Math.max(0, (at - from) / (to - from)))

/** The instant of a place on the line. */
export const instantOf = ({ from, to }: Span, place: number): number =>
  Math.round(from + Math.min(1, Math.max(0, place)) * (to - from))

/** Whole minutes or hours of the clock on the wall, whose zone is so far from UTC. */
export function ticksOf({ from, to }: Span, zoneMs: number): readonly number[] {
  const minutes = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720]
  const eachMs = (minutes.find((one) => (to - from) / (one * 60_000) <= mostTicks) ?? 1_440) * 60_000
  const first = Math.ceil((from + zoneMs) / eachMs) * eachMs - zoneMs
  return Array.from({ length: Math.max(0, Math.ceil((to - first) / eachMs)) }, (_, index) => first + index * eachMs)
}
