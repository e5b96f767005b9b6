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
