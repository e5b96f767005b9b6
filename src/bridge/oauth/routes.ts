/** All routes below the issuer, as one handler: ours first, then the provider's; and what becomes of an error. */
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express'
import { errors } from 'oidc-provider'
import { createRates, networkOf } from 'transom-core/admission'
import { BridgeError } from 'transom-core/errors'
import { accessScope, type Clock, type Log } from 'transom-core/ports'
import type { InLanguage, Pages } from './pages/pages.ts'
import { passkeyProgram } from './pages/passkey-form.ts'
import type { createProvider } from './provider/provider.ts'
import { refusalOf, routeOf } from './request.ts'
import { securityHeaders, strictTransport } from './pages/style.ts'
import type { createUpstream } from './people/upstream.ts'

export interface RouteDeps {
  readonly issuer: string
  /** The parts that change with the keys, as they are now. */
  readonly inner: () => {
    readonly provider: ReturnType<typeof createProvider>
    readonly interaction: RequestHandler
    readonly endpoints: RequestHandler
  }
  readonly account: RequestHandler
  readonly welcome: RequestHandler
  readonly entry: { readonly router: RequestHandler } | undefined
  readonly upstream: ReturnType<typeof createUpstream> | undefined
  readonly pages: InLanguage<Pages>
  readonly clock: Clock
  readonly log: Log
  readonly behindProxy?: number
  /** How many may begin to link in a second, all networks together; default 10. */
  readonly startsPerSecond?: number
}

/** Beginning to link, and to sign in by passkey or another provider. */
const leavesRecord = /^\/auth\/?$|\/passkey\/options\/?$|\/upstream\/?$/i
/**
 * Counted in kibibytes of the address, because the record holds what it carries, such as `state`. A household behind one
 * address links everything in a minute. A record takes another kilobyte and half an hour at most: at ten a second never more
 * than 19,000 of them, and 40 MB, whoever comes.
 */
const networkRate = { perSecond: 1, burst: 120 }
const allRate = (perSecond: number) => ({ perSecond, burst: 100 * perSecond })

export function createRoutes(deps: RouteDeps): RequestHandler {
  const {
    issuer,
    inner,
    account,
    welcome,
    entry,
    upstream,
    pages,
    clock,
    log,
    behindProxy,
    startsPerSecond = 10,
  } = deps
  const { protocol, host } = new URL(issuer)
  const strangers = createRates(clock)
  const everybody = allRate(startsPerSecond)
  const mayLeaveRecord = (req: Request): boolean => {
    const network = networkOf(req.ip ?? '')
    for (let left = req.originalUrl.length; left > 0; left -= 1_024)
      if (!strangers.tryTake(network, networkRate) || !strangers.tryTake('everybody', everybody)) return false
    return true
  }
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('trust proxy', behindProxy ?? 0)
  app.use((req, res, next) => {
    // The issuer says how the world reaches us; a Host header or a forgetful proxy does not get to bend our links.
    req.headers['x-forwarded-proto'] = protocol.slice(0, -1)
    req.headers['x-forwarded-host'] = host
    res.set({ ...securityHeaders, ...(protocol === 'https:' && strictTransport) })
    next()
  })
  // Each of these leaves a record behind before anybody has signed in.
  app.use((req, _res, next) => {
    if (!leavesRecord.test(req.path) || mayLeaveRecord(req)) return next()
    next(new BridgeError('rate_limited', 'too many requests before a login', { retryAfterMs: 5_000 }))
  })
  app.get('/auth', (req, _res, next) => {
    req.url = withDefaultScope(req.url)
    next()
  })
  app.get('/passkey.js', (_req, res) => void res.type('text/javascript').send(passkeyProgram))
  app.get('/upstream/callback', async (req, res) => {
    const done = await upstream?.complete(new URL(`${issuer}${req.url}`))
    if (done === undefined) return void res.status(400).send(pages(req).expired())
    res.redirect(303, done.ticket === undefined ? `${done.returnTo}?refused` : `${done.returnTo}?ticket=${done.ticket}`)
  })
  app.use(account, welcome)
  if (entry !== undefined) app.use(entry.router)
  app.use('/interaction', (req, res, next) => void inner().interaction(req, res, next))
  app.use((req, res, next) => void inner().endpoints(req, res, next))
  const callbacks = new WeakMap<object, ReturnType<ReturnType<typeof createProvider>['callback']>>()
  app.use((req, res) => {
    const { provider } = inner()
    const callback = callbacks.get(provider) ?? provider.callback()
    callbacks.set(provider, callback)
    return callback(req, res)
  })
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, req: Request, res: Response, _next: NextFunction) => {
    if (res.headersSent) {
      res.destroy()
      return
    }
    const path = routeOf(req.path)
    if (error instanceof BridgeError && error.code === 'rate_limited') {
      log('warn', 'oauth.refused', { path, status: 429, error: error.message })
      res.set('retry-after', String(Math.ceil((error.retryAfterMs ?? 1_000) / 1_000)))
      return void res.status(429).send(pages(req).busy())
    }
    const status = statusOf(error)
    if (status < 500) log('warn', 'oauth.refused', { path, status, error: refusalOf(error) })
    else log('error', 'oauth.outage', { path, error: error instanceof Error ? error.stack : String(error) })
    if (status >= 500) res.set('retry-after', '5')
    res.status(status).send(status < 500 ? pages(req).expired() : pages(req).outage())
  })
  return app
}

/** 4xx only for what the visitor sent (a stale page, a body too large); everything else is ours and passes. */
function statusOf(error: unknown): number {
  if (error instanceof errors.SessionNotFound) return 400
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500
  return status >= 400 && status < 500 ? status : 503
}

/**
 * RFC 6749 section 3.3 lets the server choose when the client names no scope; oidc-provider would deny access instead.
 * Works on the raw text, so that `state` comes back as it was sent.
 */
function withDefaultScope(url: string): string {
  const [path = '', query = ''] = url.split(/\?(.*)/s)
  const parameters = query.split('&').filter((part) => part !== '' && part !== 'scope' && part !== 'scope=')
  const isNamed = parameters.some((part) => part.startsWith('scope='))
  return `${path}?${[...parameters, ...(isNamed ? [] : [`scope=${accessScope}`])].join('&')}`
}
