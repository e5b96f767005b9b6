/** The shapes that media has between a source (synthetic, file, RTSP) and the viewers: ready for RTP, stamped with one clock. */
import type { Clock, Fault, Reencoding } from 'transom-core/ports'
import type { SourceFault } from 'transom-core/errors'
import type { PlayedTone } from 'transom-core/wire/source'
import type { Law } from './g711.ts'
import type { Ear } from './ear.ts'
import type { H265Format } from './h265.ts'

/** The codecs in which displays are sent pictures. */
export type VideoCodec = 'H264' | 'H265'

/** One access unit, already cut to RTP payloads. */
export interface VideoUnit {
  /** Presentation time, milliseconds since the epoch on the source's clock; audio of the same moment has the same value. */
  readonly at: number
  /** A decoder can start here: it holds such a picture, with its parameter sets before it. */
  readonly isKey: boolean
  /** RTP payloads of packetization-mode 1 (RFC 6184), or of RFC 7798, in order; the last one carries the marker. */
  readonly payloads: readonly Buffer[]
}

/** What displays play: Opus, and G.711 by either law. */
export type SoundCodec = 'opus' | Law

/** One RTP payload: 20 ms of Opus as a rule (RFC 7587), any length of G.711 (RFC 3551 section 4.5.14). */
export interface AudioPacket {
  readonly at: number
  readonly codec: SoundCodec
  readonly payload: Buffer
}

export interface MediaSink {
  /** In H.264; of whoever joined for H.265, in that. */
  video(unit: VideoUnit): void
  audio(packet: AudioPacket): void
}

export interface MediaInfo {
  /** `profile-level-id` of the stream's SPS, lower case (RFC 6184 section 8.1). */
  readonly profileLevelId: string
  /** It plays the sound that viewers send. */
  readonly hasSpeaker: boolean
  /** The codecs in which the same sound comes, side by side; silence where it has none. */
  readonly sound: readonly SoundCodec[]
  /** Why its sound cannot be used, and silence comes instead. */
  readonly soundFault?: string
  /** Its pictures are decoded and encoded anew for displays. */
  readonly reencoding?: Reencoding
  /** The H.265 in which its pictures come, which displays that play it are sent as it is; without `reencoding` there is no other. */
  readonly h265?: H265Format
}

export interface SourceSink extends MediaSink {
  /** What the source yields from now on, where that is other than `describe` said. */
  described(info: MediaInfo): void
  /** The same pictures in the camera's own H.265, where `MediaInfo` has one. */
  h265?(unit: VideoUnit): void
  /** Whether anybody takes the pictures in H.264, default true: otherwise they need not be encoded. */
  isH264Wanted?(): boolean
}

/** Where pictures and sound come from. Nothing runs before `run`. */
export interface MediaSource {
  /** How often it is worth looking again while nobody watches, milliseconds; absent when it does not go away by itself. */
  readonly checkEachMs?: number
  /** Looks at the source and says what it will yield. Throws `SourceError`. */
  describe(signal: AbortSignal): Promise<MediaInfo>
  /** Feeds the sink in real time until the signal aborts, then frees everything and resolves. Throws `SourceError` when it breaks. */
  run(sink: SourceSink, signal: AbortSignal): Promise<void>
  /** Asks for a key frame with the next picture. False when the source cannot make one (it is passed through). */
  requestKeyFrame(codec?: VideoCodec): boolean
  /** What plays the sound of one viewer, where it is not only measured. */
  createEar?(codec: SoundCodec, onBroken: (message: string) => void): Promise<Ear>
  /** Plays a tone at its loudspeaker, where it has one of its own. Throws `SourceError`. */
  playTone?(signal: AbortSignal): Promise<PlayedTone>
  /** Frees what is kept between looks and runs. May be called again. */
  close(): Promise<void>
  /** A picture of it (JPEG), where it has one at hand; otherwise one is made of its next key frame. */
  still?(): Promise<Buffer | undefined>
}

/** A source that cannot be used now. The message is for the owner and never holds a password. */
export class SourceError extends Error {
  override readonly name = 'SourceError'
  readonly code: SourceFault

  constructor(code: SourceFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Whatever a source threw, as its owner is told it. */
export function faultOf(thrown: unknown): Fault {
  if (thrown instanceof SourceError) return { code: thrown.code, message: thrown.message.slice(0, 200) }
  return { code: 'source_garbled', message: thrown instanceof Error ? thrown.message.slice(0, 200) : 'it failed' }
}

/** Epoch milliseconds that never jump: the clock's reading now, then the machine's steady time. */
export function createSteadyClock(clock: Clock): Clock {
  const startedAt = clock() - performance.now()
  return () => startedAt + performance.now()
}
