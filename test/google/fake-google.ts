/** Google's token endpoint and Home Graph on loopback, as strict as the documentation: what is not to the letter is refused. */
import { generateKeyPairSync } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { jwtVerify } from 'jose'
import { serviceAccountKey } from '../../src/bridge/google/service-token.ts'
import {
  graphDevicesRequest,
  graphQueryRequest,
  reportRequest,
  requestSyncRequest,
  type ReportRequest,
} from '../../src/core/wire/google.ts'

/** A planned answer: a status, with a header or two if it must be, or none at all. */
export type Planned = number | 'hang' | { readonly status: number; readonly headers: Readonly<Record<string, string>> }

export type Call = 'report' | 'requestSync' | 'query' | 'sync' | 'delete'

export async function startFakeGoogle(clock: () => number) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const reports: ReportRequest[] = []
  const calls: { readonly call: Call; readonly account: string; readonly at: number }[] = []
  const complaints: string[] = []
  /** What the next calls are answered with, in order; then as Home Graph would. `hang` never answers. */
  const script: Planned[] = []
  /** The same for the token endpoint. */
  const tokenScript: Planned[] = []
  /** Accounts that Home Graph does not know, though it knew them once. */
  const unlinked = new Set<string>()
  /** What Home Graph believes of an account's devices: from SYNC, which tests play themselves, and from reports. */
  const devices = new Map<string, readonly ({ readonly id: string } & Record<string, unknown>)[]>()
  const states = new Map<string, Record<string, Record<string, unknown>>>()
  const events = new Set<string>()
  /** Calls a minute that the project may make; what is more is refused, as Google does. */
  const quota = { perMinute: Infinity, refused: 0 }
  const accepts = [200, 204, 201, 202]
  let accepted = 0
  let tokens = 0

  async function token(request: IncomingMessage, body: string) {
    if (request.headers['content-type'] !== 'application/x-www-form-urlencoded;charset=UTF-8')
      throw new Error('no form')
    const form = new URLSearchParams(body)
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') throw new Error('wrong grant_type')
    const { payload, protectedHeader } = await jwtVerify(form.get('assertion') ?? '', publicKey, {
      algorithms: ['RS256'],
      issuer: 'bell@project.iam.gserviceaccount.com',
      audience: `${url()}/token`,
      currentDate: new Date(clock()),
      requiredClaims: ['iat', 'exp'],
    })
    if (protectedHeader.kid !== 'key-1') throw new Error('no key id')
    if (payload['scope'] !== 'https://www.googleapis.com/auth/homegraph') throw new Error('wrong scope')
    if ((payload.exp ?? 0) > (payload.iat ?? 0) + 3600) throw new Error('valid for too long')
    tokens += 1
    return { access_token: `token-${tokens}`, expires_in: 3599, token_type: 'Bearer' }
  }

  function callOf({ method, url = '' }: IncomingMessage): { call: Call; user?: string } {
    const names: Record<string, Call> = {
      '/v1/devices:reportStateAndNotification': 'report',
      '/v1/devices:requestSync': 'requestSync',
      '/v1/devices:query': 'query',
      '/v1/devices:sync': 'sync',
    }
    const name = names[url]
    if (name !== undefined && method === 'POST') return { call: name }
    const user = /^\/v1\/agentUsers\/([^/?]+)$/.exec(url)?.[1]
    if (user !== undefined && method === 'DELETE') return { call: 'delete', user: decodeURIComponent(user) }
    throw new Error('no such method')
  }

  function perform(request: IncomingMessage, text: string): { status: number; json: object } {
    const { call, user } = callOf(request)
    // Each process has one of its own, and none ends another.
    const given = /^Bearer token-(\d+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (given === undefined || Number(given) < 1 || Number(given) > tokens) throw new Error('wrong token')
    if (user === undefined && request.headers['content-type'] !== 'application/json') throw new Error('no JSON')
    if (user !== undefined && text !== '') throw new Error('a DELETE with a body')
    const body = user === undefined ? bodyOf(call, JSON.parse(text)) : { agentUserId: user }
    const account = body.agentUserId
    calls.push({ call, account, at: clock() })
    const isKnown = devices.has(account) && !unlinked.has(account)
    if (!isKnown || namesStranger(account, body)) {
      const message = 'Requested entity was not found.'
      return { status: 404, json: { error: { code: 404, message, status: 'NOT_FOUND' } } }
    }
    return { status: 200, json: answers[call](account, body) }
  }

  /** A report about a device that no SYNC has told of: the same 404 as for a user who is not known. */
  function namesStranger(account: string, body: object): boolean {
    const { payload } = body as Partial<ReportRequest>
    const known = devices.get(account)?.map(({ id }) => id) ?? []
    const named = Object.keys({ ...payload?.devices.states, ...payload?.devices.notifications })
    return named.some((id) => !known.includes(id))
  }

  const answers: Record<Call, (account: string, body: object) => object> = {
    report(account, body) {
      const given = body as ReportRequest
      const { states: told, notifications = {} } = given.payload.devices
      if (Object.keys(notifications).length > 0 && !given.eventId) throw new Error('a notification without eventId')
      // A repetition of the same event is taken and not spoken again.
      if (given.eventId === undefined || !events.has(given.eventId)) reports.push(given)
      if (given.eventId !== undefined) events.add(given.eventId)
      states.set(account, { ...states.get(account), ...structuredClone(told) })
      return { requestId: given.requestId }
    },
    requestSync: () => ({}),
    query: (account, body) => {
      const { requestId, inputs } = body as { requestId: string; inputs: { payload: { devices: { id: string }[] } }[] }
      const asked = inputs.flatMap(({ payload }) => payload.devices)
      const believed = asked.map(({ id }) => [id, states.get(account)?.[id] ?? {}])
      return { requestId, payload: { devices: Object.fromEntries(believed) } }
    },
    sync: (account, body) => ({
      requestId: (body as { requestId: string }).requestId,
      payload: { agentUserId: account, devices: devices.get(account) ?? [] },
    }),
    delete: (account) => {
      unlinked.add(account)
      devices.delete(account)
      return {}
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const reply = (status: number, json: object, headers: object = {}) =>
      status === 204
        ? response.writeHead(204).end()
        : response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(json))
    const isToken = request.url === '/token'
    const planned = (isToken ? tokenScript : script).shift()
    try {
      if (planned === 'hang') return
      if (typeof planned === 'number') return reply(planned, { error: { code: planned, status: 'AS_PLANNED' } })
      if (planned !== undefined) return reply(planned.status, { error: { code: planned.status } }, planned.headers)
      if (isToken) {
        if (request.method !== 'POST') throw new Error('no POST')
        return reply(200, await token(request, body))
      }
      if (calls.filter(({ at }) => at > clock() - 60_000).length >= quota.perMinute) {
        quota.refused += 1
        return reply(429, { error: { code: 429, status: 'RESOURCE_EXHAUSTED' } })
      }
      const { status, json } = perform(request, body)
      if (status !== 200 || Object.hasOwn(json, 'payload')) return reply(status, json)
      // Where the answer says nothing but yes, every yes of HTTP is one.
      return reply(accepts[accepted++ % accepts.length]!, json)
    } catch (thrown) {
      complaints.push(String(thrown))
      return reply(400, isToken ? { error: 'invalid_grant' } : { error: { code: 400, status: 'INVALID_ARGUMENT' } })
    }
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  /** The key file's content, as the console gives it. */
  const keyFile = {
    type: 'service_account',
    client_email: 'bell@project.iam.gserviceaccount.com',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    private_key_id: 'key-1',
    token_uri: `${url()}/token`,
  }

  return {
    url: url(),
    keyFile,
    serviceAccount: serviceAccountKey.parse(keyFile),
    reports,
    calls,
    complaints,
    script,
    tokenScript,
    quota,
    unlinked,
    devices,
    states,
    tokensIssued: () => tokens,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function bodyOf(call: Call, json: unknown): { readonly agentUserId: string } {
  switch (call) {
    case 'report':
      return reportRequest.parse(json)
    case 'requestSync':
      return requestSyncRequest.parse(json)
    case 'query':
      return graphQueryRequest.parse(json)
    case 'sync':
      return graphDevicesRequest.parse(json)
    case 'delete':
      throw new Error('a DELETE has no body')
  }
}
