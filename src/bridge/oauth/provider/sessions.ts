/** Who is signed in, and in which browsers: to these pages, and through them to our own page. */
import type { Request, Response } from 'express'
import type { Provider } from 'oidc-provider'
import { accountId, type AccountId, type Clock, type Store } from 'transom-core/ports'
import { destroySession } from './adapter.ts'
import { browserName } from './browser-name.ts'
import { cookieKind } from '../cookies.ts'
import { sessionLifetime, signedInLifetime } from './lifetimes.ts'
import type { User, Users } from '../people/users.ts'

/** One browser in which an account is signed in. */
export interface SignedIn {
  readonly id: string
  /** Epoch milliseconds. */
  readonly at: number
  /** What the browser calls itself: "Firefox on Windows". */
  readonly browser: string
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

export function createSessions(deps: {
  readonly provider: () => Provider
  readonly store: Store
  readonly users: Users
  readonly issuer: string
  /** Ends a grant of our own page. */
  readonly endGrant: (account: AccountId, grantId: string) => Promise<unknown>
  readonly clock: Clock
}): Sessions {
  const { provider, store, users, endGrant, clock } = deps
  const cookie = cookieKind(deps.issuer, 'transom_session')
  const records = store.collection<SignInRecord>('oauth-sign-in')
  const confirmations = store.collection<Record<string, never>>('oauth-confirmed')
  const grants = store.collection<Record<string, never>>('oauth-sign-in-grant')

  return { current, begin, leave, list, end, endAll, confirm, note, noteGrant }

  async function current(req: Request, res: Response): Promise<Current | undefined> {
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

  async function begin(req: Request, res: Response, account: AccountId): Promise<void> {
    const ctx = provider().createContext(req, res)
    const before = await provider().Session.get(ctx)
    const session = new (provider().Session)()
    session.loginAccount({ accountId: account })
    await session.save(sessionLifetime)
    await keep(session.uid, account, req.get('user-agent') ?? '')
    if (before.accountId !== undefined) await before.destroy()
    const expires = new Date(session.exp * 1000)
    ctx.cookies.set(cookie.name, session.jti, { ...cookie.rules, signed: true, expires, overwrite: true })
  }

  async function leave(req: Request, res: Response): Promise<void> {
    const ctx = provider().createContext(req, res)
    const session = await provider().Session.get(ctx)
    if (session.accountId !== undefined) {
      await forget(accountId(session.accountId), session.uid)
      await session.destroy()
    }
    ctx.cookies.set(cookie.name, null, { ...cookie.rules, signed: true })
  }

  async function list(account: AccountId): Promise<readonly SignedIn[]> {
    const found = await records.list(account)
    return found
      .map(({ id, value: { at, agent } }) => ({ id, at, browser: browserName(agent) }))
      .sort((a, b) => b.at - a.at)
  }

  async function end(account: AccountId, id: string): Promise<boolean> {
    if (id === '' || id.length > 100 || (await records.get(id))?.value.accountId !== account) return false
    await forget(account, id)
    await destroySession(store, id)
    return true
  }

  async function endAll(account: AccountId, except?: string): Promise<void> {
    for await (const { id } of records.all(account)) if (id !== except) await end(account, id)
  }

  async function confirm(id: string): Promise<void> {
    await confirmations.put(id, {}, { expiresAt: clock() + confirmedMs })
  }

  async function note(
    session: { readonly uid: string; readonly accountId: AccountId; readonly loginAt: number },
    agent: string,
  ): Promise<void> {
    const { uid, accountId: account, loginAt } = session
    const known = await records.get(uid)
    const isNew = known === undefined || known.value.accountId !== account
    // Whoever has given the password again since then is signed in anew. The provider counts in whole seconds.
    if (isNew || loginAt > known.value.at) return keep(uid, account, agent)
    const isOld = (known.expiresAt ?? 0) < clock() + rememberedMs - refreshMs
    if (isOld) await keep(uid, account, agent, known.value.at)
  }

  async function keep(uid: string, account: AccountId, agent: string, at = clock()): Promise<void> {
    const record = { accountId: account, at, agent: agent.slice(0, 300).toWellFormed() }
    await records.put(uid, record, { group: account, expiresAt: clock() + rememberedMs })
  }

  async function noteGrant(id: string, grantId: string): Promise<void> {
    await grants.put(grantId, {}, { group: id, expiresAt: clock() + rememberedMs })
  }

  async function forget(account: AccountId, id: string): Promise<void> {
    for await (const grant of grants.all(id)) {
      await endGrant(account, grant.id)
      await grants.remove(grant.id)
    }
    await records.remove(id)
  }
}
