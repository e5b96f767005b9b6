/** Hears what a viewer says: counts the packets and measures how loud they are. A camera with a loudspeaker would play them. */
import { hasFfmpeg } from './ffmpeg.ts'
import { openListener, powerOf, type Listener } from './listener.ts'
import type { SoundCodec } from './media.ts'

export interface Heard {
  /** Packets that the camera has accepted. */
  readonly packets: number
  /** RMS, 0 silent to 1 full scale. */
  readonly level?: number
  /** From packet in to packet out: 95 % of the latest stay below, milliseconds. */
  readonly delayMs?: number
  /** It talks, and somebody else has the floor. */
  readonly isWaiting?: true
}

export interface Ear {
  /** One RTP payload, in the order it came. */
  hear(payload: Buffer): void
  /** Packets so far, and the RMS level (0 silent, 1 full scale) of what came since the last time this was asked, where it can be decoded. */
  heard(): Heard
  close(): void
}

/** An ear for one viewer, whose Opus is only counted where there is no FFmpeg; `onBroken` is told when its sound cannot be decoded, once. */
export async function createEar(codec: SoundCodec, onBroken: (message: string) => void): Promise<Ear> {
  if (codec === 'opus' && !(await hasFfmpeg())) return createCounter()
  return createMeter(await openListener(codec, onBroken))
}

function createCounter(): Ear {
  let packets = 0
  return {
    hear: (payload) => void (packets += payload.length === 0 ? 0 : 1),
    heard: () => ({ packets }),
    close: () => {},
  }
}

function createMeter(listener: Listener): Ear {
  const counter = createCounter()
  let power = 0
  let samples = 0
  return {
    hear(payload) {
      counter.hear(payload)
      for (const piece of listener.hear(payload)) {
        power += powerOf(piece)
        samples += piece.length
      }
    },
    heard() {
      const level = samples === 0 ? 0 : Math.min(1, Math.sqrt(power / samples))
      power = 0
      samples = 0
      return { ...counter.heard(), level: Number(level.toFixed(4)) }
    },
    close: listener.close,
  }
}
