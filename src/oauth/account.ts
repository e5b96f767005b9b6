/** One's own account in the browser: `<issuer>/account`. */
import { createHmac, hash, randomBytes } from 'node:crypto'
import express, { type Request, type Response, type Router } from 'express'
import { z } from 'zod'
import type { AccountId, Clock, Log, Store } from '../ports.ts'
import type { AccountPages, LinkView, SharedCamera } from './account-pages.ts'
import type { Audit } from './audit.ts'
import type { KnownBrowsers } from './known-browser.ts'
import type { PasskeyView } from './passkey-form.ts'
import type { Passkeys } from './passkeys.ts'
import { answer, isSameText, jsonOf, queryOf } from './request.ts'
import { signInForm, type Origin, type SignIn } from './sign-in.ts'
import { leavingContentPolicy, passkeyContentPolicy } from './style.ts'
import type { Upstream } from './upstream.ts'
import type { User, Users } from './users.ts'

/** What the account page may do with cameras; `app` owns them. Methods throw `BridgeError` for what cannot be. */
export interface Sharing {
  cameras(owner: AccountId): Promise<readonly SharedCamera[]>
  share(owner: AccountId, cameraId: string, guest: AccountId, mayTalk: boolean): Promise<void>
  unshare(owner: AccountId, cameraId: string, guest: AccountId): Promise<void>
}

export interface AccountDeps {
  readonly store: Store
  readonly users: Users
  readonly signIn: SignIn
  readonly browsers: KnownBrowsers
  readonly passkeys: Passkeys
  readonly upstream: Upstream | undefined
  readonly sharing: Sharing | undefined
  readonly audit: Audit
  readonly links: (account: AccountId) => Promise<readonly LinkView[]>
  readonly endLink: (account: AccountId, grantId: string) => Promise<boolean>
  readonly accountPages: AccountPages
  readonly csrfKey: string
  /** Address of the passkeys' script. */
  readonly script: string
  readonly isSecure: boolean
  readonly clock: Clock
  readonly log: Log
}

interface Session {
  readonly accountId: AccountId
  readonly createdAt: number
}

const sessionMs = 3_600_000
const cookieName = 'transom_account'
/** Of the sign-in form: ties it to this browser before anybody is signed in. */
const formCookieName = 'transom_form'

export function createAccount(deps: AccountDeps): Router {
  const { users, signIn, passkeys, upstream, sharing, audit, accountPages, clock } = deps
  const sessions = deps.store.collection<Session>('oauth-account-session')
  const router = express.Router()
  // Not for every path: the provider, which comes after, reads its own bodies.
  router.use('/account', express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 10 }))

  const routes: readonly [string, (req: Request, res: Response, user: User, secret: string) => Promise<void>][] = [
    [
      '/account/logout',
      async (req, res, _user, secret) => {
        await sessions.remove(keyOf(secret))
        forget(res, req, cookieName)
        res.redirect(303, base(req))
      },
    ],
    [
      '/account/links/end',
      async (req, res, user) => {
        const { grant } = z.object({ grant: z.string().max(100) }).parse(req.body)
        const isEnded = await deps.endLink(user.accountId, grant)
        back(req, res, isEnded ? 'removed' : 'gone')
      },
    ],
    [
      '/account/shares',
      async (req, res, user) => {
        const form = z
          .object({ camera: z.string().max(256), login: z.string().max(300), talk: z.enum(['yes', 'no']) })
          .parse(req.body)
        const guest = await users.find(form.login, user.tenant)
        if (guest === undefined || guest.accountId === user.accountId) return back(req, res, 'nobody')
        await sharing?.share(user.accountId, form.camera, guest.accountId, form.talk === 'yes')
        back(req, res, 'shared')
      },
    ],
    [
      '/account/shares/end',
      async (req, res, user) => {
        const { camera, account } = z
          .object({ camera: z.string().max(256), account: z.string().max(256) })
          .parse(req.body)
        const guest = await users.findByAccount(account)
        if (guest !== undefined) await sharing?.unshare(user.accountId, camera, guest.accountId)
        back(req, res, 'unshared')
      },
    ],
    [
      '/account/passkeys/options',
      async (_req, res, user) => {
        res.json(await passkeys.registrationOptions(user))
      },
    ],
    [
      '/account/passkeys',
      async (req, res, user) => {
        const isAdded = await passkeys.register(user, jsonOf(req.body?.credential))
        if (isAdded) await audit.write(user.accountId, 'passkey-added')
        back(req, res, isAdded ? 'passkey' : 'nopasskey')
      },
    ],
    [
      '/account/passkeys/remove',
      async (req, res, user) => {
        const { passkey } = z.object({ passkey: z.string().max(100) }).parse(req.body)
        if (await passkeys.remove(user.accountId, passkey)) await audit.write(user.accountId, 'passkey-removed')
        back(req, res, 'removed')
      },
    ],
  ]
  for (const [path, handle] of routes) {
    router.post(
      path,
      answer(async (req, res) => {
        const session = await sessionOf(req)
        if (session === undefined) return res.redirect(303, base(req))
        requireToken(req, csrfOf(session.secret))
        await handle(req, res, session.user, session.secret)
      }),
    )
  }

  router.get(
    '/account',
    answer(async (req, res) => {
      const session = await sessionOf(req)
      if (session === undefined) return showSignIn(req, res)
      const { user, secret } = session
      const [links, cameras, keys, history] = await Promise.all([
        deps.links(user.accountId),
        sharing?.cameras(user.accountId) ?? [],
        passkeys.list(user.accountId),
        audit.read(user.accountId),
      ])
      res.set('content-security-policy', passkeyContentPolicy(deps.script))
      const note = notes[queryOf(req, 'note')]
      res.send(
        accountPages.account({
          user,
          base: base(req),
          csrf: csrfOf(secret),
          links,
          cameras,
          passkeys: keys,
          history,
          ...(passkeys.isOffered && { passkey: passkeyView(req, 'create', 'passkeys') }),
          ...note,
        }),
      )
    }),
  )

  router.post(
    '/account/login',
    answer(async (req, res) => {
      requireToken(req, csrfOf(formSecretOf(req)))
      if (upstream !== undefined) return showSignIn(req, res)
      const form = signInForm.safeParse(req.body)
      if (!form.success) return showSignIn(req, res, { status: 422, problem: 'Please enter login and password.' })
      const { login } = form.data
      const browser = deps.browsers.of(req, res)
      const result = await signIn.password({ ...form.data, browser, ...originOf(req) })
      if ('user' in result) return begin(req, res, result.user)
      if (result.retryAfterS !== undefined) res.set('retry-after', String(result.retryAfterS))
      await showSignIn(req, res, { status: result.status, problem: result.problem, login })
    }),
  )

  router.post(
    '/account/login/passkey/options',
    answer(async (req, res) => {
      requireToken(req, csrfOf(formSecretOf(req)))
      res.json(await passkeys.signInOptions(`account ${formSecretOf(req)}`))
    }),
  )

  router.post(
    '/account/login/passkey',
    answer(async (req, res) => {
      requireToken(req, csrfOf(formSecretOf(req)))
      const result = await signIn.passkey(`account ${formSecretOf(req)}`, jsonOf(req.body?.credential), originOf(req))
      if ('user' in result) return begin(req, res, result.user)
      await showSignIn(req, res, { status: result.status, problem: result.problem })
    }),
  )

  router.post(
    '/account/login/upstream',
    answer(async (req, res) => {
      requireToken(req, csrfOf(formSecretOf(req)))
      if (upstream === undefined) return showSignIn(req, res)
      const browser = `account ${formSecretOf(req)}`
      const way = { returnTo: `${base(req)}/login/upstream`, browser, ...tenantOf(originOf(req)) }
      res.redirect(303, await upstream.begin(way))
    }),
  )

  router.get(
    '/account/login/upstream',
    answer(async (req, res) => {
      const user = await upstream?.redeem(queryOf(req, 'ticket'), `account ${formSecretOf(req)}`)
      if (user !== undefined) return begin(req, res, user)
      await showSignIn(req, res, { status: 422, problem: `${upstream?.name ?? 'The provider'} did not sign you in.` })
    }),
  )

  return router

  async function begin(req: Request, res: Response, user: User): Promise<void> {
    const secret = randomBytes(24).toString('base64url')
    const session = { accountId: user.accountId, createdAt: clock() }
    await sessions.put(keyOf(secret), session, { expiresAt: clock() + sessionMs })
    remember(res, req, cookieName, secret)
    forget(res, req, formCookieName)
    res.redirect(303, base(req))
  }

  async function sessionOf(req: Request): Promise<{ user: User; secret: string } | undefined> {
    const secret = cookieOf(req, cookieName)
    const session = secret === undefined ? undefined : (await sessions.get(keyOf(secret)))?.value
    if (secret === undefined || session === undefined) return undefined
    const user = await users.findByAccount(session.accountId)
    return user === undefined || session.createdAt < (user.passwordSince ?? 0) ? undefined : { user, secret }
  }

  async function showSignIn(
    req: Request,
    res: Response,
    again: { status?: number; problem?: string; login?: string } = {},
  ): Promise<void> {
    const { status = 200, ...typed } = again
    let secret = cookieOf(req, formCookieName)
    if (secret === undefined) {
      secret = randomBytes(24).toString('base64url')
      remember(res, req, formCookieName, secret)
    }
    const policy = upstream === undefined ? passkeyContentPolicy(deps.script) : leavingContentPolicy
    res.set('content-security-policy', policy)
    res.status(status).send(
      accountPages.signIn({
        action: `${base(req)}/login${tenantQuery(req)}`,
        csrf: csrfOf(secret),
        ...typed,
        ...(upstream === undefined
          ? passkeys.isOffered && { passkey: passkeyView(req, 'get', 'login/passkey') }
          : { upstream: { name: upstream.name, action: `${base(req)}/login/upstream${tenantQuery(req)}` } }),
      }),
    )
  }

  function passkeyView(req: Request, use: PasskeyView['use'], path: string): PasskeyView {
    const action = `${base(req)}/${path}`
    const query = use === 'get' ? tenantQuery(req) : ''
    return { use, action: `${action}${query}`, options: `${action}/options`, script: deps.script }
  }

  function csrfOf(secret: string): string {
    return createHmac('sha256', deps.csrfKey).update(`account ${secret}`).digest('base64url')
  }

  function requireToken(req: Request, expected: string): void {
    if (isSameText(req.body?.csrf, expected)) return
    deps.log('warn', 'oauth.refused', { path: req.path.split('/')[1], reason: 'the form does not carry our token' })
    throw Object.assign(new Error('the form does not carry our token'), { status: 400 })
  }

  function remember(res: Response, req: Request, name: string, value: string): void {
    res.cookie(name, value, { ...cookieRules(req), maxAge: sessionMs })
  }

  function forget(res: Response, req: Request, name: string): void {
    res.clearCookie(name, cookieRules(req))
  }

  function cookieRules(req: Request) {
    return { httpOnly: true, sameSite: 'lax', secure: deps.isSecure, path: base(req) } as const
  }
}

const notes: Readonly<Record<string, { done: string } | { problem: string }>> = {
  removed: { done: 'Removed. It stops working within a minute.' },
  gone: { problem: 'That link does not exist any more.' },
  shared: { done: 'Shared. The other person’s assistants have been told, and show it in a moment.' },
  unshared: { done: 'No longer shared.' },
  nobody: { problem: 'Nobody else here has this login.' },
  passkey: { done: 'The passkey was added. You can sign in with it from now on.' },
  nopasskey: { problem: 'The passkey could not be added. Please try again.' },
}

/** A tenant's people come by `/account?tenant=…`; where a client leads, it says itself whose it is. */
function originOf(req: Request): Origin {
  const tenant = queryOf(req, 'tenant')
  return { clientId: 'account', address: req.ip ?? '', ...(tenant !== '' && { tenant }) }
}

function tenantQuery(req: Request): string {
  const { tenant } = originOf(req)
  return tenant === undefined ? '' : `?tenant=${encodeURIComponent(tenant)}`
}

const base = (req: Request): string => `${req.baseUrl}/account`
const back = (req: Request, res: Response, note: string): void => res.redirect(303, `${base(req)}?note=${note}`)
const keyOf = (secret: string): string => hash('sha256', secret, 'base64url')
const formSecretOf = (req: Request): string => cookieOf(req, formCookieName) ?? ''
const tenantOf = ({ tenant }: { readonly tenant?: string }) => (tenant === undefined ? {} : { tenant })

function cookieOf(req: Request, name: string): string | undefined {
  const found = (req.headers.cookie ?? '').split('; ').find((pair) => pair.startsWith(`${name}=`))
  const value = found?.slice(name.length + 1)
  return value !== undefined && /^[\w-]{32}$/.test(value) ? value : undefined
}
