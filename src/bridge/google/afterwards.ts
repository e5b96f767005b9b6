/** What a reply does not wait for. A Lambda sleeps once it has replied, so somebody must be able to wait for it after all. */
import { toBridgeError } from 'transom-core/errors'
import type { Log } from 'transom-core/ports'
import { logFailure, type GoogleEvent } from './errors.ts'

export interface Afterwards {
  /** Begins the work; a failure of it is logged under this name. */
  do(event: GoogleEvent, work: () => Promise<unknown>): void
  /** Resolves when nothing is under way, or with `since`, of `now()`, nothing that was begun after that. */
  settled(since?: number): Promise<void>
  /** How many works were begun so far. */
  now(): number
}

export function createAfterwards(log: Log): Afterwards {
  const underWay = new Map<Promise<void>, number>()
  let count = 0
  return {
    do(event, work) {
      const running = work()
        .catch((thrown: unknown) => logFailure(log, event, toBridgeError(thrown), {}))
        .then(() => void underWay.delete(running))
      underWay.set(running, count++)
    },
    async settled(since = 0) {
      for (;;) {
        const asked = [...underWay].flatMap(([running, at]) => (at >= since ? [running] : []))
        if (asked.length === 0) return
        await Promise.all(asked)
      }
    },
    now: () => count,
  }
}
