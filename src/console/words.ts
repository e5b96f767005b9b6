/** What became of a session, and how names are shortened, in whatever language. */
import type { SessionRow } from 'transom-core/wire/api'

export const outcomes = ['running', 'fine', 'unconfirmed', 'failed'] as const
export type Outcome = (typeof outcomes)[number]

/** A warning (no sound) on a view that goes on is no failure yet, but its owner looks for it among them. */
export function outcomeOf({ phase, cause, hint }: Pick<SessionRow, 'phase' | 'cause' | 'hint'>): Outcome {
  if (cause !== undefined) return 'failed'
  if (hint !== undefined) return 'unconfirmed'
  return phase === 'closed' ? 'fine' : 'running'
}

/** A name may begin with what takes several characters to write: an emoji, a letter with its marks. */
export const initialOf = (name: string): string => {
  const [first] = new Intl.Segmenter().segment(name.trim())
  return first?.segment.toLocaleUpperCase() ?? ''
}
