/** How long candidates are waited for, by what is known of the servers. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { RTCIceGatherer, RTCIceTransport } from 'werift'
import { createServerMemory, type ServerMemory } from '../../src/gateway/ice-servers.ts'

const urls = ['turn:near.example', 'turns:far.example', 'stun:near.example']
let memory: ServerMemory

beforeEach(() => {
  jest.useFakeTimers()
  memory = createServerMemory(
    () => undefined,
    () => undefined,
  )
})
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0)
  jest.useRealTimers()
})

/** A gathering: `answer` is what becomes of a server after so long, `settledMs` how long candidates were waited for. */
function gather() {
  const transport = new RTCIceTransport(new RTCIceGatherer())
  const startedAt = performance.now()
  const { settled } = memory.watch([transport], [{ urls }], new AbortController().signal)
  let settledMs: number | undefined
  void settled.then(() => (settledMs = performance.now() - startedAt))
  return {
    async answer(url: string, tookMs: number, error?: Error) {
      await jest.advanceTimersByTimeAsync(tookMs - (performance.now() - startedAt))
      transport.connection.onIceServer.execute({ url, tookMs, ...(error && { error }) })
    },
    async settledMs() {
      await jest.advanceTimersByTimeAsync(1_000)
      return settledMs
    },
  }
}

test('while nothing is known of the servers, 400 ms', async () => {
  expect(await gather().settledMs()).toBe(400)
})

test('until all have answered or failed', async () => {
  const { answer, settledMs } = gather()
  for (const [index, url] of urls.entries())
    await answer(url, 10 + index, index === 1 ? new Error('refused') : undefined)
  expect(await settledMs()).toBe(12)
})

test('with one relay, as long again as it took and 100 ms', async () => {
  const { answer, settledMs } = gather()
  await answer('turn:near.example', 30)
  expect(await settledMs()).toBe(160)
})

test('a reflexive address shortens nothing: it may not be enough', async () => {
  const { answer, settledMs } = gather()
  await answer('stun:near.example', 30)
  expect(await settledMs()).toBe(400)
})

test('a slow relay does not prolong it', async () => {
  const { answer, settledMs } = gather()
  await answer('turns:far.example', 300)
  expect(await settledMs()).toBe(400)
})
