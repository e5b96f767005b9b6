/** The voice of the simulator: one second of a real tone as Opus packets, for the talk-back. */

import type { Packet } from 'node-av'

const SAMPLE_RATE = 48_000
const PACKETS = 50

/** Samples in one packet, 20 ms: the steps of the RTP timestamp. */
export const SAMPLES_PER_PACKET = 960

/** Encodes the tone: fifty 20 ms packets that may be played in a loop. Takes a few tenths of a second, most of it loading FFmpeg. */
export async function encodeTone(frequencyHz = 440): Promise<readonly Buffer[]> {
  // Loaded here and not above: nothing else in the simulator needs its 175 MB.
  const { AV_CHANNEL_LAYOUT_MONO, AV_SAMPLE_FMT_S16, Encoder, FF_ENCODER_LIBOPUS, Frame } = await import('node-av')
  const encoder = await Encoder.create(FF_ENCODER_LIBOPUS, {
    context: { bitRate: 24_000, sampleRate: SAMPLE_RATE },
    options: { application: 'voip', frame_duration: 20 },
  })
  const packets: Buffer[] = []
  try {
    // Two packets more than are kept: the first ones carry the encoder's start-up, and the loop should not.
    for (let index = 0; index < PACKETS + 2; index += 1) {
      const frame = Frame.fromAudioBuffer(samples(frequencyHz, index * SAMPLES_PER_PACKET), {
        nbSamples: SAMPLES_PER_PACKET,
        format: AV_SAMPLE_FMT_S16,
        sampleRate: SAMPLE_RATE,
        channelLayout: AV_CHANNEL_LAYOUT_MONO,
        timeBase: { num: 1, den: SAMPLE_RATE },
        pts: BigInt(index * SAMPLES_PER_PACKET),
      })
      try {
        packets.push(...drained(await encoder.encodeAll(frame)))
      } finally {
        frame.free()
      }
    }
    packets.push(...drained(await encoder.encodeAll(null)))
  } finally {
    encoder.close()
  }
  return packets.slice(2, 2 + PACKETS)
}

function drained(packets: readonly Packet[]): readonly Buffer[] {
  return packets.flatMap((packet) => {
    const copy = packet.data === null ? [] : [Buffer.from(packet.data)]
    packet.free()
    return copy
  })
}

function samples(frequencyHz: number, from: number): Buffer {
  const pcm = new Int16Array(SAMPLES_PER_PACKET)
  return Buffer.from(
    pcm.map((_, at) => 8000 * Math.sin((2 * Math.PI * frequencyHz * (from + at)) / SAMPLE_RATE)).buffer,
  )
}
