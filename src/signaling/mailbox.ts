/** The messages of one channel that wait for a client that is not connected. */
import type { Delivery } from './message.ts'
import { ServiceError } from './service-error.ts'

/** A message that waits. `to` and `from` are viewers' client ids; undefined is the master. */
export interface Kept {
  readonly to: string | undefined
  readonly from: string | undefined
  readonly message: Delivery
  readonly expiresAt: number
}

export interface Mailbox {
  /**
   * Keeps a message. A newer offer or answer between the same two takes the place of the older one and of the candidates that
   * followed it, which belong to it. Throws `ClientLimitExceededException` when there is no room.
   */
  keep(kept: Kept, now: number): void
  /** Takes out what waits for this client, in the order it came. */
  fetch(to: string | undefined, now: number): readonly Kept[]
  /** Drops what waits for or comes from this viewer. */
  forget(clientId: string): void
  sweep(now: number): void
}

export function createMailbox(capacity: number): Mailbox {
  let waiting: readonly Kept[] = []
  const sweep = (now: number) => {
    if (waiting.some(({ expiresAt }) => expiresAt <= now)) {
      waiting = waiting.filter(({ expiresAt }) => expiresAt > now)
    }
  }
  return {
    sweep,
    keep(kept, now) {
      sweep(now)
      const isAlike = ({ to, from }: Kept) => to === kept.to && from === kept.from
      if (kept.message.type !== 'ICE_CANDIDATE') {
        const older = waiting.findIndex((other) => isAlike(other) && other.message.type !== 'ICE_CANDIDATE')
        if (older >= 0) waiting = waiting.filter((other, index) => index < older || !isAlike(other))
      }
      if (waiting.length >= capacity) {
        throw new ServiceError('ClientLimitExceededException', 'Too many undelivered messages on the channel.')
      }
      waiting = [...waiting, kept]
    },
    fetch(to, now) {
      sweep(now)
      const fetched = waiting.filter((kept) => kept.to === to)
      if (fetched.length > 0) waiting = waiting.filter((kept) => kept.to !== to)
      return fetched
    },
    forget(clientId) {
      waiting = waiting.filter(({ to, from }) => to !== clientId && from !== clientId)
    },
  }
}
