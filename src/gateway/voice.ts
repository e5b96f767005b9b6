/** Which of a camera's sound a display gets, and in which codec: as it comes where the display takes that, else converted. */
import { encodeG711, type Law } from './g711.ts'
import { openListener, packetMs, type Listener } from './listener.ts'
import type { AudioPacket, SoundCodec } from './media.ts'

/** Further than this from the source's time (a gap, a restart) and the output's is set anew. */
const maxDriftMs = 120

const laws: readonly Law[] = ['PCMU', 'PCMA']

/** The codec of which `to` is made, of those in which the sound comes; `undefined` when it cannot be had. */
export function originOf(to: SoundCodec, sound: readonly SoundCodec[], hasDecoder: boolean): SoundCodec | undefined {
  if (sound.includes(to)) return to
  if (to === 'opus') return undefined
  return laws.find((law) => sound.includes(law)) ?? (hasDecoder && sound.includes('opus') ? 'opus' : undefined)
}

/** What a display can be sent, of the sound that comes. `hasDecoder`: FFmpeg is there, which Opus is decoded with. */
export function playable(sound: readonly SoundCodec[], hasDecoder: boolean): readonly SoundCodec[] {
  return (['opus', ...laws] as const).filter((codec) => originOf(codec, sound, hasDecoder) !== undefined)
}

export interface Voice {
  /** What the display is sent for this packet of the source's. */
  convert(packet: AudioPacket): readonly AudioPacket[]
  close(): void
}

/** `from` is the origin of `to`; `onBroken` is called once, when it cannot be decoded. */
export async function openVoice(from: SoundCodec, to: SoundCodec, onBroken: (message: string) => void): Promise<Voice> {
  if (from === to || to === 'opus') return { convert: (packet) => (packet.codec === to ? [packet] : []), close() {} }
  return convertSound(from, to, await openListener(from, onBroken))
}

function convertSound(from: SoundCodec, to: Law, listener: Listener): Voice {
  // Pieces are all of one length, so counting them keeps a steadier time than the source's stamps do.
  let nextAt: number | undefined
  return {
    convert({ at, codec, payload }) {
      if (codec !== from) return []
      if (nextAt === undefined || Math.abs(nextAt - at) > maxDriftMs) nextAt = at
      const converted: AudioPacket[] = []
      for (const samples of listener.hear(payload)) {
        converted.push({ at: nextAt, codec: to, payload: encodeG711(to, samples) })
        nextAt += packetMs
      }
      return converted
    },
    close: listener.close,
  }
}
