/** Sound for a source that has none: a display that was promised audio may wait for it before it shows the picture. */
import type { AudioPacket, MediaSink, SoundCodec, SourceSink, VideoUnit } from './media.ts'

const packetMs = 20
/** After a gap this long the silence goes on from now instead of filling it. */
const longestGapMs = 1_000
/** Real sound may come so much later than the picture of its instant. */
const graceMs = 400

/** 20 ms each that decode to silence: of Opus, RFC 6716 section 3.1 (CELT, fullband, one frame of no energy). */
const silence: Readonly<Record<SoundCodec, Buffer>> = {
  opus: Buffer.from([0xf8, 0xff, 0xfe]),
  PCMU: Buffer.alloc(160, 0xff),
  PCMA: Buffer.alloc(160, 0xd5),
}

/** The codecs of a source that has only silence: what each display can be sent as it is, or by a table. */
export const silentCodecs: readonly SoundCodec[] = ['opus', 'PCMU']

/** A sink that gets a silent packet for every 20 ms of the pictures' own time, and no other sound; it needs no timer. */
export function withSilence(sink: MediaSink): MediaSink {
  return fill(sink, silentCodecs, 0, false)
}

/** The same for a source that may have sound in these codecs or not: silence in each in which none has come in time. */
export function fillSilence<S extends Filled>(sink: S, codecs: readonly SoundCodec[]): S {
  return { ...sink, ...fill(sink, codecs, graceMs, true) }
}

type Filled = MediaSink & Partial<Pick<SourceSink, 'h265'>>

function fill(sink: Filled, codecs: readonly SoundCodec[], lagMs: number, hasSound: boolean): Filled {
  /** Until when each is filled. */
  const filled = new Map<SoundCodec, number>()
  const fillUpTo = (unit: VideoUnit) => {
    const until = unit.at - lagMs
    for (const codec of codecs) {
      let at = filled.get(codec)
      if (at === undefined || until - at > longestGapMs) at = at === undefined ? unit.at : until
      for (; at <= until; at += packetMs) sink.audio({ at, codec, payload: silence[codec] })
      filled.set(codec, at)
    }
  }
  return {
    audio(packet) {
      const at = filled.get(packet.codec)
      // What is late has been filled already.
      if (!hasSound || (at !== undefined && packet.at < at - packetMs / 2)) return
      filled.set(packet.codec, packet.at + lengthMs(packet))
      sink.audio(packet)
    },
    video(unit) {
      sink.video(unit)
      fillUpTo(unit)
    },
    h265(unit) {
      sink.h265?.(unit)
      fillUpTo(unit)
    },
  }
}

/** The packet with silence in the place of its sound. */
export function silenced(packet: AudioPacket): AudioPacket {
  const { codec, payload } = packet
  const [level = 0] = silence[codec]
  return { ...packet, payload: codec === 'opus' ? silence.opus : Buffer.alloc(payload.length, level) }
}

/** G.711 has 8 bytes a millisecond; of Opus the usual length. */
const lengthMs = ({ codec, payload }: AudioPacket): number => (codec === 'opus' ? packetMs : payload.length / 8)
