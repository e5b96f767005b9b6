/** Who was at the door, kept for a month, and for whom presses are quiet. */
import type { AccountId, Camera, Clock, Store } from 'transom-core/ports'

export interface Visit {
  /** Epoch milliseconds. */
  readonly at: number
}

export interface Visits {
  /** Presses from `since` on, newest first. */
  visits(camera: Camera, since: number): Promise<readonly Visit[]>
  /** Until then presses are kept, but nobody is told. In the past: they are told again. */
  mute(accountId: AccountId, until: number): Promise<void>
  /** When the account hears its doorbells again; undefined when it does. */
  mutedUntil(accountId: AccountId): Promise<number | undefined>
}

/** A press as it is kept, in the group of its camera. */
export interface KeptPress extends Visit {
  readonly cameraId: string
}

export function createVisits(store: Store, clock: Clock): Visits {
  const presses = store.collection<KeptPress>('press')
  const mutes = store.collection<{ readonly until: number }>('mute')
  return {
    async visits(camera, since) {
      const found: Visit[] = []
      for await (const { value } of presses.all(camera.id)) if (value.at >= since) found.push(value)
      return found.sort((one, other) => other.at - one.at)
    },
    async mute(accountId, until) {
      if (until <= clock()) await mutes.remove(accountId)
      else await mutes.put(accountId, { until }, { expiresAt: until })
    },
    mutedUntil: async (accountId) => (await mutes.get(accountId))?.value.until,
  }
}
