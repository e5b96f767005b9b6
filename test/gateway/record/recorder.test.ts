/** What is recorded: always, or from before something happened until after; from key frame to key frame. */
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import type { RecordWish } from '../../../src/core/wire/gateway.ts'
import type { MediaSink } from '../../../src/gateway/media.ts'
import { startRecorder, type RecordingPlace } from '../../../src/gateway/record/recorder.ts'
import { atOf, groupMs, send, stream } from './stream.ts'

const startAt = 1_800_000_000_000
const events: RecordWish = { mode: 'events', beforeMs: 5_000, afterMs: 10_000, longestMs: 300_000 }

afterEach(() => void jest.useRealTimers())

interface Kept {
  readonly startAt: number
  readonly codecs: string
  readonly segments: { readonly number: number; readonly at: number }[]
  pictures: number
  isEnded: boolean
}

/** A recorder with a source that is fed by hand; time is that of what was sent last. */
function createWorld(wish: RecordWish = events) {
  let sink: MediaSink | undefined
  let now = startAt
  /** What the clock was set forward, or back. */
  let setMs = 0
  let lose: (() => void) | undefined
  const kept: Kept[] = []
  const place: RecordingPlace = {
    begin(at, codecs, onLost) {
      const one: Kept = { startAt: at - startAt, codecs, segments: [], pictures: 0, isEnded: false }
      kept.push(one)
      lose = onLost
      return {
        segment: ({ number, at: from }) => void one.segments.push({ number, at: from - startAt }),
        picture: () => void (one.pictures += 1),
        end: () => void (one.isEnded = true),
      }
    },
    settled: async () => undefined,
  }
  const recorder = startRecorder({
    source: {
      join(given) {
        sink = given
        return () => void (sink = undefined)
      },
      state: () => ({
        kind: 'good',
        info: { profileLevelId: '42e01f', hasSpeaker: false, sound: ['opus'] },
      }),
    },
    wish,
    place,
    toStill: async () => Buffer.from('a JPEG'),
    clock: () => now + setMs,
    log: () => undefined,
  })
  const sent = stream(startAt, 100)
  return {
    kept,
    recorder,
    lose: () => lose?.(),
    setClock: (ms: number) => void (setMs = ms),
    isJoined: () => sink !== undefined,
    /** Sends what the camera sends until then. */
    playUntil(ms: number) {
      while (now < startAt + ms) {
        const next = sent.next()
        if (next.done === true) throw new Error('the stream is over')
        now = atOf(next.value)
        if (sink) send(sink, next.value)
      }
    },
  }
}

test('nothing is recorded while nothing happens', async () => {
  const { kept, recorder, playUntil } = createWorld()
  playUntil(30_000)
  await recorder.close()
  expect(kept).toEqual([])
})

test('an event is recorded from five seconds before on, and to the key frame after its end', async () => {
  const { kept, recorder, playUntil } = createWorld()
  playUntil(21_000)
  recorder.happened()
  playUntil(60_000)
  await recorder.close()
  // Key frames are at 12, 16, 20 … s: five seconds before 21 lies within the group at 16, and 31 within the one at 28.
  expect(kept).toEqual([
    {
      startAt: 16_000,
      codecs: 'avc1.42e01f,opus',
      segments: [16_000, 16_000, 20_000, 24_000, 28_000].map((at, number) => ({ number, at })),
      pictures: 1,
      isEnded: true,
    },
  ])
})

test('another event meanwhile makes it longer, and one afterwards begins another', async () => {
  const { kept, recorder, playUntil } = createWorld()
  playUntil(21_000)
  recorder.happened()
  playUntil(29_000)
  recorder.happened()
  playUntil(60_000)
  recorder.happened()
  playUntil(80_000)
  await recorder.close()
  expect(kept.map((one) => [one.startAt, one.segments.at(-1)?.at])).toEqual([
    [16_000, 36_000],
    [52_000, 68_000],
  ])
})

test('an event before the first picture is recorded from the first one on', async () => {
  const { kept, recorder, playUntil } = createWorld()
  recorder.happened()
  playUntil(30_000)
  await recorder.close()
  expect(kept).toMatchObject([{ startAt: 0, isEnded: true }])
})

test('also what begins with nothing before it, and what goes on in a second part, has a picture', async () => {
  const early = createWorld()
  early.recorder.happened()
  early.playUntil(20_000)
  await early.recorder.close()
  expect(early.kept.map(({ pictures }) => pictures)).toEqual([1])
  const long = createWorld({ ...events, longestMs: 6_000 })
  long.playUntil(10_000)
  long.recorder.happened()
  long.playUntil(30_000)
  await long.recorder.close()
  expect(long.kept.length).toBeGreaterThan(1)
  expect(new Set(long.kept.map(({ pictures }) => pictures))).toEqual(new Set([1]))
})

test('always is recorded in parts that follow one another without a gap', async () => {
  const { kept, recorder, playUntil } = createWorld({ ...events, mode: 'always', longestMs: 20_000 })
  playUntil(50_000)
  await recorder.close()
  expect(kept.map((one) => one.startAt)).toEqual([0, 20_000, 40_000])
  const ats = kept.flatMap((one) => one.segments.filter(({ number }) => number > 0).map(({ at }) => at))
  expect(ats).toEqual(Array.from({ length: 13 }, (_none, index) => index * groupMs))
  expect(kept.map((one) => one.pictures)).toEqual([1, 1, 1])
})

test('what happens at a camera that is always recorded begins nothing', async () => {
  const { kept, recorder, playUntil } = createWorld({ ...events, mode: 'always' })
  playUntil(10_000)
  recorder.happened()
  playUntil(20_000)
  await recorder.close()
  expect(kept).toHaveLength(1)
})

test('what cannot be kept is left, and begun again after a rest', async () => {
  const { kept, recorder, lose, playUntil } = createWorld({ ...events, mode: 'always' })
  playUntil(6_000)
  lose()
  playUntil(30_000)
  await recorder.close()
  expect(kept.map((one) => one.startAt)).toEqual([0, 16_000])
})

test('the recording after one that was lost goes on while pictures come', async () => {
  jest.useFakeTimers()
  const { kept, recorder, lose, playUntil } = createWorld({ ...events, mode: 'always' })
  playUntil(6_000)
  lose()
  for (let at = 7_000; at <= 40_000; at += 1_000) {
    playUntil(at)
    jest.advanceTimersByTime(1_000)
  }
  await recorder.close()
  expect(kept.map((one) => one.startAt)).toEqual([0, 16_000])
})

test('a recorder that is closed leaves the source and ends what it records', async () => {
  const { kept, recorder, isJoined, playUntil } = createWorld({ ...events, mode: 'always' })
  playUntil(6_000)
  await recorder.close()
  await recorder.close()
  expect(isJoined()).toBe(false)
  expect(kept).toMatchObject([{ isEnded: true, segments: [{ at: 0 }, { at: 0 }, { at: 4_000 }] }])
})

describe.each([
  ['forward', 3_600_000],
  ['back', -3_600_000],
])('a clock that is set %s by an hour', (_where, ms) => {
  test('begins another recording, at its time, with the next key frame', async () => {
    const { kept, recorder, playUntil, setClock } = createWorld({ ...events, mode: 'always' })
    playUntil(2 * groupMs + 1_000)
    setClock(ms)
    playUntil(5 * groupMs)
    await recorder.close()
    expect(kept.map((one) => one.startAt)).toEqual([0, expect.closeTo(3 * groupMs + ms, -2)])
    for (const { segments } of kept)
      for (const [index, { at }] of segments.slice(2).entries())
        expect(at - segments[index + 1]!.at).toBeCloseTo(groupMs, -2)
  })

  test('loses no event, and records none for longer', async () => {
    const { kept, recorder, playUntil, setClock } = createWorld()
    playUntil(20_000)
    setClock(ms)
    recorder.happened()
    playUntil(60_000)
    await recorder.close()
    const last = kept.at(-1)!
    expect(last.segments.at(-1)!.at - ms).toBeLessThan(20_000 + events.afterMs + 2 * groupMs)
    expect(last.segments.length).toBeGreaterThan(2)
    expect(last.startAt - ms).toBeGreaterThanOrEqual(19_000)
  })
})
