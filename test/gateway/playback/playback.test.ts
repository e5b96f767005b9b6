/** What a viewer of a recording is sent, and when. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import type { PlaybackCommand, PlaybackState } from '../../../src/core/wire/playback.ts'
import { createPlayback, type Part, type PartItem, type Playback } from '../../../src/gateway/playback/playback.ts'

const t0 = Date.UTC(2026, 10, 28, 21, 14)

beforeEach(() => void jest.useFakeTimers({ now: 0, doNotFake: ['nextTick', 'queueMicrotask'] }))
afterEach(() => void jest.useRealTimers())

interface Shape {
  readonly fps?: number
  readonly isDisposable?: (index: number) => boolean
}

/** Two seconds: one group of pictures, and sound every 20 ms. */
function part(from: number, { fps = 10, isDisposable = () => false }: Shape = {}): Part {
  const pictures = Array.from({ length: 2 * fps }, (_, index): PartItem => {
    const unit = { at: from + (index * 1_000) / fps, isKey: index === 0, payloads: [Buffer.from([index])] }
    return { kind: 'video', unit: { ...unit, isDisposable: isDisposable(index) } }
  })
  const sound = Array.from({ length: 100 }, (_, index): PartItem => ({
    kind: 'audio',
    packet: { at: from + index * 20, codec: 'opus', payload: Buffer.from([index]) },
  }))
  return { from, to: from + 2_000, items: [...pictures, ...sound].toSorted((one, other) => atOf(one) - atOf(other)) }
}

const atOf = (item: PartItem) => (item.kind === 'video' ? item.unit : item.packet).at

/** What was shown: how many milliseconds after the beginning of the recording it was taken, and when it was sent. */
interface Shown {
  readonly at: number
  readonly sentAt: number
  readonly stamp: number
}

interface Viewer {
  readonly shown: Shown[]
  readonly heard: number[]
  readonly states: PlaybackState[]
  readonly faults: unknown[]
  readonly playback: Playback
  follow(command: Omit<PlaybackCommand, 'id'>): Promise<void>
  run(ms: number): Promise<void>
  readonly leave: () => void
}

interface Wishes {
  readonly span?: { readonly from: number; readonly to?: number }
  readonly parts?: readonly Part[]
  readonly read?: (at: number) => Promise<Part | undefined>
}

const settle = () => jest.advanceTimersByTimeAsync(0)

async function view({ span = { from: t0 }, parts = [part(t0), part(t0 + 2_000)], read }: Wishes = {}): Promise<Viewer> {
  const shown: Shown[] = []
  const heard: number[] = []
  const states: PlaybackState[] = []
  const faults: unknown[] = []
  let id = 0
  const playback = createPlayback({
    span,
    read: read ?? (async (at) => parts.find(({ to }) => to > at)),
    tell: (state) => states.push(state),
    onFault: (error) => faults.push(error),
  })
  const originals = new Map(
    parts.flatMap(({ items }) =>
      items.flatMap((item) => (item.kind === 'video' ? [[item.unit.payloads, item.unit.at]] : [])),
    ),
  )
  const leave = playback.join({
    video(unit) {
      shown.push({ at: (originals.get(unit.payloads) ?? NaN) - t0, sentAt: Date.now(), stamp: unit.at })
    },
    audio: () => void heard.push(Date.now()),
  })
  await settle()
  expect(shown).toEqual([])
  playback.requestKeyFrame()
  await settle()
  return {
    shown,
    heard,
    states,
    faults,
    playback,
    leave,
    async follow(command) {
      playback.follow({ ...command, id: (id += 1) })
      await settle()
    },
    run: (ms) => jest.advanceTimersByTimeAsync(ms),
  }
}

const last = <T>(all: readonly T[]): T => all.at(-1)!

test('what was recorded is shown in real time with its sound, one part after the other, and then it is over', async () => {
  const { shown, heard, states, run } = await view()
  expect(shown.map(({ at }) => at)).toEqual([0])
  await run(3_950)
  expect(shown).toHaveLength(40)
  expect(shown.every(({ at, sentAt }) => Math.abs(sentAt - at) <= 1)).toBe(true)
  expect(heard.length).toBeGreaterThan(190)
  expect(last(states).isOver).toBe(false)
  await run(100)
  expect(last(states)).toEqual({ id: 0, at: t0 + 3_900, isPaused: false, speed: 1, isOver: true })
})

test('from between two pictures, the decoder runs from the key frame to the one before it at once', async () => {
  const { shown, states, run } = await view({ span: { from: t0 + 1_250 } })
  expect(shown.map(({ at }) => at)).toEqual(Array.from({ length: 13 }, (_, index) => index * 100))
  expect(new Set(shown.map(({ sentAt }) => sentAt))).toEqual(new Set([0]))
  const stamps = shown.map(({ stamp }) => stamp)
  expect(stamps).toEqual(stamps.toSorted((one, other) => one - other))
  expect(new Set(stamps).size).toBe(13)
  expect(last(states).at).toBe(t0 + 1_200)
  await run(50)
  expect(last(shown)).toMatchObject({ at: 1_300, sentAt: 50 })
})

test('where nothing was recorded, it goes on with what comes next, at once', async () => {
  const { shown, run } = await view({ parts: [part(t0), part(t0 + 3_600_000)] })
  await run(2_100)
  expect(shown.slice(-2)).toMatchObject([
    { at: 3_600_000, sentAt: 2_000 },
    { at: 3_600_100, sentAt: 2_100 },
  ])
})

test('it ends with its span, or where there is nothing to read', async () => {
  const { shown, states, run } = await view({ span: { from: t0, to: t0 + 1_000 } })
  await run(3_000)
  expect(last(shown).at).toBe(900)
  expect(last(states).isOver).toBe(true)
  const empty = await view({ parts: [] })
  expect(empty.states).toMatchObject([{ isOver: true }])
})

test('a pause holds picture and sound, and what follows comes as much later', async () => {
  const { shown, heard, states, run, follow } = await view()
  await run(500)
  await follow({ isPaused: true })
  expect(last(states)).toMatchObject({ id: 1, isPaused: true, at: t0 + 500 })
  const before = [shown.length, heard.length]
  await run(10_000)
  expect([shown.length, heard.length]).toEqual(before)
  await follow({ isPaused: false })
  await run(1_000)
  expect(last(shown)).toMatchObject({ at: 1_500, sentAt: 11_500 })
  const stamps = shown.map(({ stamp }) => stamp)
  expect(stamps).toEqual(stamps.toSorted((one, other) => one - other))
})

test.each([0.5, 2, 4])('at speed %d all pictures come as much faster, without sound', async (speed) => {
  const { shown, heard, states, run, follow } = await view()
  await follow({ speed })
  const before = heard.length
  await run(900 / speed)
  expect(last(shown)).toMatchObject({ at: 900 })
  expect(shown).toHaveLength(10)
  expect(heard).toHaveLength(before)
  expect(last(states).speed).toBe(speed)
})

test('faster than displays show, pictures are left out that no other needs; without such, all but key frames', async () => {
  const parts = [part(t0, { fps: 30, isDisposable: (index) => index % 2 === 1 }), part(t0 + 2_000, { fps: 60 })]
  const { shown, run, follow } = await view({ parts })
  await follow({ speed: 4 })
  await run(490)
  expect(shown).toHaveLength(30)
  expect(shown.every(({ at }) => Math.round((at * 30) / 1_000) % 2 === 0)).toBe(true)
  shown.length = 0
  await run(505)
  expect(shown.map(({ at }) => at)).toEqual([2_000])
})

test('after pictures were left out that others need, the next one is a key frame', async () => {
  const parts = [part(t0, { fps: 60 }), part(t0 + 2_000, { fps: 60 })]
  const { shown, run, follow } = await view({ parts })
  await follow({ speed: 4 })
  await run(250)
  await follow({ speed: 1 })
  await run(1_010)
  expect(shown.slice(0, 2).map(({ at }) => at)).toEqual([0, 2_000])
})

test('to go to an instant shows its picture, forwards, backwards, and while it is paused', async () => {
  const { shown, states, run, follow } = await view()
  await follow({ at: t0 + 3_000 })
  expect(last(shown)).toMatchObject({ at: 3_000, sentAt: 0 })
  await follow({ isPaused: true })
  await follow({ at: t0 + 1_000 })
  expect(last(shown).at).toBe(1_000)
  expect(last(states)).toMatchObject({ id: 3, at: t0 + 1_000, isPaused: true })
  await run(5_000)
  expect(last(shown).at).toBe(1_000)
  const stamps = shown.map(({ stamp }) => stamp)
  expect(stamps).toEqual(stamps.toSorted((one, other) => one - other))
})

test('a step shows the next picture or the one before, also across parts, and pauses', async () => {
  const { shown, states, follow } = await view({ span: { from: t0 + 1_900 } })
  await follow({ step: 1 })
  expect(last(shown).at).toBe(2_000)
  await follow({ step: 1 })
  expect(last(shown).at).toBe(2_100)
  expect(last(states)).toMatchObject({ id: 2, isPaused: true, at: t0 + 2_100 })
  await follow({ step: -1 })
  expect(last(shown).at).toBe(2_000)
  await follow({ step: -1 })
  expect(last(shown).at).toBe(1_900)
  expect(last(states)).toMatchObject({ id: 4, isPaused: true, at: t0 + 1_900 })
})

test('after the end it can go back', async () => {
  const { shown, states, run, follow } = await view()
  await run(5_000)
  await follow({ at: t0 + 100 })
  expect(last(shown).at).toBe(100)
  expect(last(states).isOver).toBe(false)
})

test('a viewer that lost the picture gets it again from its key frame, and not too often', async () => {
  const { shown, run, playback } = await view()
  await run(1_500)
  const before = shown.length
  expect(playback.requestKeyFrame()).toBe(true)
  expect(playback.requestKeyFrame()).toBe(false)
  await settle()
  expect(shown.slice(before).map(({ at }) => at)).toEqual(Array.from({ length: 16 }, (_, index) => index * 100))
  await run(100)
  expect(last(shown)).toMatchObject({ at: 1_600 })
})

test('a word of the player that is not newer than the last one changes nothing', async () => {
  const { states, playback } = await view()
  playback.follow({ id: 2, speed: 2 })
  playback.follow({ id: 1, speed: 4 })
  playback.follow({ id: 2, speed: 4 })
  expect(last(states)).toMatchObject({ id: 2, speed: 2 })
})

test('what comes late from the disk is not made up for', async () => {
  const slow = async (at: number) => {
    if (at >= t0 + 2_000) await new Promise((resolve) => setTimeout(resolve, 5_000))
    return [part(t0), part(t0 + 2_000)].find(({ to }) => to > at)
  }
  const { states, run } = await view({ read: slow })
  await run(5_000)
  await run(300)
  expect(last(states)).toMatchObject({ at: t0 + 2_300, isOver: false })
})

test('what cannot be read ends it, and is said', async () => {
  const broken = async (at: number) => {
    if (at > t0) throw new Error('the disk is gone')
    return part(t0)
  }
  const { states, faults, run } = await view({ read: broken })
  await run(3_000)
  expect(faults).toEqual([new Error('the disk is gone')])
  expect(last(states)).toMatchObject({ at: t0 + 1_900, isOver: true })
})

test('a viewer that left is sent nothing, and no timer stays', async () => {
  const { shown, run, leave } = await view()
  await run(500)
  const before = shown.length
  leave()
  await run(5_000)
  expect(shown).toHaveLength(before)
  expect(jest.getTimerCount()).toBe(0)
})
