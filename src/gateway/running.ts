/** Runs a source while somebody watches: again when it breaks, and says how it fares. */
import type { Health } from './health.ts'
import { SourceError, type MediaSource, type SourceSink, type VideoUnit } from './media.ts'
import { createBackoff } from './retry.ts'
import { pause } from 'transom-core/deadline'

const retries = { firstMs: 250, lastMs: 10_000 }
/** Opening a stream takes a camera a few seconds. */
const firstPictureMs = 10_000
/** A picture that stands still for so long is noticed, whatever else still comes. */
const nextPictureMs = 5_000
const keyFrameMs = 30_000

/** What is told how the source fares. */
export interface RunningHealth extends Pick<Health, 'delivers' | 'faulty'> {
  /** One run is over: what the next one yields does not go on from it. */
  ended(): void
}

/** Runs the source until the signal aborts. Never rejects. */
export async function keepRunning(
  source: MediaSource,
  sink: SourceSink,
  health: RunningHealth,
  signal: AbortSignal,
): Promise<void> {
  const backoff = createBackoff(retries)
  while (!signal.aborted) {
    const { failure, hadKey } = await runOnce(source, sink, health, signal)
    health.ended()
    if (signal.aborted) return
    // A stream that broke and is there again in a moment is no news.
    if (hadKey) backoff.reset()
    else health.faulty(failure)
    await pause(backoff.next(), signal)
  }
}

/** One run, from its start to its end or to the moment when too little has come for too long. */
async function runOnce(
  source: MediaSource,
  sink: SourceSink,
  health: RunningHealth,
  signal: AbortSignal,
): Promise<{ readonly failure: unknown; readonly hadKey: boolean }> {
  const attempt = new AbortController()
  let hadKey = false
  let failure: unknown = new SourceError('source_stopped', 'the stream ended')
  const giveUp = (error: SourceError) => () => {
    failure = error
    health.faulty(error)
    attempt.abort()
  }
  const still = giveUp(new SourceError('source_stopped', `no picture came for ${nextPictureMs / 1_000} s`))
  const keyless = giveUp(new SourceError('source_no_key_frame', `no key frame came for ${keyFrameMs / 1_000} s`))
  let picture = setTimeout(
    giveUp(new SourceError('source_stopped', `no picture came within ${firstPictureMs / 1_000} s`)),
    firstPictureMs,
  )
  const key = setTimeout(keyless, keyFrameMs)
  let hasPicture = false
  const bounds = AbortSignal.any([signal, attempt.signal])
  /** Whether it may be shown. */
  const see = (unit: VideoUnit): boolean => {
    if (bounds.aborted) return false
    if (hasPicture) picture.refresh()
    else {
      hasPicture = true
      clearTimeout(picture)
      picture = setTimeout(still, nextPictureMs)
    }
    if (unit.isKey) {
      key.refresh()
      hadKey = true
    }
    // Before the first key frame of a connection pictures refer to some that nobody has.
    if (!hadKey) return false
    health.delivers()
    return true
  }
  const watched: SourceSink = {
    video: (unit) => (see(unit) ? sink.video(unit) : undefined),
    h265: (unit) => (see(unit) ? sink.h265?.(unit) : undefined),
    isH264Wanted: () => sink.isH264Wanted?.() ?? true,
    audio: (packet) => (bounds.aborted ? undefined : sink.audio(packet)),
    described: (info) => (bounds.aborted ? undefined : sink.described(info)),
  }
  try {
    await source.run(watched, bounds)
  } catch (error) {
    if (!attempt.signal.aborted) failure = error
  } finally {
    clearTimeout(picture)
    clearTimeout(key)
  }
  return { failure, hadKey }
}
