/** Plays Google's token endpoint and Home Graph on this machine, strictly, to hear what the bridge says unasked. */

import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createPublicKey } from 'node:crypto'
import { jwtVerify } from 'jose'
import { z } from 'zod'
import { CallError } from './causes.ts'
import { orAborted } from './deadline.ts'
import type { HomeGraphSettings } from './settings.ts'

export interface Announcement {
  /** Epoch milliseconds of its arrival. */
  readonly at: number
  readonly eventId: string
  /** When the bridge says that somebody was there. */
  readonly detectedAt: number
}

export interface HomeGraph {
  /** The next announcement of somebody at this camera, or one that is here already. */
  announced(cameraId: string, signal: AbortSignal): Promise<Announcement>
  /** What the bridge sent that Google would refuse. */
  complaints(): readonly string[]
  close(): Promise<void>
}

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

/** Listens where the bridge was told that Home Graph is. Throws `ring_impossible` when somebody else does. */
export async function startHomeGraph(settings: HomeGraphSettings): Promise<HomeGraph> {
  const { port, origin } = new URL(settings.url)
  const key = createPublicKey(settings.publicKey)
  const tokens = new Set<string>()
  const heard = new Map<string, Announcement>()
  const complaints: string[] = []
  let wake: (() => void)[] = []

  async function token(body: string): Promise<object> {
    const form = new URLSearchParams(body)
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') throw new Error('wrong grant_type')
    const { payload } = await jwtVerify(form.get('assertion') ?? '', key, {
      algorithms: ['RS256'],
      issuer: settings.clientEmail,
      audience: `${origin}/token`,
      requiredClaims: ['iat', 'exp', 'scope'],
    })
    if (payload['scope'] !== 'https://www.googleapis.com/auth/homegraph') throw new Error('wrong scope')
    const access_token = randomBytes(16).toString('base64url')
    tokens.add(access_token)
    return { access_token, expires_in: 3599, token_type: 'Bearer' }
  }

  function listen(body: string): object {
    const { requestId, eventId, payload } = report.parse(JSON.parse(body))
    for (const [id, { ObjectDetection }] of Object.entries(payload.devices.notifications ?? {})) {
      if (eventId === undefined) throw new Error('a notification without eventId')
      heard.set(id, { at: Date.now(), eventId, detectedAt: ObjectDetection.detectionTimestamp })
    }
    for (const resolve of wake.splice(0)) resolve()
    return { requestId }
  }

  async function answer({ method, url, headers }: IncomingMessage, body: string): Promise<object> {
    if (method === 'POST' && url === '/token') return token(body)
    if (!tokens.has(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '')) throw new Error('no valid token')
    if (method === 'POST' && url === '/v1/devices:reportStateAndNotification') return listen(body)
    if (method === 'POST' && url === '/v1/devices:requestSync') return {}
    if (method === 'DELETE' && url?.startsWith('/v1/agentUsers/')) return {}
    throw new Error(`there is no ${method} ${url}`)
  }

  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => void reply(request, response, body))
  })

  async function reply(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
    const send = (status: number, json: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
    try {
      send(200, await answer(request, body))
    } catch (error) {
      complaints.push(`${request.method} ${request.url}: ${error instanceof Error ? error.message : String(error)}`)
      send(400, { error: { code: 400, status: 'INVALID_ARGUMENT' } })
    }
  }

  const { promise: listening, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', (error) =>
    reject(new CallError('ring_impossible', `Home Graph cannot be played at ${origin}: ${error.message}`)),
  )
  server.listen(Number(port), '127.0.0.1', resolve)
  await listening

  return {
    async announced(cameraId, signal) {
      for (;;) {
        const found = heard.get(cameraId)
        heard.delete(cameraId)
        if (found !== undefined) return found
        await orAborted(new Promise<void>((resolve) => (wake = [...wake, resolve])), signal)
      }
    },
    complaints: () => complaints,
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      server.closeAllConnections()
      await promise
    },
  }
}
