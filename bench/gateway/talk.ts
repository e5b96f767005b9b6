/**
 * Talk-back in the gateway beside the limit of 60 ms, with a camera that takes its time to open the way: how long sound waits
 * here once it is open, how long from packet in to packet out with the opening, and how soon the talk has caught up with it.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { encodeG711 } from '../../src/gateway/g711.ts'
import { SourceError, type SoundCodec } from '../../src/gateway/media.ts'
import { createDelays } from '../../src/gateway/talk/delays.ts'
import { createFloor } from '../../src/gateway/talk/floor.ts'
import { loadTone } from '../../src/simulator/tone.ts'

const limitMs = 60
const packetMs = 20

interface Talk {
  readonly codec: SoundCodec
  /** The packet of this number, which is heard now. */
  say(index: number): Buffer
  /** What the camera is given now. */
  play(samples: Int16Array): void
}

/** Talks for so many seconds to a camera that takes `openMs` until its way is open; resolves with the delay that a session states. */
async function run({ codec, say, play }: Talk, openMs: number, seconds: number): Promise<number> {
  const { promise: ended, resolve: end } = Promise.withResolvers<SourceError>()
  const line = {
    play(samples: Int16Array) {
      play(samples)
      return true
    },
    ended,
    close: async () => end(new SourceError('source_stopped', 'closed here')),
  }
  const floor = createFloor({ open: () => wait(openMs, line) }, () => undefined)
  const ear = await floor.createEar(codec, () => undefined)
  const startedAt = performance.now()
  for (let index = 0; index < (seconds * 1_000) / packetMs; index += 1) {
    const restMs = startedAt + index * packetMs - performance.now()
    if (restMs > 0) await wait(restMs)
    ear.hear(say(index))
  }
  const { packets, delayMs = Number.NaN } = ear.heard()
  ear.close()
  await floor.close()
  if (packets === 0) throw new Error('nothing was played')
  return delayMs
}

/** A talk in the Opus of displays: the delay of the gateway, p95. */
async function measureOpus(openMs: number, seconds: number): Promise<number> {
  const tone = await loadTone()
  const say = (index: number) => tone[index % tone.length] ?? Buffer.alloc(0)
  return run({ codec: 'opus', say, play: () => undefined }, openMs, seconds)
}

/** A talk in G.711 whose packets are known again at the camera: from packet in to packet out, and how soon that is below the limit. */
async function measureMarks(openMs: number, seconds: number) {
  const heardAt: number[] = []
  const delays = createDelays()
  let firstAt: number | undefined
  let lateAt = 0
  /** Codes of PCMU that are loud. */
  const marks = 100
  const say = (index: number): Buffer => {
    heardAt[index % marks] = performance.now()
    return Buffer.alloc(packetMs * 8, index % marks)
  }
  const play = (samples: Int16Array): void => {
    const now = performance.now()
    // Of two packets in one, the first sample is that of the older one.
    const [mark = 0] = encodeG711('PCMU', samples.subarray(0, 1))
    const delayMs = now - (heardAt[mark] ?? now)
    firstAt ??= now
    delays.add(delayMs)
    if (delayMs > limitMs) lateAt = now
  }
  await run({ codec: 'PCMU', say, play }, openMs, seconds)
  return { withOpening: delays.p95(), caughtUpMs: Math.max(0, Math.round(lateAt - (firstAt ?? 0))) }
}

/** Prints the delays of talks of so many seconds. */
export async function measureTalk(seconds: number): Promise<void> {
  // The first one loads FFmpeg.
  await measureOpus(0, 1)
  const rows = []
  for (const openMs of [0, 100, 400, 900]) {
    const [ours, { withOpening, caughtUpMs }] = await Promise.all([
      measureOpus(openMs, seconds),
      measureMarks(openMs, seconds),
    ])
    rows.push({
      'way open after ms': openMs,
      'p95 in the gateway': ours,
      [`of ${limitMs}`]: (ours / limitMs).toFixed(2),
      'p95 with the opening': withOpening,
      [`below ${limitMs} after ms`]: caughtUpMs,
    })
  }
  console.log(`talk-back, talks of ${seconds} s, ms`)
  console.table(rows)
}
