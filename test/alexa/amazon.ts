/** Amazon's side on loopback: Login with Amazon's token endpoint and the event gateways of all regions, as strict as the real ones. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { gatewayUrls, type AlexaRegion } from '../../src/bridge/alexa/region.ts'
import { proactiveEvent, type ProactiveEvent } from '../../src/core/wire/alexa.ts'

export const client = { clientId: 'amzn1.application-oa2-client.0123', clientSecret: 'amzn1.oa2-cs.v1.4567' }

export type Amazon = Awaited<ReturnType<typeof startAmazon>>

export async function startAmazon() {
  const state = {
    codes: new Set(['code-1']),
    refreshTokens: new Set<string>(),
    accessTokens: new Set<string>(),
    issued: 0,
    /** A refresh is answered when this is done. */
    beforeRefresh: Promise.resolve(),
    /** Replies to give instead of the regular ones, first in first out. `hang` keeps the request open, `break` its connection not. */
    script: [] as (Scripted | 'hang' | 'break')[],
    /** Where the customer belongs: the other gateways do not know him. */
    region: 'NA' as AlexaRegion,
    /** What accepted events are answered with, in turn: the documentation's 202, what is seen lately, and what may come. */
    accepts: [202, 204, 200, 201],
    /** Answers to events that take this long, in milliseconds. */
    slowMs: 0,
  }
  const requests: string[] = []
  const events: ProactiveEvent[] = []

  const issueToken = () => {
    const token = `Atza|access-${++state.issued}`
    state.accessTokens.add(token)
    return token
  }

  async function token(request: IncomingMessage, reply: Reply): Promise<void> {
    const form = new URLSearchParams(await text(request))
    requests.push(`${form.get('grant_type')}`)
    if (!`${request.headers['content-type']}`.startsWith('application/x-www-form-urlencoded')) {
      return reply(400, { error: 'invalid_request' })
    }
    if (form.get('client_id') !== client.clientId || form.get('client_secret') !== client.clientSecret) {
      return reply(401, { error: 'invalid_client' })
    }
    const fields = [...form.keys()].sort().join()
    if (fields === 'client_id,client_secret,code,grant_type' && form.get('grant_type') === 'authorization_code') {
      if (!state.codes.delete(`${form.get('code')}`)) return reply(400, { error: 'invalid_grant' })
    } else if (
      fields === 'client_id,client_secret,grant_type,refresh_token' &&
      form.get('grant_type') === 'refresh_token'
    ) {
      await state.beforeRefresh
      if (!state.refreshTokens.delete(`${form.get('refresh_token')}`)) return reply(400, { error: 'invalid_grant' })
    } else return reply(400, { error: 'invalid_request' })
    const refreshToken = `Atzr|refresh-${state.issued + 1}`
    state.refreshTokens.add(refreshToken)
    reply(200, { access_token: issueToken(), token_type: 'bearer', expires_in: 3600, refresh_token: refreshToken })
  }

  async function receive(request: IncomingMessage, reply: Reply): Promise<void> {
    requests.push('event')
    const refuse = (status: number, code: string) => reply(status, { payload: { code, description: 'no' } })
    const sent = await text(request)
    // Amazon's limit for one event.
    if (Buffer.byteLength(sent) > 256 * 1024) return refuse(413, 'REQUEST_ENTITY_TOO_LARGE_EXCEPTION')
    const body = proactiveEvent.safeParse(JSON.parse(sent))
    if (request.headers['content-type'] !== 'application/json' || !body.success) {
      return refuse(400, 'INVALID_REQUEST_EXCEPTION')
    }
    const { event } = body.data
    const { token } = 'endpoint' in event ? event.endpoint.scope : event.payload.scope
    if (request.headers.authorization !== `Bearer ${token}` || !state.accessTokens.has(token)) {
      return refuse(401, 'INVALID_ACCESS_TOKEN_EXCEPTION')
    }
    if (request.url !== `/${state.region}/v3/events`) return refuse(403, 'SKILL_NEVER_ENABLED_EXCEPTION')
    if (state.slowMs > 0) await new Promise((resolve) => setTimeout(resolve, state.slowMs))
    events.push(body.data)
    reply(state.accepts[(events.length - 1) % state.accepts.length]!, undefined)
  }

  const routes = new Map([
    ['/auth/o2/token', token],
    ...Object.keys(gatewayUrls).map((region) => [`/${region}/v3/events`, receive] as const),
  ])

  const server = createServer((request, response) => {
    const route = request.method === 'POST' ? routes.get(`${request.url}`) : undefined
    const scripted = state.script.shift()
    if (scripted === 'hang') return
    if (scripted === 'break') return void request.destroy()
    const reply = replyTo(response)
    if (scripted) {
      requests.push(`scripted ${scripted.status}`)
      request.resume()
      return reply(scripted.status, scripted.body, scripted.headers)
    }
    if (!route) return reply(404, {})
    route(request, reply).catch(() => reply(500, {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined

  return {
    state,
    requests,
    events,
    issueToken,
    tokenUrl: `http://127.0.0.1:${port}/auth/o2/token`,
    gatewayUrls: {
      NA: `http://127.0.0.1:${port}/NA/v3/events`,
      EU: `http://127.0.0.1:${port}/EU/v3/events`,
      FE: `http://127.0.0.1:${port}/FE/v3/events`,
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

interface Scripted {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

type Reply = (status: number, body: unknown, headers?: Readonly<Record<string, string>>) => void

function replyTo(response: ServerResponse): Reply {
  return (status, body, headers = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(body === undefined ? undefined : JSON.stringify(body))
  }
}
