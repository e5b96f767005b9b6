/** Who is signed in, and in which browsers: to these pages, and through them to our own page. */
import type { Request, Response } from 'express'
import type { Provider } from 'oidc-provider'
import { accountId, type AccountId, type Clock, type Collection, type Store } from 'transom-core/ports'
import { destroySession } from './adapter.ts'
import { browserName, type BrowserName } from './browser-name.ts'
import { cookieKind, type CookieKind } from '../cookies.ts'
import { sessionLifetime, signedInLifetime } from './lifetimes.ts'
import type { User, Users } from '../people/users.ts'

/** One browser in which an account is signed in. */
export interface SignedIn {
  readonly id: string
  /** Epoch milliseconds. */
  readonly at: number
  /** What the browser calls itself. */
  readonly browser: BrowserName
}

/** The session of the browser that sends a request. */
export interface Current {
  readonly user: User
  readonly id: string
  /** Known to this browser alone: what ties a form to it. */
  readonly secret: string
  /** The password or a passkey was given again in the last minutes. */
  readonly isConfirmed: boolean
}

export interface Sessions {
  /** `undefined` when nobody is signed in, when that was ended elsewhere, or the password is newer. */
  current(req: Request, res: Response): Promise<Current | undefined>
  /** A session of its own: one that this browser brought along may be known to whoever gave it to the browser. */
  begin(req: Request, res: Response, account: AccountId): Promise<void>
  /** Ends the browser's session, whoever's it is, and takes its cookie. */
  leave(req: Request, res: Response): Promise<void>
  /** Newest first. */
  list(account: AccountId): Promise<readonly SignedIn[]>
  /** Ends a browser's session with everything it let our own page do; false when it is not this account's. */
  end(account: AccountId, id: string): Promise<boolean>
  /** `except`: the session that goes on. */
  endAll(account: AccountId, except?: string): Promise<void>
  /** Whoever uses this session has just shown again who they are. */
  confirm(id: string): Promise<void>
  /** The provider has just used this session in a request of this browser. */
  note(
    session: { readonly uid: string; readonly accountId: AccountId; readonly loginAt: number },
    agent: string,
  ): Promise<void>
  /** Our own page was let in by this session. */
  noteGrant(id: string, grantId: string): Promise<void>
}

interface SignInRecord {
  readonly accountId: AccountId
  readonly at: number
  readonly agent: string
}

/** Our own page stays signed in longer than these pages, and its last access token an hour more. */
const rememberedMs = (signedInLifetime + 3600) * 1000
/** As the account page says. */
const confirmedMs = 5 * 60_000
/** How exactly a record's end follows the last use. */
const refreshMs = 10 * 60_000

interface SessionsDeps {
  readonly provider: () => Provider
  readonly store: Store
  readonly users: Users
  readonly issuer: string
  /** Ends a grant of our own page. */
  readonly endGrant: (account: AccountId, grantId: string) => Promise<unknown>
  readonly clock: Clock
}

interface Context extends SessionsDeps {
  readonly cookie: CookieKind
  /** By the uid of the provider's session. */
  readonly records: Collection<SignInRecord>
  readonly confirmations: Collection<Record<string, never>>
  /** What our own page was given, in the group of the session that let it in. */
  readonly grants: Collection<Record<string, never>>
}

export function createSessions(deps: SessionsDeps): Sessions {
  const { store, clock } = deps
  const context: Context = {
    ...deps,
    cookie: cookieKind(deps.issuer, 'transom_session'),
    records: store.collection('oauth-sign-in'),
    confirmations: store.collection('oauth-confirmed'),
    grants: store.collection('oauth-sign-in-grant'),
  }
  const { confirmations, grants } = context
  return {
    current: (req, res) => current(context, req, res),
    begin: (req, res, account) => begin(context, req, res, account),
    leave: (req, res) => leave(context, req, res),
    list: (account) => list(context, account),
    end: (account, id) => end(context, account, id),
    endAll: (account, except) => endAll(context, account, except),
    async confirm(id) {
      await confirmations.put(id, {}, { expiresAt: clock() + confirmedMs })
    },
    note: (session, agent) => note(context, session, agent),
    async noteGrant(id, grantId) {
      await grants.put(grantId, {}, { group: id, expiresAt: clock() + rememberedMs })
    },
  }
}

async function current(
  { provider, users, records, confirmations }: Context,
  req: Request,
  res: Response,
): Promise<Current | undefined> {
  const session = await provider().Session.get(provider().createContext(req, res))
  const { accountId: account, uid, jti } = session
  if (account === undefined) return undefined
  const [user, record, confirmed] = await Promise.all([
    users.findByAccount(account),
    records.get(uid),
    confirmations.get(uid),
  ])
  if (user === undefined || record === undefined || record.value.at < (user.passwordSince ?? 0)) return undefined
  return { user, id: uid, secret: jti, isConfirmed: confirmed !== undefined }
}

async function begin(context: Context, req: Request, res: Response, account: AccountId): Promise<void> {
  const { provider, cookie } = context
  const ctx = provider().createContext(req, res)
  const before = await provider().Session.get(ctx)
  const session = new (provider().Session)()
  session.loginAccount({ accountId: account })
  await session.save(sessionLifetime)
  await keep(context, session.uid, account, req.get('user-agent') ?? '')
  if (before.accountId !== undefined) await before.destroy()
  const expires = new Date(session.exp * 1000)
  ctx.cookies.set(cookie.name, session.jti, { ...cookie.rules, signed: true, expires, overwrite: true })
}

async function leave(context: Context, req: Request, res: Response): Promise<void> {
  const { provider, cookie } = context
  const ctx = provider().createContext(req, res)
  const session = await provider().Session.get(ctx)
  if (session.accountId !== undefined) {
    await forget(context, accountId(session.accountId), session.uid)
    await session.destroy()
  }
  ctx.cookies.set(cookie.name, null, { ...cookie.rules, signed: true })
}

async function list({ records }: Context, account: AccountId): Promise<readonly SignedIn[]> {
  const found = await records.list(account)
  return found
    .map(({ id, value: { at, agent } }) => ({ id, at, browser: browserName(agent) }))
    .sort((a, b) => b.at - a.at)
}

async function end(context: Context, account: AccountId, id: string): Promise<boolean> {
  const { store, records } = context
  if (id === '' || id.length > 100 || (await records.get(id))?.value.accountId !== account) return false
  await forget(context, account, id)
  await destroySession(store, id)
  return true
}

async function endAll(context: Context, account: AccountId, except?: string): Promise<void> {
  for await (const { id } of context.records.all(account)) if (id !== except) await end(context, account, id)
}

async function note(
  context: Context,
  session: { readonly uid: string; readonly accountId: AccountId; readonly loginAt: number },
  agent: string,
): Promise<void> {
  const { clock, records } = context
  const { uid, accountId: account, loginAt } = session
  const known = await records.get(uid)
  const isNew = known === undefined || known.value.accountId !== account
  // Whoever has given the password again since then is signed in anew. The provider counts in whole seconds.
  if (isNew || loginAt > known.value.at) return keep(context, uid, account, agent)
  const isOld = (known.expiresAt ?? 0) < clock() + rememberedMs - refreshMs
  if (isOld) await keep(context, uid, account, agent, known.value.at)
}

async function keep(
  { clock, records }: Context,
  uid: string,
  account: AccountId,
  agent: string,
  at = clock(),
): Promise<void> {
  const record = { accountId: account, at, agent: agent.slice(0, 300).toWellFormed() }
  await records.put(uid, record, { group: account, expiresAt: clock() + rememberedMs })
}

async function forget({ endGrant, records, grants }: Context, account: AccountId, id: string): Promise<void> {
  for await (const grant of grants.all(id)) {
    await endGrant(account, grant.id)
    await grants.remove(grant.id)
  }
  await records.remove(id)
}
