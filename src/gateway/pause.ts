/** Waits; false, and at once, when the signal aborts. Never rejects. */
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
