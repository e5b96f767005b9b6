/** The tone that tries a loudspeaker. */
import { afterEach, expect, jest, test } from '@jest/globals'
import { SourceError } from '../../../src/gateway/media.ts'
import { createFloor } from '../../../src/gateway/talk/floor.ts'
import type { Line } from '../../../src/gateway/talk/speaker.ts'
import { playTone } from '../../../src/gateway/talk/tone.ts'

const never = new AbortController().signal
afterEach(() => void jest.useRealTimers())

/** A loudspeaker that accepts what `accepts` says, and keeps what it was given. */
function speaker(accepts: (slot: number) => boolean = () => true) {
  const ended = Promise.withResolvers<SourceError>()
  const played: Int16Array[] = []
  let closed = 0
  const line: Line = {
    play(samples, slot) {
      played.push(samples)
      return accepts(slot)
    },
    ended: ended.promise,
    close: async () => void (closed += 1),
  }
  return { open: async () => line, played, closed: () => closed, end: (error: SourceError) => ended.resolve(error) }
}

test('one and a half seconds are played by the clock, and what the camera accepts is counted', async () => {
  jest.useFakeTimers()
  const at = speaker((slot) => slot % 3 !== 0)
  const playing = playTone(at, never)
  await jest.advanceTimersByTimeAsync(700)
  expect(at.played.length).toBeGreaterThanOrEqual(34)
  expect(at.played.length).toBeLessThanOrEqual(35)
  await jest.advanceTimersByTimeAsync(1_000)
  expect(await playing).toEqual({ packets: 50, sent: 75 })
  expect(at.played).toHaveLength(75)
  // It is a tone, and not full of clicks.
  expect(Math.max(...at.played.flatMap((samples) => [...samples]))).toBeGreaterThan(8_000)
  expect(at.closed()).toBe(1)
})

test('what the camera says when it ends the talk is the cause, and the line is closed', async () => {
  jest.useFakeTimers()
  const at = speaker()
  const playing = playTone(at, never)
  const refused = expect(playing).rejects.toMatchObject({ code: 'source_busy' })
  await jest.advanceTimersByTimeAsync(100)
  at.end(new SourceError('source_busy', 'somebody speaks already'))
  await refused
  const before = at.played.length
  await jest.advanceTimersByTimeAsync(1_000)
  expect([at.played.length, at.closed()]).toEqual([before, 1])
})

test('whoever does not wait any more ends it', async () => {
  jest.useFakeTimers()
  const at = speaker()
  const gone = new AbortController()
  const ended = expect(playTone(at, gone.signal)).rejects.toThrow()
  await jest.advanceTimersByTimeAsync(100)
  gone.abort()
  await ended
  expect(at.closed()).toBe(1)
})

test('nobody talks over it: whoever has the floor is not disturbed, and a second tone waits for the first', async () => {
  jest.useFakeTimers()
  const at = speaker()
  const floor = createFloor(at, () => undefined)
  const ear = await floor.createEar('PCMU', () => undefined)
  const first = floor.playTone(never)
  await expect(floor.playTone(never)).rejects.toMatchObject({ code: 'source_busy' })
  // A loud voice: it is told that it waits.
  ear.hear(Buffer.from(Array.from({ length: 160 }, (_, index) => (index % 2 ? 0x80 : 0x00))))
  expect(ear.heard()).toMatchObject({ packets: 0, isWaiting: true })
  await jest.advanceTimersByTimeAsync(1_700)
  expect(await first).toEqual({ packets: 75, sent: 75 })
  await floor.close()
})
