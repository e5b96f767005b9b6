/** Hears what a viewer says: counts the packets and measures how loud they are. A camera with a loudspeaker would play them. */
import type { Ear } from './ear.ts'
import { hasFfmpeg } from './ffmpeg.ts'
import { openListener, powerOf, type Listener } from './listener.ts'
import type { SoundCodec } from './media.ts'

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
