/** Which pictures of a player are black or stand still, and which only look like it in the small. */
import { describe, expect, test } from '@jest/globals'
import { createPictureWatch, type Sample } from '../../src/player/picture.ts'

/** RGBA of so many pixels, each of this grey, but for the one at `spot`. */
function grey(value: number, count: number, spot?: { readonly at: number; readonly value: number }): Uint8ClampedArray {
  const pixels = Uint8ClampedArray.from({ length: count * 4 }, (_, at) => (at % 4 === 3 ? 255 : value))
  if (spot !== undefined) pixels.fill(spot.value, spot.at * 4, spot.at * 4 + 3)
  return pixels
}

const sample = (small: number, large = grey(small, 100)): Sample => ({ small: grey(small, 4), large: () => large })

/** What is reported at each second: the code of a fault, or `still`; of a camera whose pictures are decoded, or no more since a second. */
function told(samples: readonly (Sample | undefined)[], endsAt = Infinity): readonly (string | undefined)[] {
  const watch = createPictureWatch()
  return samples.map((each, second) => {
    const { fault, isStill } = watch.look(second * 1_000, Math.min(second, endsAt) * 15, each)
    expect(fault !== undefined && isStill).toBe(false)
    return isStill ? 'still' : fault?.code
  })
}

const seconds = (count: number, of: (second: number) => Sample | undefined) =>
  Array.from({ length: count }, (_, second) => of(second))

const moving = (second: number): Sample => ({
  small: grey(60 + second, 4),
  large() {
    throw new Error('read without need')
  },
})
const noisy = (second: number): Sample => sample(second % 3, grey(4, 100, { at: second, value: 15 }))

describe('a picture', () => {
  test('that moves is none to be told of, and is read in the small alone', () => {
    expect(told(seconds(20, moving)).filter(Boolean)).toEqual([])
  })

  test('that is decoded and does not change is still after five seconds, and no more when it changes', () => {
    const codes = told([...seconds(9, () => sample(90)), sample(91), sample(92)])
    expect(codes.slice(0, 6)).toEqual(Array(6).fill(undefined))
    expect(codes.slice(6)).toEqual(['still', 'still', 'still', undefined, undefined])
  })

  test('after which no other is decoded is frozen after five seconds, also where it was still before', () => {
    const codes = told([...seconds(3, moving), ...seconds(7, () => sample(90))], 3)
    expect(codes).toEqual([...Array(8).fill(undefined), 'frozen_picture', 'frozen_picture'])
    const card = told(
      seconds(14, () => sample(90)),
      8,
    )
    expect(card.slice(6)).toEqual([...Array(7).fill('still'), 'frozen_picture'])
  })

  test.each([
    ['one pixel of noise', (second: number) => grey(90, 100, { at: 7, value: 90 + (second % 2) })],
    ['a clock', (second: number) => grey(90, 100, { at: second % 60, value: 255 })],
    ['another size', (second: number) => grey(90, 100 + second)],
  ])('that differs by %s does not stand still', (_what, large) => {
    expect(told(seconds(20, (second) => sample(90, large(second)))).filter(Boolean)).toEqual([])
  })

  test('that is black is told as black, with the noise of a sensor, too', () => {
    expect(told(seconds(7, noisy))).toEqual([...Array(5).fill(undefined), 'black_picture', 'black_picture'])
    expect(told(seconds(7, () => sample(0))).at(-1)).toBe('black_picture')
  })

  test.each([
    ['a lamp in the night', (second: number) => grey(4, 100, { at: 50, value: 120 + (second % 2) })],
    ['a dark room', (second: number) => grey(24, 100, { at: second, value: 25 })],
  ])('of %s is not black', (_what, large) => {
    expect(told(seconds(20, (second) => sample(6, large(second)))).filter(Boolean)).toEqual([])
  })

  test('at which nobody looks is not judged, and afterwards it begins anew', () => {
    const still = seconds(5, () => sample(90))
    expect(told([...still, undefined, ...still]).filter(Boolean)).toEqual([])
    expect(told([...still, undefined, ...still, ...still]).at(-1)).toBe('still')
    const frozen = told([...still, undefined, ...still, ...still], 0)
    expect([frozen.slice(0, 11), frozen.at(-1)]).toEqual([Array(11).fill(undefined), 'frozen_picture'])
  })
})
