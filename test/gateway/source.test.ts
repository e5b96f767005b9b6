/** One source for all viewers: when it runs, what newcomers get, and how often key frames may be asked for. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import type { MediaSink, MediaSource, SourceSink, VideoUnit } from '../../src/gateway/media.ts'
import { shareSource } from '../../src/gateway/source.ts'

beforeEach(() => void jest.useFakeTimers({ now: 0, doNotFake: ['nextTick', 'queueMicrotask'] }))
afterEach(() => void jest.useRealTimers())

const unit = (at: number, isKey: boolean, bytes = 10): VideoUnit => ({ at, isKey, payloads: [Buffer.alloc(bytes)] })
const silent: MediaSink = { video: () => undefined, audio: () => undefined }

function createFake(canMakeKeys = true) {
  const fake = { runs: 0, running: 0, keysWanted: 0, sink: silent }
  const source: MediaSource = {
    describe: async () => ({ profileLevelId: '42e01f', hasSpeaker: false, sound: ['opus'] as const }),
    close: async () => {},
    requestKeyFrame: () => {
      fake.keysWanted += 1
      return canMakeKeys
    },
    async run(sink, signal) {
      fake.runs += 1
      fake.running += 1
      fake.sink = sink
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve)
      })
      fake.running -= 1
    },
  }
  return { fake, shared: shareSource(source, () => undefined) }
}

test('it runs from the first viewer to the last', async () => {
  const { fake, shared } = createFake()
  expect(fake.running).toBe(0)
  const leave = [shared.join({ ...silent }), shared.join({ ...silent })]
  expect(fake).toMatchObject({ runs: 1, running: 1 })
  leave[0]!()
  leave[0]!()
  expect(fake.running).toBe(1)
  leave[1]!()
  await shared.close()
  expect(fake).toMatchObject({ runs: 1, running: 0 })
})

test('what comes after a source was stopped reaches nobody', () => {
  const { fake, shared } = createFake()
  const seen: number[] = []
  shared.join({ ...silent, video: ({ at }) => seen.push(at) })()
  const stopped = fake.sink
  shared.join({ ...silent, video: ({ at }) => seen.push(at) })
  stopped.video(unit(1, true))
  fake.sink.video(unit(2, true))
  expect(seen).toEqual([2])
})

test('the pictures since the last key frame are kept, unless they are too many', () => {
  const { fake, shared } = createFake()
  shared.join(silent)
  fake.sink.video(unit(1, false))
  expect(shared.recent()).toEqual([])
  for (const [at, isKey] of [
    [2, true],
    [3, false],
    [4, true],
    [5, false],
  ] as const)
    fake.sink.video(unit(at, isKey))
  expect(shared.recent().map(({ at }) => at)).toEqual([4, 5])
  fake.sink.video(unit(6, false, 17_000_000))
  fake.sink.video(unit(7, false))
  expect(shared.recent()).toHaveLength(0)
  fake.sink.video(unit(1_000, true))
  fake.sink.video(unit(11_000, false))
  expect(shared.recent()).toHaveLength(2)
  fake.sink.video(unit(12_000, false))
  expect(shared.recent()).toHaveLength(0)
})

test('pictures of no size are kept no longer than others', () => {
  const { fake, shared } = createFake()
  shared.join(silent)
  fake.sink.video(unit(0, true, 0))
  for (let count = 0; count < 3_000; count += 1) fake.sink.video(unit(1, false, 0))
  expect(shared.recent()).toHaveLength(0)
})

test('key frames are asked for twice a second at most', () => {
  const { fake, shared } = createFake()
  shared.join(silent)
  expect([shared.requestKeyFrame(), shared.requestKeyFrame()]).toEqual([true, false])
  jest.advanceTimersByTime(501)
  expect(shared.requestKeyFrame()).toBe(true)
  jest.advanceTimersByTime(501)
  fake.sink.video(unit(1, true))
  expect(shared.requestKeyFrame()).toBe(false)
  expect(fake.keysWanted).toBe(2)
})

test('a source that cannot make key frames says so', () => {
  const { shared } = createFake(false)
  shared.join(silent)
  expect(shared.requestKeyFrame()).toBe(false)
})

test('what was kept before a break reaches no newcomer, nor do pictures after which nothing came', async () => {
  const sinks: SourceSink[] = []
  const ends: ((error: Error) => void)[] = []
  const shared = shareSource(
    {
      describe: async () => ({ profileLevelId: '42e01f', hasSpeaker: false, sound: ['opus'] as const }),
      close: async () => {},
      requestKeyFrame: () => false,
      run: (sink, signal) =>
        new Promise((resolve, reject) => {
          sinks.push(sink)
          ends.push(reject)
          signal.addEventListener('abort', () => resolve())
        }),
    },
    () => undefined,
  )
  shared.join(silent)
  sinks[0]!.video(unit(1, true))
  expect(shared.recent()).toHaveLength(1)
  ends[0]!(new Error('it broke'))
  await jest.advanceTimersByTimeAsync(0)
  expect(shared.recent()).toHaveLength(0)
  await jest.advanceTimersByTimeAsync(1_000)
  sinks[1]!.video(unit(2, true))
  expect(shared.recent().map(({ at }) => at)).toEqual([2])
  await jest.advanceTimersByTimeAsync(3_001)
  expect(shared.recent()).toHaveLength(0)
  await shared.close()
})

test('a press warms it: it runs for a while, longer after another press', async () => {
  const { fake, shared } = createFake()
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      fake.sink.video(unit(Date.now(), true))
      await jest.advanceTimersByTimeAsync(1_000)
    }
  }
  shared.warm(30_000)
  await pass(20)
  shared.warm(30_000)
  await pass(29)
  expect(fake).toMatchObject({ runs: 1, running: 1 })
  await pass(1)
  expect(fake.running).toBe(0)
  await shared.close()
})
