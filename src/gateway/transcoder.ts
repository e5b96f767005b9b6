/** Makes Opus of whatever sound a camera or a file has (AAC, G.711, …). */
import type { Ffmpeg } from './ffmpeg.ts'
import type { AudioPacket } from './media.ts'

type Stream = InstanceType<Ffmpeg['FormatContext']>['streams'][number]
type Packet = InstanceType<Ffmpeg['Packet']>

export interface Transcoder {
  /** The Opus packets that are complete after this packet; `at` is its time in milliseconds. */
  convert(packet: Packet, at: number): Promise<readonly AudioPacket[]>
  close(): void
}

const packetMs = 20
/** Further than this from the input's clock (a gap, a restart) and the output's is set anew. */
const maxDriftMs = 120

export async function createTranscoder(ffmpeg: Ffmpeg, stream: Stream): Promise<Transcoder> {
  const decoder = await ffmpeg.Decoder.create(stream, {
    resample: {
      sampleRate: 48_000,
      sampleFormat: ffmpeg.AV_SAMPLE_FMT_FLT,
      channelLayout: ffmpeg.AV_CHANNEL_LAYOUT_STEREO,
    },
  })
  const encoder = await ffmpeg.Encoder.create(ffmpeg.FF_ENCODER_LIBOPUS, {
    context: { bitRate: 64_000n },
    options: { frame_duration: packetMs, application: 'audio' },
  })
  // Opus packets are all of one length, so counting them keeps a steadier time than the input's stamps do.
  let nextAt: number | undefined
  return {
    async convert(packet, at) {
      if (nextAt === undefined || Math.abs(nextAt - at) > maxDriftMs) nextAt = at
      const converted: AudioPacket[] = []
      for (const frame of await decoder.decodeAll(packet)) {
        using decoded = frame
        for (const encoded of await encoder.encodeAll(decoded)) {
          using opus = encoded
          if (opus.data) converted.push({ at: nextAt, codec: 'opus', payload: Buffer.from(opus.data) })
          nextAt += packetMs
        }
      }
      return converted
    },
    close() {
      decoder.close()
      encoder.close()
    },
  }
}
