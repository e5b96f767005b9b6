/** What leaves at once and what later: nothing is lost, nothing overtakes, and a path's buffer has time. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { createPacer } from '../../src/gateway/pacer.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

function createSink() {
  const sent: string[] = []
  const sends = (name: string, count: number) =>
    Array.from({ length: count }, (_, index) => () => void sent.push(`${name}${index}`))
  return { sent, sends }
}

test('an ordinary picture leaves at once, and no timer stays behind', () => {
  const { sent, sends } = createSink()
  createPacer().add(sends('a', 10))
  expect(sent).toHaveLength(10)
  expect(jest.getTimerCount()).toBe(0)
})

test('a key frame leaves sixteen packets at a time, in their order, also when they come one by one', () => {
  const { sent, sends } = createSink()
  const pacer = createPacer()
  for (const send of sends('a', 50)) pacer.add([send])
  const lengths = [sent.length]
  while (jest.getTimerCount() > 0) {
    jest.advanceTimersByTime(5)
    lengths.push(sent.length)
  }
  expect(lengths).toEqual([16, 32, 48, 50])
  expect(sent).toEqual(Array.from({ length: 50 }, (_, index) => `a${index}`))
})

test('what is asked for again overtakes what waits', () => {
  const { sent, sends } = createSink()
  const pacer = createPacer()
  pacer.add(sends('a', 20))
  pacer.add(sends('again', 2), true)
  jest.advanceTimersByTime(5)
  expect(sent.slice(16)).toEqual(['again0', 'again1', 'a16', 'a17', 'a18', 'a19'])
})

test('the longest group of pictures has left within two seconds', () => {
  const { sent, sends } = createSink()
  createPacer().add(sends('a', 14_000))
  jest.advanceTimersByTime(2_000)
  expect(sent).toHaveLength(14_000)
})

test('after its close nothing leaves any more', () => {
  const { sent, sends } = createSink()
  const pacer = createPacer()
  pacer.add(sends('a', 20))
  pacer.close()
  jest.advanceTimersByTime(100)
  expect(sent).toHaveLength(16)
  expect(jest.getTimerCount()).toBe(0)
})
