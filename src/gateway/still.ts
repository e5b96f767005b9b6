/** Still pictures: the camera's own, or a key frame of its stream, decoded, made small, and left with the bridge now and then. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Log } from 'transom-core/ports'
import { hasFfmpeg, loadFfmpeg, openEncoder, type Ffmpeg } from './ffmpeg.ts'
import { annexB } from './h264.ts'
import type { VideoUnit } from './media.ts'
import { openDecoder, type DecodedCodec } from './reencode.ts'
import type { SharedSource } from './source.ts'

const minuteMs = 60_000
/** A network camera may have to be called first, and some send a key frame every ten seconds. */
const patienceMs = 15_000
const mostWidth = 640
/** What Amazon wants of a snapshot (alexa-smartvision-snapshotprovider.html). */
const mostBytes = 60_000
/** What the bridge accepts: without FFmpeg a camera's own still goes as it is. */
const acceptedBytes = 256 * 1_024
/** From good to bad: MPEG's quantiser. */
const quantisers = ['4', '8', '16', '31'] as const

export interface Stills {
  /** Takes one now, beside those that come by themselves. */
  take(): void
  /** Fulfils when nothing of it is left open. May be called again. */
  close(): Promise<void>
}

/**
 * One at once, then one each minute (`everyMs`); of a network camera only when others watch it, or when one is wished for.
 * What fails is logged; the next one may do better.
 */
export function startStills(deps: {
  readonly source: SharedSource
  readonly leave: (jpeg: Buffer) => Promise<void>
  readonly log: Log
  readonly everyMs?: number
}): Stills {
  const { source, leave, log, everyMs = minuteMs } = deps
  const life = new AbortController()
  let wanted = Promise.withResolvers<void>()

  async function takeOne(why: 'first' | 'wished' | 'time'): Promise<void> {
    const mayRun = why === 'wished' || !source.isOnDemand
    try {
      const own = mayRun || why === 'first' ? await ofCamera() : undefined
      const jpeg = own ?? (await (mayRun ? ofKeyFrame() : ofRunning()))
      if (jpeg !== undefined) await leave(jpeg)
    } catch (error) {
      if (!life.signal.aborted)
        log('warn', 'gateway.still-missed', { error: error instanceof Error ? error.message : String(error) })
    }
  }

  /** `undefined` where it makes none. */
  async function ofCamera(): Promise<Buffer | undefined> {
    const picture = await source.still()
    if (picture === undefined || picture.length <= mostBytes) return picture
    if (await hasFfmpeg()) return toJpeg(await loadFfmpeg(), picture, 'JPEG')
    if (picture.length <= acceptedBytes) return picture
    throw new Error(`the still of the camera has ${picture.length} bytes, and FFmpeg is not there to make it smaller`)
  }

  /** `undefined` while the source has a fault: somebody else watches over it, and says why there is none. */
  async function ofKeyFrame(): Promise<Buffer | undefined> {
    const patience = AbortSignal.any([life.signal, AbortSignal.timeout(patienceMs)])
    if (source.state() === undefined) await source.changed(undefined, patience)
    if (source.fault()) return undefined
    return toStill(await nextKeyFrame(source, patience))
  }

  /** Of pictures that others watch, now or later; `undefined` when one is wished for before. */
  async function ofRunning(): Promise<Buffer | undefined> {
    const over = Promise.withResolvers<undefined>()
    const onAbort = () => over.resolve(undefined)
    life.signal.addEventListener('abort', onAbort, { once: true })
    if (life.signal.aborted) onAbort()
    const [latest] = source.recent()
    const unit =
      latest ?? (await Promise.race([source.nextKeyFrame(), wanted.promise.then(() => undefined), over.promise]))
    life.signal.removeEventListener('abort', onAbort)
    return unit && ((await ofCamera()) ?? toStill(unit))
  }

  async function run(): Promise<void> {
    let why: Parameters<typeof takeOne>[0] = 'first'
    while (!life.signal.aborted) {
      await takeOne(why)
      const woken = new AbortController()
      const signal = AbortSignal.any([life.signal, woken.signal])
      // Cut short by a wish or the end; the rejection means nothing here.
      const rest = wait(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
      why = await Promise.race([rest.then(() => 'time' as const), wanted.promise.then(() => 'wished' as const)])
      woken.abort()
      if (why === 'wished') wanted = Promise.withResolvers()
    }
  }

  const running = run()
  return {
    take: () => wanted.resolve(),
    close() {
      life.abort()
      return running
    },
  }
}

/** Keeps the source running for as long as it takes. */
async function nextKeyFrame(source: SharedSource, signal: AbortSignal): Promise<VideoUnit> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<VideoUnit>()
  const onAbort = () => reject(new Error('no key frame came'))
  signal.addEventListener('abort', onAbort, { once: true })
  const leave = source.join({ video: (unit) => (unit.isKey ? resolve(unit) : undefined), audio: () => {} })
  source.requestKeyFrame()
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    leave()
  }
}

/** A JPEG of a key frame. Throws when it cannot be decoded. */
export const toStill = async (key: VideoUnit): Promise<Buffer> => toJpeg(await loadFfmpeg(), annexB(key))

/** A small JPEG file of an access unit at which decoding can begin. Throws when the picture cannot be decoded. */
export async function toJpeg(ffmpeg: Ffmpeg, accessUnit: Buffer, codec: DecodedCodec = 'H264'): Promise<Buffer> {
  using picture = await decode(ffmpeg, accessUnit, codec)
  using small = await shrink(ffmpeg, picture)
  for (const quantiser of quantisers) {
    const jpeg = await encode(ffmpeg, small, quantiser)
    if (jpeg.length <= mostBytes) return jpeg
  }
  throw new Error(`the picture does not fit into ${mostBytes} bytes`)
}

type Frame = InstanceType<Ffmpeg['Frame']>

async function decode(ffmpeg: Ffmpeg, data: Buffer, codec: DecodedCodec): Promise<Frame> {
  using decoder = openDecoder(ffmpeg, codec)
  using packet = new ffmpeg.Packet()
  packet.alloc()
  packet.data = data
  check(ffmpeg, await decoder.sendPacket(packet), 'decoding')
  check(ffmpeg, await decoder.sendPacket(null), 'decoding')
  const frame = new ffmpeg.Frame()
  frame.alloc()
  const result = await decoder.receiveFrame(frame)
  if (result < 0) frame.free()
  check(ffmpeg, result, 'decoding')
  return frame
}

/** At most `mostWidth` wide, and in the full range that JPEG has (JFIF). */
async function shrink(ffmpeg: Ffmpeg, picture: Frame): Promise<Frame> {
  const width = Math.min(mostWidth, picture.width)
  const height = Math.max(2, Math.round((picture.height * width) / picture.width / 2) * 2)
  using scaler = new ffmpeg.SoftwareScaleContext()
  const from = [picture.width, picture.height, picture.format as number] as const
  scaler.getContext(
    from[0],
    from[1],
    from[2] as typeof ffmpeg.AV_PIX_FMT_YUV420P,
    width,
    height,
    ffmpeg.AV_PIX_FMT_YUVJ420P,
    ffmpeg.SWS_BICUBIC,
  )
  const small = new ffmpeg.Frame()
  small.alloc()
  Object.assign(small, { width, height, format: ffmpeg.AV_PIX_FMT_YUVJ420P })
  check(ffmpeg, small.allocBuffer(), 'scaling')
  check(ffmpeg, await scaler.scaleFrame(small, picture), 'scaling')
  return small
}

async function encode(ffmpeg: Ffmpeg, picture: Frame, quantiser: string): Promise<Buffer> {
  const { width, height } = picture
  const settings = {
    width,
    height,
    pixelFormat: ffmpeg.AV_PIX_FMT_YUVJ420P,
    colorRange: ffmpeg.AVCOL_RANGE_JPEG,
    timeBase: new ffmpeg.Rational(1, 1),
    threadCount: 1,
  }
  using encoder = openEncoder(ffmpeg, ffmpeg.FF_ENCODER_MJPEG, settings, { qmin: quantiser, qmax: quantiser })
  check(ffmpeg, await encoder.sendFrame(picture), 'encoding')
  check(ffmpeg, await encoder.sendFrame(null), 'encoding')
  using packet = new ffmpeg.Packet()
  packet.alloc()
  check(ffmpeg, await encoder.receivePacket(packet), 'encoding')
  return Buffer.from(packet.data ?? [])
}

function check(ffmpeg: Ffmpeg, result: number, what: string): void {
  ffmpeg.FFmpegError.throwIfError(result, `${what} a still picture`)
}
