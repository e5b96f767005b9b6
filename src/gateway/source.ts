/** One running source for all viewers of a camera: started by the first of them, stopped after the last. */
import type { Clock, Fault, Log } from 'transom-core/ports'
import { streamAddress, type PlayedTone } from 'transom-core/wire/source'
import { createClipSource } from './clip.ts'
import type { Ear } from './ear.ts'
import { hasFfmpeg } from './ffmpeg.ts'
import { createHealth, type SourceState } from './health.ts'
import {
  SourceError,
  type MediaInfo,
  type MediaSink,
  type MediaSource,
  type SoundCodec,
  type SourceSink,
  type VideoCodec,
  type VideoUnit,
} from './media.ts'
import type { Trust } from './trust.ts'
import { createFileSource } from './recorded.ts'
import { createNetworkSource } from './network-source.ts'
import type { PictureMemory } from './picture-memory.ts'
import type { Patience } from './patience.ts'
import { createRecent } from './recent.ts'
import { keepRunning } from './running.ts'
import { refusalOf, schemeOf } from './schemes.ts'
import { createSyntheticSource } from './synthetic.ts'
import { createEar } from './talk-back.ts'

const isNetwork = /^(rtsp|whep)s?$/
/** Key frames are large: viewers that lose packets may not ask for them more often than this. */
const keyFrameEveryMs = 500

/**
 * `synthetic`, the URL of an RTSP or WHEP camera, or the path of a media file. `name` is what a synthetic camera shows; `trust` and
 * `patience` as of `createNetworkSource`.
 */
export function createSource(
  source: string,
  name: string,
  clock: Clock,
  log: Log,
  trust?: Trust,
  patience?: Patience,
): MediaSource {
  if (source === 'synthetic') return createDemoSource(name, clock)
  const scheme = schemeOf(source)
  if (scheme === undefined) return createFileSource(source, clock, log)
  try {
    if (isNetwork.test(scheme) || streamAddress.test(source.trim()))
      return createNetworkSource(source, clock, log, trust, patience)
    throw new SourceError('source_invalid', refusalOf(scheme))
  } catch (error) {
    return createUnusableSource(error)
  }
}

/** Its address will not do: known at once, and nobody else's trouble. */
function createUnusableSource(error: unknown): MediaSource {
  const refuse = async () => {
    throw error
  }
  return { describe: refuse, run: refuse, requestKeyFrame: () => false, close: async () => {} }
}

/** The synthetic doorbell where FFmpeg is installed, otherwise a recording of it. */
function createDemoSource(name: string, clock: Clock): MediaSource {
  let chosen: Promise<MediaSource> | undefined
  let running: MediaSource | undefined
  const choose = () =>
    (chosen ??= hasFfmpeg().then((isThere) => {
      running = isThere ? createSyntheticSource(name, clock) : createClipSource(clock)
      return running
    }))
  return {
    describe: async (signal) => (await choose()).describe(signal),
    run: async (sink, signal) => (await choose()).run(sink, signal),
    requestKeyFrame: () => running?.requestKeyFrame() ?? false,
    still: async () => (await choose()).still?.(),
    close: async () => running?.close(),
  }
}

export interface SharedSource {
  /** As of `MediaSource`. */
  still(): Promise<Buffer | undefined>
  /** Whether it delivers pictures, or would at once; `undefined` until that is known. */
  state(): SourceState | undefined
  /** Why there are no pictures now. */
  fault(): Fault | undefined
  /** Resolves when the state is not this one any more, or the signal aborts. */
  changed(from: SourceState | undefined, signal: AbortSignal): Promise<void>
  /** Begins to feed the sink, with pictures in this codec, default H.264; the returned function ends it and may be called twice. */
  join(sink: MediaSink, codec?: VideoCodec): () => void
  /** What hears one viewer of a camera that has a speaker. */
  createEar(codec: SoundCodec, onBroken: (message: string) => void): Promise<Ear>
  /** As of `MediaSource`; throws also where it has no loudspeaker of its own. */
  playTone(signal: AbortSignal): Promise<PlayedTone>
  /** Asks for a key frame now. False when none will come: the source cannot make one, or just made one. */
  requestKeyFrame(codec?: VideoCodec): boolean
  /** The pictures since the last key frame, which is the first of them; empty when there was none or it was too long ago. */
  recent(codec?: VideoCodec): readonly VideoUnit[]
  /** The next one, while others keep the source running; it is not run for this. */
  nextKeyFrame(): Promise<VideoUnit>
  /** It is not pulled from while nobody watches: a network camera. */
  readonly isOnDemand: boolean
  /** Runs it for so many milliseconds from now on, for displays that will come. */
  warm(ms: number): void
  /** Ends the source and waits until it has let go of everything. */
  close(): Promise<void>
}

/** Begins at once to watch over the source, and runs it while somebody has joined. `memory`: shared with other cameras. */
export function shareSource(source: MediaSource, log: Log, memory?: PictureMemory): SharedSource {
  const sinks = new Map<MediaSink, VideoCodec>()
  const stopped = new Set<Promise<void>>()
  const health = createHealth(source, log)
  const watching = new AbortController()
  let life: AbortController | undefined
  const recent = { H264: createRecent(memory), H265: createRecent(memory) }
  const forget = () => Object.values(recent).forEach((one) => one.forget())
  let lastKeyAt = -Infinity
  let keyFrame = Promise.withResolvers<VideoUnit>()
  let warming: NodeJS.Timeout | undefined
  let cool: (() => void) | undefined
  const watched = health.watch(() => life !== undefined, watching.signal)

  const show = (unit: VideoUnit, codec: VideoCodec) => {
    for (const [sink, wanted] of sinks) if (wanted === codec) sink.video(unit)
  }
  const feed: SourceSink = {
    video(unit) {
      recent.H264.keep(unit)
      if (unit.isKey) {
        lastKeyAt = performance.now()
        keyFrame.resolve(unit)
        keyFrame = Promise.withResolvers()
      }
      show(unit, 'H264')
    },
    h265(unit) {
      recent.H265.keep(unit)
      show(unit, 'H265')
    },
    isH264Wanted: () => [...sinks.values()].includes('H264'),
    audio(packet) {
      for (const sink of sinks.keys()) sink.audio(packet)
    },
    described: (info: MediaInfo) => health.good(info),
  }
  const start = () => {
    const { signal } = (life = new AbortController())
    const run = keepRunning(source, feed, { ...health, ended: forget }, signal)
    stopped.add(run)
    void run.finally(() => stopped.delete(run))
  }
  const stop = () => {
    life?.abort()
    life = undefined
    forget()
    lastKeyAt = -Infinity
  }

  const join = (sink: MediaSink, codec: VideoCodec = 'H264') => {
    sinks.set(sink, codec)
    if (!life) start()
    return () => {
      if (sinks.delete(sink) && sinks.size === 0) stop()
    }
  }

  return {
    state: health.state,
    fault() {
      const state = health.state()
      return state?.kind === 'faulty' ? state.fault : undefined
    },
    changed: health.changed,
    createEar: (codec, onBroken) => source.createEar?.(codec, onBroken) ?? createEar(codec, onBroken),
    still: async () => source.still?.(),
    async playTone(signal) {
      if (!source.playTone) throw new SourceError('source_invalid', 'this is no camera with a loudspeaker of its own')
      return source.playTone(signal)
    },
    join,
    requestKeyFrame(codec = 'H264') {
      if (codec === 'H265') return source.requestKeyFrame(codec)
      if (performance.now() - lastKeyAt < keyFrameEveryMs || !source.requestKeyFrame()) return false
      lastKeyAt = performance.now()
      return true
    },
    recent: (codec = 'H264') => recent[codec].units(),
    nextKeyFrame: () => keyFrame.promise,
    isOnDemand: source.checkEachMs !== undefined,
    warm(ms) {
      const leave = join({ video: () => undefined, audio: () => undefined })
      clearTimeout(warming)
      cool?.()
      cool = leave
      warming = setTimeout(leave, ms)
      warming.unref()
    },
    async close() {
      clearTimeout(warming)
      sinks.clear()
      watching.abort()
      stop()
      await Promise.all([watched, ...stopped])
      await source.close()
    },
  }
}
