/** Where the time line of the player leads. */
import { describe, expect, test } from '@jest/globals'
import {
  eventFrom,
  instantOf,
  placeOf,
  snap,
  spanAround,
  spanWith,
  stretchAt,
  ticksOf,
  type Past,
} from '../../src/player/past.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const now = Date.UTC(2026, 10, 28, 21, 14)
const stretch = (from: number, to: number, isOpen = false) => ({ id: from, from, to, isOpen })

/** Rang an hour ago, moved half an hour ago, and something is being recorded since a minute. */
const past: Past = {
  stretches: [
    stretch(now - hour, now - hour + 20 * second),
    stretch(now - 30 * minute, now - 29 * minute),
    stretch(now - minute, now - 20 * second, true),
  ],
  marks: [
    { kind: 'press', at: now - hour + 5 * second },
    { kind: 'person', at: now - 45 * minute },
    { kind: 'motion', at: now - 30 * minute + second },
    { kind: 'press', at: now - 30 * second },
  ],
}

describe('an instant leads', () => {
  test.each([
    ['to its own picture', now - hour + 7 * second, now - hour + 7 * second],
    ['in a gap to the next picture', now - 50 * minute, now - 30 * minute],
    ['before all to the first', now - 10 * hour, now - hour],
    ['to what is being recorded, kept or not', now - 10 * second, now - 10 * second],
    ['to now, when it is so new', now - second, 'live'],
    ['to now, when it is to come', now + hour, 'live'],
  ])('%s', (_name, at, where) => {
    expect(snap(past, at, now)).toBe(where)
  })

  test('after all that was recorded to now', () => {
    expect(snap({ ...past, stretches: past.stretches.slice(0, 2) }, now - 20 * minute, now)).toBe('live')
    expect(snap({ stretches: [], marks: [] }, now - hour, now)).toBe('live')
  })
})

test('events are looked at from a little before, and those that were not recorded are passed over', () => {
  const first = now - hour + 3 * second
  const second_ = now - 30 * minute
  const third = now - 32 * second
  expect(eventFrom(past, now - 2 * hour, 1)).toBe(first)
  expect(eventFrom(past, first, 1)).toBe(second_)
  // The picture that is shown may be a little older than what was asked for.
  expect(eventFrom(past, first - 66, 1)).toBe(second_)
  expect(eventFrom(past, second_, 1)).toBe(third)
  expect(eventFrom(past, third, 1)).toBeUndefined()
  expect(eventFrom(past, now, -1)).toBe(third)
  expect(eventFrom(past, third + 5 * second, -1)).toBe(third)
  expect(eventFrom(past, third + second, -1)).toBe(second_)
  expect(eventFrom(past, first, -1)).toBeUndefined()
})

test('the recording of an instant is that which began last', () => {
  expect(stretchAt(past, now - 40 * minute)?.from).toBe(now - hour)
  expect(stretchAt(past, now - 30 * minute)?.from).toBe(now - 30 * minute)
  expect(stretchAt(past, now - 2 * hour)).toBeUndefined()
})

test('the line shows the time around an instant, up to now', () => {
  expect(spanAround(now, hour, now)).toEqual({ from: now - hour, to: now })
  expect(spanAround(now - 10 * minute, hour, now)).toEqual({ from: now - hour, to: now })
  expect(spanAround(now - 5 * hour, hour, now)).toEqual({ from: now - 5.5 * hour, to: now - 4.5 * hour })
})

test('it goes with the time while now is on it, and else only where the instant has left it', () => {
  const live = spanAround(now, hour, now)
  expect(spanWith(live, now + second, now + second)).toEqual({ from: now + second - hour, to: now + second })
  const before = spanAround(now - 5 * hour, hour, now)
  expect(spanWith(before, now - 5 * hour + 20 * minute, now)).toBe(before)
  expect(spanWith(before, now - 4 * hour, now)).toEqual({ from: now - 4.5 * hour, to: now - 3.5 * hour })
  expect(spanWith(live, now - 3 * hour, now)).toEqual({ from: now - 3.5 * hour, to: now - 2.5 * hour })
})

test('places and instants are one another’s, and stay on the line', () => {
  const span = { from: now - hour, to: now }
  expect(placeOf(span, now - 30 * minute)).toBe(0.5)
  expect(instantOf(span, 0.5)).toBe(now - 30 * minute)
  expect([placeOf(span, now - 2 * hour), placeOf(span, now + hour)]).toEqual([0, 1])
  expect([instantOf(span, -1), instantOf(span, 2)]).toEqual([now - hour, now])
})

test.each([
  ['ten minutes', 10 * minute, 2 * minute],
  ['an hour', hour, 10 * minute],
  ['six hours', 6 * hour, hour],
  ['a day', 24 * hour, 4 * hour],
])('%s have a few whole marks of the clock on the wall, also half an hour from UTC', (_name, length, each) => {
  const zone = 5.5 * hour
  const ticks = ticksOf({ from: now - length, to: now }, zone)
  expect(ticks.length).toBeGreaterThanOrEqual(5)
  expect(ticks.length).toBeLessThanOrEqual(7)
  expect(ticks.every((tick) => (tick + zone) % each === 0 && tick >= now - length && tick < now)).toBe(true)
})
