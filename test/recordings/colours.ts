/** A camera whose pictures show the time: each second has a brightness of its own, so that a player can be asked where it is. */
import { execFileSync } from 'node:child_process'
import type { CameraId, Recordings } from '../../src/core/ports.ts'
import { createPacketizer } from '../../src/gateway/h264.ts'
import type { VideoUnit } from '../../src/gateway/media.ts'
import { createSegmenter, type Segment } from '../../src/gateway/record/segmenter.ts'

export const frameRate = 10

/** Of the second since its begin, as a grey between black and white (0 to 255), as a screen shows it. */
export const greyOf = (second: number): number => Math.round(((10 * second + 20 - 16) * 255) / 219)

/** So many seconds, a key frame each; as FFmpeg draws and encodes them. */
export function drawSeconds(count: number, size = '320x240'): readonly Buffer[] {
  const source = `color=black:s=${size}:r=${frameRate}:d=${count},geq=lum='20+10*floor(T)':cb=128:cr=128`
  const coder = ['-c:v', 'libx264', '-profile:v', 'baseline', '-g', `${frameRate}`, '-x264-params', 'aud=1:scenecut=0']
  const stream = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-f', 'lavfi', '-i', source, '-pix_fmt', 'yuv420p', ...coder, '-f', 'h264', '-'],
    { maxBuffer: 64 * 1_024 * 1_024 },
  )
  const delimiter = Buffer.from([0, 0, 0, 1, 9])
  const starts: number[] = []
  for (let at = stream.indexOf(delimiter); at !== -1; at = stream.indexOf(delimiter, at + 1)) starts.push(at)
  return starts.map((start, index) => stream.subarray(start, starts[index + 1]))
}

/** The pictures as a camera would send them from an instant on. */
export function unitsOf(pictures: readonly Buffer[], from: number): readonly VideoUnit[] {
  const packetize = createPacketizer({ sets: [] })
  return pictures.map((picture, index) => packetize(picture, from + (index * 1_000) / frameRate))
}

/** Cuts pictures as the gateway does. */
export async function cut(
  units: readonly VideoUnit[],
): Promise<{ readonly codecs: string; readonly segments: readonly Segment[] }> {
  const segments: Segment[] = []
  const segmenter = createSegmenter(units[0]!, false, (one) => segments.push(one))
  for (const unit of units) segmenter.video(unit)
  await segmenter.finish()
  return { codecs: segmenter.codecs, segments }
}

/** Records them, as one recording that is over. */
export async function recordColours(
  recordings: Pick<Recordings, 'begin' | 'append' | 'end'>,
  camera: CameraId,
  from: number,
  pictures: readonly Buffer[],
): Promise<void> {
  const { codecs, segments } = await cut(unitsOf(pictures, from))
  const [init, ...fragments] = segments
  await recordings.begin(camera, from, codecs, init!.data)
  for (const fragment of fragments) await recordings.append(camera, from, fragment)
  await recordings.end(camera, from)
}
