/** Leads a person through a pending linking request: sign in, agree or cancel, or change the account. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import express, { type Request, type RequestHandler, type Response, type Router } from 'express'
import { type Provider, errors } from 'oidc-provider'
import { z } from 'zod'
import type { Log } from '../ports.ts'
import type { Attempts } from './attempts.ts'
import type { Assistant } from './client.ts'
import type { Pages, SignInView } from './pages.ts'
import { leavingContentPolicy } from './style.ts'
import { canonicalLogin, longestLogin, longestPassword, type User, type Users } from './users.ts'

export interface InteractionDeps {
  readonly provider: Provider
  readonly users: Users
  readonly attempts: Attempts
  readonly pages: Pages
  /** Signs the token that ties a form to its request. */
  readonly csrfKey: string
  readonly log: Log
}

type Pending = Awaited<ReturnType<Provider['interactionDetails']>>

const signInForm = z.object({
  login: z.string().min(1).max(longestLogin),
  password: z.string().min(1).max(longestPassword),
})

/** The routes below `<issuer>/interaction/<uid>`. */
export function createInteraction(deps: InteractionDeps): Router {
  const { provider, users, attempts, pages, log } = deps
  const router = express.Router()
  router.use(express.urlencoded({ extended: false, limit: '8kb', parameterLimit: 10 }))

  router.get(
    '/:uid',
    answer(async (req, res) => {
      const pending = await pendingRequest(req, res)
      const user = await signedIn(pending)
      if (user === undefined) return showSignIn(req, res, pending)
      res.set('content-security-policy', leavingContentPolicy)
      res.send(pages.consent({ ...(await view(req, pending)), user }))
    }),
  )

  router.post(
    '/:uid/login',
    answer(async (req, res) => {
      const pending = await postedRequest(req, res)
      const form = signInForm.safeParse(req.body)
      if (!form.success)
        return showSignIn(req, res, pending, { status: 422, problem: 'Please enter login and password.' })

      const { login, password } = form.data
      const address = req.ip ?? ''
      const client = { clientId: pending.params['client_id'], address }
      const waitMs = attempts.begin(canonicalLogin(login), address)
      if (waitMs > 0) {
        log('warn', 'oauth.login_slowed', { ...client, waitMs })
        res.set('retry-after', String(Math.ceil(waitMs / 1000)))
        const minutes = Math.ceil(waitMs / 60_000)
        const problem = `Too many attempts. Please wait ${minutes === 1 ? 'a minute' : `${minutes} minutes`} and try again.`
        return showSignIn(req, res, pending, { status: 429, problem, login })
      }
      const user = await users.authenticate(login, password)
      if (user === undefined) {
        // People type passwords into the wrong field, so the log gets a short hash of what was typed as login.
        log('warn', 'oauth.login_failed', { ...client, loginHash: hash('sha256', canonicalLogin(login)).slice(0, 12) })
        return showSignIn(req, res, pending, { status: 422, problem: 'Login or password is wrong.', login })
      }
      attempts.succeeded(canonicalLogin(login), address)
      log('info', 'oauth.login', { ...client, accountId: user.accountId })
      await signOut(req, res, pending, user)
      await provider.interactionFinished(req, res, { login: { accountId: user.accountId } })
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

  /** The request of this browser's cookie. Throws `SessionNotFound` when it is gone or not the one in the URL. */
  async function pendingRequest(req: Request, res: Response): Promise<Pending> {
    const pending = await provider.interactionDetails(req, res)
    if (pending.uid !== req.params['uid']) throw new errors.SessionNotFound('the cookie belongs to another request')
    return pending
  }

  /** The same for a posted form, which must also carry the token that we put into it. */
  async function postedRequest(req: Request, res: Response): Promise<Pending> {
    const pending = await pendingRequest(req, res)
    const given: unknown = req.body?.csrf
    const expected = Buffer.from(csrfToken(pending))
    const matches =
      typeof given === 'string' && given.length === expected.length && timingSafeEqual(Buffer.from(given), expected)
    if (matches) return pending
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
    const client = await provider.Client.find(String(pending.params['client_id']))
    const assistant: Assistant = client?.['assistant'] === 'alexa' ? 'alexa' : 'google'
    return { ...urls(req), assistant, csrf: csrfToken(pending) }
  }

  async function showSignIn(
    req: Request,
    res: Response,
    pending: Pending,
    again: { status?: number } & Pick<SignInView, 'login' | 'problem'> = {},
  ): Promise<void> {
    const { status = 200, ...typed } = again
    const { login: action, ...rest } = await view(req, pending)
    res.status(status).send(pages.signIn({ ...rest, action, ...typed }))
  }
}

const missingScopes = z.object({
  missingOIDCScope: z.array(z.string()).optional(),
  missingResourceScopes: z.record(z.string(), z.array(z.string())).default({}),
})

/** Hands a rejection to the error handler. */
function answer(handle: (req: Request, res: Response) => Promise<void>): RequestHandler {
  return async (req, res, next) => {
    try {
      await handle(req, res)
    } catch (error) {
      next(error)
    }
  }
}

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
