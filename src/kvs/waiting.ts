/** Waiting that ends: by the work's own outcome, by a deadline, or because the caller gave up. */

/** Runs the work with a signal that aborts when `signal` does or after `ms`; the work must heed it. */
export async function within<T>(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const bounds = new AbortController()
  const onAbort = () => bounds.abort(signal.reason)
  const timer = setTimeout(() => bounds.abort(new DOMException(`nothing within ${ms} ms`, 'TimeoutError')), ms)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await work(bounds.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
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
