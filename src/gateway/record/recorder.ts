/** Records a camera: always, or from some seconds before something happens to some seconds after. */
import type { Clock, Log } from 'transom-core/ports'
import type { RecordWish } from 'transom-core/wire/gateway'
import type { AudioPacket, VideoUnit } from '../media.ts'
import type { SharedSource } from '../source.ts'
import { createTimeOfDay } from './time-of-day.ts'
import { createSegmenter, formOf, type Segment, type Segmenter } from './segmenter.ts'

/** Where recordings are kept. None of these rejects: what fails is told by `onLost` of `begin`. */
export interface RecordingPlace {
  /** `onLost`: it cannot be kept any longer; nothing more need be sent. */
  begin(startAt: number, codecs: string, onLost: () => void): RecordingPost
  /** Resolves when all that was sent is kept or lost. */
  settled(): Promise<void>
}

export interface RecordingPost {
  segment(segment: Segment): void
  /** A picture (JPEG) that stands for it. */
  picture(jpeg: Buffer): void
  end(): void
}

export interface Recorder {
  /** Something happened now: it is recorded, with what came before. */
  happened(): void
  /** Ends what is being recorded. May be called again. */
  close(): Promise<void>
}

/** What is kept ahead of an event is bounded in bytes, too. */
const mostAheadBytes = 32 * 1_024 * 1_024
/** After a recording that could not be kept, so that a full disk is not asked with every key frame. */
const restMs = 10_000
/** Without a picture for so long the recording is over. */
const stillMs = 10_000

type Sent =
  | { readonly kind: 'video'; readonly unit: VideoUnit }
  | { readonly kind: 'audio'; readonly packet: AudioPacket }

/** A group of pictures with the sound that came meanwhile. */
interface Group {
  readonly key: VideoUnit
  readonly sent: Sent[]
  bytes: number
}

interface Running {
  readonly segmenter: Segmenter
  readonly post: RecordingPost
  /** The parameter sets with which it began. */
  readonly set: string
}

export interface RecorderDeps {
  readonly source: Pick<SharedSource, 'join' | 'state'>
  readonly wish: RecordWish
  readonly place: RecordingPlace
  /** Makes a JPEG of a key frame, where that is possible. */
  readonly toStill?: (key: VideoUnit) => Promise<Buffer>
  readonly clock: Clock
  readonly log: Log
}

/** Joins the source, which runs from now on. A recording begins and ends with a key frame. */
export function startRecorder({ source, wish, place, toStill, clock, log }: RecorderDeps): Recorder {
  const ahead = createAhead(wish.beforeMs)
  const finishing = new Set<Promise<void>>()
  const isAlways = wish.mode === 'always'
  const time = createTimeOfDay(clock)
  let lastAt = -Infinity
  let running: Running | undefined
  let wantedUntil = isAlways ? Infinity : -Infinity
  let restUntil = -Infinity
  /** What came before an event is not what a picture should show of it. */
  let isReplaying = false
  let still: NodeJS.Timeout | undefined

  const stopWaiting = (): void => {
    clearTimeout(still)
    still = undefined
  }
  function end(): void {
    stopWaiting()
    if (running === undefined) return
    const { segmenter, post } = running
    running = undefined
    const finished = segmenter
      .finish()
      .catch((error: unknown) => log('error', 'gateway.recording-failed', { startAt: segmenter.startAt, error }))
      .finally(() => {
        post.end()
        finishing.delete(finished)
      })
    finishing.add(finished)
  }

  function begin(key: VideoUnit): void {
    const state = source.state()
    const hasSound = state?.kind === 'good' && state.info.sound.includes('opus')
    const set = formOf(key)?.set
    if (set === undefined || clock() < restUntil) return
    let post: RecordingPost | undefined
    const segmenter = createSegmenter(key, hasSound, (segment) => post?.segment(segment))
    const onLost = () => {
      restUntil = clock() + restMs
      if (running?.segmenter !== segmenter) return
      stopWaiting()
      running = undefined
    }
    post = place.begin(segmenter.startAt, segmenter.codecs, onLost)
    running = { segmenter, set, post }
    still = setTimeout(end, stillMs)
    still.unref()
  }

  function feed(sent: Sent): void {
    if (sent.kind === 'audio') return running?.segmenter.audio(sent.packet)
    const { unit } = sent
    if (unit.isKey && running !== undefined) {
      const isOver = unit.at >= wantedUntil || unit.at - running.segmenter.startAt >= wish.longestMs
      if (isOver || formOf(unit)?.set !== running.set) end()
    }
    if (unit.isKey && running === undefined && unit.at < wantedUntil) {
      begin(unit)
      if (!isReplaying) picture(unit)
    }
    still?.refresh()
    running?.segmenter.video(unit)
  }

  function picture(key: VideoUnit): void {
    const post = running?.post
    if (post === undefined) return
    toStill?.(key)
      .then((jpeg) => post.picture(jpeg))
      .catch((error: unknown) => log('warn', 'gateway.still-missed', { error }))
  }

  const receive = (sent: Sent): void => {
    feed(sent)
    if (running === undefined) ahead.keep(sent)
  }
  /** What was recorded keeps the time that it had; from the next key frame on another one holds. */
  function clockWasSet(): void {
    end()
    ahead.take(Infinity)
    restUntil = -Infinity
    if (!isAlways) wantedUntil = lastAt < wantedUntil ? clock() + wish.afterMs : -Infinity
  }
  const leave = source.join({
    video(unit) {
      if (unit.isKey && time.follow(unit.at)) clockWasSet()
      lastAt = time.of(unit.at)
      receive({ kind: 'video', unit: { ...unit, at: lastAt } })
    },
    audio: (packet) => receive({ kind: 'audio', packet: { ...packet, at: time.of(packet.at) } }),
  })
  return {
    happened() {
      if (isAlways) return
      // The clock may have been put back since the last picture.
      wantedUntil = Math.max(wantedUntil, Math.max(clock(), lastAt) + wish.afterMs)
      if (running !== undefined) return
      const newest = ahead.newestKey()
      isReplaying = true
      for (const sent of ahead.take(clock())) feed(sent)
      isReplaying = false
      if (newest !== undefined) picture(newest)
    },
    async close() {
      leave()
      end()
      await Promise.all(finishing)
      await place.settled()
    },
  }
}

/** The last groups of pictures: as many as reach back so far. */
function createAhead(beforeMs: number) {
  let groups: Group[] = []
  const forgetBefore = (at: number) => {
    while (groups[1] !== undefined && groups[1].key.at <= at) groups.shift()
  }
  return {
    keep(sent: Sent): void {
      if (sent.kind === 'video' && sent.unit.isKey) {
        forgetBefore(sent.unit.at - beforeMs)
        groups.push({ key: sent.unit, sent: [], bytes: 0 })
      }
      const last = groups.at(-1)
      if (last === undefined) return
      last.sent.push(sent)
      last.bytes += bytesOf(sent)
      while (groups.reduce((sum, { bytes }) => sum + bytes, 0) > mostAheadBytes) groups.shift()
    },
    newestKey: (): VideoUnit | undefined => groups.at(-1)?.key,
    take(now: number): readonly Sent[] {
      forgetBefore(now - beforeMs)
      const sent = groups.flatMap((group) => group.sent)
      groups = []
      return sent
    },
  }
}

const bytesOf = (sent: Sent): number =>
  sent.kind === 'video' ? sent.unit.payloads.reduce((sum, { length }) => sum + length, 0) : sent.packet.payload.length
