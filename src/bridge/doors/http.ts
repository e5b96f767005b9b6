/** The routes of the bridge on Express: each reads its body, calls one room, and writes what comes back. */
import express, { type Express, type Request, type RequestHandler, type Router } from 'express'
import type { Authorized, Door } from '../authority.ts'
import { signalingBodyLimit } from '../google/signaling.ts'
import { bearerToken, parseJson, readText, readTextUpTo, textOf } from '../http.ts'
import type { AccountId, Clock, Log } from 'transom-core/ports'
import { securityHeaders, strictTransport } from '../oauth/pages/style.ts'
import { createAlexaDoors } from './alexa-doors.ts'
import type { Bridge } from '../assembly/bridge.ts'
import { certificateNotice, type CertificateEnding } from '../assembly/notices.ts'
import type { ApiOptions } from '../assembly/console.ts'
import { version } from 'transom-core/version'
import type { Health, Readiness } from './health.ts'
import type { NetworkCameras, Registrations, WebhookAddresses } from '../operator/registration-ports.ts'
import { createIntake } from './intake.ts'
import { anyOrigin } from '../web/api.ts'
import { createRecords } from '../web/records.ts'
import { answerError } from '../web/refusals.ts'

/** A directive carries at most 64 KiB of SDP, which JSON may double, and some cookies. */
const directiveLimit = 256 * 1024

/** Which doors there are beside those that every bridge has. */
export interface HttpOptions {
  /** Shared with the forwarding Lambda: with it directives come in by its signed door alone, without it by `/alexa`. */
  readonly forwarderSecret: string | undefined
  /** Trusted proxies in a row before the bridge: they say which address a request is from. Default none. */
  readonly behindProxy?: number
  /** The companion skill that is hosted here; without it its door does not exist. */
  readonly skillId?: string | undefined
  /** Compresses what `/api` answers, where nothing before it does. */
  readonly compress?: RequestHandler
  /** The page at `/`, where there is one. */
  readonly page?: Router
  /** Where cameras can be registered. */
  readonly registrations?: Registrations
  /** Where buttons may call the bridge by a URL alone: their addresses, and the routes below `/hooks`. */
  readonly webhooks?: { readonly addresses: WebhookAddresses; readonly router: Router }
  /** Where a gateway reads cameras at addresses. */
  readonly networkCameras?: NetworkCameras
  /** The operator's API, where somebody may use it. */
  readonly operator?: Router
  /** What gateways ask, where some are served. */
  readonly gateway?: Router
  /** The vendors' clouds for displays that are browsers, where they are played. */
  readonly simulator?: { readonly router: Router; readonly hear: NonNullable<ApiOptions['hearDisplays']> }
  /** Looks after the store; without it `/healthz` says that the code runs, and nothing of the store. */
  readonly health?: () => Promise<Health>
  /** Tries the parts that a call needs; without it `/readyz` says no more than that the code runs. */
  readonly readiness?: () => Promise<Readiness>
  /** What is wrong with the certificate that the bridge keeps itself, for owners of cameras; undefined while all is well. */
  readonly certificateEnding?: () => CertificateEnding | undefined
  /** The route `/metrics` for Prometheus, where something is counted. */
  readonly metrics?: Router
  readonly clock: Clock
}

/**
 * Makes the Express application with every route of the bridge; it listens nowhere yet. `GET /openapi.json` describes
 * the routes.
 */
export function createHttpApp(bridge: Bridge, log: Log, options: HttpOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('trust proxy', options.behindProxy ?? 0)
  if (bridge.linking.isSecure) app.use((_request, response, next) => (response.set(strictTransport), next()))
  if (bridge.linking.isServed) {
    app.use('/oauth', bridge.oauth.handler)
    app.use('/.well-known', bridge.oauth.wellKnown)
  }
  if (options.operator !== undefined) app.use('/operator', options.operator)
  if (options.webhooks !== undefined) app.use('/hooks', options.webhooks.router)
  if (options.gateway !== undefined) app.use('/gateway', options.gateway)
  if (options.simulator !== undefined) app.use('/simulator', options.simulator.router)

  // Until 0.2: where sessions and notices were in 0.1.
  app.get(['/sessions', '/sessions/:id', '/notices'], (request, response, next) => {
    const url = `/api${request.url}`
    // RFC 9745; RFC 5829 section 3.4.
    response.set({ deprecation: '@1795824000', link: `<${url.replace(/\?.*/, '')}>; rel="successor-version"` })
    request.url = url
    next()
  })
  const records = createRecords({
    grantOf: (request) => authorize('records', request),
    broker: bridge.broker,
    notices: { list: listNotices },
    loginOf: async (guest) => (await bridge.linking.oauth.users.findByAccount(guest))?.login,
  })
  async function listNotices(accountId: AccountId) {
    const ending = options.certificateEnding?.()
    const [own, cameras] = await Promise.all([
      bridge.notices.list(accountId),
      ending === undefined ? [] : bridge.cameras.list(accountId),
    ])
    // Guests can change nothing about it.
    return ending !== undefined && cameras.length > 0 ? [certificateNotice(ending), ...own] : own
  }
  if (options.compress !== undefined) app.use('/api', options.compress)
  app.use('/api', anyOrigin, records)
  if (bridge.api !== undefined) {
    const { registrations, networkCameras, simulator, webhooks } = options
    const displays = simulator && { hearDisplays: simulator.hear }
    const grantOf = (request: Request) => authorize('api', request)
    app.use(
      '/api',
      bridge.api({
        grantOf,
        ...displays,
        ...(registrations && { registrations }),
        ...(networkCameras && { networkCameras }),
        ...(webhooks && { webhooks: webhooks.addresses }),
      }),
    )
  }
  if (bridge.media !== undefined) app.use('/media', bridge.media)
  if (options.page !== undefined) app.use(options.page)
  app.get(
    '/',
    (_request, response) =>
      void response.type('text/plain').send('Transom is running. See README.md: npm run call -- --assistant alexa\n'),
  )
  // Loaded when somebody asks: it is long, and a Lambda function starts without it.
  app.get('/openapi.json', anyOrigin, async (_request, response) => {
    const { openApiDocument } = await import('transom-core/openapi/document')
    response.json(openApiDocument())
  })
  app.get('/healthz', async (_request, response) => {
    const health: Health = (await options.health?.()) ?? { status: 'ok' }
    if (health.status !== 'ok') response.status(503)
    response.json({ ...health, negotiating: bridge.broker.running() })
  })

  app.get('/readyz', async (_request, response) => {
    const found: Readiness = (await options.readiness?.()) ?? { ready: true, checks: {} }
    response.status(found.ready ? 200 : 503).json(found)
  })
  app.get('/version', (_request, response) => void response.json({ version }))
  if (options.metrics !== undefined) app.use(options.metrics)

  // Where a forwarder signs what it brings, nobody else has a directive to bring.
  if (options.forwarderSecret === undefined) {
    app.post('/alexa', readTextUpTo(directiveLimit), async (request, response) => {
      // Alexa wants an event whatever happens: a body that is no JSON, or too large, becomes an ErrorResponse like any other.
      response.json(await bridge.alexa.handler(parseJson(textOf(request))))
    })
  }

  app.post('/google/fulfillment', readText(directiveLimit), async (request, response) => {
    const { status, body } = await bridge.fulfillment(parseJson(textOf(request)), request.headers)
    response.status(status).json(body)
  })

  app.all('/google/signaling', readTextUpTo(signalingBodyLimit), async (request, response) => {
    const { method, headers } = request
    const reply = await bridge.signalingDoor({ method, headers, body: textOf(request) })
    response.status(reply.status).set(reply.headers).end(reply.body)
  })

  app.use(createIntake(bridge, bridge.signatures, options.clock))
  app.use(createAlexaDoors(bridge, { ...options, signatures: bridge.signatures }))

  app.use((request, response) => {
    response.status(404)
    if (request.accepts(['json', 'html']) === 'html') response.set(securityHeaders).send(bridge.oauth.lost(request))
    else response.json({ error: 'not_found', message: 'no such resource' })
  })
  app.use(answerError(log))
  return app

  function authorize(door: Door, request: Request): Promise<Authorized> {
    return bridge.linking.authority.authorize(door, bearerToken(request.headers))
  }
}
