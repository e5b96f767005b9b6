/** Leads a person through a pending linking request: sign in, agree or cancel, or change the account. */
import { createHmac } from 'node:crypto'
import express, { type Request, type Response, type Router } from 'express'
import { type Provider, errors } from 'oidc-provider'
import * as z from 'zod'
import type { AccountId, Log } from 'transom-core/ports'
import { nameOf, type Clients } from '../provider/clients.ts'
import type { KnownBrowsers } from '../people/known-browser.ts'
import type { Pages, SignInView } from './pages.ts'
import { answer, isSameText, jsonOf, queryOf } from '../request.ts'
import { signInForm, type SignIn, type SignInResult } from '../people/sign-in.ts'
import { leavingContentPolicy, passkeyContentPolicy } from './style.ts'
import type { Upstream } from '../people/upstream.ts'
import type { User, Users } from '../people/users.ts'

export interface InteractionDeps {
  readonly provider: Provider
  readonly users: Users
  readonly clients: Clients
  readonly signIn: SignIn
  readonly browsers: KnownBrowsers
  /** Whether the sign-in page offers passkeys; the options for one. */
  readonly passkeys: { readonly isOffered: boolean; signInOptions(asker: string): Promise<object> }
  /** Signs people in instead of login and password. */
  readonly upstream: Upstream | undefined
  /** Names of the cameras that the account may see. */
  readonly cameras: (account: AccountId) => Promise<readonly string[]>
  readonly pages: Pages
  /** Signs the token that ties a form to its request. */
  readonly csrfKey: string
  /** Address of the passkeys' script. */
  readonly script: string
  readonly log: Log
}

type Pending = Awaited<ReturnType<Provider['interactionDetails']>>

/** The routes below `<issuer>/interaction/<uid>`. */
export function createInteraction(deps: InteractionDeps): Router {
  const { provider, users, clients, signIn, passkeys, upstream, pages, log } = deps
  const router = express.Router()
  router.use(express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 10 }))

  router.get(
    '/:uid',
    answer(async (req, res) => {
      const pending = await pendingRequest(req, res)
      const user = await signedIn(pending)
      if (user === undefined) return showSignIn(req, res, pending)
      res.set('content-security-policy', leavingContentPolicy)
      res.send(pages.consent({ ...(await view(req, pending)), user, cameras: await deps.cameras(user.accountId) }))
    }),
  )

  router.post(
    '/:uid/login',
    answer(async (req, res) => {
      const pending = await postedRequest(req, res)
      if (upstream !== undefined) return showSignIn(req, res, pending)
      const form = signInForm.safeParse(req.body)
      if (!form.success)
        return showSignIn(req, res, pending, { status: 422, problem: 'Please enter login and password.' })
      const browser = deps.browsers.of(req, res)
      const result = await signIn.password({ ...form.data, browser, ...(await originOf(req, pending)) })
      await goOn(req, res, pending, result, form.data.login)
    }),
  )

  router.post(
    '/:uid/passkey/options',
    answer(async (req, res) => {
      const pending = await postedRequest(req, res)
      res.json(await passkeys.signInOptions(askerOf(pending)))
    }),
  )

  router.post(
    '/:uid/passkey',
    answer(async (req, res) => {
      const pending = await postedRequest(req, res)
      const origin = await originOf(req, pending)
      await goOn(req, res, pending, await signIn.passkey(askerOf(pending), jsonOf(req.body?.credential), origin))
    }),
  )

  router.post(
    '/:uid/upstream',
    answer(async (req, res) => {
      const pending = await postedRequest(req, res)
      if (upstream === undefined) return showSignIn(req, res, pending)
      const { tenant } = await originOf(req, pending)
      const way = { returnTo: `${urls(req).self}/upstream`, browser: askerOf(pending) }
      res.redirect(303, await upstream.begin({ ...way, ...(tenant !== undefined && { tenant }) }))
    }),
  )

  // The ticket is worth something only together with this browser's cookie, and once.
  router.get(
    '/:uid/upstream',
    answer(async (req, res) => {
      const pending = await pendingRequest(req, res)
      const user = await upstream?.redeem(queryOf(req, 'ticket'), askerOf(pending))
      const problem = `${upstream?.name ?? 'The provider'} did not sign you in.`
      await goOn(req, res, pending, user === undefined ? { status: 422, problem } : { user })
    }),
  )

  router.post(
    '/:uid/agree',
    answer(async (req, res) => {
      const pending = await postedRequest(req, res)
      const user = await signedIn(pending)
      if (user === undefined) throw new errors.SessionNotFound('nobody is signed in')
      const grantId = await grantWhatIsMissing(pending, user)
      await provider.interactionFinished(req, res, { consent: { grantId } })
    }),
  )

  // A link, not a form: `form-action` would hold a form back from the assistant's site. The uid in it is known to this
  // browser alone, and nothing is lost but a pending request.
  router.get(
    '/:uid/cancel',
    answer(async (req, res) => {
      const pending = await pendingRequest(req, res)
      log('info', 'oauth.cancelled', { clientId: pending.params['client_id'] })
      const result = { error: 'access_denied', error_description: 'the user cancelled' }
      await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false })
    }),
  )

  router.post(
    '/:uid/switch',
    answer(async (req, res) => {
      const pending = await postedRequest(req, res)
      await signOut(req, res, pending, undefined)
      res.redirect(303, urls(req).self)
    }),
  )

  return router

  async function goOn(
    req: Request,
    res: Response,
    pending: Pending,
    result: SignInResult,
    login?: string,
  ): Promise<void> {
    if ('user' in result) {
      await signOut(req, res, pending, result.user)
      return provider.interactionFinished(req, res, { login: { accountId: result.user.accountId } })
    }
    const { status, problem, retryAfterS } = result
    if (retryAfterS !== undefined) res.set('retry-after', String(retryAfterS))
    await showSignIn(req, res, pending, { status, problem, ...(login !== undefined && { login }) })
  }

  async function originOf(req: Request, pending: Pending) {
    const clientId = String(pending.params['client_id'])
    const tenant = (await clients.find(clientId))?.tenant
    return { clientId, address: req.ip ?? '', ...(tenant !== undefined && { tenant }) }
  }

  /** The request of this browser's cookie. Throws `SessionNotFound` when it is gone or not the one in the URL. */
  async function pendingRequest(req: Request, res: Response): Promise<Pending> {
    const pending = await provider.interactionDetails(req, res)
    if (pending.uid !== req.params['uid']) throw new errors.SessionNotFound('the cookie belongs to another request')
    return pending
  }

  /** The same for a posted form, which must also carry the token that we put into it. */
  async function postedRequest(req: Request, res: Response): Promise<Pending> {
    const pending = await pendingRequest(req, res)
    if (isSameText(req.body?.csrf, csrfToken(pending))) return pending
    log('warn', 'oauth.refused', { clientId: pending.params['client_id'], reason: 'the form does not carry our token' })
    throw new errors.SessionNotFound('the form does not carry our token')
  }

  function csrfToken(pending: Pending): string {
    return createHmac('sha256', deps.csrfKey).update(`csrf ${pending.uid}`).digest('base64url')
  }

  async function signedIn(pending: Pending): Promise<User | undefined> {
    const account = pending.prompt.name === 'consent' ? pending.session?.accountId : undefined
    return account === undefined ? undefined : users.findByAccount(account)
  }

  /** Ends another person's session in this browser, so that the request goes on as `next`, or asks who is there. */
  async function signOut(req: Request, res: Response, pending: Pending, next: User | undefined): Promise<void> {
    const session = await provider.Session.get(provider.createContext(req, res))
    if (session.accountId === undefined || session.accountId === next?.accountId) return
    // The request would refuse to go on without the session that it began with.
    delete pending.session
    await pending.persist()
    await session.destroy()
  }

  async function grantWhatIsMissing(pending: Pending, user: User): Promise<string> {
    const grant = new provider.Grant({ accountId: user.accountId, clientId: String(pending.params['client_id']) })
    const { missingOIDCScope, missingResourceScopes } = missingScopes.parse(pending.prompt.details)
    if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope)
    for (const [resource, scopes] of Object.entries(missingResourceScopes)) grant.addResourceScope(resource, scopes)
    return grant.save()
  }

  async function view(req: Request, pending: Pending) {
    const client = await clients.find(String(pending.params['client_id']))
    if (client === undefined) throw new errors.SessionNotFound('the client was removed meanwhile')
    return { ...urls(req), asker: { kind: client.assistant, name: nameOf(client) }, csrf: csrfToken(pending) }
  }

  async function showSignIn(
    req: Request,
    res: Response,
    pending: Pending,
    again: { status?: number } & Pick<SignInView, 'login' | 'problem'> = {},
  ): Promise<void> {
    const { status = 200, ...typed } = again
    const { login: action, self, ...rest } = await view(req, pending)
    const passkey = {
      use: 'get',
      options: `${self}/passkey/options`,
      action: `${self}/passkey`,
      script: deps.script,
    } as const
    const way =
      upstream === undefined
        ? passkeys.isOffered && { passkey }
        : { upstream: { name: upstream.name, action: `${self}/upstream` } }
    const policy = upstream === undefined ? passkeyContentPolicy(deps.script) : leavingContentPolicy
    res.set('content-security-policy', policy)
    res.status(status).send(pages.signIn({ ...rest, action, ...way, ...typed }))
  }
}

/** What ties a passkey's challenge or another provider's answer to this request alone. */
const askerOf = (pending: Pending): string => `interaction ${pending.uid}`

const missingScopes = z.object({
  missingOIDCScope: z.array(z.string()).optional(),
  missingResourceScopes: z.record(z.string(), z.array(z.string())).default({}),
})

/** Paths of the forms of one request, as the browser sees them. */
function urls(req: Request) {
  const self = `${req.baseUrl}/${String(req.params['uid'])}`
  return {
    self,
    login: `${self}/login`,
    agree: `${self}/agree`,
    cancel: `${self}/cancel`,
    switchAccount: `${self}/switch`,
  }
}
