/** Plays what was recorded to one viewer as if it happened now: from any instant, at any speed, with pauses. */
import type { PlaybackCommand, PlaybackState, RecordedSpan } from 'transom-core/wire/playback'
import type { AudioPacket, MediaSink, VideoUnit } from '../media.ts'

/** A recorded picture. */
export interface RecordedUnit extends VideoUnit {
  /** No other picture refers to it, so that it may be left out (`nal_ref_idc` 0, H.264 section 7.4.1). */
  readonly isDisposable: boolean
}

/** Some whole groups of pictures with their sound; instants are those of the recording. */
export interface Part {
  /** When its first picture was taken, and until when the last one lasts. */
  readonly from: number
  readonly to: number
  /** In the order of time, beginning with a key frame. */
  readonly items: readonly PartItem[]
}

export type PartItem =
  | { readonly kind: 'video'; readonly unit: RecordedUnit }
  | { readonly kind: 'audio'; readonly packet: AudioPacket }

export interface PlaybackOptions {
  readonly span: RecordedSpan
  /** The part with the picture of an instant, or else the first one after it. Rejects when it cannot be read. */
  readonly read: (at: number, signal: AbortSignal) => Promise<Part | undefined>
  readonly tell: (state: PlaybackState) => void
  /** It cannot be read any further. */
  readonly onFault: (error: unknown) => void
}

export interface Playback {
  /** Begins to read ahead; sends nothing before `requestKeyFrame`. The returned function ends it. */
  join(sink: MediaSink): () => void
  /** The viewer is there, or has lost the picture: begins, or shows the picture again. False when it just did. */
  requestKeyFrame(): boolean
  /** Follows the player's word. One that is not newer than the last is ignored. */
  follow(command: PlaybackCommand): void
}

/** More than displays show a second. */
const mostRate = 60
/** More than they decode. */
const mostDecoded = 120
const tellEachMs = 250
/** A viewer that loses packets gets the picture again not more often than this. */
const repairEachMs = 1_000
/** A camera's own stutter is no gap. */
const gapMs = 1_000

/** Makes one, which does nothing before `join`. Nothing throws: what cannot be read ends it. */
export function createPlayback({ span, read, tell, onFault }: PlaybackOptions): Playback {
  const life = new AbortController()
  let sink: MediaSink | undefined
  let isStarted = false
  const started = Promise.withResolvers<void>()
  let known = 0
  let speed = 1
  let isPaused = false
  let isOver = false
  /** Pictures to be shown in spite of the pause. */
  let steps = 0
  /** Of the picture that was sent last. */
  let position = span.from
  /** The instant `at` of the recording is shown at `out` of the machine's steady time. */
  let anchor = { at: span.from, out: performance.now() }
  /** What is sent carries times of its own, which never go back: a viewer knows no other instants than those. */
  let stamp = -Infinity
  let toldAt = -Infinity
  let repairedAt = -Infinity
  let needsKey = false
  const end = span.to ?? Infinity
  let run = new AbortController()
  /** Ends the sleep of what is being played; there is one at most. */
  let wake: (() => void) | undefined

  const report = () => {
    toldAt = performance.now()
    tell({ id: known, at: Math.round(position), isPaused, speed, isOver })
  }
  const dueOf = (at: number) => anchor.out + (at - anchor.at) / speed
  const now = () => Math.min(anchor.at + (performance.now() - anchor.out) * speed, position + gapMs)

  const show = (unit: RecordedUnit, out: number) => {
    needsKey = false
    stamp = Math.max(out, stamp + 1)
    position = unit.at
    sink?.video({ ...unit, at: stamp })
  }

  /** Whether the moment of an item has come: not for sound that nobody is to hear. */
  async function isDue(item: PartItem, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      const at = item.kind === 'video' ? item.unit.at : item.packet.at
      if (isPaused && steps > 0) {
        if (item.kind === 'audio') return false
        steps -= 1
        anchor = { at, out: performance.now() }
        return true
      }
      const leftMs = isPaused ? Infinity : dueOf(at) - performance.now()
      if (leftMs <= 0) return item.kind === 'video' || speed === 1
      await sleep(leftMs, signal)
    }
  }

  /** So long, or until `wake`. */
  async function sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = ms === Infinity ? undefined : setTimeout(resolve, ms)
    wake = resolve
    await promise
    clearTimeout(timer)
    signal.throwIfAborted()
  }

  async function playFrom(from: number, signal: AbortSignal): Promise<void> {
    let part = await read(from, signal)
    await started.promise
    signal.throwIfAborted()
    if (part === undefined || part.from >= end) return finish()
    const begin = Math.max(from, part.from)
    // Decoders begin at the key frame and run through what lies between it and the picture that is wanted.
    const before = part.items.flatMap((item) => (item.kind === 'video' && item.unit.at <= begin ? [item.unit] : []))
    for (const unit of before) show(unit, performance.now())
    anchor = { at: begin, out: performance.now() }
    report()
    let items = part.items.filter((item) => (item.kind === 'video' ? item.unit : item.packet).at > begin)
    while (part !== undefined) {
      const next: Promise<Part | undefined> = read(part.to, signal)
      // It is awaited below, unless something ends this before.
      next.catch(() => undefined)
      if (!(await playPart(part, items, signal))) return finish()
      const endOut = dueOf(part.to)
      const { to } = part
      part = await next
      signal.throwIfAborted()
      if (part === undefined) break
      items = [...part.items]
      // What was not recorded is passed over, and what came late from the disk is not made up for.
      const out = Math.max(performance.now(), endOut)
      if (part.from - to > gapMs || performance.now() > dueOf(part.from)) anchor = { at: part.from, out }
    }
    finish()
  }

  /** False where the end of the span is reached. */
  async function playPart(part: Part, items: readonly PartItem[], signal: AbortSignal): Promise<boolean> {
    for (const item of items) {
      if ((item.kind === 'video' ? item.unit : item.packet).at >= end) return false
      if (!(await isDue(item, signal))) continue
      if (item.kind === 'audio') sink?.audio({ ...item.packet, at: dueOf(item.packet.at) })
      else if (isShown(item.unit, part)) show(item.unit, dueOf(item.unit.at))
      else needsKey ||= !item.unit.isDisposable
      if (item.kind === 'video' && (isPaused || performance.now() - toldAt >= tellEachMs)) report()
    }
    return true
  }

  /** Played fast, there is more than displays can show: then what others do not need is left out, or all but key frames. */
  function isShown(unit: RecordedUnit, { items, from, to }: Part): boolean {
    if (unit.isKey || isPaused) return unit.isKey || !needsKey
    const pictures = items.flatMap((item) => (item.kind === 'video' ? [item.unit] : []))
    const rateOf = (count: number) => (count * 1_000 * speed) / Math.max(1, to - from)
    if (rateOf(pictures.length) > mostRate && unit.isDisposable) return false
    const needed = pictures.filter(({ isDisposable }) => !isDisposable)
    return !needsKey && (rateOf(pictures.length) <= mostRate || rateOf(needed.length) <= mostDecoded)
  }

  function finish(): void {
    isOver = true
    report()
  }

  /** Leaves what is being played, and goes on from there. */
  function goTo(at: number): void {
    run.abort()
    wake?.()
    run = new AbortController()
    isOver = false
    const signal = AbortSignal.any([run.signal, life.signal])
    playFrom(at, signal).catch((error: unknown) => {
      if (signal.aborted) return
      finish()
      onFault(error)
    })
  }

  return {
    join(given) {
      sink = given
      goTo(span.from)
      return () => {
        life.abort()
        wake?.()
      }
    },
    requestKeyFrame() {
      if (performance.now() - repairedAt < repairEachMs) return false
      repairedAt = performance.now()
      if (isStarted) goTo(position)
      isStarted = true
      started.resolve()
      return true
    },
    follow({ id, at, isPaused: pausing, speed: wanted, step }) {
      if (id <= known) return
      known = id
      anchor = { at: isPaused ? position : now(), out: performance.now() }
      speed = wanted ?? speed
      isPaused = step === undefined ? (pausing ?? isPaused) : true
      steps = step === 1 && at === undefined ? 1 : 0
      if (at !== undefined) return goTo(at)
      // Before the first picture of a part lies the last one of the part before it.
      if (step === -1) return goTo(position - 1)
      if (steps === 0 || isOver) report()
      wake?.()
    },
  }
}
