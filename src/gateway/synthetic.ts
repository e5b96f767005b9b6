/** The synthetic doorbell's eye and ear: the garden at dusk with a clock over it, and a chime; encoded as a real camera would. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from 'transom-core/ports'
import { createSound, packetSamples, sampleRate } from './chime.ts'
import { asConstrained, constrainedProfile, openVideoEncoder } from './encoder.ts'
import { loadFfmpeg, openEncoder, type CodecContext, type Ffmpeg } from './ffmpeg.ts'
import { createPacketizer } from './h264.ts'
import { createLettering, type Lettering } from './lettering.ts'
import { createSteadyClock, type MediaSink, type MediaSource } from './media.ts'
import { drawScene, lantern, sceneHeight, sceneWidth } from './scene.ts'

const frameRate = 20
const frameMs = 1_000 / frameRate
const keyFrameSeconds = 2
const audioMs = 20
/** Later than this and frames are left out instead of sent in a bunch. */
const lateMs = 300
/** A source that needs nothing from outside; `name` is shown in the picture. */
export function createSyntheticSource(name: string, clock: Clock): MediaSource {
  let wantsKey = false
  let props: Promise<Props> | undefined
  let sound: Float32Array | undefined
  const takeKeyWish = () => {
    const wish = wantsKey
    wantsKey = false
    return wish
  }

  return {
    async describe() {
      props ??= drawProps()
      sound ??= createSound()
      await Promise.all([loadFfmpeg(), props])
      // Its loudspeaker is as synthetic as its picture: what comes is decoded and measured.
      return { profileLevelId: constrainedProfile, hasSpeaker: true, sound: ['opus'] }
    },
    close: async () => {},
    requestKeyFrame() {
      wantsKey = true
      return true
    },
    async run(sink, signal) {
      const ffmpeg = await loadFfmpeg()
      const drawn = await (props ??= drawProps())
      const samples = (sound ??= createSound())
      if (signal.aborted) return
      const now = createSteadyClock(clock)
      await Promise.all([
        playPictures(ffmpeg, createPainter(drawn, name), { sink, now, takeKeyWish }, signal),
        playSound(ffmpeg, samples, { sink, now }, signal),
      ])
    },
  }
}

interface Stage {
  readonly sink: MediaSink
  readonly now: Clock
  readonly takeKeyWish: () => boolean
}

async function playPictures(
  ffmpeg: Ffmpeg,
  paint: (at: number) => Buffer,
  { sink, now, takeKeyWish }: Stage,
  signal: AbortSignal,
): Promise<void> {
  using encoder = openVideoEncoder(ffmpeg, {
    width: sceneWidth,
    height: sceneHeight,
    framerate: new ffmpeg.Rational(frameRate, 1),
    gopSize: frameRate * keyFrameSeconds,
    rcMaxRate: 1_500_000n,
    rcBufferSize: 900_000,
    bitRate: 1_200_000n,
  })
  using packet = new ffmpeg.Packet()
  packet.alloc()
  const packetize = createPacketizer({ sets: [] })
  for await (const at of ticks(frameMs, now, signal)) {
    using frame = ffmpeg.Frame.fromVideoBuffer(paint(at), {
      width: sceneWidth,
      height: sceneHeight,
      format: ffmpeg.AV_PIX_FMT_YUV420P,
      timeBase: { num: 1, den: 90_000 },
      pts: BigInt(Math.round(at * 90)),
    })
    if (takeKeyWish()) frame.pictType = ffmpeg.AV_PICTURE_TYPE_I
    // In FFmpeg's own thread: a key frame takes some milliseconds, and packets of other viewers must not wait for it.
    ffmpeg.FFmpegError.throwIfError(await encoder.sendFrame(frame), 'encoding a picture')
    while (encoder.receivePacketSync(packet) >= 0) {
      if (packet.data && !signal.aborted) sink.video(packetize(asConstrained(packet.data), at))
      packet.unref()
    }
  }
}

async function playSound(
  ffmpeg: Ffmpeg,
  samples: Float32Array,
  { sink, now }: Omit<Stage, 'takeKeyWish'>,
  signal: AbortSignal,
): Promise<void> {
  using encoder = openOpusEncoder(ffmpeg)
  using packet = new ffmpeg.Packet()
  packet.alloc()
  let played = 0
  for await (const at of ticks(audioMs, now, signal)) {
    const from = played % samples.length
    played += packetSamples
    const slice = samples.subarray(from, from + packetSamples)
    using frame = ffmpeg.Frame.fromAudioBuffer(Buffer.from(slice.buffer, slice.byteOffset, slice.byteLength), {
      nbSamples: packetSamples,
      format: ffmpeg.AV_SAMPLE_FMT_FLT,
      sampleRate,
      channelLayout: ffmpeg.AV_CHANNEL_LAYOUT_MONO,
      timeBase: { num: 1, den: sampleRate },
      pts: BigInt(played),
    })
    ffmpeg.FFmpegError.throwIfError(encoder.sendFrameSync(frame), 'encoding sound')
    while (encoder.receivePacketSync(packet) >= 0) {
      if (packet.data) sink.audio({ at, codec: 'opus', payload: Buffer.from(packet.data) })
      packet.unref()
    }
  }
}

export function openOpusEncoder(ffmpeg: Ffmpeg, bitRate = 48_000n): CodecContext {
  const settings = {
    sampleRate,
    sampleFormat: ffmpeg.AV_SAMPLE_FMT_FLT,
    channelLayout: ffmpeg.AV_CHANNEL_LAYOUT_MONO,
    timeBase: new ffmpeg.Rational(1, sampleRate),
    bitRate,
  }
  return openEncoder(ffmpeg, ffmpeg.FF_ENCODER_LIBOPUS, settings, { frame_duration: '20', application: 'audio' })
}

/** Yields the instants of an even beat as each comes, until the signal aborts; beats that were missed by far are left out. */
async function* ticks(everyMs: number, now: Clock, signal: AbortSignal): AsyncGenerator<number> {
  let at = now()
  while (!signal.aborted) {
    yield at
    at += everyMs
    const behindMs = now() - at
    if (behindMs > lateMs) at += Math.floor(behindMs / everyMs) * everyMs
    const restMs = at - now()
    if (restMs <= 0) continue
    try {
      await wait(restMs, undefined, { signal })
    } catch {
      return // aborted
    }
  }
}

/** What every picture is painted with. */
interface Props {
  readonly background: Buffer
  readonly large: Lettering
  readonly small: Lettering
}

/** Drawn once: it takes a second of CPU, and a picture that a viewer waits for must not. */
export async function drawProps(): Promise<Props> {
  const [background, large, small] = await Promise.all([drawScene(), createLettering(9, 6), createLettering(3, 2.4)])
  return { background, large, small }
}

/** Returns a function that paints the picture of an instant; the buffer is the painter's own and is painted over the next time. */
export function createPainter({ background, large, small }: Props, name: string): (at: number) => Buffer {
  const canvas = Buffer.alloc(background.length)
  const base = Buffer.from(background)
  const panel = { x: 36, y: 566, width: 500, height: 120 }
  darken(base, panel)

  return (at) => {
    base.copy(canvas)
    const [date, time] = localTime(at)
    large.write(canvas, sceneWidth, panel.x + 22, panel.y + 20, time.slice(0, 8))
    small.write(canvas, sceneWidth, panel.x + 28 + large.width('00:00:00'), panel.y + 56, time.slice(8))
    small.write(canvas, sceneWidth, panel.x + 24, panel.y + 90, `${name.slice(0, 24)}  ${date}`)
    // The second runs along the panel's foot.
    const run = Math.round(((at % 1_000) / 1_000) * panel.width)
    for (let y = panel.y + panel.height - 3; y < panel.y + panel.height; y += 1) {
      canvas.fill(220, y * sceneWidth + panel.x, y * sceneWidth + panel.x + run)
    }
    for (const moth of [0, 1, 2]) drawMoth(canvas, at / 1_000 + moth * 17)
    return canvas
  }
}

/** A date and a time with hundredths, by the machine's own time zone. */
function localTime(at: number): readonly [string, string] {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString()
  return [local.slice(0, 10), local.slice(11, 22)]
}

function darken(picture: Buffer, panel: { x: number; y: number; width: number; height: number }): void {
  const chroma = sceneWidth * sceneHeight
  const dim = (start: number, stride: number, divide: number, towards: number) => {
    for (let y = panel.y / divide; y < (panel.y + panel.height) / divide; y += 1) {
      for (let x = panel.x / divide; x < (panel.x + panel.width) / divide; x += 1) {
        const at = start + y * stride + x
        picture[at] = towards + ((picture[at] ?? 0) - towards) * 0.4
      }
    }
  }
  dim(0, sceneWidth, 1, 16)
  dim(chroma, sceneWidth / 2, 2, 128)
  dim(chroma * 1.25, sceneWidth / 2, 2, 128)
}

/** A pale dot that staggers around the lantern. `seconds` is its own time. */
function drawMoth(picture: Buffer, seconds: number): void {
  const x = lantern.x + 62 * Math.sin(seconds * 1.7) + 24 * Math.sin(seconds * 4.3)
  const y = lantern.y + 38 * Math.sin(seconds * 2.3 + 1) + 15 * Math.sin(seconds * 5.9)
  const wing = 1.6 + 0.9 * Math.sin(seconds * 40)
  for (let row = Math.floor(y) - 3; row <= y + 3; row += 1) {
    for (let column = Math.floor(x) - 3; column <= x + 3; column += 1) {
      const at = row * sceneWidth + column
      const cover = Math.exp(-((column - x) ** 2 + ((row - y) * 1.4) ** 2) / wing)
      picture[at] = (picture[at] ?? 0) + (225 - (picture[at] ?? 0)) * 0.8 * cover
    }
  }
}
