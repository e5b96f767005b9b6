/** An outbox that cannot be read at the start is read later. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { keepResuming } from '../../src/transom/resume.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

test('what fails is tried again, ever later, until it succeeds', async () => {
  const begun = Date.now()
  const triedAt: number[] = []
  const close = keepResuming(
    async () => {
      triedAt.push(Date.now() - begun)
      if (triedAt.length < 4) throw new Error('the store is away')
    },
    () => {},
  )
  await jest.advanceTimersByTimeAsync(600_000)
  expect(triedAt).toEqual([0, 1_000, 3_000, 7_000])
  close()
})

test('once it is closed it tries no more', async () => {
  let tries = 0
  const close = keepResuming(
    async () => {
      tries += 1
      throw new Error('the store is away')
    },
    () => {},
  )
  await jest.advanceTimersByTimeAsync(1_000)
  close()
  await jest.advanceTimersByTimeAsync(600_000)
  expect(tries).toBe(2)
})
