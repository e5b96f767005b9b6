/** One deadline around a whole piece of work, for a door that owes one reply in time whatever is slow behind it. */
import { BridgeError, type ErrorCode } from './errors.ts'

/**
 * Gives `work` `ms` milliseconds. When they are over its signal is aborted and the caller gets `code`.
 * The store, the token check and the camera list take no signal, so work that waits on them cannot be stopped, only left
 * behind: its end is reported to `onLate` and changes nothing.
 */
export async function within<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  onLate: (thrown: unknown) => void,
  code: ErrorCode = 'internal',
): Promise<T> {
  const hangUp = new AbortController()
  const overdue = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const reason = new BridgeError(code, `not done after ${ms} ms`)
    hangUp.abort(reason)
    overdue.reject(reason)
  }, ms)
  try {
    const running = work(hangUp.signal)
    running.catch((thrown: unknown) => {
      if (hangUp.signal.aborted && thrown !== hangUp.signal.reason) onLate(thrown)
    })
    return await Promise.race([running, overdue.promise])
  } finally {
    clearTimeout(timer)
  }
}
