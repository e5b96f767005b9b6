/** What a check of `transom doctor` is, and how all of them run: side by side, each within its time. */
import { types } from 'node:util'
import { within } from 'transom-core/deadline'

/** What one check has found, as `--json` prints it. */
export interface Finding {
  /** Names the check, with its subject after a colon where there are several: `ice-server:turn:turn.example`. */
  readonly id: string
  readonly ok: boolean
  /** What was seen. Holds no secret. */
  readonly detail: string
  /** What to change; only where it is not ok. */
  readonly remedy?: string
}

/** One part of a set-up. It may find several things; what it throws is a finding, too. */
export interface Check {
  readonly id: string
  readonly ms?: number
  run(signal: AbortSignal): Promise<readonly Finding[]>
}

const defaultMs = 10_000

/** Runs every check, and resolves to all findings in the order of the checks. Never rejects. */
export async function runChecks(checks: readonly Check[]): Promise<readonly Finding[]> {
  const found = await Promise.all(checks.map(runOne))
  return found.flat()
}

async function runOne({ id, ms = defaultMs, run }: Check): Promise<readonly Finding[]> {
  let isLate = false
  try {
    return await within(
      ms,
      (signal) => {
        signal.addEventListener('abort', () => (isLate = true), { once: true })
        return run(signal)
      },
      () => undefined,
    )
  } catch (thrown) {
    const detail = isLate ? `there was no result within ${ms / 1_000} s` : reasonOf(thrown)
    return [bad(id, detail, 'Look at what the message names; if the problem persists, the log says more.')]
  }
}

/** All is well with this. */
export const good = (id: string, detail: string): Finding => ({ id, ok: true, detail })
/** Something is not, and `remedy` is what to change. */
export const bad = (id: string, detail: string, remedy: string): Finding => ({ id, ok: false, detail, remedy })

/** The innermost message: `fetch failed` says nothing, its cause does. */
export function reasonOf(thrown: unknown): string {
  if (!types.isNativeError(thrown)) return String(thrown)
  return types.isNativeError(thrown.cause) ? reasonOf(thrown.cause) : thrown.message || codeOf(thrown)
}

/** Node's or our code of an error; '' when it has none. */
export const codeOf = (thrown: unknown): string =>
  typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : ''
