/** What the bridge says unasked, from its arrival at Amazon or Google to whoever listens for that account. */

import type { Announcement, Complaint, DisplayEvent } from 'transom-core/wire/api'

export interface Announcements {
  announced(account: string, announcement: Announcement): void
  /** Without an account, because the bridge did not come so far as to name one, everybody is told. */
  complained(complaint: Complaint, account?: string): void
  /** Returns how to stop. */
  listen(account: string, listener: (heard: DisplayEvent) => void): () => void
}

export function createAnnouncements(): Announcements {
  const listeners = new Map<(heard: DisplayEvent) => void, string>()

  function tell(heard: DisplayEvent, account: string | undefined): void {
    for (const [listener, theirs] of listeners) if (account === undefined || account === theirs) listener(heard)
  }

  return {
    announced: (account, data) => tell({ event: 'announced', data }, account),
    complained: (data, account) => tell({ event: 'complaint', data }, account),
    listen(account, given) {
      const listener = (heard: DisplayEvent): void => given(heard)
      listeners.set(listener, account)
      return () => void listeners.delete(listener)
    },
  }
}
