/** Decodes what arrives, beside the call: FFmpeg (`node-av`) where it is installed, which nothing else here needs. */

import type { CodedPicture } from './reassembly.ts'
import type * as nodeAv from './node-av.ts'
import type { PictureWatch } from './pictures.ts'

export type Ffmpeg = typeof nodeAv

/** FFmpeg; undefined when it is not installed. Asking again costs nothing. */
export async function loadFfmpeg(): Promise<Ffmpeg | undefined> {
  const ffmpeg = await import('./node-av.ts').catch(() => undefined)
  // It writes to stderr by itself; what matters comes back as an error code.
  ffmpeg?.Log.setLevel(ffmpeg.AV_LOG_FATAL)
  return ffmpeg
}

export interface Decoder {
  /** Takes the next picture, which was whole at this instant. The first one is one that decoding can start with. */
  push(picture: CodedPicture, at: number): void
  /** Decodes what still waits, and frees everything; nothing may be pushed after it. Rejects when FFmpeg itself failed. */
  close(): Promise<void>
}

/** With so many bytes waiting the machine is too slow: what comes then is left out, up to the next key frame. */
const MOST_WAITING = 4 * 1024 * 1024

/** Tells the watch of each picture that was decoded without an error, and of those left out. */
export function createDecoder(ffmpeg: Ffmpeg, codec: 'H264' | 'VP8', watch: PictureWatch): Decoder {
  const context = openContext(ffmpeg, codec)
  const frame = new ffmpeg.Frame()
  frame.alloc()
  let waitingBytes = 0
  let needsStart = false
  let working = Promise.resolve()

  /** One after another. After a failure nothing is done any more, and `close` rejects with it. */
  function next(work: () => void | Promise<void>): void {
    working = working.then(work)
    working.catch(() => undefined)
  }

  async function decode(data: Buffer, at: number): Promise<void> {
    using packet = new ffmpeg.Packet()
    packet.alloc()
    packet.data = data
    // The instant travels with the picture: B-frames come out in another order.
    packet.pts = BigInt(Math.round(at * 1000))
    // What cannot be decoded is left out, as a display would do.
    await context.sendPacket(packet)
    await receive()
  }

  async function receive(): Promise<void> {
    while ((await context.receiveFrame(frame)) >= 0) {
      if (!isConcealed(ffmpeg, frame)) watch.shown(Number(frame.pts) / 1000, pictureOf(ffmpeg, frame))
      frame.unref()
    }
  }

  return {
    push({ data, isStart }, at) {
      needsStart = (needsStart && !isStart) || waitingBytes + data.length > MOST_WAITING
      if (needsStart) return next(() => watch.skipped(at))
      waitingBytes += data.length
      next(async () => {
        await decode(data, at)
        waitingBytes -= data.length
      })
    },
    async close() {
      try {
        await working
        // What the decoder holds back comes out at the end.
        await context.sendPacket(null)
        await receive()
      } finally {
        frame.free()
        context.freeContext()
      }
    },
  }
}

/** One thread that holds no picture back. */
function openContext(ffmpeg: Ffmpeg, codec: 'H264' | 'VP8'): InstanceType<Ffmpeg['CodecContext']> {
  const found = ffmpeg.Codec.findDecoder(codec === 'VP8' ? ffmpeg.AV_CODEC_ID_VP8 : ffmpeg.AV_CODEC_ID_H264)
  const context = new ffmpeg.CodecContext()
  context.allocContext3(found)
  context.threadCount = 1
  context.setFlags(ffmpeg.AV_CODEC_FLAG_LOW_DELAY)
  ffmpeg.FFmpegError.throwIfError(context.open2Sync(found, null), `opening the decoder of ${codec}`)
  return context
}

type Frame = InstanceType<Ffmpeg['Frame']>

/** FFmpeg makes up what damaged data does not say, and such a picture is none. */
function isConcealed(ffmpeg: Ffmpeg, { decodeErrorFlags }: Frame): boolean {
  const damage =
    ffmpeg.FF_DECODE_ERROR_INVALID_BITSTREAM |
    ffmpeg.FF_DECODE_ERROR_CONCEALMENT_ACTIVE |
    ffmpeg.FF_DECODE_ERROR_DECODE_SLICES
  return (decodeErrorFlags & damage) !== 0
}

function pictureOf(ffmpeg: Ffmpeg, frame: Frame): { readonly pixels: Buffer; readonly lumaSize: number } {
  const eightBits: readonly number[] = [
    ffmpeg.AV_PIX_FMT_YUV420P,
    ffmpeg.AV_PIX_FMT_YUVJ420P,
    ffmpeg.AV_PIX_FMT_YUV422P,
    ffmpeg.AV_PIX_FMT_YUVJ422P,
    ffmpeg.AV_PIX_FMT_YUV444P,
    ffmpeg.AV_PIX_FMT_YUVJ444P,
    ffmpeg.AV_PIX_FMT_GRAY8,
  ]
  const lumaSize = eightBits.includes(frame.format) ? frame.width * frame.height : 0
  return { pixels: frame.toBuffer(), lumaSize }
}
