/** A few seconds of the synthetic doorbell, recorded: what it shows where no FFmpeg is installed to draw it anew. */
import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from 'transom-core/ports'
import { createPacketizer } from './h264.ts'
import { createSteadyClock, type MediaSource } from './media.ts'

/** `doorbell.clip`, which `npm run clip` makes: one group of pictures, its sound, and a still picture. */
export interface Clip {
  /** H.264 access units, Annex B; the first one is an IDR picture with its parameter sets. */
  readonly pictures: readonly Buffer[]
  /** 20 ms of Opus each. */
  readonly sounds: readonly Buffer[]
  /** The same sound as G.711, µ-law: without FFmpeg it could not be made here. */
  readonly voices: readonly Buffer[]
  /** JPEG. */
  readonly still: Buffer
}

export const clipFrameRate = 15
export const clipSeconds = 4
/** Constrained Baseline, level 3.1. */
const clipProfile = '42e01f'
const packetMs = 20
const path = new URL('doorbell.clip', import.meta.url)

/** The file is a row of parts: a letter for its kind, four bytes for its length (big-endian), and itself. */
export function writeClip({ pictures, sounds, voices, still }: Clip): Buffer {
  return Buffer.concat([
    ...pictures.flatMap((picture) => part('v', picture)),
    ...sounds.flatMap((sound) => part('a', sound)),
    ...voices.flatMap((voice) => part('u', voice)),
    ...part('j', still),
  ])
}

function part(kind: string, content: Buffer): readonly Buffer[] {
  const head = Buffer.alloc(5, kind)
  head.writeUInt32BE(content.length, 1)
  return [head, content]
}

export function readClip(file: Buffer): Clip {
  const parts: { readonly kind: string; readonly content: Buffer }[] = []
  for (let at = 0; at < file.length;) {
    const end = at + 5 + file.readUInt32BE(at + 1)
    parts.push({ kind: file.toString('latin1', at, at + 1), content: file.subarray(at + 5, end) })
    at = end
  }
  const of = (kind: string) => parts.filter((part) => part.kind === kind).map(({ content }) => content)
  return { pictures: of('v'), sounds: of('a'), voices: of('u'), still: of('j')[0] ?? Buffer.alloc(0) }
}

/** Plays it again and again as if it happened now; needs nothing from outside. */
export function createClipSource(clock: Clock): MediaSource {
  let clip: Promise<Clip> | undefined
  const load = () => (clip ??= readFile(path).then(readClip))
  return {
    async describe() {
      await load()
      // What viewers say is counted, as far as can be done without a decoder.
      return { profileLevelId: clipProfile, hasSpeaker: true, sound: ['opus', 'PCMU'] }
    },
    requestKeyFrame: () => false,
    close: async () => {},
    still: async () => (await load()).still,
    async run(sink, signal) {
      const { pictures, sounds, voices } = await load()
      const now = createSteadyClock(clock)
      const packetize = createPacketizer({ sets: [] })
      for (let startAt = now(); !signal.aborted; startAt += clipSeconds * 1_000) {
        await Promise.all([
          play(pictures, 1_000 / clipFrameRate, startAt, now, signal, (picture, at) =>
            sink.video(packetize(picture, at)),
          ),
          play(sounds, packetMs, startAt, now, signal, (payload, at) => sink.audio({ at, codec: 'opus', payload })),
          play(voices, packetMs, startAt, now, signal, (payload, at) => sink.audio({ at, codec: 'PCMU', payload })),
        ])
        await until(startAt + clipSeconds * 1_000, now, signal)
      }
    },
  }
}

async function play(
  parts: readonly Buffer[],
  everyMs: number,
  startAt: number,
  now: Clock,
  signal: AbortSignal,
  send: (part: Buffer, at: number) => void,
): Promise<void> {
  for (const [index, part] of parts.entries()) {
    const at = startAt + index * everyMs
    await until(at, now, signal)
    if (signal.aborted) return
    send(part, at)
  }
}

/** Cut short by the abort, whose rejection means nothing here. */
async function until(at: number, now: Clock, signal: AbortSignal): Promise<void> {
  const restMs = at - now()
  if (restMs > 0 && !signal.aborted) await wait(restMs, undefined, { signal }).catch(() => undefined)
}
