/** Plays Login with Amazon and Alexa's event gateway, strictly, to hear what the bridge says unasked. */

import { randomBytes, randomUUID } from 'node:crypto'
import express, { type Request, type Response, Router } from 'express'
import * as z from 'zod'
import type { Clock } from 'transom-core/ports'
import type { Announcements } from './announcements.ts'
import { bearerOf } from './bearer.ts'
import { faultsOf } from 'transom-core/wire/faults'

export interface Amazon {
  readonly router: Router
  /** A code for AcceptGrant, good once: with it the bridge may send events of this account. */
  grantCode(account: string): string
}

const timestamp = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'must be in whole seconds, which is all that Amazon takes')

/** DoorbellPress (alexa-doorbelleventsource.html). */
const doorbellPress = z.strictObject({
  context: z.strictObject({}).optional(),
  event: z.strictObject({
    header: z.strictObject({
      namespace: z.literal('Alexa.DoorbellEventSource'),
      name: z.literal('DoorbellPress'),
      messageId: z.string().regex(/^[A-Za-z0-9-]{1,127}$/),
      payloadVersion: z.literal('3'),
    }),
    endpoint: z.strictObject({
      scope: z.strictObject({ type: z.literal('BearerToken'), token: z.string() }),
      endpointId: z.string(),
    }),
    payload: z.strictObject({ cause: z.strictObject({ type: z.literal('PHYSICAL_INTERACTION') }), timestamp }),
  }),
})
const anyEvent = z.object({ event: z.object({ header: z.object({ name: z.string() }) }) })

/** What Amazon gives for a grant, as it is documented. */
const tokenMs = 3_600_000
const refreshPrefix = 'Atzr|simulated.'

export function createAmazon(deps: {
  /** The pair of the skill's permissions page. */
  readonly clientId: string
  readonly clientSecret: string
  readonly announcements: Announcements
  readonly clock: Clock
}): Amazon {
  const { announcements, clock } = deps
  // Of each account no more than one: the bridge keeps only the newest grant.
  const codes = new Map<string, string>()
  const refreshTokens = new Map<string, string>()
  const accessTokens = new Map<string, { readonly account: string; readonly until: number }>()

  function giveToken(request: Request, response: Response): void {
    const form: Readonly<Record<string, unknown>> = request.body ?? {}
    if (form.client_id !== deps.clientId || form.client_secret !== deps.clientSecret) {
      announcements.complained({ assistant: 'alexa', message: 'LWA was not given its client id and secret' })
      return void response.status(401).json({ error: 'invalid_client' })
    }
    const given = form.grant_type === 'authorization_code' ? ownerOf(codes, form.code) : undefined
    if (given !== undefined) {
      codes.delete(given)
      refreshTokens.set(given, `${refreshPrefix}${randomBytes(24).toString('base64url')}`)
    }
    const account = given ?? (form.grant_type === 'refresh_token' ? ownerOf(refreshTokens, form.refresh_token) : given)
    if (account === undefined) {
      // No complaint: a bridge that was started anew tries the tokens of an Amazon that is gone, as it should. It drops those
      // of our making; of the real one's it is told nothing final, because it will need them when it speaks to it again.
      const isReal = form.grant_type === 'refresh_token' && !String(form.refresh_token).startsWith(refreshPrefix)
      if (isReal) return void response.status(503).json({ error: 'temporarily_unavailable' })
      return void response.status(400).json({ error: 'invalid_grant' })
    }
    response.json({
      access_token: newAccessToken(account),
      token_type: 'bearer',
      expires_in: tokenMs / 1000,
      refresh_token: refreshTokens.get(account),
    })
  }

  function newAccessToken(account: string): string {
    const now = clock()
    for (const [token, { until }] of accessTokens) if (until <= now) accessTokens.delete(token)
    const token = `Atza|${randomBytes(24).toString('base64url')}`
    accessTokens.set(token, { account, until: now + tokenMs })
    return token
  }

  function takeEvent(request: Request, response: Response): void {
    const bearer = bearerOf(request)
    const known = accessTokens.get(bearer)
    if (known === undefined || known.until <= clock()) return refuse(response, 401, 'INVALID_ACCESS_TOKEN_EXCEPTION')
    const { account } = known
    const kind = anyEvent.safeParse(request.body)
    // Reports of other kinds are taken as they come: here it is about the ring.
    if (kind.success && kind.data.event.header.name !== 'DoorbellPress') return void response.status(204).end()
    const press = doorbellPress.safeParse(request.body)
    if (!press.success || press.data.event.endpoint.scope.token !== bearer) {
      const why = press.success ? 'its token is not that of the header' : faultsOf(press.error)
      const message = `the DoorbellPress is not one that Amazon takes: ${why}`
      announcements.complained({ assistant: 'alexa', message }, account)
      return refuse(response, 400, 'INVALID_REQUEST_EXCEPTION')
    }
    const { endpoint, payload } = press.data.event
    const cameraId = endpoint.endpointId
    announcements.announced(account, {
      assistant: 'alexa',
      cameraId,
      at: clock(),
      pressedAt: Date.parse(payload.timestamp),
    })
    // By the documentation 202; seen since September 2026 is 204.
    response.status(204).end()
  }

  const router = Router()
  router.post('/auth/o2/token', express.urlencoded({ extended: false }), giveToken)
  router.post('/v3/events', express.json({ limit: '256kb' }), takeEvent)

  return {
    router,
    grantCode(account) {
      const code = randomUUID()
      codes.set(account, code)
      return code
    },
  }
}

function refuse(response: Response, status: number, code: string): void {
  response.status(status).json({ payload: { code, description: code } })
}

/** Whose token or code this is. */
function ownerOf(held: ReadonlyMap<string, string>, given: unknown): string | undefined {
  for (const [account, value] of held) if (value === given) return account
  return undefined
}
