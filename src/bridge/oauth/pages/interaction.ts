/** Leads a person through a pending linking request: sign in, agree or cancel, or change the account. */
import { createHmac } from 'node:crypto'
import express, { type Request, type Response, type Router } from 'express'
import { type Provider, errors } from 'oidc-provider'
import * as z from 'zod'
import type { AccountId, Log } from 'transom-core/ports'
import type { User, Users } from '../people/users.ts'
import { nameOf, type Clients } from '../provider/clients.ts'
import { answer, isSameText } from '../request.ts'
import type { InLanguage, Pages } from './pages.ts'
import { addSignInWays, offerWays, type Again, type Visit, type WaysDeps } from './sign-in-ways.ts'
import { leavingContentPolicy } from './style.ts'

export interface InteractionDeps extends WaysDeps {
  readonly provider: Provider
  readonly users: Users
  readonly clients: Clients
  /** Names of the cameras that the account may see. */
  readonly cameras: (account: AccountId) => Promise<readonly string[]>
  readonly pages: InLanguage<Pages>
  /** Signs the token that ties a form to its request. */
  readonly csrfKey: string
  readonly log: Log
}

type Pending = Awaited<ReturnType<Provider['interactionDetails']>>

/** The routes below `<issuer>/interaction/<uid>`. */
export function createInteraction(deps: InteractionDeps): Router {
  const router = express.Router()
  router.use(express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 10 }))
  router.get(
    '/:uid',
    answer(async (req, res) => show(deps, req, res)),
  )
  addSignInWays(router, { login: '/:uid/login', below: '/:uid' }, deps, {
    posted: async (req, res) => visitOf(deps, req, res, await postedRequest(deps, req, res)),
    returned: async (req, res) => visitOf(deps, req, res, await pendingRequest(deps, req, res)),
  })
  router.post(
    '/:uid/agree',
    answer(async (req, res) => agree(deps, req, res)),
  )
  // A link, not a form: `form-action` would hold a form back from the assistant's site. The uid in it is known to this
  // browser alone, and nothing is lost but a pending request.
  router.get(
    '/:uid/cancel',
    answer(async (req, res) => cancel(deps, req, res)),
  )
  router.post(
    '/:uid/switch',
    answer(async (req, res) => switchAccount(deps, req, res)),
  )
  return router
}

/** Asks who is there, or whether the person who is signed in agrees. */
async function show(deps: InteractionDeps, req: Request, res: Response): Promise<void> {
  const pending = await pendingRequest(deps, req, res)
  const user = await signedIn(deps, pending)
  if (user === undefined) return showSignIn(deps, req, res, pending)
  res.set('content-security-policy', leavingContentPolicy)
  const cameras = await deps.cameras(user.accountId)
  res.send(pagesFor(deps, req, pending).consent({ ...(await view(deps, req, pending)), user, cameras }))
}

async function agree(deps: InteractionDeps, req: Request, res: Response): Promise<void> {
  const pending = await postedRequest(deps, req, res)
  const user = await signedIn(deps, pending)
  if (user === undefined) throw new errors.SessionNotFound('nobody is signed in')
  const grantId = await grantWhatIsMissing(deps, pending, user)
  await deps.provider.interactionFinished(req, res, { consent: { grantId } })
}

async function cancel(deps: InteractionDeps, req: Request, res: Response): Promise<void> {
  const pending = await pendingRequest(deps, req, res)
  deps.log('info', 'oauth.cancelled', { clientId: pending.params['client_id'] })
  const result = { error: 'access_denied', error_description: 'the user cancelled' }
  await deps.provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false })
}

async function switchAccount(deps: InteractionDeps, req: Request, res: Response): Promise<void> {
  const pending = await postedRequest(deps, req, res)
  await signOut(deps, req, res, pending, undefined)
  res.redirect(303, urls(req).self)
}

function visitOf(deps: InteractionDeps, req: Request, res: Response, pending: Pending): Visit {
  const { provider } = deps
  return {
    // This request alone.
    asker: `interaction ${pending.uid}`,
    below: urls(req).self,
    origin: () => originOf(deps, req, pending),
    show: (again) => showSignIn(deps, req, res, pending, again),
    async goOn(user) {
      await signOut(deps, req, res, pending, user)
      await provider.interactionFinished(req, res, { login: { accountId: user.accountId } })
    },
  }
}

async function originOf({ clients }: InteractionDeps, req: Request, pending: Pending) {
  const clientId = String(pending.params['client_id'])
  const tenant = (await clients.find(clientId))?.tenant
  return { clientId, address: req.ip ?? '', ...(tenant !== undefined && { tenant }) }
}

/** The request of this browser's cookie. Throws `SessionNotFound` when it is gone or not the one in the URL. */
async function pendingRequest({ provider }: InteractionDeps, req: Request, res: Response): Promise<Pending> {
  const pending = await provider.interactionDetails(req, res)
  if (pending.uid !== req.params['uid']) throw new errors.SessionNotFound('the cookie belongs to another request')
  return pending
}

/** The same for a posted form, which must also carry the token that we put into it. */
async function postedRequest(deps: InteractionDeps, req: Request, res: Response): Promise<Pending> {
  const { log } = deps
  const pending = await pendingRequest(deps, req, res)
  if (isSameText(req.body?.csrf, csrfToken(deps, pending))) return pending
  log('warn', 'oauth.refused', { clientId: pending.params['client_id'], error: 'the form does not carry our token' })
  throw new errors.SessionNotFound('the form does not carry our token')
}

function csrfToken(deps: InteractionDeps, pending: Pending): string {
  return createHmac('sha256', deps.csrfKey).update(`csrf ${pending.uid}`).digest('base64url')
}

async function signedIn({ users }: InteractionDeps, pending: Pending): Promise<User | undefined> {
  const account = pending.prompt.name === 'consent' ? pending.session?.accountId : undefined
  return account === undefined ? undefined : users.findByAccount(account)
}

/** Ends another person's session in this browser, so that the request goes on as `next`, or asks who is there. */
async function signOut(
  { provider }: InteractionDeps,
  req: Request,
  res: Response,
  pending: Pending,
  next: User | undefined,
): Promise<void> {
  const session = await provider.Session.get(provider.createContext(req, res))
  if (session.accountId === undefined || session.accountId === next?.accountId) return
  // The request would refuse to go on without the session that it began with.
  delete pending.session
  await pending.persist()
  await session.destroy()
}

async function grantWhatIsMissing({ provider }: InteractionDeps, pending: Pending, user: User): Promise<string> {
  const grant = new provider.Grant({ accountId: user.accountId, clientId: String(pending.params['client_id']) })
  const { missingOIDCScope, missingResourceScopes } = missingScopes.parse(pending.prompt.details)
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope)
  for (const [resource, scopes] of Object.entries(missingResourceScopes)) grant.addResourceScope(resource, scopes)
  return grant.save()
}

async function view(deps: InteractionDeps, req: Request, pending: Pending) {
  const { clients } = deps
  const client = await clients.find(String(pending.params['client_id']))
  if (client === undefined) throw new errors.SessionNotFound('the client was removed meanwhile')
  return { ...urls(req), asker: { kind: client.assistant, name: nameOf(client) }, csrf: csrfToken(deps, pending) }
}

async function showSignIn(
  deps: InteractionDeps,
  req: Request,
  res: Response,
  pending: Pending,
  again: Again = {},
): Promise<void> {
  const { status = 200, ...typed } = again
  const { login: action, self, ...rest } = await view(deps, req, pending)
  const ways = offerWays(res, deps, self)
  res.status(status).send(pagesFor(deps, req, pending).signIn({ ...rest, action, ...ways, ...typed }))
}

/** OpenID Connect Core 1.0 section 3.1.2.1 has `ui_locales`; Google's linking sends `user_locale`. */
function pagesFor({ pages }: InteractionDeps, req: Request, { params }: Pending): Pages {
  const hints = [params['ui_locales'], params['user_locale']].flatMap((hint) =>
    typeof hint === 'string' ? hint.split(' ') : [],
  )
  return pages(req, hints)
}

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
