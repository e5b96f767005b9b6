/** How long words wait in the gateway before the camera has them: in simulated time, a packet of G.711 every 20 ms. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { encodeG711 } from '../../../src/gateway/g711.ts'
import type { SourceError } from '../../../src/gateway/media.ts'
import { createFloor } from '../../../src/gateway/talk/floor.ts'
import type { Line } from '../../../src/gateway/talk/speaker.ts'

const packetMs = 20
const sample = (level: number) =>
  encodeG711(
    'PCMU',
    Int16Array.from({ length: 160 }, () => level),
  )
const [voice, silence] = [sample(8_192), sample(0)]

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

/** A camera that opens its way after `openMs`, and what it was given: when, and for which 20 ms. */
async function createTalk(openMs: number) {
  const played: { readonly at: number; readonly slot: number; readonly isVoice: boolean }[] = []
  const line: Line = {
    play: (samples, slot) => played.push({ at: performance.now(), slot, isVoice: (samples[0] ?? 0) > 1_000 }) > 0,
    ended: new Promise<SourceError>(() => undefined),
    close: async () => undefined,
  }
  const open = () => new Promise<Line>((resolve) => void setTimeout(resolve, openMs, line))
  const ear = await createFloor({ open }, () => undefined).createEar('PCMU', () => undefined)
  /** Says `count` packets, `burst` of them at once, so that they come at their rate. */
  const say = async (payload: Buffer, count: number, burst = 1) => {
    for (let index = 0; index < count; index += burst) {
      for (let each = 0; each < burst; each += 1) ear.hear(payload)
      await jest.advanceTimersByTimeAsync(burst * packetMs)
    }
  }
  return { ear, played, say }
}

describe('talk-back', () => {
  test('waits no longer than for one packet, where the way is open at once', async () => {
    const { ear, say } = await createTalk(0)
    await say(voice, 200)
    expect(ear.heard().packets).toBeGreaterThan(195)
    expect(ear.heard().delayMs).toBeLessThanOrEqual(packetMs)
  })

  test('keeps to 60 ms with a display that sends three packets at once, and loses nothing', async () => {
    const { ear, say } = await createTalk(0)
    await say(voice, 300, 3)
    expect(ear.heard().delayMs).toBeLessThanOrEqual(60)
    expect(ear.heard().packets).toBeGreaterThanOrEqual(297)
  })

  test('begins with a fifth of a second before the first word, and not with a whole one', async () => {
    const { played, say } = await createTalk(0)
    await say(silence, 100)
    await say(voice, 25)
    const first = played.findIndex(({ isVoice }) => isVoice)
    expect(first).toBeGreaterThan(0)
    expect(first).toBeLessThan(10)
  })

  test.each([100, 400, 1_000])('of a way that opened after %i ms has caught up within two seconds', async (openMs) => {
    const { ear, played, say } = await createTalk(openMs)
    await say(voice, (openMs + 2_000) / packetMs + 10)
    // Of the first words a part is left out, and never all.
    expect(played.length).toBeGreaterThan(100)
    // By now the latest half a second alone counts: as much as was said in it.
    const before = played.length
    await say(voice, 25)
    expect(played.length - before).toBe(25)
    await say(voice, 500)
    expect(ear.heard().delayMs).toBeLessThanOrEqual(2 * packetMs)
  })

  test('gives the camera steps of 20 ms without a gap or a double, whatever comes unevenly', async () => {
    const { played, say } = await createTalk(0)
    await say(voice, 20)
    await jest.advanceTimersByTimeAsync(90)
    await say(voice, 20)
    await say(voice, 12, 4)
    const slots = played.map(({ slot }) => slot)
    expect(slots).toEqual([...new Set(slots)].toSorted((one, other) => one - other))
    for (const [index, { at }] of played.entries()) {
      const next = played[index + 1]
      if (next) expect(next.at - at).toBeGreaterThanOrEqual(packetMs - 1)
    }
  })

  test('ends after three seconds without a word, and its floor is free', async () => {
    const { ear, played, say } = await createTalk(0)
    await say(voice, 10)
    await say(silence, 140)
    const before = played.length
    expect(before).toBeGreaterThan(140)
    await say(silence, 50)
    expect(played.length - before).toBeLessThan(15)
    ear.close()
  })
})
