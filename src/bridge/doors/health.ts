/** What `GET /healthz` and `GET /readyz` say: whether the bridge can keep what it is told, and whether all of it works. */
import { toBridgeError, type ErrorCode } from 'transom-core/errors'
import type { Clock, Log, Store } from 'transom-core/ports'

/** The body of `GET /healthz`. */
export interface Health {
  readonly status: 'ok' | 'failing'
  /** `no_room` or `store_failed`, where it is failing. */
  readonly cause?: ErrorCode
}

/** The body of `GET /readyz`: each part that a call needs, with the reason where it does not work. */
export interface Readiness {
  readonly ready: boolean
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>
}

/** Anybody may ask, and each look costs something: one verdict serves all who ask so soon after it. */
const verdictMs = 5_000

/**
 * Makes a function that tries the store with a write of its own, at most every five seconds, and resolves to the
 * verdict; it never rejects.
 */
export function createHealth({ store, clock, log }: { store: Store; clock: Clock; log: Log }): () => Promise<Health> {
  const records = store.collection<{ readonly at: number }>('health')
  return keptFor(verdictMs, clock, async (at): Promise<Health> => {
    try {
      await records.put('written', { at })
      return { status: 'ok' }
    } catch (thrown) {
      const { code, message } = toBridgeError(thrown)
      log('error', 'health.store-failed', { code, error: message })
      return { status: 'failing', cause: code }
    }
  })
}

/**
 * Makes a function that runs these checks side by side, at most every five seconds. A check resolves to the reason why
 * its part does not work, in words without addresses or secrets, because strangers read them; `undefined` when it works.
 */
export function createReadiness(
  checks: Readonly<Record<string, () => Promise<string | undefined>>>,
  clock: Clock,
): () => Promise<Readiness> {
  return keptFor(verdictMs, clock, async () => {
    const found = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => {
        const detail = await check()
        return [name, detail === undefined ? { ok: true } : { ok: false, detail }] as const
      }),
    )
    return { ready: found.every(([, { ok }]) => ok), checks: Object.fromEntries(found) }
  })
}

function keptFor<T>(ms: number, clock: Clock, look: (at: number) => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly verdict: Promise<T> } | undefined
  return () => {
    const now = clock()
    // Also after a clock that was set back.
    if (last === undefined || Math.abs(now - last.at) >= ms) last = { at: now, verdict: look(now) }
    return last.verdict
  }
}
