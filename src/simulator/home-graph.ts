/** Plays Google's token endpoint and Home Graph, strictly, to hear what the bridge says unasked. */

import { createPublicKey, randomBytes } from 'node:crypto'
import express, { type ErrorRequestHandler, type Request, Router } from 'express'
import { jwtVerify } from 'jose'
import * as z from 'zod'
import type { Clock } from 'transom-core/ports'
import type { Announcements } from './announcements.ts'
import { bearerOf } from './bearer.ts'
import { faultsOf } from 'transom-core/wire/faults'

const someText = z.string().min(1)
const count = z.int().min(1)
const detection = z.strictObject({
  ObjectDetection: z.strictObject({
    objects: z
      .strictObject({ named: z.array(someText).min(1), familiar: count, unfamiliar: count, unclassified: count })
      .partial(),
    priority: z.literal(0),
    detectionTimestamp: z.int(),
  }),
})
const report = z.strictObject({
  requestId: someText,
  agentUserId: someText,
  eventId: someText.optional(),
  payload: z.strictObject({
    devices: z.strictObject({
      states: z.record(z.string(), z.looseObject({ online: z.boolean(), status: z.never().optional() })).optional(),
      notifications: z.record(z.string(), detection).optional(),
    }),
  }),
})

const tokenMs = 3_599_000

/** To be mounted at the origin at which the bridge takes both to be. */
export function createHomeGraph(deps: {
  readonly origin: string
  /** The service account: its name, and its key in PEM. */
  readonly clientEmail: string
  readonly publicKey: string
  readonly announcements: Announcements
  readonly clock: Clock
}): Router {
  const { origin, clientEmail, announcements, clock } = deps
  const key = createPublicKey(deps.publicKey)
  const tokens = new Map<string, number>()

  async function giveToken({ body }: Request): Promise<object> {
    const form: Readonly<Record<string, unknown>> = body ?? {}
    if (form.grant_type !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') throw new Error('wrong grant_type')
    const { payload } = await jwtVerify(String(form.assertion), key, {
      algorithms: ['RS256'],
      issuer: clientEmail,
      audience: `${origin}/token`,
      requiredClaims: ['iat', 'exp', 'scope'],
    })
    if (payload['scope'] !== 'https://www.googleapis.com/auth/homegraph') throw new Error('wrong scope')
    const now = clock()
    for (const [token, until] of tokens) if (until <= now) tokens.delete(token)
    const access_token = randomBytes(16).toString('base64url')
    tokens.set(access_token, now + tokenMs)
    return { access_token, expires_in: tokenMs / 1000, token_type: 'Bearer' }
  }

  function takeReport({ body }: Request): object {
    const { requestId, agentUserId, eventId, payload } = report.parse(body)
    const notifications = Object.entries(payload.devices.notifications ?? {})
    if (notifications.length > 0 && eventId === undefined) throw new Error('a notification without eventId')
    for (const [cameraId, { ObjectDetection }] of notifications) {
      const pressedAt = ObjectDetection.detectionTimestamp
      const at = clock()
      announcements.announced(agentUserId, {
        assistant: 'google',
        cameraId,
        at,
        pressedAt,
        ...(eventId !== undefined && { eventId }),
      })
    }
    return { requestId }
  }

  const refuse: ErrorRequestHandler = (thrown: unknown, request, response, _next) => {
    const { agentUserId }: { agentUserId?: unknown } = request.body ?? {}
    const why = thrown instanceof z.ZodError ? faultsOf(thrown) : String(thrown)
    announcements.complained(
      { assistant: 'google', message: `${request.method} ${request.originalUrl}: ${why}` },
      typeof agentUserId === 'string' ? agentUserId : undefined,
    )
    response.status(400).json({ error: { code: 400, status: 'INVALID_ARGUMENT' } })
  }

  const router = Router()
  router.post('/token', express.urlencoded({ extended: false }), async (request, response) => {
    response.json(await giveToken(request))
  })
  router.use('/v1', (request, _response, next) => {
    if ((tokens.get(bearerOf(request)) ?? 0) <= clock()) throw new Error('no valid token')
    next()
  })
  router.use('/v1', express.json({ limit: '256kb' }))
  router.post('/v1/devices\\:reportStateAndNotification', (request, response) => {
    response.json(takeReport(request))
  })
  router.post('/v1/devices\\:requestSync', (_request, response) => void response.json({}))
  router.delete('/v1/agentUsers/:account', (_request, response) => void response.json({}))
  router.use('/v1', () => {
    throw new Error(`there is no such call`)
  })
  router.use(['/token', '/v1'], refuse)
  return router
}
