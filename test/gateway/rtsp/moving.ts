/** Real moving pictures as a camera sends them: encoded by FFmpeg, cut to RTP payloads by the letter of each format's RFC. */
import { splitH264NalUnits } from 'werift'
import { loadFfmpeg, openEncoder, type Ffmpeg } from '../../../src/gateway/ffmpeg.ts'
import type { FakeCamera } from './camera.ts'

/** `order`: with B-frames. The others are what displays cannot play for another reason. */
export type Kind = 'H.264' | 'B-frames' | '4:2:2' | '4:4:4' | 'H.265' | 'H.265 with B-frames' | 'MJPEG' | '4K'

export interface Moving {
  readonly sdp: string
  /** In decoding order; `timestamp` is when each is shown, at 90 kHz. */
  readonly pictures: readonly { readonly timestamp: number; readonly payloads: readonly Buffer[] }[]
}

export const movingRate = 25
const mtu = 1_100

/** The brightness of picture `index`, which fills it all. */
export const brightnessOf = (index: number): number => 40 + index * 6

/** `count` pictures of one brightness each, the first of them a key frame. */
export async function recordMoving(kind: Kind, count: number): Promise<Moving> {
  const ffmpeg = await loadFfmpeg()
  const samples = await encode(ffmpeg, kind, count)
  if (kind === 'MJPEG')
    return {
      sdp: section('JPEG/90000', ''),
      pictures: samples.map(({ data, timestamp }) => ({ timestamp, payloads: cutJpeg(data) })),
    }
  const isH265 = kind.startsWith('H.265')
  return {
    sdp: section(`${isH265 ? 'H265' : 'H264'}/90000`, isH265 ? '' : 'a=fmtp:96 packetization-mode=1\r\n'),
    pictures: samples.map(({ data, timestamp }) => ({
      timestamp,
      payloads: nalsOf(data).flatMap((nal) => cutNal(nal, isH265 ? 2 : 1)),
    })),
  }
}

const section = (map: string, fmtp: string): string =>
  `m=video 0 RTP/AVP 96\r\na=rtpmap:96 ${map}\r\n${fmtp}a=control:trackID=0\r\n`

/** Sends these pictures of it, from `firstTimestamp` on. */
export function sendMoving(camera: FakeCamera, { pictures }: Pick<Moving, 'pictures'>, firstTimestamp = 0): void {
  for (const { timestamp, payloads } of pictures)
    for (const [index, payload] of payloads.entries())
      camera.send(0, { payload, timestamp: firstTimestamp + timestamp, marker: index === payloads.length - 1 })
}

async function encode(ffmpeg: Ffmpeg, kind: Kind, count: number) {
  const isH265 = kind.startsWith('H.265')
  const size = kind === '4K' ? { width: 3_840, height: 2_160 } : { width: 320, height: 240 }
  const format =
    {
      '4:2:2': ffmpeg.AV_PIX_FMT_YUV422P,
      '4:4:4': ffmpeg.AV_PIX_FMT_YUV444P,
      MJPEG: ffmpeg.AV_PIX_FMT_YUVJ420P,
    }[kind as string] ?? ffmpeg.AV_PIX_FMT_YUV420P
  const name = isH265
    ? ffmpeg.FF_ENCODER_LIBX265
    : kind === 'MJPEG'
      ? ffmpeg.FF_ENCODER_MJPEG
      : ffmpeg.FF_ENCODER_LIBX264
  const bFrames = kind.endsWith('B-frames') ? 2 : 0
  using encoder = openEncoder(
    ffmpeg,
    name,
    {
      ...size,
      pixelFormat: format,
      ...(kind === 'MJPEG' && { colorRange: ffmpeg.AVCOL_RANGE_JPEG }),
      timeBase: new ffmpeg.Rational(1, 90_000),
      framerate: new ffmpeg.Rational(movingRate, 1),
      gopSize: 250,
      maxBFrames: bFrames,
      threadCount: 1,
    },
    kind === 'MJPEG'
      ? { huffman: 'default' }
      : isH265
        ? {
            preset: 'ultrafast',
            'x265-params': `bframes=${bFrames}:b-adapt=0:log-level=none:pools=none:repeat-headers=1`,
          }
        : { preset: 'ultrafast', 'x264-params': `bframes=${bFrames}:b-adapt=0:scenecut=0` },
  )
  const samples: { data: Buffer; timestamp: number }[] = []
  using packet = new ffmpeg.Packet()
  packet.alloc()
  const drain = () => {
    while (encoder.receivePacketSync(packet) >= 0) {
      samples.push({ data: Buffer.from(packet.data ?? []), timestamp: Number(packet.pts) })
      packet.unref()
    }
  }
  for (let index = 0; index < count; index += 1) {
    const luma = size.width * size.height
    const chroma = kind === '4:4:4' ? luma * 2 : kind === '4:2:2' ? luma : luma / 2
    const picture = Buffer.concat([Buffer.alloc(luma, brightnessOf(index)), Buffer.alloc(chroma, 128)])
    using frame = ffmpeg.Frame.fromVideoBuffer(picture, {
      ...size,
      format,
      timeBase: { num: 1, den: 90_000 },
      pts: BigInt((index * 90_000) / movingRate),
    })
    ffmpeg.FFmpegError.throwIfError(encoder.sendFrameSync(frame), 'encoding')
    drain()
  }
  encoder.sendFrameSync(null)
  drain()
  return samples
}

/** NAL units between start codes (annex B). */
const nalsOf = (data: Buffer): readonly Buffer[] => splitH264NalUnits(data, undefined, 'annexb')

/** RFC 6184 section 5.8 (FU-A) and RFC 7798 section 4.4.3 (FU). */
function cutNal(nal: Buffer, headerBytes: 1 | 2): Buffer[] {
  if (nal.length <= mtu) return [nal]
  const [first = 0, second = 0] = nal
  const type = headerBytes === 1 ? first & 0x1f : (first >> 1) & 0x3f
  const head = headerBytes === 1 ? [(first & 0xe0) | 28] : [(first & 0x81) | (49 << 1), second]
  const pieces: Buffer[] = []
  for (let at: number = headerBytes; at < nal.length; at += mtu) {
    const place = (at === headerBytes ? 0x80 : 0) | (at + mtu >= nal.length ? 0x40 : 0)
    pieces.push(Buffer.concat([Buffer.of(...head, place | type), nal.subarray(at, at + mtu)]))
  }
  return pieces
}

/** RFC 2435 section 3.1 with the tables in band (Q 255), as cameras send them. */
function cutJpeg(file: Buffer): Buffer[] {
  const tables: Buffer[] = []
  let [width, height, type] = [0, 0, 1]
  let at = 2
  for (; file[at + 1] !== 0xda; at += 2 + file.readUInt16BE(at + 2)) {
    const body = file.subarray(at + 4, at + 2 + file.readUInt16BE(at + 2))
    if (file[at + 1] === 0xdb)
      for (let table = 0; table + 65 <= body.length; table += 65) tables.push(body.subarray(table + 1, table + 65))
    if (file[at + 1] !== 0xc0) continue
    height = body.readUInt16BE(1)
    width = body.readUInt16BE(3)
    type = body[7] === 0x22 ? 1 : 0
  }
  const scan = file.subarray(at + 2 + file.readUInt16BE(at + 2), file.lastIndexOf(Buffer.of(0xff, 0xd9)))
  const quantisers = Buffer.concat([tables[0]!, tables[1] ?? tables[0]!])
  const pieces: Buffer[] = []
  for (let offset = 0; offset < scan.length; offset += mtu) {
    const head = Buffer.of(0, offset >> 16, (offset >> 8) & 0xff, offset & 0xff, type, 255, width / 8, height / 8)
    const table = offset === 0 ? [Buffer.of(0, 0, 0, 128), quantisers] : []
    pieces.push(Buffer.concat([head, ...table, scan.subarray(offset, offset + mtu)]))
  }
  return pieces
}

/** The mean brightness of each picture of these access units (annex B), as a decoder shows them, and its size. */
export async function decodePictures(
  units: readonly Buffer[],
  name: 'H264' | 'HEVC' = 'H264',
): Promise<{ brightness: number; width: number; height: number }[]> {
  const ffmpeg = await loadFfmpeg()
  const codec = ffmpeg.Codec.findDecoder(ffmpeg[`AV_CODEC_ID_${name}`])
  using decoder = new ffmpeg.CodecContext()
  decoder.allocContext3(codec)
  decoder.threadCount = 1
  ffmpeg.FFmpegError.throwIfError(decoder.open2Sync(codec, null), 'opening')
  using packet = new ffmpeg.Packet()
  using frame = new ffmpeg.Frame()
  packet.alloc()
  frame.alloc()
  const shown: { brightness: number; width: number; height: number }[] = []
  for (const unit of [...units, null]) {
    if (unit) packet.data = unit
    decoder.sendPacketSync(unit && packet)
    packet.unref()
    while (decoder.receiveFrameSync(frame) >= 0) {
      const { width, height } = frame
      shown.push({ brightness: frame.data?.[0]?.[frame.linesize[0]! * (height / 2) + width / 2] ?? 0, width, height })
      frame.unref()
    }
  }
  return shown
}
