/** Sound for a source that has none: a display that was promised audio may wait for it before it shows the picture. */
import type { MediaSink } from './media.ts'

const packetMs = 20
/** After a gap this long the silence goes on from now instead of filling it. */
const longestGapMs = 1_000
/** Real sound may come so much later than the picture of its instant. */
const graceMs = 400

/** 20 ms of Opus that decode to silence (RFC 6716 section 3.1: CELT, fullband, one frame of no energy). */
const silence = Buffer.from([0xf8, 0xff, 0xfe])

/** A sink that gets a silent packet for every 20 ms of the pictures' own time, and no other sound; it needs no timer. */
export function withSilence(sink: MediaSink): MediaSink {
  return fill(sink, 0, false)
}

/** The same for a source that may have sound or not: silence where none has come in time. */
export function fillSilence<S extends MediaSink>(sink: S): S {
  return { ...sink, ...fill(sink, graceMs, true) }
}

function fill(sink: MediaSink, lagMs: number, hasSound: boolean): MediaSink {
  let at: number | undefined
  return {
    audio(packet) {
      // What is late has been filled already.
      if (!hasSound || (at !== undefined && packet.at < at - packetMs / 2)) return
      at = packet.at + packetMs
      sink.audio(packet)
    },
    video(unit) {
      sink.video(unit)
      const until = unit.at - lagMs
      if (at === undefined || until - at > longestGapMs) at = at === undefined ? unit.at : until
      for (; at <= until; at += packetMs) sink.audio({ at, payload: silence })
    },
  }
}
