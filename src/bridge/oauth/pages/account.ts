/** One's own account in the browser: `<issuer>/account`. */
import { createHmac, randomBytes } from 'node:crypto'
import express, { type Request, type Response, type Router } from 'express'
import type { AccountId, Log } from 'transom-core/ports'
import { accountActions, deleteAccount, deletionActions, type ActionDeps } from './account-actions.ts'
import type { LinkView } from '../provider/links.ts'
import type { AccountPages } from './account-pages.ts'
import type { InLanguage } from './pages.ts'
import { cookieKind, type CookieKind } from '../cookies.ts'
import type { PasskeyView } from './passkey-form.ts'
import { answer, isSameText, queryOf } from '../request.ts'
import type { Current } from '../provider/sessions.ts'
import type { Origin, SignInRefusal } from '../people/sign-in.ts'
import { addSignInWays, offerWays, type Again, type Visit } from './sign-in-ways.ts'
import { leavingContentPolicy, passkeyContentPolicy } from './style.ts'
import type { User } from '../people/users.ts'

export interface AccountDeps extends ActionDeps {
  readonly links: (account: AccountId) => Promise<readonly LinkView[]>
  /** Opens the Google Home app where this person links; undefined without a project of Google. */
  readonly homeAppLinkFor: (user: User) => Promise<string | undefined>
  readonly accountPages: InLanguage<AccountPages>
  readonly issuer: string
  readonly csrfKey: string
  /** Address of the passkeys' script. */
  readonly script: string
  readonly log: Log
}

const formMs = 3_600_000

/** The routes of the account page; `<issuer>/account` and below it. */
export function createAccount(deps: AccountDeps): Router {
  const { accounts, audit, sessions, upstream, csrfKey, log } = deps
  // Of the sign-in form: ties it to this browser before anybody is signed in.
  const formCookie = cookieKind(deps.issuer, 'transom_form', '/account')
  const router = express.Router()
  // Not for every path: the provider, which comes after, reads its own bodies.
  router.use('/account', express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 10 }))

  addActions(accountActions(deps), showAccount)
  addActions(deletionActions(deps), showDeletion)
  router.get(
    '/account/delete',
    signedIn((req, res, current) => showDeletion(deps, req, res, current)),
  )
  // The ticket is worth something only in the browser that has posted the form.
  router.get(
    '/account/delete/upstream',
    signedIn(async (req, res, current) => {
      const user = await upstream?.redeem(queryOf(req, 'ticket'), `delete ${current.secret}`)
      if (user?.accountId === current.user.accountId)
        return res.redirect(303, `${base(req)}?note=${await deleteAccount(deps, { req, res, ...current })}`)
      const problem = { kind: 'provider', name: upstream?.name ?? 'The provider' } as const
      await showDeletion(deps, req, res, current, { kind: 'refused', status: 422, problem })
    }),
  )
  router.get(
    '/account/data',
    signedIn(async (_req, res, { user }) => {
      const data = await accounts.export(user)
      await audit.write(user.accountId, 'data-downloaded')
      res
        .attachment('account.json')
        .type('json')
        .send(`${JSON.stringify(data, undefined, 2)}\n`)
    }),
  )

  router.get(
    '/account',
    answer(async (req, res) => {
      const current = await sessions.current(req, res)
      const { tenant } = originOf(req)
      const isOther = tenant !== undefined && tenant !== current?.user.tenant
      if (current === undefined || isOther)
        return showSignIn(deps, formCookie, req, res, { note: queryOf(req, 'note') })
      await showAccount(deps, req, res, current)
    }),
  )

  addSignInWays(router, { login: '/account/login', below: '/account/login' }, deps, {
    posted(req, res) {
      requireToken(log, req, csrfOf(csrfKey, formCookie.read(req) ?? ''))
      return visitOf(req, res)
    },
    returned: visitOf,
  })
  return router

  /** `show` says what was wrong with a form, if anything was. */
  function addActions(actions: ReturnType<typeof accountActions>, show: typeof showAccount): void {
    for (const [path, act] of Object.entries(actions)) {
      router.post(
        `/account${path}`,
        signedIn(async (req, res, current) => {
          requireToken(log, req, csrfOf(csrfKey, current.secret))
          const outcome = await act({ req, res, ...current, base: base(req) })
          if (typeof outcome === 'string') return res.redirect(303, `${base(req)}?note=${outcome}`)
          if (outcome !== undefined) await show(deps, req, res, current, outcome)
        }),
      )
    }
  }

  function signedIn(handle: (req: Request, res: Response, current: Current) => Promise<void>) {
    return answer(async (req, res) => {
      const current = await sessions.current(req, res)
      if (current === undefined) return res.redirect(303, `${base(req)}?note=signedout`)
      await handle(req, res, current)
    })
  }

  function visitOf(req: Request, res: Response): Visit {
    return {
      asker: `account ${formCookie.read(req) ?? ''}`,
      below: `${base(req)}/login`,
      origin: () => originOf(req),
      show: (again) => showSignIn(deps, formCookie, req, res, again),
      async goOn(user) {
        await sessions.begin(req, res, user.accountId)
        res.clearCookie(formCookie.name, formCookie.rules)
        res.redirect(303, base(req))
      },
    }
  }
}

async function showAccount(
  deps: AccountDeps,
  req: Request,
  res: Response,
  current: Current,
  refusal?: SignInRefusal,
): Promise<void> {
  const { passkeys, sessions, sharing } = deps
  const { user, id, secret, isConfirmed } = current
  const { accountId } = user
  const [links, cameras, invitations, received, keys, signedIn, history, homeAppLink] = await Promise.all([
    deps.links(accountId),
    sharing?.cameras(accountId) ?? [],
    sharing?.invitations(user) ?? [],
    sharing?.received(accountId) ?? [],
    passkeys.list(accountId),
    sessions.list(accountId),
    deps.audit.read(accountId),
    deps.homeAppLinkFor(user),
  ])
  res.set('content-security-policy', passkeyContentPolicy(deps.script))
  if (refusal?.retryAfterS !== undefined) res.set('retry-after', String(refusal.retryAfterS))
  res.status(refusal?.status ?? 200).send(
    deps.accountPages(req).account({
      user,
      base: base(req),
      csrf: csrfOf(deps.csrfKey, secret),
      links,
      cameras,
      invitations,
      received,
      sessions: signedIn.map((one) => ({ ...one, isThis: one.id === id })),
      hasPassword: deps.upstream === undefined,
      passkeys: keys,
      ...(passkeys.isOffered && {
        passkey: passkeyAt(`${base(req)}/passkeys`, 'create', deps.script),
        confirm: passkeyAt(`${base(req)}/confirm/passkey`, 'get', deps.script),
      }),
      isConfirmed,
      history,
      ...(homeAppLink !== undefined && { homeAppLink }),
      ...(refusal === undefined ? { note: queryOf(req, 'note') } : { problem: refusal.problem }),
    }),
  )
}

async function showDeletion(
  deps: AccountDeps,
  req: Request,
  res: Response,
  { user, secret }: Current,
  refusal?: SignInRefusal,
): Promise<void> {
  const { passkeys, upstream, users, script } = deps
  const [keys, everybody] = await Promise.all([passkeys.list(user.accountId), users.list({ limit: 2 })])
  const hasPasskey = passkeys.isOffered && keys.length > 0
  res.set('content-security-policy', upstream === undefined ? passkeyContentPolicy(script) : leavingContentPolicy)
  if (refusal?.retryAfterS !== undefined) res.set('retry-after', String(refusal.retryAfterS))
  res.status(refusal?.status ?? 200).send(
    deps.accountPages(req).deletion({
      user,
      base: base(req),
      csrf: csrfOf(deps.csrfKey, secret),
      isLast: everybody.length < 2,
      hasPassword: upstream === undefined,
      ...(hasPasskey && { passkey: passkeyAt(`${base(req)}/delete/passkey`, 'get', script) }),
      ...(upstream !== undefined && { provider: upstream.name }),
      ...(refusal && { problem: refusal.problem }),
    }),
  )
}

function showSignIn(
  deps: AccountDeps,
  formCookie: CookieKind,
  req: Request,
  res: Response,
  again: Again & { readonly note?: string } = {},
): void {
  const { status = 200, ...typed } = again
  let secret = formCookie.read(req)
  if (secret === undefined) {
    secret = randomBytes(24).toString('base64url')
    res.cookie(formCookie.name, secret, { ...formCookie.rules, maxAge: formMs })
  }
  const below = `${base(req)}/login`
  const query = tenantQuery(req)
  const ways = offerWays(res, deps, below, query)
  const csrf = csrfOf(deps.csrfKey, secret)
  res.status(status).send(deps.accountPages(req).signIn({ action: `${below}${query}`, csrf, ...typed, ...ways }))
}

const passkeyAt = (action: string, use: PasskeyView['use'], script: string): PasskeyView => ({
  use,
  action,
  options: `${action}/options`,
  script,
})

/** What a form of a page carries: `secret` is known to its browser alone. */
function csrfOf(key: string, secret: string): string {
  return createHmac('sha256', key).update(`account ${secret}`).digest('base64url')
}

function requireToken(log: Log, req: Request, expected: string): void {
  if (isSameText(req.body?.csrf, expected)) return
  log('warn', 'oauth.refused', { path: req.path.split('/')[1], error: 'the form does not carry our token' })
  throw Object.assign(new Error('the form does not carry our token'), { status: 400 })
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
