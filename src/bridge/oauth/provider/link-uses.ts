/** When each link was last used, for the account page and for what ends first where an account has too many. */
import type { Clock, Log, Store } from 'transom-core/ports'

export interface LinkUses {
  /** A token of the link was used or renewed. Nobody waits for this, and nothing depends on it. */
  note(grantId: string): void
  /** Epoch milliseconds; `undefined` while nothing is known. */
  lastAt(grantId: string): Promise<number | undefined>
  /** The link has ended. */
  forget(grantId: string): Promise<void>
}

/** "Last used" on the account page is no more exact than this, which saves writes. */
const useNotedMs = 10 * 60_000
const mostNoted = 10_000

export function createLinkUses({ store, clock, log }: { store: Store; clock: Clock; log: Log }): LinkUses {
  const uses = store.collection<{ readonly at: number }>('oauth-link-use')
  const notedAt = new Map<string, number>()
  return {
    note(grantId) {
      const at = clock()
      if (at - (notedAt.get(grantId) ?? -Infinity) < useNotedMs) return
      if (notedAt.size >= mostNoted) notedAt.clear()
      notedAt.set(grantId, at)
      uses.put(grantId, { at }).catch((error: unknown) => log('warn', 'oauth.use-unnoted', { error }))
    },
    lastAt: async (grantId) => (await uses.get(grantId))?.value.at,
    forget: (grantId) => uses.remove(grantId),
  }
}
