/** Hears what a viewer says: counts the Opus packets and measures how loud they are. A camera with a loudspeaker would play them. */
import { hasFfmpeg, loadFfmpeg, openOpusDecoder, type Ffmpeg } from './ffmpeg.ts'

export interface Ear {
  /** One Opus packet, in the order it came. */
  hear(payload: Buffer): void
  /** Packets so far, and the RMS level (0 silent, 1 full scale) of what came since the last time this was asked, if FFmpeg is there. */
  heard(): { packets: number; level?: number }
  close(): void
}

/** An ear for one viewer; `onBroken` is told when its sound cannot be decoded, once. */
export async function createEar(onBroken: (message: string) => void): Promise<Ear> {
  return (await hasFfmpeg()) ? createMeter(await loadFfmpeg(), onBroken) : createCounter()
}

function createCounter(): Ear {
  let packets = 0
  return {
    hear: (payload) => void (packets += payload.length === 0 ? 0 : 1),
    heard: () => ({ packets }),
    close: () => {},
  }
}

function createMeter(ffmpeg: Ffmpeg, onBroken: (message: string) => void): Ear {
  const decoder = openOpusDecoder(ffmpeg)
  const packet = new ffmpeg.Packet()
  const frame = new ffmpeg.Frame()
  packet.alloc()
  frame.alloc()
  let packets = 0
  let squares = 0
  let samples = 0
  let isBroken = false
  let isClosed = false

  const decode = (payload: Buffer) => {
    packet.data = payload
    const result = decoder.sendPacketSync(packet)
    packet.unref()
    if (result < 0 && !isBroken) {
      isBroken = true
      onBroken(ffmpeg.FFmpegError.strerror(result))
    }
    while (decoder.receiveFrameSync(frame) >= 0) {
      const [plane] = frame.data ?? []
      const count = frame.nbSamples
      if (!plane) break
      for (let index = 0; index < count; index += 1) squares += plane.readFloatLE(index * 4) ** 2
      samples += count
      frame.unref()
    }
  }
  return {
    hear(payload) {
      // Padding probes of a sender without sound are no packets of sound.
      if (isClosed || payload.length === 0) return
      packets += 1
      decode(payload)
    },
    heard() {
      const level = samples === 0 ? 0 : Math.min(1, Math.sqrt(squares / samples))
      squares = 0
      samples = 0
      return { packets, level: Number(level.toFixed(4)) }
    },
    close() {
      if (isClosed) return
      isClosed = true
      packet.free()
      frame.free()
      decoder.freeContext()
    },
  }
}
