/** What a camera sends, as the gateway hands it on: the clip of the built-in doorbell, four seconds a group of pictures. */
import { readFileSync } from 'node:fs'
import { clipFrameRate, clipSeconds, readClip } from '../../../src/gateway/clip.ts'
import { createPacketizer } from '../../../src/gateway/h264.ts'
import type { AudioPacket, MediaSink, VideoUnit } from '../../../src/gateway/media.ts'

const clip = readClip(readFileSync(new URL('../../../src/gateway/doorbell.clip', import.meta.url)))
const packetize = createPacketizer({ sets: [] })

export const groupMs = clipSeconds * 1_000

export type Sent = { readonly unit: VideoUnit } | { readonly packet: AudioPacket }

/** Pictures and sound of so many groups of pictures, in the order of time. */
export function* stream(from: number, groups: number, isSilent?: 'silent'): Generator<Sent> {
  for (let group = 0; group < groups; group += 1) {
    const at = from + group * groupMs
    const units = clip.pictures.map((picture, index) => ({
      unit: packetize(picture, at + Math.round((index * 1_000) / clipFrameRate)),
    }))
    const packets = clip.sounds
      .slice(0, groupMs / 20)
      .map((payload, index) => ({ packet: { codec: 'opus' as const, payload, at: at + index * 20 } }))
    yield* [...units, ...(isSilent ? [] : packets)].toSorted((one, other) => atOf(one) - atOf(other))
  }
}

export const atOf = (sent: Sent): number => ('unit' in sent ? sent.unit.at : sent.packet.at)

export function send(sink: MediaSink, sent: Sent): void {
  if ('unit' in sent) sink.video(sent.unit)
  else sink.audio(sent.packet)
}
