/** When an event happened, by our clock, whatever the camera's shows. */
import { expect, test } from '@jest/globals'
import { happenedAt } from '../../src/bridge/cameras/clock.ts'

const now = Date.UTC(2026, 10, 28, 8)

test.each([
  ['by a clock that is right', now - 1_000, undefined, now - 1_000],
  ['by a clock that is an hour slow, and says so', now - 3_610_000, now - 3_600_000, now - 10_000],
  ['in the future', now + 60_000, undefined, now],
  ['on the wrong day', 0, undefined, now],
  ['in 1970, sent in the year 285,000', 0, Number.MAX_SAFE_INTEGER, 0],
])('an event %s', (_case, at, sentAt, expected) => {
  expect(happenedAt(at, sentAt, now)).toBe(expected)
})
