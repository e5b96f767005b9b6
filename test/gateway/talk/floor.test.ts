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
/** Packet `index` of a talk, each with a loud code of its own, up to 111. */
const numbered = (index: number) => Buffer.alloc(160, index)
const numberOf = (sampled = 0) => encodeG711('PCMU', Int16Array.of(sampled))[0]!
let startedAt: number

beforeEach(() => {
  jest.useFakeTimers()
  startedAt = performance.now()
})
afterEach(() => void jest.useRealTimers())

/** A camera that opens its way after `openMs`, and what it was given: when, and for which 20 ms. */
async function createTalk(openMs: number) {
  const played: { at: number; slot: number; samples: Int16Array; isVoice: boolean }[] = []
  const line: Line = {
    play: (samples, slot) =>
      played.push({ at: performance.now(), slot, samples, isVoice: (samples[0] ?? 0) > 1_000 }) > 0,
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

  test('begins before the first word, and not with the silence of a whole second', async () => {
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

  test.each([
    [100, 200],
    [400, 500],
    [900, 1_000],
  ])('after %i ms of opening, catches up within %i ms without losing a word', async (openMs, withinMs) => {
    const { ear, played } = await createTalk(openMs)
    const count = (openMs + withinMs) / packetMs + 10
    for (let index = 0; index < count; index += 1) {
      ear.hear(numbered(index))
      await jest.advanceTimersByTimeAsync(packetMs)
    }
    const heard = played.map(({ samples, at }) => ({ from: numberOf(samples[0]), to: numberOf(samples.at(-1)), at }))
    // Each goes on where the one before ended, also where two are overlapped.
    expect(heard.map(({ from }) => from)).toEqual([0, ...heard.slice(0, -1).map(({ to }) => to + 1)])
    const late = heard.filter(({ to, at }) => at - heard[0]!.at > withinMs && at - startedAt - to * packetMs > 60)
    expect(late).toEqual([])
    expect(ear.heard().packets).toBe(played.length)
  })

  test('leaves out the silence before the first word at once, but for the beginning of its syllable', async () => {
    const { played, say } = await createTalk(200)
    await say(silence, 20)
    await say(voice, 50)
    expect(played.findIndex(({ isVoice }) => isVoice)).toBeLessThanOrEqual(3)
    const [first] = played.filter(({ isVoice }) => isVoice)
    expect(first!.at - startedAt - 20 * packetMs).toBeLessThanOrEqual(200 + 2 * packetMs)
  })

  test('states the delay of the gateway, without the time in which the camera opened its way', async () => {
    const { ear, say } = await createTalk(400)
    await say(voice, 500)
    expect(ear.heard().delayMs).toBeLessThanOrEqual(60)
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
