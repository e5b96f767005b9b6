/** One running source for all viewers of a camera: started by the first of them, stopped after the last. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock, Log } from '../ports.ts'
import type { MediaInfo, MediaSink, MediaSource, VideoUnit } from './media.ts'
import { createFileSource, createRtspSource } from './recorded.ts'
import { createSyntheticSource } from './synthetic.ts'

/** Key frames are large: viewers that lose packets may not ask for them more often than this. */
const keyFrameEveryMs = 500
/** A group of pictures longer than this is not kept for newcomers. */
const maxRecentBytes = 4 * 1_024 * 1_024
const restartMs = 1_000

/** `synthetic`, the URL of an RTSP camera, or the path of a media file. `name` is what a synthetic camera shows. */
export function createSource(source: string, name: string, clock: Clock, log: Log): MediaSource {
  if (source === 'synthetic') return createSyntheticSource(name, clock)
  if (/^rtsps?:\/\//i.test(source)) return createRtspSource(source, clock, log)
  return createFileSource(source, clock, log)
}

export interface SharedSource {
  describe(signal: AbortSignal): Promise<MediaInfo>
  /** Begins to feed the sink; the returned function ends it and may be called twice. */
  join(sink: MediaSink): () => void
  /** Asks for a key frame now. False when none will come: the source cannot make one, or just made one. */
  requestKeyFrame(): boolean
  /** The pictures since the last key frame, which is the first of them; empty when there was none or it was too long ago. */
  recent(): readonly VideoUnit[]
  /** Ends the source and waits until it has let go of everything. */
  close(): Promise<void>
}

export function shareSource(source: MediaSource, log: Log): SharedSource {
  const sinks = new Set<MediaSink>()
  const stopped = new Set<Promise<void>>()
  let life: AbortController | undefined
  let recent: VideoUnit[] = []
  let recentBytes = 0
  let lastKeyAt = -Infinity

  const keep = (unit: VideoUnit) => {
    if (unit.isKey) {
      recent = []
      recentBytes = 0
      lastKeyAt = performance.now()
    } else if (recent.length === 0) return
    recent.push(unit)
    recentBytes += unit.payloads.reduce((sum, payload) => sum + payload.length, 0)
    if (recentBytes > maxRecentBytes) recent = []
  }
  const feed: MediaSink = {
    video(unit) {
      keep(unit)
      for (const sink of sinks) sink.video(unit)
    },
    audio(packet) {
      for (const sink of sinks) sink.audio(packet)
    },
  }
  const start = () => {
    const { signal } = (life = new AbortController())
    const run = keepRunning(source, feed, signal, log)
    stopped.add(run)
    void run.finally(() => stopped.delete(run))
  }
  const stop = () => {
    life?.abort()
    life = undefined
    recent = []
    lastKeyAt = -Infinity
  }

  return {
    describe: (signal) => source.describe(signal),
    join(sink) {
      sinks.add(sink)
      if (!life) start()
      return () => {
        if (sinks.delete(sink) && sinks.size === 0) stop()
      }
    },
    requestKeyFrame() {
      if (performance.now() - lastKeyAt < keyFrameEveryMs || !source.requestKeyFrame()) return false
      lastKeyAt = performance.now()
      return true
    },
    recent: () => recent,
    async close() {
      sinks.clear()
      stop()
      await Promise.all(stopped)
    },
  }
}

/** Runs the source until the signal aborts, again when it breaks. Never rejects. */
async function keepRunning(source: MediaSource, sink: MediaSink, signal: AbortSignal, log: Log): Promise<void> {
  const whileWanted: MediaSink = {
    video: (unit) => (signal.aborted ? undefined : sink.video(unit)),
    audio: (packet) => (signal.aborted ? undefined : sink.audio(packet)),
  }
  while (!signal.aborted) {
    try {
      await source.run(whileWanted, signal)
    } catch (error) {
      if (!signal.aborted)
        log('error', 'source-broke', { message: error instanceof Error ? error.message : String(error) })
    }
    // The pause is cut short by the abort, whose rejection means nothing here.
    if (!signal.aborted) await wait(restartMs, undefined, { signal }).catch(() => undefined)
  }
}
