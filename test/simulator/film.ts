/** Short films for the tests: painted here, encoded by x264 or libvpx as a camera would, and cut into RTP packets. */
import { splitH264NalUnits } from 'werift'
import { loadFfmpeg, openEncoder } from '../../src/gateway/ffmpeg.ts'
import type { VideoPacket } from '../../src/simulator/reassembly.ts'

export const width = 96
export const height = 64
export const filmRate = 5

/** Luma of a point of the picture with this number. */
export type Paint = (x: number, y: number, picture: number) => number

export interface FilmOptions {
  readonly pictures: number
  /** Pictures from one key frame to the next; one key frame at the beginning when left out. */
  readonly gop?: number
  readonly bFrames?: number
  /** Of x264, in place of those of a live picture of good quality. */
  readonly options?: Readonly<Record<string, string>>
  readonly codec?: 'H264' | 'VP8'
}

/** The pictures as coded, in decoding order: access units in Annex B, or frames of VP8. */
export async function encode(paint: Paint, film: FilmOptions): Promise<readonly Buffer[]> {
  const { pictures, gop = pictures, bFrames = 0, options = {}, codec = 'H264' } = film
  const ffmpeg = await loadFfmpeg()
  const isVp8 = codec === 'VP8'
  const x264 = {
    preset: 'veryfast',
    crf: '20',
    'x264-params': 'scenecut=0:b-adapt=0',
    ...(bFrames === 0 && { tune: 'zerolatency' }),
  }
  using encoder = openEncoder(
    ffmpeg,
    isVp8 ? ffmpeg.FF_ENCODER_LIBVPX_VP8 : ffmpeg.FF_ENCODER_LIBX264,
    {
      width,
      height,
      pixelFormat: ffmpeg.AV_PIX_FMT_YUV420P,
      timeBase: new ffmpeg.Rational(1, filmRate),
      framerate: new ffmpeg.Rational(filmRate, 1),
      gopSize: gop,
      maxBFrames: bFrames,
      threadCount: 1,
    },
    isVp8 ? { deadline: 'realtime' } : { ...x264, ...options },
  )
  using packet = new ffmpeg.Packet()
  packet.alloc()
  const coded: Buffer[] = []
  const receive = (): void => {
    while (encoder.receivePacketSync(packet) >= 0) {
      coded.push(Buffer.from(packet.data ?? []))
      packet.unref()
    }
  }
  for (let at = 0; at < pictures; at += 1) {
    using frame = ffmpeg.Frame.fromVideoBuffer(draw(paint, at), {
      width,
      height,
      format: ffmpeg.AV_PIX_FMT_YUV420P,
      timeBase: { num: 1, den: filmRate },
      pts: BigInt(at),
    })
    ffmpeg.FFmpegError.throwIfError(encoder.sendFrameSync(frame), 'encoding')
    receive()
  }
  encoder.sendFrameSync(null)
  receive()
  return coded
}

function draw(paint: Paint, picture: number): Buffer {
  const pixels = Buffer.alloc((width * height * 3) / 2, 128)
  for (let at = 0; at < width * height; at += 1) pixels[at] = paint(at % width, Math.floor(at / width), picture)
  return pixels
}

/** A picture whose head stays, while what its slice holds is no picture any more. */
export function spoil(accessUnit: Buffer): Buffer {
  const slice = [0x65, 0x41].map((header) => accessUnit.lastIndexOf(Buffer.from([0, 0, 1, header])))
  return Buffer.from(accessUnit).fill(0x5a, Math.max(...slice) + 5)
}

/** An access unit as RTP payloads (RFC 6184): SPS and PPS in one, large NAL units in fragments. */
export function payloadsOf(accessUnit: Buffer): readonly Buffer[] {
  const units = splitH264NalUnits(accessUnit, undefined, 'annexb')
  const sets = units.filter(isParameterSet)
  const others = units.filter((unit) => !isParameterSet(unit))
  return [
    ...(sets.length === 0 ? [] : [together(sets)]),
    ...others.flatMap((unit) => (unit.length > 1000 ? fragments(unit, 1000) : [unit])),
  ]
}

const isParameterSet = ([header = 0]: Buffer): boolean => [7, 8].includes(header & 0x1f)

/** NAL units as one STAP-A packet. */
export const together = (units: readonly Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from([24]),
    ...units.flatMap((unit) => [Buffer.from([unit.length >> 8, unit.length & 0xff]), unit]),
  ])

/** A NAL unit as FU-A packets. */
export function fragments(unit: Buffer, size: number): readonly Buffer[] {
  const [header = 0] = unit
  const parts: Buffer[] = []
  for (let at = 1; at < unit.length; at += size) {
    const flags = (at === 1 ? 0x80 : 0) | (at + size >= unit.length ? 0x40 : 0)
    parts.push(
      Buffer.concat([Buffer.from([(header & 0xe0) | 28, flags | (header & 0x1f)]), unit.subarray(at, at + size)]),
    )
  }
  return parts
}

/** Pictures of H.264 as packets, numbered on from `first`; each picture in an array of its own. */
export function packetsOf(coded: readonly Buffer[], first = 65_500): readonly (readonly VideoPacket[])[] {
  let sequenceNumber = first
  return coded.map((unit, picture) => {
    const payloads = payloadsOf(unit)
    return payloads.map((payload, at) => ({
      payload,
      timestamp: (picture * 90_000) / filmRate,
      marker: at === payloads.length - 1,
      sequenceNumber: sequenceNumber++ & 0xffff,
    }))
  })
}

/** Bars that wander. */
export const moving: Paint = (x, _y, picture) => 40 + ((x * 3 + picture * 8) % 180)
/** A street by day, which never changes. */
export const street: Paint = (x, y) => 60 + ((x * 7 + y * 13 + ((x * y) >> 3)) % 120)
export const black: Paint = () => 16

/** The noise of a sensor: the same numbers in every run. `most` is how far it leads away from the picture. */
export const noisy =
  (paint: Paint, most: number): Paint =>
  (x, y, picture) => {
    const random = Math.imul(
      (x + 1) * 374_761_393 + (y + 1) * 668_265_263 + (picture + 1) * 2_147_483_647,
      1_274_126_177,
    )
    return Math.max(0, Math.min(255, paint(x, y, picture) + ((random >>> 16) % (2 * most + 1)) - most))
  }
