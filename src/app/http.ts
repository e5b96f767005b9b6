/** The routes of the bridge on Express: each reads its body, calls one room, and writes what comes back. */
import express, { type Express, type Request, type RequestHandler, type Router } from 'express'
import { BridgeError } from '../errors.ts'
import { bearerToken } from '../google/http.ts'
import { signalingBodyLimit } from '../google/signaling.ts'
import { sessionId, type Clock, type Grant, type Log } from '../ports.ts'
import { createAlexaDoors } from './alexa-doors.ts'
import type { Bridge } from './bridge.ts'
import type { Registrations } from './registrations.ts'
import { createIntake } from './intake.ts'
import type { SimulatorCloud } from '../simulator/cloud.ts'
import { readWanted } from '../web/api.ts'
import { answerError } from '../web/refusals.ts'

/** A directive carries at most 64 KiB of SDP, which JSON may double, and some cookies. */
const directiveLimit = 256 * 1024

export interface HttpOptions {
  /** Shared with the forwarding Lambda; without it its door does not exist. */
  readonly forwarderSecret: string | undefined
  /** The companion skill that is hosted here; without it its door does not exist. */
  readonly skillId?: string | undefined
  /** The page at `/`, where there is one. */
  readonly page?: Router
  /** Where cameras can be registered. */
  readonly registrations?: Registrations
  /** The operator's API, where somebody may use it. */
  readonly operator?: Router
  /** The vendors' clouds for displays that are browsers, where they are played. */
  readonly simulator?: Pick<SimulatorCloud, 'router' | 'hear'>
  readonly clock: Clock
}

export function createHttpApp(bridge: Bridge, log: Log, options: HttpOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  if (bridge.linking.isServed) {
    app.use('/oauth', bridge.oauth.handler)
    app.use('/.well-known', bridge.oauth.wellKnown)
  }
  if (options.operator !== undefined) app.use('/operator', options.operator)
  if (options.simulator !== undefined) app.use('/simulator', options.simulator.router)

  if (bridge.api !== undefined) {
    const { registrations, simulator } = options
    const displays = simulator && { hearDisplays: simulator.hear }
    app.use('/api', bridge.api({ grantOf, ...displays, ...(registrations && { registrations }) }))
  }
  if (options.page !== undefined) app.use(options.page)
  app.get(
    '/',
    (_request, response) =>
      void response.type('text/plain').send('Transom is running. See README.md: npm run call -- --assistant alexa\n'),
  )
  app.get(
    '/healthz',
    (_request, response) => void response.json({ status: 'ok', negotiating: bridge.broker.running() }),
  )

  app.post('/alexa', readTextUpTo(directiveLimit), async (request, response) => {
    // Alexa wants an event whatever happens: a body that is no JSON, or too large, becomes an ErrorResponse like any other.
    response.json(await bridge.alexa.handler(parseJson(textOf(request))))
  })

  app.post('/google/fulfillment', readText(directiveLimit), async (request, response) => {
    const { status, body } = await bridge.fulfillment(parseJson(textOf(request)), request.headers)
    response.status(status).json(body)
  })

  app.all('/google/signaling', readTextUpTo(signalingBodyLimit), async (request, response) => {
    const { method, headers } = request
    const reply = await bridge.signalingDoor({ method, headers, body: textOf(request) })
    response.status(reply.status).set(reply.headers).end(reply.body)
  })

  app.get('/sessions', async (request, response) => {
    const { accountId } = await grantOf(request)
    const wanted = { limit: 50, ...readWanted(request.query) }
    response.json({ sessions: await bridge.broker.recent(accountId, wanted) })
  })

  app.get('/sessions/:id', async (request, response) => {
    const { accountId } = await grantOf(request)
    const view = await bridge.broker.view(accountId, sessionId(request.params.id))
    if (view === undefined)
      response.status(404).json({ error: 'session_not_found', message: 'no such session of this account' })
    else response.json(view)
  })

  app.get('/notices', async (request, response) => {
    const { accountId } = await grantOf(request)
    response.json({ notices: await bridge.notices.list(accountId) })
  })

  app.use(createIntake(bridge, options.clock))
  app.use(createAlexaDoors(bridge, options))

  app.use((_request, response) => void response.status(404).json({ error: 'not_found', message: 'no such resource' }))
  app.use(answerError(log))
  return app

  async function grantOf(request: Request): Promise<Grant> {
    const token = bearerToken(request.headers)
    if (token === undefined) throw new BridgeError('unauthorized', 'an access token is needed: Authorization: Bearer …')
    const grant = await bridge.linking.verifyToken(token)
    if (!grant.scopes.includes('camera')) throw new BridgeError('unauthorized', 'the token is not for cameras')
    return grant
  }
}

/** Any body as text, whatever it says it is: some players post JSON without saying so. */
function readText(limit: string | number): RequestHandler {
  return express.text({ limit, type: () => true })
}

function textOf(request: Request): string {
  return typeof request.body === 'string' ? request.body : ''
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Lets a door refuse in its own words a body that cannot be read: without CORS headers, say, no player would see why. */
function readTextUpTo(limit: number): RequestHandler {
  const read = readText(limit)
  return (request, response, next) =>
    read(request, response, (error?: unknown) => {
      const isTooLarge = error instanceof Error && 'type' in error && error.type === 'entity.too.large'
      if (error !== undefined) request.body = isTooLarge ? ' '.repeat(limit + 1) : ''
      next()
    })
}
