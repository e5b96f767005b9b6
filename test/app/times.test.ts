/** Times as people type them, in the time zone of the machine, also where its clocks change. */
import { expect, test } from '@jest/globals'
import { printTime, readTime } from '../../src/transom/times.ts'

const now = new Date(2026, 10, 28, 21, 14, 30).getTime()
const at = (...parts: readonly [number, number, number, number?, number?, number?, number?]) => {
  const [year, month, day, hour = 0, minute = 0, second = 0, ms = 0] = parts
  return new Date(year, month - 1, day, hour, minute, second, ms).getTime()
}

test.each([
  ['now', now],
  ['-15m', now - 900_000],
  ['-90s', now - 90_000],
  ['-2h', now - 7_200_000],
  ['-7d', now - 7 * 86_400_000],
  ['-999999d', 0],
  ['21:14', at(2026, 11, 28, 21, 14)],
  ['9:05', at(2026, 11, 28, 9, 5)],
  ['21:14:30', now],
  ['21:14:31', at(2026, 11, 27, 21, 14, 31)],
  ['23:00', at(2026, 11, 27, 23)],
  ['2026-11-28', at(2026, 11, 28)],
  ['2026-11-28T21:14', at(2026, 11, 28, 21, 14)],
  ['2026-11-28T21:14:05.250', at(2026, 11, 28, 21, 14, 5, 250)],
  ['2026-11-28T21:14:00Z', Date.UTC(2026, 10, 28, 21, 14)],
  ['2026-11-28T21:14+02:00', Date.UTC(2026, 10, 28, 19, 14)],
])('%s is an instant', (text, instant) => {
  expect(readTime(text, now)).toBe(instant)
})

test.each([
  '',
  '15m',
  '-15',
  '-15w',
  '24:00',
  '12:60',
  '12:00:60',
  '12',
  '2026-02-30',
  '2026-13-01',
  '2026-11-28T25:00',
  '1764364440000',
  'yesterday',
  '1969-12-31',
  '2026-11-28 21:14',
  '--last',
])('%j is none', (text) => {
  expect(readTime(text, now)).toBeUndefined()
})

test('the end of a time is the first such time after its begin', () => {
  const from = readTime('23:50', now)!
  expect(from).toBe(at(2026, 11, 27, 23, 50))
  expect(readTime('23:55', now, from)).toBe(at(2026, 11, 27, 23, 55))
  expect(readTime('00:10', now, from)).toBe(at(2026, 11, 28, 0, 10))
  expect(readTime('23:50', now, from)).toBe(at(2026, 11, 28, 23, 50))
})

test('what is printed is read as the same second', () => {
  expect(printTime(now)).toBe('2026-11-28 21:14:30')
  expect(readTime(printTime(now).replace(' ', 'T'), now)).toBe(now)
})
