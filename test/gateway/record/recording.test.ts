/** What is recorded may change while the camera runs. */
import { expect, test } from '@jest/globals'
import type { RecordWish } from '../../../src/core/wire/gateway.ts'
import type { MediaSink } from '../../../src/gateway/media.ts'
import { createRecording } from '../../../src/gateway/record/recording.ts'
import { atOf, send, stream } from './stream.ts'

const startAt = 1_800_000_000_000
const always: RecordWish = { mode: 'always', beforeMs: 5_000, afterMs: 10_000, longestMs: 300_000 }

function createWorld() {
  const sinks = new Set<MediaSink>()
  const said: string[] = []
  let now = startAt
  const joined = new Set<() => void>()
  const recording = createRecording({
    source: {
      join(sink) {
        sinks.add(sink)
        for (const listener of joined) listener()
        return () => void sinks.delete(sink)
      },
      state: () => ({ kind: 'good', info: { profileLevelId: '42e01f', hasSpeaker: false, sound: ['opus'] } }),
    },
    place: {
      begin: () => {
        said.push('begun')
        return { segment: () => undefined, picture: () => undefined, end: () => void said.push('ended') }
      },
      settled: async () => undefined,
    },
    clock: () => now,
    log: () => undefined,
  })
  const sent = stream(startAt, 100)
  return {
    recording,
    said,
    sinks,
    /** Resolves when a recorder has joined the source, or at once where one has. */
    joined: () =>
      new Promise<void>((resolve) => {
        joined.add(resolve)
        if (sinks.size > 0) resolve()
      }),
    playGroup() {
      for (let count = 0; count < 400; count += 1) {
        const next = sent.next()
        if (next.done) return
        now = atOf(next.value)
        for (const sink of sinks) send(sink, next.value)
      }
    },
  }
}

test('nothing is recorded without a wish, and the source is not joined', async () => {
  const { recording, said, sinks, playGroup } = createWorld()
  recording.happened()
  playGroup()
  await recording.close()
  expect([said, sinks.size]).toEqual([[], 0])
})

test('a wish begins, the same again changes nothing, and another ends what was recorded', async () => {
  const { recording, said, sinks, joined, playGroup } = createWorld()
  recording.set(always)
  await joined()
  playGroup()
  recording.set({ ...always })
  playGroup()
  expect(said).toEqual(['begun'])
  recording.set(undefined)
  await recording.close()
  expect([said, sinks.size]).toEqual([['begun', 'ended'], 0])
})

test('what happens right after a wish is recorded by it', async () => {
  const { recording, said, joined, playGroup } = createWorld()
  recording.set({ ...always, mode: 'events' })
  recording.happened()
  await joined()
  // What was waiting for the recorder has had its turn.
  await new Promise(setImmediate)
  playGroup()
  expect(said).toEqual(['begun'])
  await recording.close()
})

test('of wishes in a row the last one counts, and nothing after the end', async () => {
  const { recording, sinks } = createWorld()
  recording.set(always)
  recording.set(undefined)
  recording.set({ ...always, afterMs: 20_000 })
  const closed = recording.close()
  recording.set(always)
  await closed
  await recording.close()
  expect(sinks.size).toBe(0)
})
