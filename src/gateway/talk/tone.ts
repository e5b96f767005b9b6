/** A tone at the camera's loudspeaker, to try talk-back without anybody who speaks. */
import { packetMs, packetSamples, rate } from '../listener.ts'
import type { PlayedTone } from 'transom-core/wire/source'
import type { Speaker } from './speaker.ts'

const packets = 75
/** Hz, one after the other: two bells. */
const pitches = [660, 550, 660] as const
const loudness = 0.3 * 32_767

/** Plays a second and a half, and says how much of it the camera accepted. Throws `SourceError`, and when the signal aborts. */
export async function playTone(speaker: Speaker, signal: AbortSignal): Promise<PlayedTone> {
  const life = new AbortController()
  const bounds = AbortSignal.any([signal, life.signal])
  const line = await speaker.open(bounds)
  const over = Promise.withResolvers<void>()
  const onAbort = () => over.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const startedAt = performance.now()
  let slot = 0
  let accepted = 0
  const ticking = setInterval(() => {
    for (const due = Math.floor((performance.now() - startedAt) / packetMs); slot < due; slot += 1) {
      if (slot === packets) return over.resolve()
      if (line.play(toneOf(slot), slot)) accepted += 1
    }
  }, packetMs)
  try {
    signal.throwIfAborted()
    await Promise.race([over.promise, line.ended.then((reason) => Promise.reject(reason))])
    return { packets: accepted, sent: packets }
  } finally {
    clearInterval(ticking)
    signal.removeEventListener('abort', onAbort)
    // Before the abort, which cuts the connection: cameras want to be told.
    await line.close()
    life.abort()
  }
}

function toneOf(slot: number): Int16Array {
  const pitch = pitches[Math.floor((slot * pitches.length) / packets)] ?? 0
  return Int16Array.from({ length: packetSamples }, (_, index) => {
    const at = (slot * packetSamples + index) / rate
    return loudness * Math.sin(2 * Math.PI * pitch * at)
  })
}
