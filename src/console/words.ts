/** Times and causes in the reader's words. */
import type { SessionRow } from './api.ts'

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

export function ago(at: number, now: number): string {
  const ms = at - now
  if (Math.abs(ms) < 10_000) return 'just now'
  const [unit, size] = units.find(([, size]) => Math.abs(ms) >= size) ?? ['second', 1_000]
  return relative.format(Math.trunc(ms / size), unit)
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })

export const timeOfDay = (at: number): string => clock.format(at)
export const dateOf = (at: number): string => day.format(at)

export const assistantNames: Record<SessionRow['assistant'], string> = {
  alexa: 'Alexa',
  google: 'Google Home',
  console: 'this page',
}

export const deviceNames = { alexa: 'Echo Show', google: 'Nest Hub' } as const

export type Outcome = 'running' | 'fine' | 'unconfirmed' | 'failed'

/** A warning (no sound) on a view that goes on is no failure yet, but its owner looks for it among them. */
export function outcomeOf({ phase, cause, hint }: Pick<SessionRow, 'phase' | 'cause' | 'hint'>): Outcome {
  if (cause !== undefined) return 'failed'
  if (hint !== undefined) return 'unconfirmed'
  return phase === 'closed' ? 'fine' : 'running'
}

export const outcomeNames: Record<Outcome, string> = {
  running: 'Running',
  fine: 'Fine',
  unconfirmed: 'Unknown',
  failed: 'Failed',
}

/** A name may begin with what takes several characters to write: an emoji, a letter with its marks. */
export const initialOf = (name: string): string => {
  const [first] = new Intl.Segmenter().segment(name.trim())
  return first?.segment.toLocaleUpperCase() ?? ''
}

/** `camera_offline` is for programs. */
export const causeName = (code: string): string => code.replaceAll('_', ' ')

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${(ms / 1_000).toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
