/** What a display saw: real streams, each fault of the picture, and each scene that only looks like one. */
import { describe, expect, test } from '@jest/globals'
import { loadFfmpeg } from '../../src/simulator/decoder.ts'
import { judgePictures, remarkOn, type Seen } from '../../src/simulator/pictures.ts'
import { createScreen } from '../../src/simulator/screen.ts'
import {
  black,
  encode,
  filmRate,
  moving,
  noisy,
  packetsOf,
  spoil,
  street,
  width,
  type FilmOptions,
  type Paint,
} from './film.ts'

const pictureMs = 1000 / filmRate

interface Watching {
  /** False as where FFmpeg is not installed. */
  readonly isDecoded?: boolean
  /** Which pictures reach the display, and when they do. */
  readonly arrivals?: (picture: number) => number | undefined
  readonly endedAt?: number
}

/** A screen that is sent these pictures, as fast as they were taken. */
async function watch(coded: readonly Buffer[], options: Watching = {}): Promise<Seen> {
  const { isDecoded = true, arrivals = (picture) => picture * pictureMs, endedAt = coded.length * pictureMs } = options
  const screen = createScreen('H264', isDecoded ? await loadFfmpeg() : undefined)
  for (const [picture, packets] of packetsOf(coded).entries()) {
    const at = arrivals(picture)
    for (const packet of packets) if (at !== undefined) screen.push(packet, 1000 + at)
  }
  return screen.seen(1000 + endedAt)
}

/** Bars that wander, rest for ten seconds, and wander on. */
const paused: Paint = (x, y, picture) => moving(x, y, picture < 10 || picture > 60 ? picture : 10)
const untilLost = (picture: number) => (picture < 10 ? picture * pictureMs : undefined)
const inBunches = (picture: number) => Math.ceil(picture / 10) * 2_000
/** Bars that wander up to this picture; then the light goes out. */
const goesOut =
  (after: number): Paint =>
  (x, y, at) =>
    at < after ? moving(x, y, at) : 16

async function verdict(paint: Paint, film: FilmOptions, watching?: Watching): Promise<string | undefined> {
  return judgePictures(await watch(await encode(paint, film), watching))?.code
}

const sixSeconds = { pictures: 6 * filmRate, gop: 2 * filmRate }
const twice = { pictures: 12, gop: 6 }

test('pictures that move are decoded, every one of them', async () => {
  const seen = await watch(await encode(moving, sixSeconds))
  expect(seen).toMatchObject({ isDecoded: true, coded: 30, decoded: 30, bidirectional: 0, black: 0, blackMs: 0 })
  expect(seen.stoodMs).toBeCloseTo(pictureMs)
  expect(judgePictures(seen)).toBeUndefined()
})

test.each<[string, Paint, string | undefined]>([
  ['moves', moving, undefined],
  ['is black', black, 'black_picture'],
])('VP8 that %s is judged as well', async (_what, paint, code) => {
  const screen = createScreen('VP8', await loadFfmpeg())
  for (const [picture, frame] of (await encode(paint, { ...sixSeconds, codec: 'VP8' })).entries()) {
    // A whole frame in one packet, with the shortest descriptor (RFC 7741 section 4.2).
    const payload = Buffer.concat([Buffer.from([0x10]), frame])
    const timestamp = (picture * 90_000) / filmRate
    screen.push({ payload, timestamp, marker: true, sequenceNumber: picture }, picture * pictureMs)
  }
  const seen = await screen.seen(6_000)
  expect(seen).toMatchObject({ coded: 30, decoded: 30 })
  expect(judgePictures(seen)?.code).toBe(code)
})

describe('B-frames', () => {
  test.each([true, false])('are told, decoded or not (%s)', async (isDecoded) => {
    const coded = await encode(moving, { pictures: 30, bFrames: 2 })
    const seen = await watch(coded, { isDecoded })
    expect(seen.bidirectional).toBeGreaterThan(8)
    expect(judgePictures(seen)).toMatchObject({ code: 'b_frames', message: expect.stringMatching(/of 30 pictures/) })
  })

  test('are told of a picture of several slices', async () => {
    expect(
      await verdict(moving, { pictures: 30, bFrames: 1, options: { 'x264-params': 'slices=3:scenecut=0:b-adapt=0' } }),
    ).toBe('b_frames')
  })

  test('are not what a Main or High profile is by itself, nor what several references are', async () => {
    for (const profile of ['main', 'high']) {
      const options = { profile, 'x264-params': 'ref=4:slices=3:weightp=2' }
      expect(await verdict(moving, { pictures: 30, options })).toBeUndefined()
    }
  })
})

/** The key frame of a film, so many times. */
const same = (key: Buffer | undefined, count: number) => Array.from({ length: count }, () => key ?? Buffer.alloc(0))
const remark = expect.stringMatching(/^The picture did not change for \d+\.\d s\.$/)

describe('pictures that arrive and are all alike are remarked on, and no failure', () => {
  test.each<[string, () => Promise<readonly Buffer[]>]>([
    ['of a test card', () => encode(street, { pictures: 10 * filmRate, options: { crf: '24' } })],
    ['of one key frame', async () => same((await encode(moving, twice))[0], 40)],
    ['of a film that rests, and goes on', () => encode(paused, { pictures: 70, options: { crf: '24' } })],
  ])('those %s', async (_what, film) => {
    const seen = await watch(await film())
    expect(seen.alikeMs).toBeGreaterThan(5_000)
    expect(seen.stoodMs).toBeLessThan(1_000)
    expect([judgePictures(seen), remarkOn(seen)]).toEqual([undefined, remark])
  })

  test('in a short call only when they were so from beginning to end, and for two seconds', async () => {
    const [key, ...others] = await encode(moving, twice)
    expect(remarkOn(await watch(same(key, 2 * filmRate + 1)))).toEqual(remark)
    expect(remarkOn(await watch(same(key, filmRate)))).toBeUndefined()
    expect(remarkOn(await watch([...same(key, 3 * filmRate), ...others]))).toBeUndefined()
  })

  test('which is not said of those that have failed', async () => {
    const [key] = await encode(moving, twice)
    const lost = await watch(same(key, 60), { arrivals: untilLost, endedAt: 8_000 })
    expect([judgePictures(lost)?.code, remarkOn(lost)]).toEqual(['frozen_picture', undefined])
    const dark = await watch(await encode(black, sixSeconds))
    expect([judgePictures(dark)?.code, remarkOn(dark)]).toEqual(['black_picture', undefined])
  })
})

describe('a picture that stands still', () => {
  test('is told of a short call when one came and then no other, for two seconds', async () => {
    const one = await encode(moving, { pictures: 1 })
    expect(judgePictures(await watch(one, { endedAt: 2_500 }))).toMatchObject({
      code: 'frozen_picture',
      message: expect.stringContaining('2.5 s'),
    })
    expect(judgePictures(await watch(one, { endedAt: 1_500 }))).toBeUndefined()
  })

  test.each([true, false])('is told when no more pictures come, decoded or not (%s)', async (isDecoded) => {
    expect(await verdict(moving, sixSeconds, { isDecoded, arrivals: untilLost, endedAt: 8_000 })).toBe('frozen_picture')
  })

  test('is told when what follows cannot be decoded', async () => {
    const coded = await encode(moving, sixSeconds)
    const torn = coded.map((unit, at) =>
      at < 3 ? unit : Buffer.concat([unit.subarray(0, 6), Buffer.alloc(200, 0x5a)]),
    )
    expect(judgePictures(await watch(torn))?.code).toBe('frozen_picture')
  })

  test('is not what a network does that delivers late and all at once', async () => {
    expect(await verdict(moving, sixSeconds, { arrivals: inBunches, endedAt: 6_000 })).toBeUndefined()
  })
})

describe('a scene in which nothing happens is not remarked on', () => {
  test.each<[string, Paint, FilmOptions['options']]>([
    ['with the noise of a sensor', noisy(street, 4), {}],
    ['with the noise of a sensor, coded coarsely', noisy(street, 8), { crf: '34' }],
    ['with little noise, which only key frames show', noisy(street, 2), { crf: '30' }],
    [
      'with a clock of few pixels',
      (x, y, at) => (y === 8 && x < 3 ? 40 + 150 * (Math.floor(at / filmRate) % 2) : street(x, y, at)),
      {},
    ],
    ['with light that fades', (x, y, at) => street(x, y, at) - Math.floor(at / 4), {}],
    [
      'with another scene after four seconds',
      (x, y, at) => street(at < 4 * filmRate ? x : width - x, y, at),
      { crf: '24' },
    ],
  ])('%s', async (_scene, paint, options = {}) => {
    const seen = await watch(await encode(paint, { pictures: 8 * filmRate, gop: 2 * filmRate, options }))
    expect([judgePictures(seen), remarkOn(seen)]).toEqual([undefined, undefined])
  })

  test('and without decoding nothing is claimed of it', async () => {
    const [key = Buffer.alloc(0)] = await encode(black, twice)
    const seen = await watch(
      Array.from({ length: 40 }, () => key),
      { isDecoded: false },
    )
    expect(seen).toMatchObject({ isDecoded: false, coded: 40, decoded: 0 })
    expect([judgePictures(seen), remarkOn(seen)]).toEqual([undefined, undefined])
  })
})

describe('a black picture', () => {
  test.each<[string, Paint]>([
    ['of video black', black],
    ['of full black', () => 0],
    ['with the noise of a sensor', noisy(() => 17, 2)],
  ])('%s is told', async (_name, paint) => {
    expect(await verdict(paint, sixSeconds)).toBe('black_picture')
  })

  test('is told of a short call when no other was seen, and of a long one after five seconds', async () => {
    expect(await verdict(noisy(black, 1), { pictures: 8 })).toBe('black_picture')
    expect(await verdict(goesOut(10), { pictures: 40, gop: 10 })).toBe('black_picture')
    expect(await verdict(goesOut(20), { pictures: 40, gop: 10 })).toBeUndefined()
  })

  test.each<[string, Paint]>([
    ['a dark garden', noisy((x, y) => 18 + ((x + 2 * y) % 9), 2)],
    ['a dark street with one small lamp', noisy((x, y) => (x >> 2 === 9 && y >> 2 === 10 ? 120 : 17), 1)],
    ['a covered lens under a clock', noisy((x, y, at) => (y < 8 && (x + at) % 11 < 2 ? 220 : 16), 1)],
    ['a dark wall', noisy(() => 28, 2)],
  ])('%s is not one', async (_name, paint) => {
    expect(await verdict(paint, sixSeconds)).toBeUndefined()
  })
})

describe('pictures that cannot be decoded', () => {
  test('are told when none can', async () => {
    const coded = await encode(moving, twice)
    const seen = await watch(coded.map(spoil))
    expect(seen).toMatchObject({ coded: 12, decoded: 0 })
    expect(judgePictures(seen)?.code).toBe('not_decodable')
  })

  test('are not all told for the sake of some', async () => {
    const coded = await encode(moving, twice)
    const seen = await watch(coded, { arrivals: (picture) => (picture === 4 ? undefined : picture * pictureMs) })
    expect(seen.decoded).toBeGreaterThan(8)
    expect(judgePictures(seen)).toBeUndefined()
  })
})
