/** What `GET /healthz` says: whether the bridge can still keep what it is told. */
import { toBridgeError, type ErrorCode } from 'transom-core/errors'
import type { Clock, Log, Store } from 'transom-core/ports'

/** The body of `GET /healthz`. */
export interface Health {
  readonly status: 'ok' | 'failing'
  /** `no_room` or `store_failed`, where it is failing. */
  readonly cause?: ErrorCode
}

/** Anybody may ask, and each look is a write to the disk: one verdict serves all who ask so soon after it. */
const verdictMs = 5_000

/**
 * Makes a function that tries the store with a write of its own, at most every five seconds, and resolves to the
 * verdict; it never rejects.
 */
export function createHealth({ store, clock, log }: { store: Store; clock: Clock; log: Log }): () => Promise<Health> {
  const records = store.collection<{ readonly at: number }>('health')
  let last: { readonly at: number; readonly verdict: Promise<Health> } | undefined

  async function look(at: number): Promise<Health> {
    try {
      await records.put('written', { at })
      return { status: 'ok' }
    } catch (thrown) {
      const { code, message } = toBridgeError(thrown)
      log('error', 'health.store-failed', { code, error: message })
      return { status: 'failing', cause: code }
    }
  }

  return () => {
    const now = clock()
    // Also after a clock that was set back.
    if (last === undefined || Math.abs(now - last.at) >= verdictMs) last = { at: now, verdict: look(now) }
    return last.verdict
  }
}
