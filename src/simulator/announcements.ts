/** What the bridge says unasked, from its arrival at Amazon or Google to whoever listens for that account. */

import type { AssistantName } from './settings.ts'

/** Somebody is at the door. */
export interface Announcement {
  readonly assistant: AssistantName
  readonly cameraId: string
  /** Epoch milliseconds of its arrival. */
  readonly at: number
  /** When the bell was pressed, by the bridge's word; to Amazon it tells whole seconds. */
  readonly pressedAt: number
  /** Google's name of the event. */
  readonly eventId?: string
}

/** The bridge sent what the real one would refuse. */
export interface Complaint {
  readonly assistant: AssistantName
  readonly message: string
}

export type Heard =
  | { readonly event: 'announced'; readonly data: Announcement }
  | { readonly event: 'complaint'; readonly data: Complaint }

export interface Announcements {
  announced(account: string, announcement: Announcement): void
  /** Without an account, because the bridge did not come so far as to name one, everybody is told. */
  complained(complaint: Complaint, account?: string): void
  /** Returns how to stop. */
  listen(account: string, listener: (heard: Heard) => void): () => void
}

export function createAnnouncements(): Announcements {
  const listeners = new Map<(heard: Heard) => void, string>()

  function tell(heard: Heard, account: string | undefined): void {
    for (const [listener, theirs] of listeners) if (account === undefined || account === theirs) listener(heard)
  }

  return {
    announced: (account, data) => tell({ event: 'announced', data }, account),
    complained: (data, account) => tell({ event: 'complaint', data }, account),
    listen(account, given) {
      const listener = (heard: Heard): void => given(heard)
      listeners.set(listener, account)
      return () => void listeners.delete(listener)
    },
  }
}
