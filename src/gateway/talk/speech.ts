/** Speech encoded for a camera's loudspeaker: G.711 by its tables, G.726 and AAC by FFmpeg. */
import { loadFfmpeg, openEncoder, type CodecContext, type Ffmpeg } from '../ffmpeg.ts'
import { encodeG711 } from '../g711.ts'
import { packetSamples, rate } from '../listener.ts'

/** Samples of one AAC frame (ISO 14496-3, AAC-LC). */
const aacFrame = 1_024

export type SpeechForm =
  | { readonly codec: 'PCMU' }
  | { readonly codec: 'PCMA' }
  | { readonly codec: 'G726'; readonly bitsPerSample: number }
  | { readonly codec: 'AAC'; readonly sampleRate: number }

export interface SpeechEncoder {
  /** The frames that are complete after these samples (16 bit at 8 kHz). */
  encode(samples: Int16Array): readonly Buffer[]
  close(): void
}

/** Throws `SourceError` where FFmpeg is needed and not installed. */
export async function openSpeechEncoder(form: SpeechForm): Promise<SpeechEncoder> {
  switch (form.codec) {
    case 'G726':
      return openG726(await loadFfmpeg(), form.bitsPerSample)
    case 'AAC':
      return openAac(await loadFfmpeg(), form.sampleRate)
    case 'PCMU':
    case 'PCMA':
      return { encode: (samples) => [encodeG711(form.codec, samples)], close: () => undefined }
  }
}

/** RFC 3551 section 4.5.4 packs from the least significant bit on, as FFmpeg's g726le does. */
function openG726(ffmpeg: Ffmpeg, bitsPerSample: number): SpeechEncoder {
  const encoder = openEncoder(
    ffmpeg,
    ffmpeg.FF_ENCODER_ADPCM_G726LE,
    {
      sampleRate: rate,
      sampleFormat: ffmpeg.AV_SAMPLE_FMT_S16,
      channelLayout: ffmpeg.AV_CHANNEL_LAYOUT_MONO,
      timeBase: new ffmpeg.Rational(1, rate),
      bitRate: BigInt(rate * bitsPerSample),
    },
    {},
  )
  // FFmpeg would wait for a quarter of a second.
  encoder.frameSize = packetSamples
  return drive(ffmpeg, encoder, ffmpeg.AV_SAMPLE_FMT_S16, rate, (samples) => [toBytes(samples)])
}

function openAac(ffmpeg: Ffmpeg, sampleRate: number): SpeechEncoder {
  const encoder = openEncoder(
    ffmpeg,
    ffmpeg.FF_ENCODER_AAC,
    {
      sampleRate,
      sampleFormat: ffmpeg.AV_SAMPLE_FMT_FLTP,
      channelLayout: ffmpeg.AV_CHANNEL_LAYOUT_MONO,
      timeBase: new ffmpeg.Rational(1, sampleRate),
      bitRate: 32_000n,
    },
    {},
  )
  let waiting: number[] = []
  let last = 0
  const factor = sampleRate / rate
  return drive(ffmpeg, encoder, ffmpeg.AV_SAMPLE_FMT_FLTP, sampleRate, (samples) => {
    for (const sample of samples) {
      // Straight lines between samples are enough for speech.
      for (let step = 1; step <= factor; step += 1) waiting.push((last + ((sample - last) * step) / factor) / 32_768)
      last = sample
    }
    const frames: Buffer[] = []
    for (; waiting.length >= aacFrame; waiting = waiting.slice(aacFrame))
      frames.push(Buffer.from(Float32Array.from(waiting.slice(0, aacFrame)).buffer))
    return frames
  })
}

const toBytes = (samples: Int16Array): Buffer => Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)

/** Hands an encoder the frames that `cut` makes of samples. */
function drive(
  ffmpeg: Ffmpeg,
  encoder: CodecContext,
  format: CodecContext['sampleFormat'],
  sampleRate: number,
  cut: (samples: Int16Array) => readonly Buffer[],
): SpeechEncoder {
  const packet = new ffmpeg.Packet()
  packet.alloc()
  let pts = 0
  return {
    encode(samples) {
      const encoded: Buffer[] = []
      for (const data of cut(samples)) {
        const nbSamples = data.length / (format === ffmpeg.AV_SAMPLE_FMT_S16 ? 2 : 4)
        using frame = ffmpeg.Frame.fromAudioBuffer(data, {
          nbSamples,
          format,
          sampleRate,
          channelLayout: ffmpeg.AV_CHANNEL_LAYOUT_MONO,
          timeBase: { num: 1, den: sampleRate },
          pts: BigInt(pts),
        })
        pts += nbSamples
        if (encoder.sendFrameSync(frame) < 0) continue
        while (encoder.receivePacketSync(packet) >= 0) {
          if (packet.data) encoded.push(Buffer.from(packet.data))
          packet.unref()
        }
      }
      return encoded
    },
    close() {
      packet.free()
      encoder.freeContext()
    },
  }
}
