/** Pictures that displays cannot play, decoded and encoded anew as H.264 that each can: while somebody looks, in 720p at most. */
import { asConstrained, openVideoEncoder } from './encoder.ts'
import type { CodecContext, Ffmpeg } from './ffmpeg.ts'
import { createPacketizer } from './h264.ts'
import type { VideoUnit } from './media.ts'

/** What level 3.1 has room for (ITU-T H.264 table A-1). */
const mostMacroblocks = 3_600
const mostRate = 30
const keyFrameSeconds = 2
/** More waiting than this, and the machine is too slow: what waits is dropped up to the next key frame. */
const mostWaitingMs = 2_000
const mostWaitingBytes = 16 * 1_024 * 1_024
/** With more waiting than this pictures are only decoded, so that the newest is shown. */
const mostBehindMs = 300
/** The cost is taken over so long. */
const costMs = 5_000

export interface CodedPicture {
  /** H.264 and H.265 in annex B, or a JPEG file. */
  readonly data: Buffer
  /** Presentation time, as of `VideoUnit`. */
  readonly at: number
  /** Decoding can begin here. */
  readonly isKey: boolean
}

export interface ReencoderSink {
  video(unit: VideoUnit): void
  /** How much of one core it takes, percent: measured anew every few seconds. */
  cost(percent: number): void
  /** It cannot go on; the error is FFmpeg's. */
  failed(error: unknown): void
}

export interface Reencoder {
  /** Takes one access unit, in decoding order. Never throws. */
  push(picture: CodedPicture): void
  /** The next picture is a key frame. */
  requestKeyFrame(): void
  /** Nothing comes out after it; resolves when FFmpeg has let go. May be called again. */
  close(): Promise<void>
}

export type DecodedCodec = 'H264' | 'H265' | 'JPEG'

/** Shows what comes after the instant `afterAt`: the pictures up to then were shown without it. */
export function createReencoder(ffmpeg: Ffmpeg, codec: DecodedCodec, afterAt: number, sink: ReencoderSink): Reencoder {
  const decoder = openDecoder(ffmpeg, codec)
  const painter = createEncoder(ffmpeg)
  const frame = new ffmpeg.Frame()
  frame.alloc()
  let waiting: CodedPicture[] = []
  let needsKey = true
  let wantsKey = true
  let lastAt = afterAt
  const life = new AbortController()
  const { signal } = life
  let working: Promise<void> | undefined
  const cost = createMeter((percent) => (signal.aborted ? undefined : sink.cost(percent)))

  async function decode({ data, at }: CodedPicture): Promise<void> {
    const packet = new ffmpeg.Packet()
    packet.alloc()
    packet.data = data
    packet.pts = packet.dts = BigInt(Math.round(at * 90))
    try {
      // A picture that cannot be decoded is left out, as a display would do.
      await decoder.sendPacket(packet)
      while (!signal.aborted && (await decoder.receiveFrame(frame)) >= 0) {
        await show(Number(frame.pts) / 90)
        frame.unref()
      }
    } finally {
      packet.free()
    }
  }

  async function show(at: number): Promise<void> {
    const newest = waiting.at(-1)?.at ?? at
    const isTooSoon = at - lastAt < 1_000 / mostRate - 8
    if (at <= lastAt || isTooSoon || newest - at > mostBehindMs) return
    const isKey = wantsKey
    wantsKey = false
    const unit = await painter.encode(frame, at, isKey)
    if (!unit || signal.aborted) return
    lastAt = at
    sink.video(unit)
  }

  async function work(): Promise<void> {
    try {
      for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift()) {
        const startedAt = performance.now()
        await decode(next)
        cost(performance.now() - startedAt)
      }
    } catch (error) {
      if (!signal.aborted) sink.failed(error)
    } finally {
      working = undefined
    }
  }

  function dropWhatWaits(): void {
    const [first, last] = [waiting[0], waiting.at(-1)]
    const bytes = waiting.reduce((sum, { data }) => sum + data.length, 0)
    if (!first || !last || (last.at - first.at <= mostWaitingMs && bytes <= mostWaitingBytes)) return
    waiting = []
    needsKey = true
  }

  async function free(): Promise<void> {
    life.abort()
    waiting = []
    await working
    frame.free()
    painter.close()
    decoder.freeContext()
  }
  let closing: Promise<void> | undefined

  return {
    push(picture) {
      if (signal.aborted || (needsKey && !picture.isKey)) return
      needsKey = false
      waiting.push(picture)
      dropWhatWaits()
      working ??= work()
    },
    requestKeyFrame: () => void (wantsKey = true),
    close: () => (closing ??= free()),
  }
}

/** A decoder of one thread, which holds no picture back. */
export function openDecoder(ffmpeg: Ffmpeg, codec: DecodedCodec): CodecContext {
  const ids = { H264: ffmpeg.AV_CODEC_ID_H264, H265: ffmpeg.AV_CODEC_ID_HEVC, JPEG: ffmpeg.AV_CODEC_ID_MJPEG }
  const found = ffmpeg.Codec.findDecoder(ids[codec])
  const decoder = new ffmpeg.CodecContext()
  decoder.allocContext3(found)
  decoder.threadCount = 1
  decoder.pktTimebase = new ffmpeg.Rational(1, 90_000)
  ffmpeg.FFmpegError.throwIfError(decoder.open2Sync(found, null), 'opening the decoder of the pictures')
  return decoder
}

type Frame = InstanceType<Ffmpeg['Frame']>

/** Scales to what fits and encodes; begins anew when the form of the pictures changes. */
function createEncoder(ffmpeg: Ffmpeg) {
  const packetize = createPacketizer({ sets: [] })
  const packet = new ffmpeg.Packet()
  const scaled = new ffmpeg.Frame()
  packet.alloc()
  scaled.alloc()
  let form = ''
  let scaler: InstanceType<Ffmpeg['SoftwareScaleContext']> | undefined
  let encoder: CodecContext | undefined

  function prepare({ width, height, format }: Frame): void {
    const now = `${width} ${height} ${format}`
    if (now === form) return
    free()
    const size = fit(width, height)
    scaler = new ffmpeg.SoftwareScaleContext()
    scaler.getContext(
      width,
      height,
      format as typeof ffmpeg.AV_PIX_FMT_YUV420P,
      size.width,
      size.height,
      ffmpeg.AV_PIX_FMT_YUV420P,
      ffmpeg.SWS_FAST_BILINEAR,
    )
    scaled.unref()
    Object.assign(scaled, { ...size, format: ffmpeg.AV_PIX_FMT_YUV420P })
    ffmpeg.FFmpegError.throwIfError(scaled.allocBuffer(), 'scaling a picture')
    encoder = openVideoEncoder(ffmpeg, {
      ...size,
      framerate: new ffmpeg.Rational(mostRate, 1),
      gopSize: mostRate * keyFrameSeconds,
      bitRate: 2_000_000n,
      rcMaxRate: 2_500_000n,
      rcBufferSize: 1_500_000,
    })
    form = now
  }
  function free(): void {
    scaler?.freeContext()
    encoder?.freeContext()
    scaler = encoder = undefined
    form = ''
  }

  return {
    /** `undefined` when the encoder gives nothing for it. */
    async encode(frame: Frame, at: number, isKey: boolean): Promise<VideoUnit | undefined> {
      prepare(frame)
      if (!scaler || !encoder) return undefined
      ffmpeg.FFmpegError.throwIfError(scaled.makeWritable(), 'scaling a picture')
      ffmpeg.FFmpegError.throwIfError(await scaler.scaleFrame(scaled, frame), 'scaling a picture')
      scaled.pts = BigInt(Math.round(at * 90))
      scaled.pictType = isKey ? ffmpeg.AV_PICTURE_TYPE_I : ffmpeg.AV_PICTURE_TYPE_NONE
      ffmpeg.FFmpegError.throwIfError(await encoder.sendFrame(scaled), 'encoding a picture')
      let unit: VideoUnit | undefined
      while (encoder.receivePacketSync(packet) >= 0) {
        if (packet.data) unit = packetize(asConstrained(packet.data), at)
        packet.unref()
      }
      return unit
    },
    close() {
      free()
      packet.free()
      scaled.free()
    },
  }
}

/** As large as fits into the level, in the shape of the picture, with even sides. */
export function fit(width: number, height: number): { width: number; height: number } {
  let scale = Math.min(1, 1_280 / Math.max(width, height), Math.sqrt((mostMacroblocks * 256) / (width * height)))
  for (;;) {
    const size = { width: even(width * scale), height: even(height * scale) }
    if (blocks(size.width) * blocks(size.height) <= mostMacroblocks) return size
    scale *= 0.99
  }
}

/** Sums up busy time, and gives its share of the time that passed (percent), every five seconds. `now`: milliseconds. */
export function createMeter(give: (percent: number) => void, now = () => performance.now()): (busyMs: number) => void {
  let sinceAt = now()
  let busy = 0
  return (busyMs) => {
    busy += busyMs
    const passed = now() - sinceAt
    if (passed < costMs) return
    give(Math.max(1, Math.round((busy / passed) * 100)))
    sinceAt = now()
    busy = 0
  }
}

const blocks = (length: number): number => Math.ceil(length / 16)
const even = (length: number): number => Math.max(2, Math.floor(length / 2) * 2)
