/** What happened at the cameras, in the reader's words; and which of it is looked for, as the address says it. */
import type { Activity, ActivityEntry, Moment, SessionRow } from 'transom-core/wire/api'

type PressAnswer = NonNullable<Moment['answer']>

/** What the list is narrowed to. */
export interface ActivityFilter {
  readonly cameraId?: string
  readonly kind?: ActivityKind
  /** A day of the reader's calendar, `2026-11-28`. */
  readonly day?: string
}

export type ActivityKind = (typeof kinds)[number]
export const kinds = ['press', 'person', 'motion', 'recorded'] as const

/** Reads the part of an address after `?`. What cannot be is left out. */
export function readFilter(query: string): ActivityFilter {
  const given = new URLSearchParams(query)
  const [cameraId, kind, day] = [given.get('camera'), given.get('kind'), given.get('day')]
  const known = kinds.find((one) => one === kind)
  return {
    ...(cameraId && { cameraId }),
    ...(known && { kind: known }),
    ...(day !== null && spanOf(day) && { day }),
  }
}

export function writeFilter({ cameraId, kind, day }: ActivityFilter): string {
  const query = new URLSearchParams({
    ...(cameraId !== undefined && { camera: cameraId }),
    ...(kind !== undefined && { kind }),
    ...(day !== undefined && { day }),
  }).toString()
  return query && `?${query}`
}

/** From midnight to midnight where the reader is: 23 or 25 hours when the clocks change. */
export function spanOf(day: string): { readonly from: number; readonly to: number } | undefined {
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day) ?? []
  const begin = new Date(Number(year), Number(month) - 1, Number(date))
  if (Number.isNaN(begin.getTime()) || dayOf(begin.getTime()) !== day) return undefined
  const end = new Date(begin)
  end.setDate(end.getDate() + 1)
  return { from: begin.getTime(), to: end.getTime() }
}

/** So many days later, or earlier. */
export function nextDay(day: string, days: number): string {
  const date = new Date(spanOf(day)?.from ?? 0)
  date.setDate(date.getDate() + days)
  return dayOf(date.getTime())
}

/** The day of an instant in the reader's calendar, as an input of that type has it. */
export function dayOf(at: number): string {
  const date = new Date(at)
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** The most telling of what happened: a press before a person before what moved. */
export function headOf({ at, events }: ActivityEntry): Omit<Moment, 'kind'> & { readonly kind: ActivityKind } {
  for (const kind of ['press', 'person', 'motion'] as const) {
    const first = events.find((event) => event.kind === kind)
    if (first) return first
  }
  return { kind: 'recorded', at }
}

/** Of a long recording what came before the event is passed over, but for so much. */
const aheadMs = 5_000

/** From where to look at what was recorded of it: shortly before its most telling event. Undefined where nothing was. */
export function beginOf(entry: ActivityEntry): number | undefined {
  const { recording } = entry
  return recording && Math.max(recording.from, Math.min(headOf(entry).at, recording.to) - aheadMs)
}

/** Somebody who comes to a display later than this did not come because of the press. */
const answerMs = 120_000

/**
 * Whether anybody came to a display after a press: spoke, looked, or neither, by what the bridge has kept with it and by what
 * came since. Undefined where it cannot be known: too long ago, too early to say, or somebody else's camera, of which a guest
 * sees only the own sessions. `since`: all sessions that began then or later are among these.
 */
export function answerOf(
  press: { readonly cameraId: string; readonly at: number; readonly answer?: PressAnswer },
  sessions: readonly SessionRow[],
  { now, isOwner, since }: { readonly now: number; readonly isOwner: boolean; readonly since: number },
): PressAnswer | undefined {
  const after = sessions.filter(
    ({ cameraId, startedAt, recording }) =>
      recording === undefined &&
      cameraId === press.cameraId &&
      startedAt >= press.at &&
      startedAt < press.at + answerMs,
  )
  const isHeard = after.some(({ heard }) => heard !== undefined && heard.packets > 0)
  if (press.answer === 'answered' || isHeard) return 'answered'
  const isSeen = after.some(({ phase, cause }) => phase === 'connected' || (phase === 'closed' && cause === undefined))
  if (press.answer === 'seen' || isSeen) return 'seen'
  const isKnown = press.answer !== undefined || press.at >= since
  return isOwner && isKnown && now - press.at > answerMs ? 'nobody' : undefined
}

/** The first page again, and what was shown beyond it. */
export function renewed(before: Activity, first: Activity): Activity {
  const { next } = first
  if (next === undefined) return first
  const beyond = before.entries.filter(({ at }) => at < next)
  return beyond.length === 0 ? first : { ...before, entries: [...first.entries, ...beyond] }
}

/** What happened stays in the list; what was only recorded is gone with its recording. */
export const withoutClip = (
  entries: readonly ActivityEntry[],
  cameraId: string,
  id: number,
): readonly ActivityEntry[] =>
  entries.flatMap((entry) => {
    if (entry.cameraId !== cameraId || entry.recording?.id !== id) return [entry]
    const { recording: _recording, ...rest } = entry
    return rest.events.length === 0 ? [] : [rest]
  })

const two = (value: number): string => String(value).padStart(2, '0')
