/** Account linking: token checks and the token endpoint beside bare oidc-provider, in the same run. Usage: node bench/oauth.ts */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request, Agent, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose'
import { Provider } from 'oidc-provider'
import { createAdapterFactory } from '../src/bridge/oauth/provider/adapter.ts'
import { createClients } from '../src/bridge/oauth/provider/clients.ts'
import { publicPart, withKeyId } from '../src/bridge/oauth/provider/keyring.ts'
import { createOAuth } from '../src/bridge/oauth/server.ts'
import type { Collection, Store } from '../src/core/ports.ts'
import { createSqliteStore } from '../src/core/store/sqlite.ts'

const rounds = 7
const checks = 2000
const refreshes = 150
const parallel = 8
const audience = 'http://localhost'
const century = 100 * 365 * 24 * 3600
/** Ours reports trouble; the bare provider says at length that it is for development. */
for (const level of ['warn', 'info'] as const) console[level] = () => {}

const alexa = {
  clientId: 'alexa',
  clientSecret: 'alexa0123456789abcdef',
  assistant: 'alexa',
  redirectUris: ['https://layla.amazon.com/api/skill/link/M2'],
} as const
const google = { ...alexa, clientId: 'google', assistant: 'google' } as const

/** Keeps connections open, as the assistants' clouds do. */
const agent = new Agent({ keepAlive: true, maxSockets: parallel })
const directory = mkdtempSync(join(tmpdir(), 'transom-bench-'))
const reads = { count: 0, delayMs: 0 }
let readsOfRefreshes = 0
const store = watched(createSqliteStore(join(directory, 'store.sqlite'), Date.now))
const key = {
  ...(await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey)),
  kid: 'k',
  alg: 'ES256',
  use: 'sig',
}

const ours = await serve(({ issuer }) => {
  const oauth = createOAuth({
    issuer,
    store,
    clients: [alexa, google],
    signingKeys: [key],
    cookieKeys: ['k'],
    clock: Date.now,
    log: (level, event, fields) => {
      if (level === 'error') throw new Error(`${event} ${JSON.stringify(fields)}`)
    },
  })
  return { handler: oauth.handler, oauth }
})
/** The same grants and tokens as ours, on the adapter that oidc-provider brings along. */
const bare = await serve(({ issuer }) => {
  const provider = bareProvider(issuer)
  return { handler: provider.callback(), provider }
})

try {
  const account = await ours.made.oauth.users.create({ login: 'ada', password: 'correct horse', name: 'Ada' })
  const tokens = {
    alexa: await mintOurs('alexa', account),
    google: await mintOurs('google', account),
    bare: await mintBare(bare.made.provider),
  }
  const verify = ours.made.oauth.verifyToken
  const jwt = await accessToken(ours.issuer, 'alexa', tokens.alexa)
  const opaque = await accessToken(ours.issuer, 'google', tokens.google)
  await verify(jwt)
  await verify(opaque)

  const results = new Map<string, number[]>()
  const note = (name: string, value: number) => results.set(name, [...(results.get(name) ?? []), value])
  for (let round = 0; round < rounds; round += 1) {
    note('JWT, believed', await perSecond(checks, () => verify(jwt)))
    const before = reads.count
    note('JWT, never seen', await anew('alexa', tokens.alexa))
    note('store reads for 200 such JWTs', reads.count - before - readsOfRefreshes)
    note('JWT, bare jose', await bareJose(tokens.alexa))
    reads.delayMs = 50
    note('JWT, never seen, store 50 ms away', await anew('alexa', tokens.alexa, 20))
    reads.delayMs = 0
    note('opaque, believed', await perSecond(checks, () => verify(opaque)))
    note('opaque, anew', await anew('google', tokens.google))
    note('refresh, ours (Google, opaque)', await refreshesPerSecond(ours.issuer, 'google', tokens.google))
    note('refresh, bare memory (opaque)', await refreshesPerSecond(bare.issuer, 'google', tokens.bare))
    note('refresh, ours (Alexa, JWT)', await refreshesPerSecond(ours.issuer, 'alexa', tokens.alexa))
  }
  const of = (name: string) => results.get(name) ?? []
  for (const [name, values] of results) console.log(`${name}: ${Math.round(median(values))}`)
  const ratio = (a: string, b: string) => median(of(a).map((value, round) => value / (of(b)[round] ?? value)))
  console.log(`a JWT seen before over a new one: ${ratio('JWT, believed', 'JWT, never seen').toFixed(0)} times`)
  console.log(`a new JWT over bare jose: ${ratio('JWT, never seen', 'JWT, bare jose').toFixed(2)}`)
  const far = ratio('JWT, never seen, store 50 ms away', 'JWT, never seen')
  console.log(`a new JWT with the store 50 ms away over one with it near: ${far.toFixed(2)}`)
  console.log(
    `an opaque token believed over one looked up anew: ${ratio('opaque, believed', 'opaque, anew').toFixed(0)} times`,
  )
  const share = ratio('refresh, ours (Google, opaque)', 'refresh, bare memory (opaque)')
  console.log(`token endpoint, durable, over bare oidc-provider in memory: ${share.toFixed(2)}`)
  const worst = await slowest(ours.issuer, 'alexa', tokens.alexa)
  console.log(`slowest of ${refreshes} refreshes, ${parallel} at a time: ${worst.toFixed(0)} ms of Alexa's 4500`)
} finally {
  agent.destroy()
  for (const { server } of [ours, bare]) {
    server.closeAllConnections()
    server.close()
  }
  await store.close()
  rmSync(directory, { recursive: true })
}

/** Each token is checked for the first time. Fetching them is not timed, and its reads are noted apart. */
async function anew(client: string, token: string, count = 200): Promise<number> {
  const { delayMs } = reads
  reads.delayMs = 0
  const before = reads.count
  const fresh: string[] = []
  while (fresh.length < count) fresh.push(await accessToken(ours.issuer, client, token))
  readsOfRefreshes = reads.count - before
  reads.delayMs = delayMs
  return perSecond(count, () => ours.made.oauth.verifyToken(fresh.pop() ?? ''))
}

/** What the library alone takes for the same tokens: signature, issuer, audience, type, time. */
async function bareJose(token: string, count = 200): Promise<number> {
  const keys = createLocalJWKSet({ keys: [publicPart(withKeyId(key))] })
  const rules = { algorithms: ['ES256'], typ: 'at+jwt', audience: new URL(ours.issuer).origin, issuer: ours.issuer }
  const fresh: string[] = []
  while (fresh.length < count) fresh.push(await accessToken(ours.issuer, 'alexa', token))
  return perSecond(count, () => jwtVerify(fresh.pop() ?? '', keys, rules))
}

async function read(): Promise<void> {
  reads.count += 1
  if (reads.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, reads.delayMs))
}

function watched(kept: Store): Store {
  return {
    close: () => kept.close(),
    collection<T>(kind: string): Collection<T> {
      const records = kept.collection<T>(kind)
      return {
        ...records,
        get: async (...args) => (await read(), records.get(...args)),
        list: async (...args) => (await read(), records.list(...args)),
      }
    },
  }
}

async function perSecond(count: number, act: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  for (let index = 0; index < count; index += 1) await act()
  return (count / (performance.now() - from)) * 1000
}

async function refreshesPerSecond(issuer: string, client: string, token: string): Promise<number> {
  const from = performance.now()
  await manyRefreshes(issuer, client, token)
  return (refreshes / (performance.now() - from)) * 1000
}

async function slowest(issuer: string, client: string, token: string): Promise<number> {
  return Math.max(...(await manyRefreshes(issuer, client, token)))
}

async function manyRefreshes(issuer: string, client: string, token: string): Promise<readonly number[]> {
  const times: number[] = []
  let left = refreshes
  const worker = async () => {
    while (left-- > 0) {
      const from = performance.now()
      await accessToken(issuer, client, token)
      times.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return times
}

interface Served<T> {
  readonly issuer: string
  readonly server: Server
  readonly made: T
}

async function serve<T extends { handler: RequestListener | express.RequestHandler }>(
  make: (where: { issuer: string }) => T,
): Promise<Served<T>> {
  const app = express()
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const issuer = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/oauth`
  const made = make({ issuer })
  app.use('/oauth', (req, res, next) => void made.handler(req, res, next))
  return { issuer, server, made }
}

function bareProvider(issuer: string): Provider {
  return new Provider(issuer, {
    clients: [
      {
        client_id: 'google',
        client_secret: google.clientSecret,
        redirect_uris: [...google.redirectUris],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      },
    ],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    jwks: { keys: [key] },
    cookies: { keys: ['k'] },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    rotateRefreshToken: () => false,
    ttl: { RefreshToken: century, Grant: century, AccessToken: 3600 },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: 'camera', audience, accessTokenTTL: 3600, accessTokenFormat: 'opaque' }),
      },
    },
  })
}

async function mintBare(provider: Provider): Promise<string> {
  const client = await provider.Client.find('google')
  if (client === undefined) throw new Error('the client is missing')
  return mint(provider, client, 'ada', audience)
}

/** A link as the pages would make it, on our adapter. */
async function mintOurs(clientId: 'alexa' | 'google', account: string): Promise<string> {
  const clients = createClients(store, [alexa, google], Date.now)
  const provider = new Provider(ours.issuer, {
    adapter: createAdapterFactory({ store, clock: Date.now, clients }),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    extraClientMetadata: { properties: ['assistant', 'secrets', 'tenant'] },
    jwks: { keys: [key] },
    cookies: { keys: ['k'] },
    ttl: { RefreshToken: century, Grant: century },
  })
  const client = await provider.Client.find(clientId)
  if (client === undefined) throw new Error('the client is missing')
  return mint(provider, client, account, new URL(ours.issuer).origin)
}

async function mint(
  provider: Provider,
  client: NonNullable<Awaited<ReturnType<Provider['Client']['find']>>>,
  accountId: string,
  resource: string,
): Promise<string> {
  const grant = new provider.Grant({ accountId, clientId: client.clientId })
  grant.addResourceScope(resource, 'camera')
  const grantId = await grant.save()
  return new provider.RefreshToken({
    accountId,
    client,
    grantId,
    resource,
    scope: 'camera',
    gty: 'authorization_code',
  }).save()
}

function accessToken(issuer: string, client: string, token: string): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }).toString()
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    authorization: `Basic ${Buffer.from(`${client}:${alexa.clientSecret}`).toString('base64')}`,
  }
  return new Promise((resolve, reject) => {
    const sent = request(`${issuer}/token`, { method: 'POST', agent, headers }, (reply) => {
      let text = ''
      reply.on('data', (part: Buffer) => (text += part.toString()))
      reply.on('end', () => {
        if (reply.statusCode !== 200) return reject(new Error(`${reply.statusCode} ${text}`))
        resolve((JSON.parse(text) as { access_token: string }).access_token)
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
