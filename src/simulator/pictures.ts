/** What a viewer got to see: for how long no new picture came, or the same one, or a black one, and whether any could be decoded. */

import { CallError } from './causes.ts'

/** A decoded picture. */
export interface Picture {
  /** All planes, those of luma first: equal ones show the same to the bit. */
  readonly pixels: Buffer
  /** Samples of luma, of eight bits each; 0 when they are of another depth, which is not judged. */
  readonly lumaSize: number
}

/** What came of the pictures of a call; instants and durations in milliseconds. */
export interface Seen {
  /** Whether pictures were decoded. What only decoding tells is `0` without it, and no claim is made of it. */
  readonly isDecoded: boolean
  /** Whole pictures, from the first one that decoding can start with. */
  readonly coded: number
  /** Those with B slices. */
  readonly bidirectional: number
  /** Those that could be decoded without an error. */
  readonly decoded: number
  readonly black: number
  /** From the first picture to the end. */
  readonly lastedMs: number
  /** The longest time in which no other picture could be decoded, or came, where none are decoded. */
  readonly stoodMs: number
  /** The longest time in which all decoded pictures were equal to the bit. */
  readonly alikeMs: number
  /** The longest time for which all pictures were black. */
  readonly blackMs: number
}

/** Follows the pictures of one call. Every instant is that at which the coded picture was whole. */
export interface PictureWatch {
  coded(at: number, picture: { readonly isBidirectional: boolean }): void
  /** It was decoded, and is shown from now on. */
  shown(at: number, picture: Picture): void
  /** It was not decoded for lack of time: nothing is known of it, and so nothing is held against it. */
  skipped(at: number): void
  seen(endedAt: number): Seen
}

/** Longer than this without another picture, or with a black one, and viewers take it for broken. */
const MOST_MS = 5_000
/** A call that is too short for that is judged when it was so all the time, but for no less than this. */
const LEAST_MS = 2_000

/**
 * Pictures are alike when each is equal to the one before to the bit, key frames too: they are coded anew from what the sensor
 * sees then, and no sensor sees the same noise twice. A test card does so all day, and works; a capture that hangs in front of
 * its encoder looks the same, once the encoder refines no more. So that is a remark, and only a stream that brings no picture
 * is broken.
 *
 * `isDecoded` says whether pictures will be decoded; without that, each picture counts as another one.
 */
export function createPictureWatch(isDecoded: boolean): PictureWatch {
  const stood = createSpan()
  const alike = createSpan()
  const dark = createSpan()
  const count = { coded: 0, bidirectional: 0, decoded: 0, black: 0 }
  let firstAt: number | undefined
  let before: Buffer | undefined

  function skipped(at: number): void {
    before = undefined
    stood.restart(at)
    alike.restart(at)
    dark.end(at)
  }

  return {
    coded(at, { isBidirectional }) {
      firstAt ??= at
      count.coded += 1
      if (isBidirectional) count.bidirectional += 1
      if (!isDecoded) stood.restart(at)
    },
    shown(at, picture) {
      count.decoded += 1
      stood.restart(at)
      if (before?.equals(picture.pixels) !== true) alike.restart(at)
      before = picture.pixels
      if (!isBlack(picture)) return dark.end(at)
      count.black += 1
      dark.begin(at)
    },
    skipped,
    seen: (endedAt) => ({
      isDecoded,
      ...count,
      lastedMs: endedAt - (firstAt ?? endedAt),
      stoodMs: stood.longest(endedAt),
      alikeMs: alike.longest(endedAt),
      blackMs: dark.longest(endedAt),
    }),
  }
}

/** The longest stretch of time of those that begin and end one after another. */
function createSpan() {
  let since: number | undefined
  let longest = 0
  const end = (at: number): void => {
    longest = Math.max(longest, at - (since ?? at))
    since = undefined
  }
  const begin = (at: number): void => void (since ??= at)
  return {
    begin,
    end,
    restart(at: number): void {
      end(at)
      begin(at)
    },
    longest: (until: number): number => Math.max(longest, until - (since ?? until)),
  }
}

/** Video black is 16, or 0 in the full range (H.264 annex E, `video_full_range_flag`); coding leaves a little around it. */
const BLACK = { mean: 20, brightest: 32, deviation: 2 } as const

/** Nothing can be told apart in it. The lamp in a dark street, or the clock over it, is brighter; so is all of a dark room. */
function isBlack({ pixels, lumaSize }: Picture): boolean {
  let sum = 0
  let squares = 0
  for (let at = 0; at < lumaSize; at += 1) {
    const luma = pixels[at]!
    if (luma > BLACK.brightest) return false
    sum += luma
    squares += luma * luma
  }
  const mean = sum / lumaSize
  return mean <= BLACK.mean && squares / lumaSize - mean * mean <= BLACK.deviation ** 2
}

/** What is wrong with the pictures, with what to change; undefined when nothing is, or nothing is known. */
export function judgePictures(seen: Seen): CallError | undefined {
  const { isDecoded, coded, bidirectional, decoded, black, lastedMs, stoodMs, blackMs } = seen
  if (bidirectional > 0) {
    return new CallError(
      'b_frames',
      `${bidirectional} of ${coded} pictures are B-frames, and displays show those out of order or not at all: ` +
        'switch B-frames off in the camera, or choose the profile Baseline',
    )
  }
  if (isDecoded && coded > 0 && decoded === 0) {
    return new CallError(
      'not_decodable',
      `none of ${coded} complete pictures can be decoded: restart the camera; if the problem persists, update its firmware`,
    )
  }
  if (decoded > 0 && (black === decoded || blackMs >= MOST_MS)) {
    return new CallError(
      'black_picture',
      `the picture was black for ${seconds(blackMs)}: check the lens, the privacy mode, the exposure, and that the camera ` +
        'has a video signal',
    )
  }
  if (isLong(stoodMs, lastedMs)) {
    return new CallError(
      'frozen_picture',
      `the picture stood still for ${seconds(stoodMs)}, since no new one ${isDecoded ? 'could be decoded' : 'came'}: ` +
        'restart the camera; if the problem persists, update its firmware',
    )
  }
  return undefined
}

/** What is worth knowing of pictures in which nothing is wrong; undefined when nothing is, or nothing is known. */
export function remarkOn(seen: Seen): string | undefined {
  const { alikeMs, lastedMs } = seen
  if (judgePictures(seen) !== undefined || !isLong(alikeMs, lastedMs)) return undefined
  return `The picture did not change for ${seconds(alikeMs)}.`
}

const isLong = (ms: number, lastedMs: number): boolean => ms >= MOST_MS || (lastedMs - ms < 1 && ms >= LEAST_MS)

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
