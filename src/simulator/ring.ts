/** Amazon's side of a ring: Login with Amazon and the event gateway on this machine, where the bridge announces a press. */

import { randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { CallError } from './causes.ts'
import { send } from './http.ts'

/** What the bridge was told to take for Amazon. */
export interface AmazonSettings {
  readonly port: number
  readonly clientId: string
  readonly clientSecret: string
}

export interface Amazon {
  /** For AcceptGrant; good once. */
  readonly code: string
  /** Resolves when the press of this camera is announced; rejects with the signal's reason, or with what is wrong with it. */
  announced(cameraId: string, signal: AbortSignal): Promise<void>
  close(): Promise<void>
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

/** Listens on the port of the settings. Throws `CallError('simulator_failed')` when it is taken. */
export async function startAmazon({ port, clientId, clientSecret }: AmazonSettings): Promise<Amazon> {
  const code = randomUUID()
  const refreshToken = `Atzr|${randomBytes(24).toString('base64url')}`
  const accessTokens = new Set<string>()
  const heard = new Set<string>()
  let isCodeUsed = false
  let wrong: CallError | undefined
  let changed = Promise.withResolvers<void>()
  const wake = (): void => {
    changed.resolve()
    changed = Promise.withResolvers<void>()
  }

  async function token(request: IncomingMessage): Promise<Reply> {
    const form = new URLSearchParams(await text(request))
    if (form.get('client_id') !== clientId || form.get('client_secret') !== clientSecret) {
      return [401, { error: 'invalid_client' }]
    }
    const isFirst = form.get('grant_type') === 'authorization_code' && form.get('code') === code && !isCodeUsed
    const isRefresh = form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === refreshToken
    if (!isFirst && !isRefresh) return [400, { error: 'invalid_grant' }]
    if (isFirst) isCodeUsed = true
    const accessToken = `Atza|${randomBytes(24).toString('base64url')}`
    accessTokens.add(accessToken)
    return [200, { access_token: accessToken, token_type: 'bearer', expires_in: 3600, refresh_token: refreshToken }]
  }

  async function event(request: IncomingMessage): Promise<Reply> {
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    if (!accessTokens.has(bearer)) return refusal(401, 'INVALID_ACCESS_TOKEN_EXCEPTION')
    const body: unknown = JSON.parse(await text(request))
    const kind = anyEvent.safeParse(body)
    // Reports of other kinds are taken as they come: here it is about the ring.
    if (kind.success && kind.data.event.header.name !== 'DoorbellPress') return [202, undefined]
    const press = doorbellPress.safeParse(body)
    if (!press.success || press.data.event.endpoint.scope.token !== bearer) {
      const why = press.success ? 'its token is not that of the header' : z.prettifyError(press.error)
      wrong = new CallError('event_invalid', `the DoorbellPress is not one that Amazon takes: ${why}`)
      wake()
      return refusal(400, 'INVALID_REQUEST_EXCEPTION')
    }
    heard.add(press.data.event.endpoint.endpointId)
    wake()
    return [202, undefined]
  }

  const routes: Readonly<Record<string, (request: IncomingMessage) => Promise<Reply>>> = {
    '/auth/o2/token': token,
    '/v3/events': event,
  }
  const server = createServer((request, response) => {
    const route = request.method === 'POST' ? routes[request.url ?? ''] : undefined
    const replied = route?.(request) ?? Promise.resolve<Reply>([404, {}])
    replied
      .catch((): Reply => refusal(500, 'INTERNAL_SERVICE_EXCEPTION'))
      .then(
        ([status, body]) => {
          response.writeHead(status, { 'content-type': 'application/json' })
          response.end(body === undefined ? undefined : JSON.stringify(body))
        },
        () => response.destroy(),
      )
  })
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', (cause) =>
    reject(new CallError('simulator_failed', `port ${port}, where the bridge looks for Amazon, is taken`, { cause })),
  )
  server.listen(port, '127.0.0.1', resolve)
  await listening

  return {
    code,
    async announced(cameraId, signal) {
      for (;;) {
        signal.throwIfAborted()
        if (wrong) throw wrong
        if (heard.has(cameraId)) return
        const { promise } = changed
        signal.addEventListener('abort', wake, { once: true })
        await promise
        signal.removeEventListener('abort', wake)
      }
    },
    async close() {
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      server.closeAllConnections()
      await closed.promise
    },
  }
}

/** Presses the bell as the camera would: it tells the bridge, with its key. */
export async function pressBell(bridge: string, cameraId: string, key: string, signal: AbortSignal): Promise<void> {
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ kind: 'press', eventId: randomUUID(), at: Date.now() }),
  }
  const { status } = await send(`${bridge}/cameras/${encodeURIComponent(cameraId)}/events`, request, signal)
  if (status !== 202) throw new CallError('press_refused', `the press was answered with HTTP ${status}, not 202`)
}

type Reply = readonly [status: number, body: unknown]

const refusal = (status: number, code: string): Reply => [status, { payload: { code, description: code } }]
