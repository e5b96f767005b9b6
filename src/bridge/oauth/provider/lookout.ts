/** Looks now and then at what other processes have changed: when somebody comes, since a Lambda has no timer, and beside what they came for. */
import { within } from 'transom-core/deadline'
import type { Clock } from 'transom-core/ports'

export interface Lookout {
  /**
   * Starts a look when the last one is half a minute old, and waits for it only when that is a minute old: then for a
   * moment at most. Never rejects.
   */
  glance(): Promise<void>
  /** The last look that succeeded began less than a minute ago. */
  isCurrent(): boolean
}

/** Half of what others are promised, so that a busy process never waits. */
const everyMs = 30_000
const currentMs = 60_000
/** A first call to DynamoDB, with its TLS, takes less; whoever asks has seconds. */
const patienceMs = 500
/** While the store is out of order, not everybody is kept waiting. */
const restMs = 5_000

/** `look` logs what goes wrong with it. */
export function createLookout(look: () => Promise<void>, clock: Clock): Lookout {
  let seenAt = -Infinity
  let failedAt = -Infinity
  let running: Promise<void> | undefined

  async function start(): Promise<void> {
    const beganAt = clock()
    try {
      await look()
      seenAt = beganAt
    } catch {
      failedAt = clock()
    } finally {
      running = undefined
    }
  }

  return {
    async glance() {
      const now = clock()
      if (since(seenAt, now) < everyMs) return
      const isResting = since(failedAt, now) < restMs
      if (running === undefined && isResting) return
      const looking = (running ??= start())
      if (since(seenAt, now) < currentMs || isResting) return
      // A look never rejects; one that takes longer goes on beside.
      await within(
        patienceMs,
        () => looking,
        () => {},
      ).catch(() => {
        failedAt = clock()
      })
    },
    isCurrent: () => since(seenAt, clock()) < currentMs,
  }
}

/** A clock that was set back must not stop the looking. */
const since = (then: number, now: number): number => (now < then ? Infinity : now - then)
