/** A value that is fetched once for all who ask, kept while it is good, and renewed before it spoils. */
import type { Clock } from 'transom-core/ports'
import { untilAborted } from 'transom-core/deadline'

/** A fetched value. Instants are epoch milliseconds; without them it is good for ever. */
export interface Lease<T> {
  readonly value: T
  /** From here on a use of the value also fetches the next one, without waiting for it. */
  readonly renewAt?: number
  /** From here on the value is not given out any more. */
  readonly spoilsAt?: number
}

export interface Cached<T> {
  /** The good value at hand, or a fetched one; waits no longer than the signal allows. */
  get(signal: AbortSignal): Promise<T>
  /** The good value at hand. */
  held(): T | undefined
  /** Forgets the value, if it is still this one. */
  drop(value: T): void
}

/** A fetch that has lasted longer was frozen with its process, and fails when that goes on: who asks now begins another. */
const mostMs = 10_000

/**
 * `fetch` serves several callers, so none of them may end it: it gets `life` and has a deadline of its own, of less than ten
 * seconds. `onFailure` hears of failures that no caller waits for.
 */
export function createCached<T>(
  fetch: (signal: AbortSignal) => Promise<Lease<T>>,
  deps: { readonly clock: Clock; readonly life: AbortSignal; readonly onFailure: (error: unknown) => void },
): Cached<T> {
  let lease: Lease<T> | undefined
  let fetching: { readonly since: number; readonly value: Promise<T> } | undefined

  const good = () => (lease !== undefined && deps.clock() < (lease.spoilsAt ?? Infinity) ? lease : undefined)
  const coming = () => (fetching !== undefined && deps.clock() - fetching.since < mostMs ? fetching : undefined)
  const renew = () => {
    const mine = { since: deps.clock(), value: fetched() }
    fetching = mine
    const over = (): void => {
      if (fetching === mine) fetching = undefined
    }
    mine.value.then(over, over)
    return mine
  }
  const fetched = async () => {
    lease = await fetch(deps.life)
    return lease.value
  }
  return {
    async get(signal) {
      const current = good()
      if (current === undefined) return untilAborted((coming() ?? renew()).value, signal)
      if (coming() === undefined && deps.clock() >= (current.renewAt ?? Infinity)) renew().value.catch(deps.onFailure)
      return current.value
    },
    held: () => good()?.value,
    drop(value) {
      if (lease?.value === value) lease = undefined
    },
  }
}
