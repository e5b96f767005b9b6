/** Whether there is something to be seen: a picture that stands still, or is black, while the connection says that all is well. */
import type { Problem } from './problem.ts'

/** What lasts this long is reported. */
const reportMs = 5_000

export const frozenPicture: Problem = {
  code: 'frozen_picture',
  message: 'The picture stands still.',
  advice: 'Restart the camera. If the problem persists, update its firmware.',
}
export const blackPicture: Problem = {
  code: 'black_picture',
  message: 'The picture is black.',
  advice: 'Check the lens, the privacy mode and the exposure of the camera.',
}
export const undecodable: Problem = {
  code: 'not_decodable',
  message: 'Pictures arrive, and this browser cannot decode them.',
  advice: 'Set the video codec of the camera to H.264 without B-frames. If the problem persists, restart the camera.',
}

/** RGBA samples of a picture. */
type Pixels = Uint8ClampedArray

/** The picture that is shown now, in two sizes: the large one is asked for only when the small one gives a reason to. */
export interface Sample {
  readonly small: Pixels
  large(): Pixels
}

/** What has been so for five seconds. */
export interface Look {
  /** Black, or no new picture. */
  readonly fault: Problem | undefined
  /** Pictures are decoded, and all of them are alike. */
  readonly isStill: boolean
}

export interface PictureWatch {
  /**
   * Takes what is shown at this instant (milliseconds), about once a second, and how many pictures have been decoded so far;
   * `sample` is `undefined` when nobody looks or nothing is shown, which begins anew.
   */
  look(at: number, framesDecoded: number, sample: Sample | undefined): Look
}

/**
 * A picture is frozen when no other is decoded. One that is decoded again and again, equal in every pixel, is only still: so is
 * a test card, and the noise of a sensor, or the seconds of a clock, make a quiet scene another one. It is black when no pixel
 * in it is brighter than dark grey: one lamp in the night is enough to be none.
 */
export function createPictureWatch(): PictureWatch {
  let before: { readonly small: Pixels; readonly large?: Pixels } | undefined
  let decoded = 0
  let decodedAt = 0
  let movedAt = 0
  let litAt = 0

  return {
    look(at, framesDecoded, sample) {
      if (framesDecoded !== decoded) decodedAt = at
      decoded = framesDecoded
      const last = before
      before = sample && { small: sample.small }
      if (sample === undefined || last === undefined) {
        decodedAt = movedAt = litAt = at
        return { fault: undefined, isStill: false }
      }
      const mayStand = isEqual(sample.small, last.small)
      const mayBeBlack = isBlack(sample.small)
      const large = mayStand || mayBeBlack ? sample.large() : undefined
      if (large !== undefined) before = { small: sample.small, large }
      // Equal in the small is no proof, but what differs there is one.
      if (!mayStand || last.large === undefined || large === undefined || !isEqual(large, last.large)) movedAt = at
      if (!mayBeBlack || large === undefined || !isBlack(large)) litAt = at
      const isFrozen = at - decodedAt >= reportMs
      const isStill = !isFrozen && at - movedAt >= reportMs
      if (at - litAt >= reportMs) return { fault: blackPicture, isStill: false }
      return { fault: isFrozen ? frozenPicture : undefined, isStill }
    },
  }
}

/** Pixel by pixel: a large picture has millions of values. */
function isEqual(one: Pixels, other: Pixels): boolean {
  const [mine, theirs] = [one, other].map(
    ({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length / 4),
  )
  return mine!.length === theirs!.length && mine!.every((pixel, at) => pixel === theirs![at])
}

/** Red, green and blue, of 255: codecs leave a little in what was black. */
const darkest = 20

/** Every fourth value is the opacity. */
const isBlack = (pixels: Pixels): boolean => pixels.every((value, at) => at % 4 === 3 || value <= darkest)

const smallSize = 16

/** Reads what a video element shows; `undefined` while the page is hidden, it is paused, or there is no picture yet. */
export function createSampler(video: HTMLVideoElement): () => Sample | undefined {
  let canvas: OffscreenCanvas | undefined

  function read(width: number, height: number): Pixels {
    canvas ??= new OffscreenCanvas(width, height)
    // This empties it, too.
    Object.assign(canvas, { width, height })
    const context = canvas.getContext('2d', { willReadFrequently: true })
    if (context === null) throw new Error('this browser gives no canvas')
    context.drawImage(video, 0, 0, width, height)
    return context.getImageData(0, 0, width, height).data
  }

  return () => {
    const { videoWidth, videoHeight } = video
    if (document.hidden || video.paused || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || videoWidth === 0)
      return undefined
    return { small: read(smallSize, smallSize), large: () => read(videoWidth, videoHeight) }
  }
}
