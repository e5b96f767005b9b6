/** The last resort of a door: its reply leaves in time even if something behind a port hangs. */
import { setTimeout as delay } from 'node:timers/promises'
import { BridgeError } from '../errors.ts'
import type { Clock } from '../ports.ts'

/**
 * The result of `work`, or `BridgeError('internal')` at the instant `by` (epoch milliseconds).
 * The store, the token check and the camera list take no signal: they have deadlines of their own, so to be still waiting
 * here is our own mistake. Such work is left behind; if it then fails, `onLate` is told.
 */
export async function finishBy<T>(
  by: number,
  clock: Clock,
  work: Promise<T>,
  onLate: (thrown: unknown) => void,
): Promise<T> {
  const done = new AbortController()
  let late = false
  const overdue = delay(Math.max(0, by - clock()), undefined, { signal: done.signal }).then(() => {
    late = true
    throw new BridgeError('internal', 'the work behind the door went past its deadline')
  })
  work.catch((thrown: unknown) => {
    if (late) onLate(thrown)
  })
  try {
    return await Promise.race([work, overdue])
  } finally {
    done.abort()
  }
}
