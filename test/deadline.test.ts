/** Waiting that ends, whoever ends it, and leaves nothing behind. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { bounded, pause, timedOut, untilAborted } from '../src/core/deadline.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0)
  jest.useRealTimers()
})

/** Work that ends with its signal alone. */
const heeding = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason))
  })

test('bounded work has its own outcome', async () => {
  const { signal } = new AbortController()
  expect(await bounded(signal, 10, timedOut(10), async () => 'done')).toBe('done')
  const failing = bounded(signal, 10, timedOut(10), () => Promise.reject(new Error('no')))
  await expect(failing).rejects.toThrow('no')
})

test('bounded work is ended at its time, and with whoever asked for it, also if that was before', async () => {
  const asker = new AbortController()
  const late = expect(bounded(asker.signal, 10, timedOut(10), heeding)).rejects.toMatchObject({ name: 'TimeoutError' })
  await jest.advanceTimersByTimeAsync(10)
  await late
  const cut = expect(bounded(asker.signal, 10, timedOut(10), heeding)).rejects.toThrow('enough')
  asker.abort(new Error('enough'))
  await cut
  await expect(bounded(asker.signal, 10, timedOut(10), heeding)).rejects.toThrow('enough')
})

test('a pause is over in its time, or at once with its signal', async () => {
  const asker = new AbortController()
  const over = pause(10, asker.signal)
  await jest.advanceTimersByTimeAsync(10)
  expect(await over).toBe(true)
  const cut = pause(10, asker.signal)
  asker.abort()
  expect(await cut).toBe(false)
  expect(await pause(10, asker.signal)).toBe(false)
})

test('work that takes no signal is left at the signal, and its own outcome counts before', async () => {
  const asker = new AbortController()
  expect(await untilAborted(Promise.resolve('done'), asker.signal)).toBe('done')
  const left = untilAborted(new Promise(() => {}), asker.signal)
  asker.abort(new Error('enough'))
  await expect(left).rejects.toThrow('enough')
  await expect(untilAborted(new Promise(() => {}), asker.signal)).rejects.toThrow('enough')
})
