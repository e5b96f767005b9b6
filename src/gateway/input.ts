/** One opened media file: its H.264 passed through, its sound as Opus. */
import { constants } from 'node:os'
import { createPacketizer, profileLevelId, readParameterSets } from './h264.ts'
import { loadFfmpeg, type Ffmpeg } from './ffmpeg.ts'
import { SourceError, type AudioPacket, type VideoUnit } from './media.ts'
import type { SourceFault } from 'transom-core/errors'
import { createTranscoder, type Transcoder } from './transcoder.ts'

/** What is read from an input, in its order; times are milliseconds on the input's own clock. */
export type InputItem =
  | { readonly kind: 'video'; readonly unit: VideoUnit; readonly decodeAt: number; readonly endAt: number }
  | { readonly kind: 'audio'; readonly packet: AudioPacket; readonly decodeAt: number; readonly endAt: number }

export interface Input {
  readonly profileLevelId: string
  /** Pictures come out of order; WebRTC has no such thing, so displays may stutter. */
  readonly hasBFrames: boolean
  /** Why its sound cannot be used; it is left out then. */
  readonly soundError: string | undefined
  readonly hasSound: boolean
  /** Reads until the end of the input or until the signal aborts. Throws when the input breaks. */
  items(): AsyncGenerator<InputItem>
  close(): Promise<void>
}

export interface InputPlace {
  /** What FFmpeg opens. May hold a password: never logged. */
  readonly url: string
  /** How the owner knows it; safe to log. */
  readonly label: string
}

type FormatContext = InstanceType<Ffmpeg['FormatContext']>
type Stream = FormatContext['streams'][number]

/**
 * Opens an input; aborting the signal interrupts it at any time. A thorough look reads some of the stream even if the header
 * says all, and so knows about B-frames.
 * Throws `SourceError`.
 */
export async function openInput(place: InputPlace, isThorough: boolean, signal: AbortSignal): Promise<Input> {
  const ffmpeg = await loadFfmpeg()
  signal.throwIfAborted()
  const context = new ffmpeg.FormatContext()
  context.allocContext()
  const interrupt = () => context.interrupt()
  signal.addEventListener('abort', interrupt, { once: true })
  let transcoder: Transcoder | undefined
  const close = async () => {
    signal.removeEventListener('abort', interrupt)
    transcoder?.close()
    await context.closeInput()
  }
  const check = (result: number, doing: string) => {
    signal.throwIfAborted()
    if (result < 0)
      throw new SourceError(codeOf(result), `${doing} ${place.label}: ${ffmpeg.FFmpegError.strerror(result)}`)
  }
  try {
    check(await context.openInput(place.url, null, null), 'cannot open')
    // Looking into the stream takes a second or two on a network camera, and its SDP mostly says all already.
    if (isThorough || !saysAll(ffmpeg, context)) check(await context.findStreamInfo(null), 'cannot read')
    const video = pickVideo(ffmpeg, context, place.label)
    const sets = readParameterSets(video.codecpar.extradata)
    let audio = findStream(context, ffmpeg.AVMEDIA_TYPE_AUDIO)
    let soundError: string | undefined
    if (audio && audio.codecpar.codecId !== ffmpeg.AV_CODEC_ID_OPUS) {
      try {
        transcoder = await createTranscoder(ffmpeg, audio)
      } catch (error) {
        soundError = error instanceof Error ? error.message : String(error)
        audio = undefined
      }
    }
    const profile = profileLevelId(sets.sets)
    if (!profile) throw new SourceError('source_garbled', `${place.label} has not sent the parameters of its H.264 yet`)
    const tracks = { video, audio, transcoder, packetize: createPacketizer(sets) }
    return {
      profileLevelId: profile,
      hasBFrames: video.codecpar.videoDelay > 0,
      soundError,
      hasSound: audio !== undefined,
      items: () => readItems(ffmpeg, context, tracks, place.label, signal),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** FFmpeg's error numbers: those of the system, negative, and its own for HTTP's statuses. */
function codeOf(result: number): SourceFault {
  const { ENOENT, ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH } = constants.errno
  const statuses: Readonly<Record<number, SourceFault>> = {
    [-ENOENT]: 'source_not_found',
    [-ECONNREFUSED]: 'source_refused',
    [-ETIMEDOUT]: 'source_unreachable',
    [-EHOSTUNREACH]: 'source_unreachable',
    [-ENETUNREACH]: 'source_unreachable',
    [httpError('401')]: 'source_password',
    [httpError('403')]: 'source_password',
    [httpError('404')]: 'source_not_found',
  }
  return statuses[result] ?? 'source_garbled'
}

const httpError = (status: string): number => -Buffer.from(`\xf8${status}`, 'latin1').readInt32LE()

const findStream = (context: FormatContext, type: Stream['codecpar']['codecType']): Stream | undefined =>
  context.streams.find((stream) => stream.codecpar.codecType === type)

/** Whether header or SDP have told the H.264 parameters and the form of the sound. */
function saysAll(ffmpeg: Ffmpeg, context: FormatContext): boolean {
  const video = findStream(context, ffmpeg.AVMEDIA_TYPE_VIDEO)
  const audio = findStream(context, ffmpeg.AVMEDIA_TYPE_AUDIO)
  const hasSets = video !== undefined && profileLevelId(readParameterSets(video.codecpar.extradata).sets) !== undefined
  return hasSets && (audio === undefined || (audio.codecpar.sampleRate > 0 && audio.codecpar.channels > 0))
}

function pickVideo(ffmpeg: Ffmpeg, context: FormatContext, label: string): Stream {
  const video = findStream(context, ffmpeg.AVMEDIA_TYPE_VIDEO)
  if (!video) throw new SourceError('source_codec', `${label} has no video`)
  const { codecId } = video.codecpar
  if (codecId !== ffmpeg.AV_CODEC_ID_H264) {
    const name = ffmpeg.Codec.findDecoder(codecId)?.name ?? `codec ${codecId}`
    throw new SourceError(
      'source_codec',
      `${label} sends ${name} video, and displays take H.264 only: choose H.264 in the camera's settings ` +
        '(often its second stream has it), or convert the file with ffmpeg -c:v libx264 -bf 0',
    )
  }
  return video
}

interface Tracks {
  readonly video: Stream
  readonly audio: Stream | undefined
  /** Absent when the audio is Opus already. */
  readonly transcoder: Transcoder | undefined
  readonly packetize: (sample: Buffer, at: number) => VideoUnit
}

async function* readItems(
  ffmpeg: Ffmpeg,
  context: FormatContext,
  { video, audio, transcoder, packetize }: Tracks,
  label: string,
  signal: AbortSignal,
): AsyncGenerator<InputItem> {
  using packet = new ffmpeg.Packet()
  packet.alloc()
  while (!signal.aborted) {
    const result = await context.readFrame(packet)
    if (signal.aborted || result === ffmpeg.AVERROR_EOF) return
    if (result < 0) throw new SourceError('source_garbled', `${label}: ${ffmpeg.FFmpegError.strerror(result)}`)
    const stream = packet.streamIndex === video.index ? video : packet.streamIndex === audio?.index ? audio : undefined
    if (stream && packet.data) {
      const { num, den } = stream.timeBase
      const toMs = (time: bigint) => (Number(time) * 1_000 * num) / den
      // A stream without any timestamp of its own (FFmpeg's NOPTS) cannot be kept in time.
      const pts = packet.pts === ffmpeg.AV_NOPTS_VALUE ? packet.dts : packet.pts
      const at = toMs(pts)
      const decodeAt = packet.dts === ffmpeg.AV_NOPTS_VALUE ? at : toMs(packet.dts)
      const times = { decodeAt, endAt: at + toMs(packet.duration) }
      if (pts === ffmpeg.AV_NOPTS_VALUE) {
        // skipped
      } else if (stream === video) {
        yield { kind: 'video', unit: packetize(Buffer.from(packet.data), at), ...times }
      } else if (transcoder) {
        for (const opus of await transcoder.convert(packet, at)) yield { kind: 'audio', packet: opus, ...times }
      } else {
        yield { kind: 'audio', packet: { at, codec: 'opus', payload: Buffer.from(packet.data) }, ...times }
      }
    }
    packet.unref()
  }
}
