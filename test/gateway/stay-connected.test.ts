/** The gateway's connection to its bridge: how soon it is made again. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { pause } from '../../src/core/deadline.ts'
import { stayConnected } from '../../src/gateway/stay-connected.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

/** Connects ten times, each time for half a minute, and returns the pauses in between, milliseconds. */
async function pausesOf(greeting: readonly string[]): Promise<readonly number[]> {
  const life = new AbortController()
  const pauses: number[] = []
  let endedAt: number | undefined
  async function* read() {
    if (endedAt !== undefined) pauses.push(performance.now() - endedAt)
    yield* greeting
    await pause(30_000, life.signal)
    endedAt = performance.now()
    throw new Error('it broke')
  }
  const following = stayConnected({
    read,
    begin: () => undefined,
    receive: () => undefined,
    refused: () => undefined,
    life: life.signal,
    log: () => undefined,
  })
  while (pauses.length < 10) await jest.advanceTimersByTimeAsync(1_000)
  life.abort()
  await jest.advanceTimersByTimeAsync(0)
  await following
  return pauses
}

test('a bridge that accepts connections and says nothing is asked ever less often, however long each of them hangs', async () => {
  const pauses = await pausesOf([])
  expect(pauses.at(0)).toBeLessThan(1_000)
  expect(pauses.at(-1)).toBeGreaterThan(10_000)
})

test('one that has said something and lasted is made again at once', async () => {
  expect(Math.max(...(await pausesOf(['{}', '{}'])))).toBeLessThan(1_000)
})
