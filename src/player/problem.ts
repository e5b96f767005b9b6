/** Why there is no picture, in words for whoever looks at the player. */
import type { Language } from 'transom-core/language'
import { problemsDe } from './problem-de.ts'

/** What went wrong: a code for programs, and words for people. */
export interface Problem {
  /** The bridge's error code, or one of the browser's own: `unreachable`, `media_lost`, `microphone_refused`, … */
  readonly code: string
  readonly message: string
  /** What can be done about it. */
  readonly advice?: string
}

/** The error of everything here that rejects; `problem` says what and why. */
export class PlayerError extends Error {
  override readonly name = 'PlayerError'
  readonly problem: Problem

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.message, options)
    this.problem = problem
  }
}

/** Any thrown value as a problem; what is no `PlayerError` becomes `internal` with its message. */
export const problemOf = (thrown: unknown): Problem =>
  thrown instanceof PlayerError
    ? thrown.problem
    : { code: 'internal', message: thrown instanceof Error ? thrown.message : String(thrown) }

/** The bridge knows that the camera is away, or that its source gives nothing: repeating helps once it is back. */
export const isAbsence = ({ code }: Problem): boolean => code === 'camera_offline' || code.startsWith('source_')

/** What repeating cannot help. */
const lasting = [
  'camera_not_found',
  'forbidden',
  'invalid_request',
  'no_common_codec',
  'not_found',
  'not_supported',
  'unauthorized',
  'internal',
]

export const isLasting = ({ code }: Problem): boolean => lasting.includes(code)

/** Those of the bridge and of the player come in English. */
const translations = { de: problemsDe } satisfies Record<Exclude<Language, 'en'>, typeof problemsDe>
const translationOf = new Map(
  Object.entries(translations).map(([name, texts]) => [name, new Map(Object.entries(texts))]),
)

/**
 * A problem in the words of a language (a BCP 47 tag: `de`, `de-AT`), found by its code; with advice if it came with
 * advice. As it came, in English, where the language or the code is not known.
 */
export function problemIn(language: string, problem: Problem): Problem {
  const known = translationOf.get(language.split('-')[0]?.toLowerCase() ?? '')?.get(problem.code)
  if (known === undefined) return problem
  const { message, advice } = known
  return { code: problem.code, message, ...(problem.advice !== undefined && advice !== undefined && { advice }) }
}
