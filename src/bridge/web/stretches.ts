/** What playlists are made of: the fragments of a time, in stretches that play without a break. */
import type { CameraId, KeptFragment, Recording, Recordings } from 'transom-core/ports'

/** Fragments of one recording that follow one another without a gap; at least one. */
export interface Stretch {
  /** The start of the recording, from which its media is timed. */
  readonly recording: number
  readonly codecs: string
  readonly fragments: readonly KeptFragment[]
  /** So many of its fragments are no longer shown: those that a sliding window has left behind. */
  readonly past: number
}

/** What a playlist shows. */
export interface Programme {
  /** Those that are shown, at least in part. */
  readonly stretches: readonly Stretch[]
  /** What came before them, and is no longer shown. */
  readonly past: { readonly stretches: number; readonly fragments: number }
  /** Nothing will follow. */
  readonly isOver: boolean
}

/** A camera cannot begin more recordings in the longest time that is asked for. */
const mostRecordings = 10_000
/** How many files are read at once. */
const atOnce = 8

/** What was recorded in a time. `isWanted`: which fragments, of those in recordings that overlap it. */
export async function stretchesOf(
  recordings: Pick<Recordings, 'list' | 'fragments'>,
  cameraId: CameraId,
  span: { readonly from: number; readonly to: number },
  isWanted: (fragment: KeptFragment) => boolean = overlaps(span),
): Promise<readonly Stretch[]> {
  const found = await recordings.list(cameraId, { ...span, limit: mostRecordings })
  const stretches: Stretch[] = []
  for (let first = 0; first < found.length; first += atOnce) {
    const some = found.slice(first, first + atOnce)
    const kept = await Promise.all(some.map((recording) => recordings.fragments(recording)))
    for (const [index, recording] of some.entries())
      stretches.push(...partsOf(recording, (kept[index] ?? []).filter(isWanted)))
  }
  return stretches
}

/** Whether a fragment has a picture of the time in it. */
export const overlaps =
  ({ from, to }: { readonly from: number; readonly to: number }) =>
  ({ at, durationMs }: Pick<KeptFragment, 'at' | 'durationMs'>): boolean =>
    at < to && at + durationMs > from

function partsOf({ startAt, codecs }: Recording, kept: readonly KeptFragment[]): readonly Stretch[] {
  const parts: KeptFragment[][] = []
  for (const fragment of kept) {
    const last = parts.at(-1)
    if (last !== undefined && last.at(-1)?.number === fragment.number - 1) last.push(fragment)
    else parts.push([fragment])
  }
  return parts.map((fragments) => ({ recording: startAt, codecs, fragments, past: 0 }))
}

/** A time that is over: all of it, from its begin to its end. */
export const wholeOf = (stretches: readonly Stretch[]): Programme => ({
  stretches,
  past: { stretches: 0, fragments: 0 },
  isOver: true,
})

/** After so long without anything new, what was live is over. Parts of a continuous recording follow one another at once. */
const silentMs = 30_000

/**
 * What is recorded now: the last `windowMs` of what there is since a begin. Fragments longer than `longestMs` end it, since a
 * playlist may not change its target duration (RFC 8216bis section 6.2.1), and so does a gap that a player would take for
 * its end; neither depends on when it is asked.
 */
export function liveOf(
  stretches: readonly Stretch[],
  rules: { readonly windowMs: number; readonly longestMs: number; readonly isOpen: boolean; readonly now: number },
): Programme {
  const { windowMs, longestMs, isOpen, now } = rules
  const shown: Stretch[] = []
  let isOver = false
  let end = -Infinity
  for (const stretch of stretches) {
    const [first] = stretch.fragments
    isOver ||= first !== undefined && end > 0 && first.at - end > silentMs
    if (isOver) break
    const tooLong = stretch.fragments.findIndex(({ durationMs }) => durationMs > longestMs)
    const fragments = tooLong === -1 ? stretch.fragments : stretch.fragments.slice(0, tooLong)
    isOver = tooLong !== -1
    const last = fragments.at(-1)
    if (last === undefined) break
    shown.push({ ...stretch, fragments })
    end = last.at + last.durationMs
  }
  isOver ||= !isOpen && now - end > silentMs
  return { ...windowOf(shown, end - windowMs), isOver }
}

function windowOf(stretches: readonly Stretch[], since: number): Omit<Programme, 'isOver'> {
  const cut = stretches.map((stretch) => {
    const shown = stretch.fragments.findIndex(({ at, durationMs }) => at + durationMs > since)
    return { ...stretch, past: shown === -1 ? stretch.fragments.length : shown }
  })
  const begin = cut.findIndex(({ fragments, past }) => past < fragments.length)
  const gone = begin === -1 ? cut : cut.slice(0, begin + 1)
  return {
    stretches: begin === -1 ? [] : cut.slice(begin),
    past: { stretches: Math.max(0, begin), fragments: gone.reduce((sum, { past }) => sum + past, 0) },
  }
}

/** The fragments of a stretch that are shown. */
export const shownOf = ({ fragments, past }: Stretch): readonly KeptFragment[] => fragments.slice(past)

/** Each codec that occurs once, as in the `codecs` parameter of a MIME type. */
export const codecsOf = (stretches: readonly Stretch[]): readonly string[] => [
  ...new Set(stretches.flatMap(({ codecs }) => codecs.split(',')).filter((codec) => codec !== '')),
]

/**
 * The highest and the mean rate in bit/s. The highest is that of neighbouring fragments which last half of `targetMs`
 * together (RFC 8216bis section 4.4.6.2): a short last one would have any rate.
 */
export function ratesOf(
  stretches: readonly Stretch[],
  targetMs: number,
): { readonly peak: number; readonly mean: number } {
  const all = stretches.flatMap(shownOf)
  let peak = 0
  let [bytes, ms, first] = [0, 0, 0]
  for (const fragment of all) {
    bytes += fragment.bytes
    ms += fragment.durationMs
    for (let oldest = all[first]; oldest && ms - oldest.durationMs >= targetMs / 2; oldest = all[first]) {
      bytes -= oldest.bytes
      ms -= oldest.durationMs
      first += 1
    }
    if (ms >= targetMs / 2) peak = Math.max(peak, rateOf(bytes, ms))
  }
  const mean = rateOf(
    all.reduce((sum, one) => sum + one.bytes, 0),
    all.reduce((sum, one) => sum + one.durationMs, 0),
  )
  return { peak: Math.max(peak, mean), mean }
}

const rateOf = (bytes: number, ms: number): number => Math.ceil((bytes * 8_000) / Math.max(1, ms))
