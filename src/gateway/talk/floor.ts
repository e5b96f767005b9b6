/** Who may speak through a camera: the first that talks has the floor until it is silent for a while; the way is open only then. */
import type { Log } from 'transom-core/ports'
import { openListener, powerOf } from '../listener.ts'
import type { PlayedTone } from 'transom-core/wire/source'
import { faultOf, SourceError, type SoundCodec } from '../media.ts'
import type { Ear } from '../ear.ts'
import { createDelays } from './delays.ts'
import { createPlayout, createQueue, type Packet, type Playout } from './playout.ts'
import type { Line, Speaker } from './speaker.ts'
import { playTone } from './tone.ts'

/** Quieter than this (RMS, 1 is full scale) nobody talks. */
const voiceLevel = 0.004
/** What is kept of the time before the first word, in packets: the beginning of a syllable is not loud yet. */
const mostBefore = 10
/** The camera's own sound is silent for so long after a word of a talk, where it cannot listen and speak at once. */
const echoMs = 600
/** After a failure the next word does not try again at once. */
const retryMs = 5_000

export interface Floor {
  /** What hears one viewer. `onBroken` is told once, with FFmpeg's words, when its sound cannot be decoded. */
  createEar(codec: SoundCodec, onBroken: (message: string) => void): Promise<Ear>
  /** Plays a tone while nobody talks, and keeps others from talking meanwhile. Throws `SourceError`. */
  playTone(signal: AbortSignal): Promise<PlayedTone>
  /** Something was played just now. */
  isSpeaking(): boolean
  close(): Promise<void>
}

export function createFloor(speaker: Speaker, log: Log): Floor {
  let holder: object | undefined
  let talk: Talk | undefined
  let notBefore = 0
  let spokeAt = -Infinity
  const ending = new Set<Promise<void>>()

  function end(): void {
    const ended = talk?.close()
    talk = undefined
    holder = undefined
    if (!ended) return
    ending.add(ended)
    void ended.finally(() => ending.delete(ended))
  }
  function begin(): Talk | undefined {
    if (performance.now() < notBefore) return undefined
    talk ??= startTalk(
      speaker,
      () => (spokeAt = performance.now()),
      (error) => {
        if (error) {
          notBefore = performance.now() + retryMs
          log('warn', 'gateway.talk-back-failed', { error: faultOf(error).message })
        }
        end()
      },
    )
    return talk
  }
  /** Whether `who` may speak now, and begins to if nobody does. */
  const take = (who: object, isVoice: boolean): boolean => {
    if (isVoice) holder ??= who
    return holder === who
  }

  return {
    async createEar(codec, onBroken) {
      const listener = await openListener(codec, onBroken)
      const me = {}
      const before: Packet[] = []
      const meter = createMeter()
      return {
        hear(payload) {
          for (const samples of listener.hear(payload)) {
            const isVoice = meter.measure(samples) > voiceLevel
            before.push({ samples, isVoice, heardAt: performance.now(), accepted: meter.accepted })
            if (before.length > mostBefore) before.shift()
            const mayTalk = take(me, isVoice)
            if (isVoice) meter.waits(!mayTalk)
            if (!mayTalk) continue
            // The first syllable came before it was loud enough.
            const current = begin()
            for (const packet of before.splice(0)) current?.play(packet)
          }
        },
        heard: meter.read,
        close() {
          listener.close()
          if (holder === me) end()
        },
      }
    },
    async playTone(signal) {
      if (holder !== undefined) throw new SourceError('source_busy', 'somebody is talking through the camera')
      const me = (holder = {})
      try {
        return await playTone(speaker, signal)
      } finally {
        if (holder === me) holder = undefined
      }
    },
    isSpeaking: () => performance.now() - spokeAt < echoMs,
    async close() {
      end()
      await Promise.all(ending)
    },
  }
}

/** What is known of one talker. */
function createMeter() {
  const delays = createDelays()
  let packets = 0
  let isWaiting = false
  let squares = 0
  let samples = 0
  return {
    /** The RMS level of these. */
    measure(piece: Int16Array): number {
      const power = powerOf(piece)
      squares += power
      samples += piece.length
      return Math.sqrt(power / piece.length)
    },
    accepted(delayMs: number): void {
      packets += 1
      delays.add(delayMs)
    },
    /** It talks, and somebody else has the floor. */
    waits: (does: boolean) => void (isWaiting = does),
    read() {
      const level = samples === 0 ? 0 : Number(Math.min(1, Math.sqrt(squares / samples)).toFixed(4))
      squares = 0
      samples = 0
      const delayMs = delays.p95()
      const said = {
        packets,
        level,
        ...(delayMs !== undefined && { delayMs }),
        ...(isWaiting && ({ isWaiting } as const)),
      }
      isWaiting = false
      return said
    },
  }
}

interface Talk {
  play(packet: Packet): void
  close(): Promise<void>
}

/** `onPlayed`: of each word; `onEnd`: the camera ended it, with an error, or nobody talks any more. */
function startTalk(speaker: Speaker, onPlayed: () => void, onEnd: (error?: unknown) => void): Talk {
  const life = new AbortController()
  const { signal } = life
  const queue = createQueue()
  let line: Line | undefined
  let playout: Playout | undefined
  /** What ends from now on ends because it was asked to. */
  let isOver = false

  async function run(): Promise<void> {
    const opened = (line = await speaker.open(signal))
    if (!isOver) playout = createPlayout(opened, queue, { onPlayed, onSilence: () => onEnd() })
    const reason = await opened.ended
    if (!isOver) throw reason
  }

  const running = run().catch((error: unknown) => {
    if (!isOver) onEnd(error)
  })
  return {
    play(packet) {
      queue.add(packet)
      playout?.added(packet)
    },
    async close() {
      isOver = true
      playout?.close()
      // Before the abort, which cuts the connection: cameras want to be told.
      await line?.close()
      life.abort()
      await running
      await line?.close()
    },
  }
}
