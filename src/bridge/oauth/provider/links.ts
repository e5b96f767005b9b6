/** The links of accounts with clients: how they are counted, shown, used and ended, and who is told. */
import type { AccountId, Clock, Collection, Log, Store } from 'transom-core/ports'
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
  /** All that the account has granted to anybody, our own page included. */
  endAccount(accountId: AccountId): Promise<void>
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

interface LinksDeps {
  readonly store: Store
  readonly clients: Pick<Clients, 'find'>
  readonly ended: Pick<Ended, 'noteLink' | 'noteClient'>
  readonly uses: LinkUses
  readonly audit: Audit
  /** A link of the account with the assistant has ended. */
  readonly onUnlinked: (account: AccountId, assistant: Assistant, link: EndedLink) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

interface Context extends LinksDeps {
  readonly grants: Collection<unknown>
  /** The links of each client, to be ended with it. */
  readonly byClient: Collection<{ readonly accountId: string }>
  readonly adapterOf: ReturnType<typeof createAdapterFactory>
}

export function createLinks(deps: LinksDeps): Links {
  const { store, clock, clients } = deps
  const context: Context = {
    ...deps,
    grants: store.collection('oauth-Grant'),
    byClient: store.collection('oauth-client-link'),
    adapterOf: createAdapterFactory({ store, clock, clients }),
  }
  return {
    list: (account) => list(context, account),
    endOne: (account, grantId) => endOne(context, account, grantId),
    endOf: async (account, clientId) => endGrants(context, account, await grantsOf(store, account, clientId)),
    endAssistant: (account, assistant) => endAssistant(context, account, assistant),
    endAccount: async (account) => endGrants(context, account, await grantsOf(store, account)),
    isLinked: (account, assistant) => isLinked(context, account, assistant),
    endClient: (client) => endClient(context, client),
    onLinked: (link) => onLinked(context, link),
    onRevoked: (link, why) => onRevoked(context, link, why),
  }
}

async function endAssistant(context: Context, accountId: AccountId, assistant: Assistant): Promise<void> {
  const { store, clients } = context
  const found = await grantsOf(store, accountId)
  const kinds = await Promise.all(found.map(({ clientId }) => clients.find(clientId)))
  const theirs = found.filter((_, index) => kinds[index]?.assistant === assistant)
  await endGrants(context, accountId, theirs)
}

async function endGrants(context: Context, accountId: AccountId, ending: readonly GrantFacts[]): Promise<void> {
  for (const { grantId, clientId, isLink } of ending) {
    await context.ended.noteLink(grantId)
    await destroy(context, { accountId, clientId, grantId })
    if (isLink)
      await onEnded(context, { accountId, clientId, grantId }, 'unlinked', await context.clients.find(clientId))
  }
}

async function destroy({ log, adapterOf }: Context, { accountId, clientId, grantId }: Link): Promise<void> {
  // The grant goes first: without it no token can be renewed, should a later step fail.
  await adapterOf('Grant').destroy(grantId)
  await Promise.all(
    ['RefreshToken', 'AccessToken', 'AuthorizationCode'].map((kind) => adapterOf(kind).revokeByGrantId(grantId)),
  )
  log('info', 'oauth.unlinked', { accountId, clientId, grantId })
}

async function endClient(context: Context, client: Client): Promise<void> {
  const { clientId } = client
  // One note for all of them: a client may have more links than everybody should read.
  await context.ended.noteClient(clientId)
  for await (const { id: grantId, value } of context.byClient.all(clientId)) {
    const link = { accountId: value.accountId, clientId, grantId }
    await destroy(context, link)
    await onEnded(context, link, 'unlinked', client)
  }
}

async function onLinked(context: Context, link: Link): Promise<void> {
  const { store, audit, log, byClient } = context
  const { accountId, clientId, grantId } = link
  try {
    await Promise.all([
      byClient.put(grantId, { accountId }, { group: clientId }),
      audit.write(accountId, 'linked', await shownClient(context, clientId)),
    ])
    const others = (await grantsOf(store, accountId, clientId)).filter(
      (other) => other.isLink && other.grantId !== grantId,
    )
    if (others.length >= mostLinks) await endGrants(context, accountId as AccountId, await surplusOf(context, others))
  } catch (error) {
    log('error', 'oauth.surplus-links-kept', { accountId, clientId, error })
  }
}

async function surplusOf({ uses, clock }: Context, others: readonly GrantFacts[]): Promise<readonly GrantFacts[]> {
  const used = await Promise.all(others.map(async ({ grantId }) => (await uses.lastAt(grantId)) ?? 0))
  return others
    .map((grant, index) => ({ grant, at: Math.max(grant.madeAt, used[index] ?? 0) }))
    .sort((a, b) => b.at - a.at)
    .filter(({ at }, index) => index + 1 >= (clock() - at < inUseMs ? mostLinksInUse : mostLinks))
    .map(({ grant }) => grant)
}

async function onRevoked(context: Context, link: Link, why: 'revoked' | 'reused'): Promise<void> {
  const client = await context.clients.find(link.clientId).catch(() => undefined)
  await onEnded(context, link, why === 'reused' ? 'token-reused' : 'unlinked', client)
}

/** Tells the owner, and what belongs to the assistant. Never rejects: the link is gone in any case. */
async function onEnded(
  context: Context,
  link: Link,
  kind: 'unlinked' | 'token-reused',
  client: Client | undefined,
): Promise<void> {
  const { uses, audit, log, byClient } = context
  const { accountId, clientId, grantId } = link
  try {
    const shown = client === undefined ? clientId : nameOf(client)
    await Promise.all([audit.write(accountId, kind, shown), uses.forget(grantId), byClient.remove(grantId)])
    const assistant = client?.assistant
    if (assistant !== 'alexa' && assistant !== 'google') return
    const isLast = !(await isLinked(context, accountId as AccountId, assistant))
    await context.onUnlinked(accountId as AccountId, assistant, { linkId: grantId, isLast })
  } catch (error) {
    log('error', 'oauth.unlink-untold', { accountId, clientId, error })
  }
}

/** Looks at each grant itself: a list may be a moment behind, and still show what has just ended. */
async function isLinked(
  { store, clients, grants }: Context,
  accountId: AccountId,
  assistant: Assistant,
): Promise<boolean> {
  const listed = (await grantsOf(store, accountId)).filter(({ isLink }) => isLink)
  const theirs = await Promise.all(
    listed.map(async ({ grantId, clientId }) => {
      const client = await clients.find(clientId)
      return client?.assistant === assistant && (await grants.get(grantId)) !== undefined
    }),
  )
  return theirs.includes(true)
}

async function list(context: Context, accountId: AccountId) {
  const { store, uses } = context
  const links = (await grantsOf(store, accountId)).filter(({ isLink }) => isLink)
  return Promise.all(
    links.map(async ({ grantId, clientId, madeAt }) => {
      const [usedAt, name] = await Promise.all([uses.lastAt(grantId), shownClient(context, clientId)])
      return { grantId, name, madeAt, ...(usedAt !== undefined && { usedAt }) }
    }),
  )
}

async function endOne(context: Context, accountId: AccountId, grantId: string): Promise<boolean> {
  const found = (await grantsOf(context.store, accountId)).filter((grant) => grant.grantId === grantId)
  await endGrants(context, accountId, found)
  return found.length > 0
}

async function shownClient({ clients }: Context, clientId: string): Promise<string> {
  const client = await clients.find(clientId)
  return client === undefined ? clientId : nameOf(client)
}
