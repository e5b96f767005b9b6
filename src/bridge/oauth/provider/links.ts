/** The links of accounts with clients: how they are counted, shown, used and ended, and who is told. */
import type { AccountId, Clock, Log, Store } from 'transom-core/ports'
import { createAdapterFactory, grantsOf, type GrantFacts } from './adapter.ts'
import type { Audit } from '../people/audit.ts'
import type { Assistant } from '../client.ts'
import { nameOf, type Client, type Clients } from './clients.ts'
import type { Ended } from './ended.ts'
import type { LinkUses } from './link-uses.ts'

export interface Link {
  readonly accountId: string
  readonly clientId: string
  readonly grantId: string
}

export interface LinkView {
  readonly grantId: string
  readonly name: string
  readonly madeAt: number
  readonly usedAt?: number
}

export interface EndedLink {
  readonly linkId: string
  /** The account has no other link with the assistant. */
  readonly isLast: boolean
}

export interface Links {
  list(accountId: AccountId): Promise<readonly LinkView[]>
  /** Ends one link; false when the account has no such link. */
  endOne(accountId: AccountId, grantId: string): Promise<boolean>
  endOf(accountId: AccountId, clientId: string): Promise<void>
  endAssistant(accountId: AccountId, assistant: Assistant): Promise<void>
  /** Whether the account has a link with the assistant, whichever of its clients it is with. */
  isLinked(accountId: AccountId, assistant: Assistant): Promise<boolean>
  /** Ends everybody's links with a client that is retired. What fails half-way goes on when it is called again. */
  endClient(client: Client): Promise<void>
  /** A link was made. Never rejects. */
  onLinked(link: Link): Promise<void>
  /** The provider has ended a link. Never rejects. */
  onRevoked(link: Link, why: 'revoked' | 'reused'): Promise<void>
}

/**
 * Links never expire, and nobody tells us when one is made anew. So many of one account at one assistant may live side by
 * side, a household's and those of a link that was just renewed; beyond that those end that were not used for longest.
 */
const mostLinks = 10
/** What was made or used in the last day is spared, up to this many: whoever tries out linking costs nobody a link in use. */
const mostLinksInUse = 50
const inUseMs = 24 * 3_600_000

export function createLinks(deps: {
  readonly store: Store
  readonly clients: Pick<Clients, 'find'>
  readonly ended: Pick<Ended, 'noteLink' | 'noteClient'>
  readonly uses: LinkUses
  readonly audit: Audit
  /** A link of the account with the assistant has ended. */
  readonly onUnlinked: (account: AccountId, assistant: Assistant, link: EndedLink) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}): Links {
  const { store, clients, uses, audit, clock, log } = deps
  const grants = store.collection('oauth-Grant')
  /** The links of each client, to be ended with it. */
  const byClient = store.collection<{ readonly accountId: string }>('oauth-client-link')
  const adapterOf = createAdapterFactory({ store, clock, clients })

  return {
    list,
    endOne,
    endOf: async (accountId, clientId) => endGrants(accountId, await grantsOf(store, accountId, clientId)),
    async endAssistant(accountId, assistant) {
      const found = await grantsOf(store, accountId)
      const kinds = await Promise.all(found.map(({ clientId }) => clients.find(clientId)))
      const theirs = found.filter((_, index) => kinds[index]?.assistant === assistant)
      await endGrants(accountId, theirs)
    },
    isLinked,
    endClient,
    onLinked,
    onRevoked,
  }

  async function endGrants(accountId: AccountId, ending: readonly GrantFacts[]): Promise<void> {
    for (const { grantId, clientId, isLink } of ending) {
      await deps.ended.noteLink(grantId)
      await destroy({ accountId, clientId, grantId })
      if (isLink) await onEnded({ accountId, clientId, grantId }, 'unlinked', await clients.find(clientId))
    }
  }

  async function destroy({ accountId, clientId, grantId }: Link): Promise<void> {
    // The grant goes first: without it no token can be renewed, should a later step fail.
    await adapterOf('Grant').destroy(grantId)
    await Promise.all(
      ['RefreshToken', 'AccessToken', 'AuthorizationCode'].map((kind) => adapterOf(kind).revokeByGrantId(grantId)),
    )
    log('info', 'oauth.unlinked', { accountId, clientId, grantId })
  }

  async function endClient(client: Client): Promise<void> {
    const { clientId } = client
    // One note for all of them: a client may have more links than everybody should read.
    await deps.ended.noteClient(clientId)
    for await (const { id: grantId, value } of byClient.all(clientId)) {
      const link = { accountId: value.accountId, clientId, grantId }
      await destroy(link)
      await onEnded(link, 'unlinked', client)
    }
  }

  async function onLinked(link: Link): Promise<void> {
    const { accountId, clientId, grantId } = link
    try {
      await Promise.all([
        byClient.put(grantId, { accountId }, { group: clientId }),
        audit.write(accountId, 'linked', await shownClient(clientId)),
      ])
      const others = (await grantsOf(store, accountId, clientId)).filter(
        (other) => other.isLink && other.grantId !== grantId,
      )
      if (others.length >= mostLinks) await endGrants(accountId as AccountId, await surplusOf(others))
    } catch (error) {
      log('error', 'oauth.surplus-links-kept', { accountId, clientId, error })
    }
  }

  async function surplusOf(others: readonly GrantFacts[]): Promise<readonly GrantFacts[]> {
    const used = await Promise.all(others.map(async ({ grantId }) => (await uses.lastAt(grantId)) ?? 0))
    return others
      .map((grant, index) => ({ grant, at: Math.max(grant.madeAt, used[index] ?? 0) }))
      .sort((a, b) => b.at - a.at)
      .filter(({ at }, index) => index + 1 >= (clock() - at < inUseMs ? mostLinksInUse : mostLinks))
      .map(({ grant }) => grant)
  }

  async function onRevoked(link: Link, why: 'revoked' | 'reused'): Promise<void> {
    const client = await clients.find(link.clientId).catch(() => undefined)
    await onEnded(link, why === 'reused' ? 'token-reused' : 'unlinked', client)
  }

  /** Tells the owner, and what belongs to the assistant. Never rejects: the link is gone in any case. */
  async function onEnded(link: Link, kind: 'unlinked' | 'token-reused', client: Client | undefined): Promise<void> {
    const { accountId, clientId, grantId } = link
    try {
      const shown = client === undefined ? clientId : nameOf(client)
      await Promise.all([audit.write(accountId, kind, shown), uses.forget(grantId), byClient.remove(grantId)])
      const assistant = client?.assistant
      if (assistant !== 'alexa' && assistant !== 'google') return
      const isLast = !(await isLinked(accountId as AccountId, assistant))
      await deps.onUnlinked(accountId as AccountId, assistant, { linkId: grantId, isLast })
    } catch (error) {
      log('error', 'oauth.unlink-untold', { accountId, clientId, error })
    }
  }

  /** Looks at each grant itself: a list may be a moment behind, and still show what has just ended. */
  async function isLinked(accountId: AccountId, assistant: Assistant): Promise<boolean> {
    const listed = (await grantsOf(store, accountId)).filter(({ isLink }) => isLink)
    const theirs = await Promise.all(
      listed.map(async ({ grantId, clientId }) => {
        const client = await clients.find(clientId)
        return client?.assistant === assistant && (await grants.get(grantId)) !== undefined
      }),
    )
    return theirs.includes(true)
  }

  async function list(accountId: AccountId) {
    const links = (await grantsOf(store, accountId)).filter(({ isLink }) => isLink)
    return Promise.all(
      links.map(async ({ grantId, clientId, madeAt }) => {
        const [usedAt, name] = await Promise.all([uses.lastAt(grantId), shownClient(clientId)])
        return { grantId, name, madeAt, ...(usedAt !== undefined && { usedAt }) }
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
}
