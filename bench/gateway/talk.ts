/** Talk-back in the gateway: from a display's packet in to the camera's packet out, beside the limit of 60 ms. */
import { setTimeout as wait } from 'node:timers/promises'
import { createFloor } from '../../src/gateway/talk/floor.ts'
import { SourceError } from '../../src/gateway/media.ts'
import type { Line } from '../../src/gateway/talk/speaker.ts'
import { loadTone } from '../../src/simulator/tone.ts'

const limitMs = 60
const packetMs = 20

/** A camera that takes `openMs` until its way back is open. */
async function measure(openMs: number, seconds: number): Promise<number> {
  let played = 0
  const { promise: ended, resolve: end } = Promise.withResolvers<SourceError>()
  const line: Line = {
    play: () => (played += 1) > 0,
    ended,
    close: async () => end(new SourceError('source_stopped', 'closed here')),
  }
  const floor = createFloor({ open: () => wait(openMs, line) }, () => undefined)
  const ear = await floor.createEar('opus', () => undefined)
  const tone = await loadTone()
  const startedAt = performance.now()
  for (let index = 0; index < (seconds * 1_000) / packetMs; index += 1) {
    const restMs = startedAt + index * packetMs - performance.now()
    if (restMs > 0) await wait(restMs)
    ear.hear(tone[index % tone.length] ?? Buffer.alloc(0))
  }
  const { delayMs = Number.NaN } = ear.heard()
  ear.close()
  await floor.close()
  if (played === 0) throw new Error('nothing was played')
  return delayMs
}

/** Prints the delays of talks of so many seconds. */
export async function measureTalk(seconds: number): Promise<void> {
  for (const openMs of [0, 100, 400]) {
    const delayMs = await measure(openMs, seconds)
    const ratio = (delayMs / limitMs).toFixed(2)
    console.log(`talk-back, way open after ${openMs} ms: p95 ${delayMs} ms, ${ratio} of ${limitMs} ms`)
  }
}
