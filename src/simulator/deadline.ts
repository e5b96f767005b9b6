/** Waiting with an end: every wait of a call runs under one of these. */

import type { CallError } from './causes.ts'

/** Runs `work` under a signal that aborts with `late()` after `ms`, or as soon as `parent` aborts. */
export async function withDeadline<T>(
  parent: AbortSignal,
  ms: number,
  late: () => CallError,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController()
  const timer = setTimeout(() => own.abort(late()), ms)
  try {
    return await work(AbortSignal.any([parent, own.signal]))
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Waits for `promise`, but no longer than the signal allows: then rejects with the signal's reason.
 * Only for work that somebody else ends (the caller's teardown); what takes a signal is given the signal instead.
 */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  try {
    await orAborted(promise, signal)
  } finally {
    clearTimeout(timer)
  }
}
