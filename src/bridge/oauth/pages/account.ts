/** One's own account in the browser: `<issuer>/account`. */
import { createHmac, randomBytes } from 'node:crypto'
import express, { type Request, type Response, type Router } from 'express'
import type { AccountId, Log } from 'transom-core/ports'
import { accountActions, type ActionDeps, type Refusal } from './account-actions.ts'
import { noteOf } from './account-notes.ts'
import type { LinkView } from '../provider/links.ts'
import type { AccountPages } from './account-pages.ts'
import { cookieKind } from '../cookies.ts'
import type { PasskeyView } from './passkey-form.ts'
import { answer, isSameText, jsonOf, queryOf } from '../request.ts'
import type { Current } from '../provider/sessions.ts'
import { signInForm, type Origin } from '../people/sign-in.ts'
import { leavingContentPolicy, passkeyContentPolicy } from './style.ts'
import type { User } from '../people/users.ts'

export interface AccountDeps extends ActionDeps {
  readonly links: (account: AccountId) => Promise<readonly LinkView[]>
  /** Opens the Google Home app where this person links; undefined without a project of Google. */
  readonly homeAppLinkFor: (user: User) => Promise<string | undefined>
  readonly accountPages: AccountPages
  readonly issuer: string
  readonly csrfKey: string
  /** Address of the passkeys' script. */
  readonly script: string
  /** Our own page, if there is one. */
  readonly consoleUri: string | undefined
  readonly log: Log
}

const formMs = 3_600_000

export function createAccount(deps: AccountDeps): Router {
  const { signIn, sessions, passkeys, upstream, sharing, audit, accountPages, consoleUri } = deps
  // Of the sign-in form: ties it to this browser before anybody is signed in.
  const formCookie = cookieKind(deps.issuer, 'transom_form', '/account')
  const formSecretOf = (req: Request): string => formCookie.read(req) ?? ''
  const router = express.Router()
  // Not for every path: the provider, which comes after, reads its own bodies.
  router.use('/account', express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 10 }))

  for (const [path, act] of Object.entries(accountActions(deps))) {
    router.post(
      `/account${path}`,
      answer(async (req, res) => {
        const current = await sessions.current(req, res)
        if (current === undefined) return res.redirect(303, `${base(req)}?note=signedout`)
        requireToken(req, csrfOf(current.secret))
        const outcome = await act({ req, res, ...current, base: base(req) })
        if (typeof outcome === 'string') return res.redirect(303, `${base(req)}?note=${outcome}`)
        if (outcome !== undefined) await show(req, res, current, outcome)
      }),
    )
  }

  router.get(
    '/account',
    answer(async (req, res) => {
      const current = await sessions.current(req, res)
      const { tenant } = originOf(req)
      const isOther = tenant !== undefined && tenant !== current?.user.tenant
      if (current === undefined || isOther) return showSignIn(req, res, noteOf(queryOf(req, 'note')))
      await show(req, res, current)
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
    await sessions.begin(req, res, user.accountId)
    res.clearCookie(formCookie.name, formCookie.rules)
    res.redirect(303, base(req))
  }

  async function show(req: Request, res: Response, current: Current, refusal?: Refusal): Promise<void> {
    const { user, id, secret, isConfirmed } = current
    const { accountId } = user
    const [links, cameras, invitations, received, keys, signedIn, history, homeAppLink] = await Promise.all([
      deps.links(accountId),
      sharing?.cameras(accountId) ?? [],
      sharing?.invitations(user) ?? [],
      sharing?.received(accountId) ?? [],
      passkeys.list(accountId),
      sessions.list(accountId),
      audit.read(accountId),
      deps.homeAppLinkFor(user),
    ])
    res.set('content-security-policy', passkeyContentPolicy(deps.script))
    const view = {
      user,
      links,
      cameras,
      invitations,
      received,
      history,
      passkeys: keys,
      isConfirmed,
      hasPassword: upstream === undefined,
    }
    if (refusal?.retryAfterS !== undefined) res.set('retry-after', String(refusal.retryAfterS))
    res.status(refusal?.status ?? 200).send(
      accountPages.account({
        ...view,
        base: base(req),
        csrf: csrfOf(secret),
        sessions: signedIn.map((one) => ({ ...one, isThis: one.id === id })),
        ...(passkeys.isOffered && {
          passkey: passkeyView(req, 'create', 'passkeys'),
          confirm: passkeyView(req, 'get', 'confirm/passkey'),
        }),
        ...(consoleUri !== undefined && { consoleUri }),
        ...(homeAppLink !== undefined && { homeAppLink }),
        ...(refusal === undefined ? noteOf(queryOf(req, 'note')) : { problem: refusal.problem }),
      }),
    )
  }

  async function showSignIn(
    req: Request,
    res: Response,
    again: { status?: number; problem?: string; done?: string; login?: string } = {},
  ): Promise<void> {
    const { status = 200, ...typed } = again
    let secret = formCookie.read(req)
    if (secret === undefined) {
      secret = randomBytes(24).toString('base64url')
      res.cookie(formCookie.name, secret, { ...formCookie.rules, maxAge: formMs })
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
    const query = path.startsWith('login') ? tenantQuery(req) : ''
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
const tenantOf = ({ tenant }: { readonly tenant?: string }) => (tenant === undefined ? {} : { tenant })
