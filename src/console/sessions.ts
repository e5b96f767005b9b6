/** Which sessions are looked for, as the address says it; and what becomes of a list of them while it is looked at. */
import type { AssistantName, SessionRow, Sessions } from 'transom-core/wire/api'
import { spanOf } from './activity.ts'
import { outcomeOf, outcomes, type Outcome } from './words.ts'

/** What the list is narrowed to. */
export interface SessionFilter {
  readonly assistant?: SessionRow['assistant']
  readonly cameraId?: string
  readonly outcome?: Outcome
  /** A day of the reader's calendar, `2026-11-28`. */
  readonly day?: string
  /** Words that a row must have, all of them. */
  readonly find?: string
}

export const viewers = ['alexa', 'google', 'console'] as const satisfies readonly (AssistantName | 'console')[]

/** Reads the part of an address after `?`. What cannot be is left out. */
export function readSessionFilter(query: string): SessionFilter {
  const given = new URLSearchParams(query)
  const [cameraId, day, find] = [given.get('camera'), given.get('day'), given.get('find')]
  const assistant = viewers.find((one) => one === given.get('assistant'))
  const outcome = outcomes.find((one) => one === given.get('outcome'))
  return {
    ...(assistant && { assistant }),
    ...(cameraId && { cameraId }),
    ...(outcome && { outcome }),
    ...(day !== null && spanOf(day) && { day }),
    ...(find && { find }),
  }
}

export function writeSessionFilter({ cameraId, ...rest }: SessionFilter, at?: number): string {
  const given = { ...rest, camera: cameraId, at }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, String(value))
  const text = query.toString()
  return text && `?${text}`
}

/** The query of `GET /api/sessions`; `find` is for the page alone, which knows how causes are called in its language. */
export function queryOf(
  { assistant, cameraId, outcome, day }: SessionFilter,
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
): string {
  const { from, to } = (day !== undefined && spanOf(day)) || {}
  const given = { assistant, camera: cameraId, outcome, from, to, limit, after }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, String(value))
  return query.toString()
}

/** Whether the bridge would list it for this filter. */
export function isListed(row: SessionRow, { assistant, cameraId, outcome, day }: SessionFilter): boolean {
  const { from, to } = (day !== undefined && spanOf(day)) || { from: 0, to: Infinity }
  return (
    (assistant === undefined || row.assistant === assistant) &&
    (cameraId === undefined || row.cameraId === cameraId) &&
    (outcome === undefined || outcomeOf(row) === outcome) &&
    row.startedAt >= from &&
    row.startedAt < to
  )
}

/** The list with a session that is new or has changed: out of it where it does not fit any more. */
export function withChange<List extends Sessions>(list: List, row: SessionRow, filter: SessionFilter): List {
  const { sessions: rows, next } = list
  const index = rows.findIndex(({ id }) => id === row.id)
  const others = index < 0 ? rows : rows.toSpliced(index, 1)
  if (!isListed(row, filter)) return index < 0 ? list : { ...list, sessions: others }
  const earlier = others.findIndex(({ startedAt }) => startedAt <= row.startedAt)
  // What is older than all that was fetched comes with its page.
  if (earlier < 0 && next !== undefined) return { ...list, sessions: others }
  return { ...list, sessions: others.toSpliced(earlier < 0 ? others.length : earlier, 0, row) }
}

/** The first page again, and what was shown beyond it. */
export function renewedSessions(before: Sessions, first: Sessions): Sessions {
  const last = first.sessions.at(-1)
  if (first.next === undefined || last === undefined) return first
  const there = new Set(first.sessions.map(({ id }) => id))
  const beyond = before.sessions.filter(({ id, startedAt }) => startedAt <= last.startedAt && !there.has(id))
  return beyond.length === 0 ? first : { ...before, sessions: [...first.sessions, ...beyond] }
}
