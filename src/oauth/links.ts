/** The links of accounts with clients: how they are counted, shown, used and ended, and who is told. */
import type { AccountId, Clock, Log, Store } from '../ports.ts'
import type { LinkView } from './account-pages.ts'
import { createAdapterFactory, grantsOf, type GrantFacts } from './adapter.ts'
import type { Audit } from './audit.ts'
import type { Assistant } from './client.ts'
import { nameOf, type Clients } from './clients.ts'
import type { Link } from './provider.ts'

export interface Links {
  list(accountId: AccountId): Promise<readonly LinkView[]>
  /** Ends one link; false when the account has no such link. */
  endOne(accountId: AccountId, grantId: string): Promise<boolean>
  endOf(accountId: AccountId, clientId: string): Promise<void>
  endAssistant(accountId: AccountId, assistant: Assistant): Promise<void>
  /** A link was made. Never rejects. */
  onLinked(link: Link): Promise<void>
  /** The provider has ended a link. Never rejects. */
  onRevoked(link: Link, why: 'revoked' | 'reused'): Promise<void>
  /** A token of the link was used or renewed. */
  noteUse(grantId: string): void
}

/**
 * Links never expire, and nobody tells us when one is made anew. So many of one account at one assistant may live side by
 * side, a household's and those of a link that was just renewed; beyond that the oldest ends.
 */
const mostLinks = 10
/** "Last used" on the account page is no more exact than this, which saves writes. */
const useNotedMs = 10 * 60_000
const mostNoted = 10_000

export function createLinks(deps: {
  readonly store: Store
  readonly clients: Pick<Clients, 'find'>
  readonly audit: Audit
  /** The last link of the account with the assistant has ended. */
  readonly onUnlinked: (account: AccountId, assistant: Assistant) => Promise<void>
  /** What was verified for this link must not be believed any more. */
  readonly forget: (grantId: string) => void
  readonly clock: Clock
  readonly log: Log
}): Links {
  const { store, clients, audit, clock, log } = deps
  const uses = store.collection<{ readonly at: number }>('oauth-link-use')
  const adapterOf = createAdapterFactory({ store, clock, clients })
  const notedAt = new Map<string, number>()

  return {
    list,
    endOne,
    endOf: async (accountId, clientId) => endGrants(accountId, await grantsOf(store, accountId, clientId)),
    async endAssistant(accountId, assistant) {
      const grants = await grantsOf(store, accountId)
      const found = await Promise.all(grants.map(({ clientId }) => clients.find(clientId)))
      const theirs = grants.filter((_, index) => found[index]?.assistant === assistant)
      await endGrants(accountId, theirs)
    },
    onLinked,
    onRevoked,
    noteUse,
  }

  async function endGrants(accountId: AccountId, grants: readonly GrantFacts[]): Promise<void> {
    for (const { grantId, clientId, isLink } of grants) {
      // The grant goes first: without it no token of it is worth anything, should a later step fail.
      await adapterOf('Grant').destroy(grantId)
      deps.forget(grantId)
      await Promise.all(
        ['RefreshToken', 'AccessToken', 'AuthorizationCode'].map((kind) => adapterOf(kind).revokeByGrantId(grantId)),
      )
      log('info', 'oauth.unlinked', { accountId, clientId, grantId })
      if (isLink) await onEnded({ accountId, clientId, grantId }, 'unlinked')
    }
  }

  async function onLinked(link: Link): Promise<void> {
    const { accountId, clientId, grantId } = link
    try {
      await audit.write(accountId, 'linked', await shownClient(clientId))
      const others = (await grantsOf(store, accountId, clientId)).filter((other) => other.grantId !== grantId)
      await endGrants(accountId as AccountId, others.slice(mostLinks - 1))
    } catch (error) {
      log('error', 'oauth.surplus-links-kept', { accountId, clientId, error })
    }
  }

  async function onRevoked(link: Link, why: 'revoked' | 'reused'): Promise<void> {
    await onEnded(link, why === 'reused' ? 'token-reused' : 'unlinked')
  }

  /** Tells the owner, and the assistant when nothing of it is left. Never rejects: the link is gone in any case. */
  async function onEnded({ accountId, clientId, grantId }: Link, kind: 'unlinked' | 'token-reused'): Promise<void> {
    try {
      await Promise.all([audit.write(accountId, kind, await shownClient(clientId)), uses.remove(grantId)])
      const assistant = (await clients.find(clientId))?.assistant
      if (assistant !== 'alexa' && assistant !== 'google') return
      const left = (await grantsOf(store, accountId)).filter(({ isLink }) => isLink)
      const kinds = await Promise.all(left.map((grant) => clients.find(grant.clientId)))
      if (!kinds.some((other) => other?.assistant === assistant)) {
        await deps.onUnlinked(accountId as AccountId, assistant)
      }
    } catch (error) {
      log('error', 'oauth.unlink_untold', { accountId, clientId, error })
    }
  }

  async function list(accountId: AccountId) {
    const links = (await grantsOf(store, accountId)).filter(({ isLink }) => isLink)
    return Promise.all(
      links.map(async ({ grantId, clientId, madeAt }) => {
        const [used, name] = await Promise.all([uses.get(grantId), shownClient(clientId)])
        return { grantId, name, madeAt, ...(used !== undefined && { usedAt: used.value.at }) }
      }),
    )
  }

  async function endOne(accountId: AccountId, grantId: string): Promise<boolean> {
    const found = (await grantsOf(store, accountId)).filter((grant) => grant.grantId === grantId)
    await endGrants(accountId, found)
    return found.length > 0
  }

  async function shownClient(clientId: string): Promise<string> {
    const client = await clients.find(clientId)
    return client === undefined ? clientId : nameOf(client)
  }

  /** Nobody waits for this, and nothing depends on it. */
  function noteUse(grantId: string): void {
    const at = clock()
    if (at - (notedAt.get(grantId) ?? -Infinity) < useNotedMs) return
    if (notedAt.size >= mostNoted) notedAt.clear()
    notedAt.set(grantId, at)
    uses.put(grantId, { at }).catch((error: unknown) => log('warn', 'oauth.use_unnoted', { error }))
  }
}
