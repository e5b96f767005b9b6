/** Which signatures were used already: a request that somebody recorded is worth nothing to him. */
import type { Clock } from '../ports.ts'
import { ServiceError } from './service-error.ts'

export interface ReplayMemory {
  /** Notes that this signature (hexadecimal), which is valid, was used. Throws `InvalidSignatureException` when it was used long before. */
  use(signature: string): void
  /** Forgets the signatures that are too old to be valid; called now and then. */
  sweep(): void
}

/**
 * Dates of signatures have seconds only, so a client that asks the same twice within one second signs the same twice: the
 * C SDK describes its channel before and after it makes it, and a camera that lost its connection is back in 0.2 s. Whoever
 * signs anew for each request, as all SDKs do, has another signature after that.
 */
const sameMs = 2_000
/** From 5 minutes before its date to 5 minutes after it: no signature is valid longer. */
const validMs = 10 * 60_000
/** Entries take about 120 bytes. When it is full the oldest go, whose time is nearly over. */
const maxEntries = 100_000

export function createReplayMemory(clock: Clock): ReplayMemory {
  /** Signature to first use; oldest first, because a Map keeps the order of insertion. */
  const used = new Map<string, number>()
  return {
    use(hex) {
      const now = clock()
      // A string of its own: the one given is a piece of the whole request, and would keep all of it.
      const signature = Buffer.from(hex, 'hex').toString('base64')
      const firstAt = used.get(signature)
      if (firstAt === undefined) {
        used.set(signature, now)
        for (const oldest of used.size > maxEntries ? used.keys() : []) {
          used.delete(oldest)
          break
        }
      } else if (now - firstAt > sameMs) {
        throw new ServiceError('InvalidSignatureException', 'The signature was used before. Sign each request anew.')
      }
    },
    sweep() {
      const now = clock()
      for (const [signature, at] of used) {
        if (now - at < validMs) break
        used.delete(signature)
      }
    },
  }
}
