/** Sound as it comes from a display or a camera, made into what telephones and loudspeakers work with: 16 bit at 8 kHz. */
import { loadFfmpeg, openOpusDecoder } from './ffmpeg.ts'
import { decodeG711 } from './g711.ts'
import type { SoundCodec } from './media.ts'
import { createResampler } from './resampler.ts'

/** Samples a second. */
export const rate = 8_000
export const packetMs = 20
export const packetSamples = (rate * packetMs) / 1_000

export interface Listener {
  /** The pieces of 20 ms that are complete after this RTP payload, in order. */
  hear(payload: Buffer): readonly Int16Array[]
  /** May be called again; after it nothing is heard. */
  close(): void
}

/** Opus is decoded by FFmpeg, G.711 by its tables. `onBroken` is called once, with FFmpeg's words, when Opus cannot be decoded. Throws `SourceError` without FFmpeg. */
export async function openListener(codec: SoundCodec, onBroken: (message: string) => void): Promise<Listener> {
  const { decode, close } = codec === 'opus' ? await openOpus(onBroken) : openTable(codec)
  let rest = new Int16Array(0)
  let isClosed = false
  return {
    hear(payload) {
      // Padding probes of a sender without sound are no packets of sound.
      if (isClosed || payload.length === 0) return []
      const samples = concat([rest, ...decode(payload)])
      const end = samples.length - (samples.length % packetSamples)
      rest = samples.slice(end)
      return Array.from({ length: end / packetSamples }, (_, index) =>
        samples.subarray(index * packetSamples, (index + 1) * packetSamples),
      )
    },
    close() {
      if (isClosed) return
      isClosed = true
      close()
    },
  }
}

interface Decoder {
  decode(payload: Buffer): readonly Int16Array[]
  close(): void
}

const openTable = (law: Exclude<SoundCodec, 'opus'>): Decoder => ({
  decode: (payload) => [decodeG711(law, payload)],
  close: () => undefined,
})

async function openOpus(onBroken: (message: string) => void): Promise<Decoder> {
  const ffmpeg = await loadFfmpeg()
  const decoder = openOpusDecoder(ffmpeg)
  const packet = new ffmpeg.Packet()
  const frame = new ffmpeg.Frame()
  packet.alloc()
  frame.alloc()
  const resampler = createResampler(ffmpeg, rate)
  let isBroken = false
  return {
    decode(payload) {
      packet.data = payload
      const result = decoder.sendPacketSync(packet)
      packet.unref()
      if (result < 0 && !isBroken) {
        isBroken = true
        onBroken(ffmpeg.FFmpegError.strerror(result))
      }
      const decoded: Int16Array[] = []
      while (decoder.receiveFrameSync(frame) >= 0) {
        decoded.push(toInt16(resampler.convert(frame)))
        frame.unref()
      }
      return decoded
    },
    close() {
      packet.free()
      frame.free()
      resampler.close()
      decoder.freeContext()
    },
  }
}

function toInt16(floats: Buffer): Int16Array {
  return Int16Array.from({ length: floats.length / 4 }, (_, index) =>
    Math.max(-32_768, Math.min(32_767, Math.round(floats.readFloatLE(index * 4) * 32_767))),
  )
}

function concat(parts: readonly Int16Array[]): Int16Array<ArrayBuffer> {
  const whole = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** The sum of the squares of samples, each 0 to 1: with their number, the RMS level. */
export function powerOf(samples: Int16Array): number {
  return samples.reduce((sum, sample) => sum + (sample / 32_768) ** 2, 0)
}
