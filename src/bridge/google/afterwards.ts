/** What a reply does not wait for. A Lambda sleeps once it has replied, so somebody must be able to wait for it after all. */
import { toBridgeError } from 'transom-core/errors'
import type { Log } from 'transom-core/ports'
import { logFailure, type GoogleEvent } from './errors.ts'

export interface Afterwards {
  /** Begins the work; a failure of it is logged under this name. */
  do(event: GoogleEvent, work: () => Promise<unknown>): void
  /** Resolves when nothing is under way. */
  settled(): Promise<void>
}

export function createAfterwards(log: Log): Afterwards {
  const underWay = new Set<Promise<void>>()
  return {
    do(event, work) {
      const running = work()
        .catch((thrown: unknown) => logFailure(log, event, toBridgeError(thrown), {}))
        .then(() => void underWay.delete(running))
      underWay.add(running)
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}
