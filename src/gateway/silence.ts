/** Sound for a source that has none: a display that was promised audio may wait for it before it shows the picture. */
import type { MediaSink } from './media.ts'

const packetMs = 20
/** After a gap this long the silence goes on from now instead of filling it. */
const longestGapMs = 1_000

/** 20 ms of Opus that decode to silence (RFC 6716 section 3.1: CELT, fullband, one frame of no energy). */
const silence = Buffer.from([0xf8, 0xff, 0xfe])

/** A sink that gets a silent packet for every 20 ms of the pictures' own time, and no other sound; it needs no timer. */
export function withSilence(sink: MediaSink): MediaSink {
  let at: number | undefined
  return {
    audio: () => {},
    video(unit) {
      sink.video(unit)
      if (at === undefined || unit.at - at > longestGapMs) at = unit.at
      for (; at <= unit.at; at += packetMs) sink.audio({ at, payload: silence })
    },
  }
}
