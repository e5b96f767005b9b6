/** Waiting that ends: by the work's own outcome, at a deadline, or because the caller has given up. */
import { BridgeError, type ErrorCode } from './errors.ts'

/**
 * For a door that owes one reply in time, whatever is slow behind it: gives `work` `ms` milliseconds. When they are over its signal is aborted and the caller gets `code`.
 * The store, the token check and the camera list take no signal, so work that waits on them cannot be stopped, only left
 * behind: its end is reported to `onLate` and changes nothing.
 */
export async function within<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  onLate: (thrown: unknown) => void,
  code: ErrorCode = 'out_of_time',
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

/**
 * The work's outcome, or the signal's reason if it aborts first. The work itself goes on: only for work that somebody else
 * owns and ends, or that takes no signal.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    // The race hears the loser's failure too: neither promise is left without a listener.
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/**
 * Runs work under a signal that aborts as soon as `signal` does, or after `ms` milliseconds with `late()` as its reason. The
 * work must heed it: what it does then is the outcome.
 */
export async function bounded<T>(
  signal: AbortSignal,
  ms: number,
  late: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const bounds = new AbortController()
  const onAbort = () => bounds.abort(signal.reason)
  const timer = setTimeout(() => bounds.abort(late()), ms)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await work(bounds.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

/** The reason of what was not done in so many milliseconds: a `TimeoutError`. */
export const timedOut = (ms: number) => (): DOMException => new DOMException(`nothing within ${ms} ms`, 'TimeoutError')

/** Waits for `ms` milliseconds: true when they are over, false, and at once, when the signal aborts. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const onAbort = () => resolve(false)
  const timer = setTimeout(() => resolve(true), ms)
  signal.addEventListener('abort', onAbort, { once: true })
  const isOver = await promise
  clearTimeout(timer)
  signal.removeEventListener('abort', onAbort)
  return isOver
}
