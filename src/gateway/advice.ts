/** What displays get of a stream that was probed, and what to change in the camera: the words of the page and the command line. */
import type { StreamProbe } from 'transom-core/wire/source'

/** Longer, and a display that comes late waits for its first picture. */
const longestKeyFrameMs = 2_500
const convertible: readonly string[] = ['H264', 'H265', 'JPEG']

/** A stream as it was measured, before anything is said about it. */
export type Measured = Omit<StreamProbe, 'displays' | 'advice'>

/** Whether displays play the stream as it comes. */
export const passesThrough = ({ codec, converted }: Measured): boolean => codec === 'H264' && converted === undefined

/** Adds both. `canConvert`: FFmpeg is installed with the gateway. */
export const advised = (stream: Measured, canConvert: boolean): StreamProbe => ({
  ...stream,
  displays: whatDisplaysGet(stream, canConvert),
  advice: stream.fault !== undefined || stream.codec === undefined ? [] : adviceFor(stream),
})

function whatDisplaysGet(stream: Measured, canConvert: boolean): string {
  const { codec, fault } = stream
  if (fault !== undefined) return fault.message
  if (codec === undefined) return 'It has no video.'
  if (passesThrough(stream)) return 'Echo Show, Nest Hub and browsers play it as it is.'
  if (!convertible.includes(codec)) return 'It cannot be shown: set the camera to H.264.'
  if (!canConvert && codec === 'H265')
    return 'Only displays that play H.265 show it, without B-frames. For Echo and Nest install FFmpeg: run npm install node-av on the machine of the gateway.'
  return canConvert
    ? 'Converted while somebody watches, which costs about one processor core.'
    : 'It cannot be shown without FFmpeg: run npm install node-av on the machine of the gateway.'
}

function adviceFor(stream: Measured): string[] {
  const { codec = '', converted, keyFrameMs, sound, hasBackChannel } = stream
  const isConvertible = convertible.includes(codec)
  const keyFrames =
    keyFrameMs === undefined
      ? 'No second key frame came while it was measured'
      : `A key frame comes only each ${(keyFrameMs / 1_000).toFixed(1)} s`
  return [
    isConvertible && codec !== 'H264' && 'To avoid the conversion set this stream, or the second one, to H.264.',
    converted === 'B-frames' &&
      'To avoid the conversion turn B-frames off: profile Baseline, or Main without B-frames.',
    codec === 'H264' &&
      converted !== undefined &&
      converted !== 'B-frames' &&
      `Displays cannot play H.264 with ${converted}: lower it to 1920x1080 in 4:2:0 and 8 bit, or use the second stream.`,
    codec !== 'JPEG' &&
      (keyFrameMs ?? Infinity) > longestKeyFrameMs &&
      `${keyFrames}: set the key frame interval (I-frame interval, GOP) to 1 or 2 seconds, and pictures start faster.`,
    sound === undefined && 'It has no sound: displays hear silence. Switch the microphone on if it has one.',
    !hasBackChannel && 'It offers no way back: nobody can talk through it, unless its brand is spoken to by HTTP.',
  ].filter((line) => line !== false)
}
