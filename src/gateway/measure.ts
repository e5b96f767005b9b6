/** Measures a stream by playing it: size, rate, key frames, B-frames, and one picture. */
import { SourceError } from './media.ts'
import { profileLevelId } from './h264.ts'
import type { DecodedCodec } from './reencode.ts'
import type { Client } from './rtsp/client.ts'
import type { Track } from './rtsp/description.ts'
import { createH264Depacketizer, h264, nalType, readSprop } from './rtsp/h264.ts'
import { createH265Depacketizer, readH265Sets, startsH265 } from './rtsp/h265.ts'
import { createJpegDepacketizer } from './rtsp/jpeg.ts'
import { annexB, type AccessUnit } from './rtsp/nal-units.ts'
import { codecNames, reasonToReencode } from './rtsp/pictures.ts'
import { createReceiver } from './rtsp/receiver.ts'
import { distance, type Packet } from './rtsp/rtp.ts'
import { isBSlice, readSps } from './sps.ts'
import type { Measured } from './advice.ts'

/** After so many nothing is learned any more. */
const enoughKeyFrames = 3

export interface Measurement {
  readonly stream: Pick<Measured, 'profile' | 'width' | 'height' | 'fps' | 'keyFrameMs' | 'hasBFrames' | 'converted'>
  /** At which decoding can begin, where one came. */
  readonly key?: { readonly codec: DecodedCodec; readonly data: Buffer }
}

/** Plays until enough key frames have come, or for `ms`. Throws `SourceError` when no picture comes. */
export async function measure(client: Client, video: Track, ms: number, signal: AbortSignal): Promise<Measurement> {
  const receiver = createReceiver(video.payloadType)
  const pictures = createPictures(video)
  const enough = new AbortController()
  const over = AbortSignal.any([signal, enough.signal, AbortSignal.timeout(ms)])
  const { promise: isOver, resolve } = Promise.withResolvers<void>()
  over.addEventListener('abort', () => resolve(), { once: true })
  await client.play([video], {
    rtp(_track, data) {
      for (const { packet, isAfterGap } of receiver.receive(data)) pictures.take(packet, isAfterGap)
      if (pictures.keyFrames() >= enoughKeyFrames) enough.abort()
    },
    rtcp: () => undefined,
  })
  if (!over.aborted) await Promise.race([isOver, client.ended.then((reason) => Promise.reject(reason))])
  signal.throwIfAborted()
  return pictures.measured()
}

function createPictures({ encoding, clockRate, parameters }: Track) {
  const depacketizeJpeg = createJpegDepacketizer()
  const depacketize = encoding === 'H265' ? createH265Depacketizer() : createH264Depacketizer()
  let sets: readonly Buffer[] = readSprop(parameters.get('sprop-parameter-sets'))
  let hasBFrames = false
  let first: number | undefined
  let last = 0
  let latest = 0
  let count = 0
  let key: Measurement['key']
  const keys: number[] = []

  /** Its time on an axis that does not wrap. */
  function noteTime(timestamp: number): number {
    if (first === undefined) first = last = latest = timestamp
    last += distance(last % 2 ** 32, timestamp, 32)
    count += 1
    latest = Math.max(latest, last)
    return last
  }

  function takeH264({ nals, timestamp }: AccessUnit): void {
    const at = noteTime(timestamp)
    const slices = nals.filter((nal) => h264.isPicture(nalType(nal)))
    const own = nals.filter((nal) => h264.isParameterSet(nalType(nal)))
    if (own.length > 0) sets = own
    hasBFrames ||= slices.some((nal) => nalType(nal) === 1 && isBSlice(nal))
    if (!slices.some((nal) => nalType(nal) === 5)) return
    keys.push(at)
    key = { codec: 'H264', data: annexB([...sets, ...nals]) }
  }
  function takeH265({ nals, timestamp }: AccessUnit): void {
    const at = noteTime(timestamp)
    if (!startsH265(nals)) return
    keys.push(at)
    key = { codec: 'H265', data: annexB([...readH265Sets(parameters), ...nals]) }
  }

  return {
    keyFrames: () => keys.length,
    take(packet: Packet, isAfterGap: boolean): void {
      if (encoding === 'H264') for (const unit of depacketize(packet, isAfterGap)) takeH264(unit)
      else if (encoding === 'H265') for (const unit of depacketize(packet, isAfterGap)) takeH265(unit)
      // Of a codec that is not looked into there is a picture for each timestamp.
      else if (count === 0 || distance(last % 2 ** 32, packet.timestamp, 32) !== 0) noteTime(packet.timestamp)
      if (encoding === 'JPEG') for (const { data } of depacketizeJpeg(packet, isAfterGap)) key = { codec: 'JPEG', data }
    },
    measured(): Measurement {
      if (count === 0) throw new SourceError('source_stopped', 'the stream was opened, and no picture came')
      const sps = encoding === 'H264' ? sets.find((nal) => nalType(nal) === 7) : undefined
      const form = sps && readSps(sps)
      const profile = sps && profileLevelId([sps])
      const seconds = (latest - (first ?? 0)) / clockRate
      const gaps = keys.slice(1).map((at, index) => ((at - (keys[index] ?? 0)) / clockRate) * 1_000)
      const converted =
        encoding === 'H264' ? (reasonToReencode(sets) ?? (hasBFrames ? 'B-frames' : undefined)) : codecNames[encoding]
      const stream = {
        ...(profile !== undefined && { profile }),
        ...(form && { width: form.width, height: form.height }),
        ...(seconds > 0 && { fps: Math.round(((count - 1) / seconds) * 10) / 10 }),
        ...(gaps.length > 0 && { keyFrameMs: Math.round(Math.max(...gaps)) }),
        hasBFrames,
        ...(converted !== undefined && { converted }),
      }
      return { stream, ...(key && { key }) }
    },
  }
}
