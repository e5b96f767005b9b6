/** When an attempt that failed is made again, if it is. */
import { expect, test } from '@jest/globals'
import { retryIn } from '../../src/bridge/outbox/attempts.ts'

const limits = { perAccount: 1, inAll: 1, attemptMs: 1, firstRetryMs: 1_000, longestRetryMs: 60_000, attempts: 12 }
const retry = { kind: 'retry', reason: 'no' } as const

test.each([
  ['doubles with each attempt', retry, 1, 0, 1_000],
  ['doubles with each attempt', retry, 4, 0, 8_000],
  ['grows to the longest', retry, 11, 0, 60_000],
  ['grows by up to half of it by chance', retry, 2, 1, 3_000],
  ['is at least what the assistant asked for', { ...retry, afterMs: 90_000 }, 1, 1, 90_000],
  ['is no shorter than ours where the assistant asks for less', { ...retry, afterMs: 10 }, 1, 0, 1_000],
])('the wait %s', (_, delivery, attempts, chance, ms) => {
  expect(retryIn(delivery, attempts, Infinity, limits, chance)).toBe(ms)
})

test('no other attempt is made where none is wanted, after the last, or when it is not worth telling any more', () => {
  expect(retryIn({ kind: 'done' }, 1, Infinity, limits)).toBeUndefined()
  expect(retryIn({ kind: 'drop', reason: 'gone' }, 1, Infinity, limits)).toBeUndefined()
  expect(retryIn(retry, 12, Infinity, limits)).toBeUndefined()
  expect(retryIn(retry, 1, 1_000, limits, 0)).toBeUndefined()
  expect(retryIn(retry, 1, 1_001, limits, 0)).toBe(1_000)
})
