/** Account linking: an OAuth 2.0 authorization server for Alexa and Google, as one Express handler. */
import type { RequestHandler } from 'express'
import type { Provider } from 'oidc-provider'
import type { JWK } from 'jose'
import { createWrongKeys, type WrongKeys } from 'transom-core/admission'
import type { AccountId, ClientKind, Clock, Log, Store, VerifyToken } from 'transom-core/ports'
import { createAccountPages } from './pages/account-pages.ts'
import { createAccount } from './pages/account.ts'
import { createPeople } from './people/people.ts'
import type { Sharing } from './people/sharing.ts'
import { createAccounts, type OfAccount } from './provider/accounts.ts'
import { createAdmin } from './admin.ts'
import type { Audit } from './people/audit.ts'
import {
  checkClients,
  consoleClient,
  demoProject,
  googleProjectOf,
  homeAppLink,
  type Assistant,
  type OAuthClient,
} from './client.ts'
import type { Clients, Registry } from './provider/clients.ts'
import { createEndpoints } from './provider/endpoints.ts'
import { createEntry } from './pages/entry.ts'
import { createInteraction } from './pages/interaction.ts'
import { withKeyId, type Keyring, type SigningKey } from './provider/keyring.ts'
import { createLinks, type EndedLink, type Links } from './provider/links.ts'
import type { Brand } from './pages/markup.ts'
import { createPages, inLanguages, type InLanguage } from './pages/pages.ts'
import { createProvider } from './provider/provider.ts'
import { dropAuthority } from './request.ts'
import { createRoutes } from './routes.ts'
import { createSessions } from './provider/sessions.ts'
import type { StreamlinedOptions } from './provider/streamlined.ts'
import type { Tickets } from './people/tickets.ts'
import { createInspection } from './provider/tokens.ts'
import { createTrust } from './provider/trust.ts'
import type { UpstreamOptions } from './people/upstream.ts'
import type { Users } from './people/users.ts'
import { createWelcome } from './pages/welcome.ts'

export interface OAuthOptions {
  /** The public URL that the handler is mounted at, without a slash at its end: `https://bridge.example/oauth`. */
  readonly issuer: string
  readonly store: Store
  /** Those that are always there; others are added in the store. */
  readonly clients: readonly OAuthClient[]
  /** Private keys on P-256; the first signs, all of them verify. Keys made by a rotation are kept in the store. */
  readonly signingKeys: readonly JWK[]
  /** Secrets that sign cookies and forms; the first signs, all of them are accepted for cookies. */
  readonly cookieKeys: readonly string[]
  /** 32 bytes in base64, encrypts the signing keys in the store. Without it the keys cannot be rotated there. */
  readonly sealingKey?: string
  readonly clock: Clock
  readonly log: Log
  /** True when exactly one trusted proxy stands in front; its X-Forwarded-For then names the visitor. */
  readonly behindProxy?: number
  /** How many may begin to link in a second, all networks together, a hundred times as many at once; default 10. */
  readonly startsPerSecond?: number
  readonly brand?: Brand
  /** Another OpenID Connect provider that signs people in, instead of login and password. */
  readonly upstream?: UpstreamOptions
  /** Google's streamlined linking; off without it. */
  readonly streamlined?: StreamlinedOptions
  /** Where our own page is; without it there is no client for it, and no link into it. */
  readonly consoleUri?: string
  /** Opens introspection and the clients' API; at least 32 characters. */
  readonly operatorKey?: string
  /** For the consent page: the names of the cameras that an account may see. */
  readonly cameras?: (account: AccountId) => Promise<readonly string[]>
  /** For the account page: with whom cameras are shared. */
  readonly sharing?: (people: Pick<OAuth, 'users' | 'audit'>) => Sharing
  /** What others keep of an account: handed out with it, and removed with it. */
  readonly ofAccount?: OfAccount
  /**
   * A link of this account with this assistant has ended, from whatever side; `isLast`: no other is left. A failure is
   * logged.
   */
  readonly onUnlinked?: (account: AccountId, assistant: Assistant, link: EndedLink) => Promise<void>
}

export interface OAuth {
  /** Mounted at the issuer's path: `app.use('/oauth', oauth.handler)`. Answers whatever comes below it. */
  readonly handler: RequestHandler
  /** RFC 8414 section 3.1, mounted at the root: `app.use('/.well-known', oauth.wellKnown)`. Passes on what is not its own. */
  readonly wellKnown: RequestHandler
  /** The page for a browser that asks for something that is not there. */
  readonly lost: InLanguage<string>
  readonly verifyToken: VerifyToken
  /** Patience with wrong keys, one for all doors that take some. */
  readonly wrongKeys: WrongKeys
  readonly users: Users
  readonly clients: Clients
  readonly tickets: Tickets
  readonly keyring: Keyring
  readonly audit: Audit
  /** The operator's API without a guard: for doors that let in nobody else. */
  readonly admin: RequestHandler
  /** What a client is, for tokens of several clients of one assistant; `undefined` for an unknown one. */
  kindOf(clientId: string): Promise<ClientKind | undefined>
  /** A link that signs this person in to our own page, once, within a day; `undefined` where there is none, or another provider signs people in. */
  entryLink(account: AccountId): Promise<string | undefined>
  /** Ends every link of this account with this client; its tokens stop within a minute, here at once. */
  unlink(accountId: AccountId, clientId: string): Promise<void>
  /** The same for every client of an assistant. */
  unlinkAssistant(accountId: AccountId, assistant: Assistant): Promise<void>
  /** Ends just the link that this access token belongs to; others of the account, a household's, stay. */
  unlinkToken(token: string): Promise<void>
  isLinked(accountId: AccountId, assistant: Assistant): Promise<boolean>
}

/** Throws when the options could not make a safe server (client, key, or issuer). */
export function createOAuth(options: OAuthOptions): OAuth {
  const { issuer } = options
  checkOptions(options)
  const rooms = openRooms(options, {
    onKeys: (keys) => (current = openKeyed(options, rooms, admin, keys)),
    provider: () => current.provider,
  })
  const { accounts, users, clients, tickets, keyring, audit, links, sharing, trust, wrongKeys, upstream, pages } = rooms
  const admin = createAdmin({ accounts, users, clients, keyring, tickets, audit, links, sharing, issuer })
  const { account, welcome, entry } = openPages(options, rooms)
  let current = openKeyed(options, rooms, admin, options.signingKeys.map(withKeyId))
  const routes = createRoutes({ ...options, pages, account, welcome, entry, upstream, inner: () => current })
  return {
    handler: async (req, res, next) => {
      dropAuthority(req)
      await trust.glance()
      routes(req, res, next)
    },
    wellKnown: wellKnownOf(issuer, routes),
    lost: (asking) => pages(asking).lost(),
    verifyToken: trust.verifyToken,
    kindOf: trust.kindOf,
    users,
    clients,
    tickets,
    keyring,
    audit,
    admin,
    wrongKeys,
    entryLink: async (accountId) => entry?.linkFor(accountId),
    unlink: links.endOf,
    unlinkAssistant: links.endAssistant,
    async unlinkToken(token) {
      const facts = await current.inspect(token)
      if (facts !== undefined) await links.endOne(facts.grant.accountId, facts.grantId)
    },
    isLinked: links.isLinked,
  }
}

function checkOptions({ issuer, clients, operatorKey }: OAuthOptions): void {
  checkClients(clients)
  if (issuer.endsWith('/')) throw new Error('the issuer must not end in a slash')
  if (operatorKey !== undefined && !/^[\w.~+/-]{32,}=*$/.test(operatorKey))
    throw new Error('the operator key must be 32 or more characters of a bearer token (RFC 6750)')
}

type Rooms = ReturnType<typeof openRooms>

/** Everything below the pages, whichever signing keys there are. */
function openRooms(
  options: OAuthOptions,
  news: { readonly onKeys: (keys: readonly SigningKey[]) => void; readonly provider: () => Provider },
) {
  const { issuer, consoleUri, store, clock, log, upstream, onUnlinked = async () => {} } = options
  const csrfKey = firstOf(options.cookieKeys)
  const brand = options.brand ?? { name: 'Transom' }
  const ways = { account: `${issuer}/account`, ...(consoleUri !== undefined && { cameras: consoleUri }) }
  const people = createPeople({ store, issuer, csrfKey, name: brand.name, upstream, clock, log })
  const { users, audit } = people
  const trust = createTrust(options, news.onKeys)
  const { registry, ended, keyring, uses } = trust
  const links = createLinks({ store, clients: registry, ended, uses, audit, onUnlinked, clock, log })
  const sessions = createSessions({ provider: news.provider, store, users, issuer, endGrant: links.endOne, clock })
  const sharing = options.sharing?.({ users, audit })
  const { ofAccount } = options
  return {
    ...people,
    accounts: createAccounts({ ...people, store, sessions, links, sharing, ofAccount }),
    csrfKey,
    script: `${issuer}/passkey.js`,
    pages: inLanguages(brand, ways, createPages),
    accountPages: inLanguages(brand, ways, createAccountPages),
    trust,
    ended,
    keyring,
    uses,
    links,
    sessions,
    clients: withLinksEnded(registry, links),
    wrongKeys: createWrongKeys({ clock, log }),
    sharing,
    async onNewPassword(accountId: AccountId) {
      await sessions.endAll(accountId)
      await links.endOf(accountId, consoleClient)
    },
  }
}

/** What a browser is shown beside the provider's own prompts. */
function openPages(options: OAuthOptions, rooms: Rooms) {
  const { issuer, consoleUri, store, clock, log } = options
  const { links, clients, passkeys, upstream } = rooms
  const account = createAccount({
    ...rooms,
    issuer,
    log,
    links: links.list,
    endLink: links.endOne,
    homeAppLinkFor: ({ tenant }) => homeAppLinkFor(clients, tenant),
  })
  const welcome = createWelcome({ ...rooms, removePasskeys: passkeys.removeAll })
  // Where another provider signs people in, no link of ours goes past it.
  const hasEntry = consoleUri !== undefined && upstream === undefined
  const entry = hasEntry ? createEntry({ ...rooms, store, issuer, consoleUri, clock, log }) : undefined
  return { account, welcome, entry }
}

/** Everything that knows the signing keys; opened again when they change. */
function openKeyed(options: OAuthOptions, rooms: Rooms, admin: RequestHandler, signingKeys: readonly SigningKey[]) {
  const { issuer, operatorKey, log, cameras = async () => [] } = options
  const { clients, links, trust, uses } = rooms
  const provider = createProvider({
    ...options,
    ...rooms,
    audience: new URL(issuer).origin,
    signingKeys,
    onLinked: links.onLinked,
    onRevoked: links.onRevoked,
    streamlined: options.streamlined,
    hasIntrospection: operatorKey !== undefined,
    onRefreshed: uses.note,
  })
  const isClient = async (id: string) => (await clients.find(id)) !== undefined
  const inspect = createInspection(provider, (token) => trust.reader().read(token), isClient)
  return {
    inspect,
    provider,
    interaction: createInteraction({ ...rooms, provider, cameras, log }),
    endpoints: createEndpoints({ ...rooms, verify: trust.verifyToken, inspect, issuer, operatorKey, admin }),
  }
}

/** The issuer's own path stands behind the well-known name (RFC 8414 section 3.1). */
function wellKnownOf(issuer: string, routes: RequestHandler): RequestHandler {
  const path = new URL(issuer).pathname.replace(/\/$/, '')
  return (req, res, next) => {
    dropAuthority(req)
    const known = ['/oauth-authorization-server', '/openid-configuration'].find((name) => req.path === `${name}${path}`)
    if (known === undefined || req.method !== 'GET') return next()
    const to = `/.well-known${known}`
    Object.assign(req, { url: to, originalUrl: `${path}${to}`, baseUrl: path })
    return routes(req, res, next)
  }
}

/** Whoever removes a client ends its links first. */
function withLinksEnded(
  { find, list, add, rotate, retire, forget }: Registry,
  links: Pick<Links, 'endClient'>,
): Clients {
  return {
    find,
    list,
    add,
    rotate,
    async remove(clientId) {
      await links.endClient(await retire(clientId))
      await forget(clientId)
    },
  }
}

/** Opens the Google Home app where people of this tenant link; undefined without a project of Google that is more than a demo. */
async function homeAppLinkFor(clients: Pick<Clients, 'list'>, tenant: string | undefined): Promise<string | undefined> {
  const theirs = (await clients.list()).filter((client) => client.assistant === 'google' && client.tenant === tenant)
  const project = theirs.map(googleProjectOf).find((id) => id !== undefined && id !== demoProject)
  return project === undefined ? undefined : homeAppLink(project)
}

function firstOf(cookieKeys: readonly string[]): string {
  const [key] = cookieKeys
  if (key === undefined) throw new Error('account linking needs a cookie key')
  return key
}
