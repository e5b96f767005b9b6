/** The bridge with its page's API in memory: real store, broker, account linking and HTTP; a camera that follows a script. */
import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair } from 'jose'
import { createBridge, type Bridge } from '../../src/bridge/assembly/bridge.ts'
import type { BridgeDeps } from '../../src/bridge/assembly/ground.ts'
import { createRecordings } from '../../src/transom/recordings/recordings.ts'
import { createCompression } from '../../src/transom/compress.ts'
import { readConfig } from '../../src/transom/config.ts'
import { createHttpApp, type HttpOptions } from '../../src/bridge/doors/http.ts'
import { receiveEvent } from '../../src/bridge/assembly/camera-events.ts'
import { createPage } from '../../src/transom/page.ts'
import { createGatewayKeys } from '../../src/transom/gateway-keys.ts'
import { createGateways } from '../../src/transom/gateways.ts'
import { createNetworkCameras } from '../../src/transom/network-cameras.ts'
import { createGatewayRoutes } from '../../src/transom/gateway-routes.ts'
import { createRegistrations } from '../../src/transom/registrations.ts'
import { createSources } from '../../src/transom/sources.ts'
import { createWebhookRoutes } from '../../src/transom/webhook-routes.ts'
import { createWebhooks } from '../../src/transom/webhooks.ts'
import { cameraId, type AccountId, type Camera, type CameraMessage, type Signaling } from '../../src/core/ports.ts'
import type { SignalingService } from '../../src/signaling/service.ts'
import type { CameraRow, Session } from '../../src/core/wire/api.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { chromiumAnswer, hostCandidate } from '../broker/fixtures.ts'
import { authorizationUrl, createVisitor, formsOf } from '../oauth/visitor.ts'
import { conforming } from '../wire/conform.ts'

export interface HouseOptions {
  readonly env?: Readonly<Record<string, string>>
  /** What the camera sends back; else it answers at once. */
  readonly camera?: (signal: AbortSignal) => AsyncIterable<CameraMessage>
  /** As on AWS Lambda: nothing stays open, and cameras are registered elsewhere. */
  readonly isLambda?: boolean
  readonly pageDirectory?: string
  /** What records cameras. */
  readonly recording?: BridgeDeps['recording']
  /** What displays are told that the page may play. */
  readonly simulator?: HttpOptions['simulator']
  /** Gateways may connect, by `gatewayKey`; in which networks they may reach cameras. */
  readonly hasGateways?: boolean
  readonly networks?: readonly string[]
}

export const gatewayKey = 'k'.repeat(43)

const verifier = 'v'.repeat(43)
const pkce = {
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
  scope: 'camera',
}

export const good = async function* (): AsyncIterable<CameraMessage> {
  yield { kind: 'answer', sdp: chromiumAnswer }
  yield { kind: 'candidate', candidate: hostCandidate, sdpMid: '0' }
  yield { kind: 'end-of-candidates' }
}

export async function openHouse({
  env = {},
  camera = good,
  isLambda = false,
  pageDirectory,
  recording,
  simulator,
  hasGateways = false,
  networks,
}: HouseOptions = {}) {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const url = `http://localhost:${(server.address() as AddressInfo).port}`
  const store = createSqliteStore(':memory:', Date.now)
  const lines: { event: string; fields: Readonly<Record<string, unknown>> }[] = []
  const log = (_level: string, event: string, fields = {}) => void lines.push({ event, fields })
  const warmed: (string | undefined)[] = []
  const offers: { readonly channelName: string; readonly viewerId: string }[] = []
  const signaling: Signaling = {
    offer({ channelName }, viewerId, _sdp, signal) {
      offers.push({ channelName, viewerId })
      return camera(signal)
    },
    iceServers: async () => [{ urls: ['stun:192.0.2.1:3478'] }],
    warm: (_channel, viewer) => void warmed.push(viewer),
  }
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const presence = { online: true, sinceAt: 1_000 }
  const config = readConfig({ TRANSOM_QUIET_MS: '20', TRANSOM_SETTLE_CAP_MS: '60', ...env })
  const bridge = createBridge({
    config,
    publicUrl: url,
    keys: {
      signing: [{ ...(await exportJWK(privateKey)), kty: 'EC' }],
      cookies: ['k'.repeat(32)],
      sealing: randomBytes(32).toString('base64'),
    },
    clients: [],
    store,
    signaling,
    presence: () => presence,
    isLive: !isLambda,
    ...(recording && { recording }),
    clock: Date.now,
    log,
  })
  const service = fakeService()
  const keys = createGatewayKeys(store, gatewayKey, Date.now)
  const gateways = createGateways({
    sources: createSources(store, createSecretKey(randomBytes(32))),
    keys,
    ...(networks && { networks }),
    cameras: bridge.cameras,
    service,
    region: 'local',
    hasAnyCertificate: false,
    onEvent: async () => false,
    recordOf: () => undefined,
    onFault: async () => undefined,
    log,
  })
  const webhooks = createWebhooks({
    secret: 'w'.repeat(43),
    publicUrl: url,
    find: bridge.cameras.byId,
    receive: bridge.events.receive,
    store,
    clock: Date.now,
    log,
  })
  const forRegistration = {
    cameras: bridge.cameras,
    service,
    gateways,
    webhooks,
    presence: bridge.presence,
    publicUrl: url,
    region: 'local',
  }
  const registrations = createRegistrations(forRegistration)
  const networkCameras = createNetworkCameras({ ...forRegistration, hasAnyCertificate: false })
  const forGateways = {
    networkCameras,
    gateway: createGatewayRoutes({
      gateways,
      keys,
      wrongKeys: bridge.linking.oauth.wrongKeys,
      leaveStill: async () => undefined,
      recordings:
        recording?.recordings ??
        createRecordings({ store, root: join(tmpdir(), 'nothing'), sealing: createSecretKey(randomBytes(32)), log }),
      playback: {
        broker: bridge.broker,
        seenBy: bridge.shares.visible.find,
        onEvent: async (given, event) => (await receiveEvent(bridge, given, event)).ended === true,
        log,
      },
    }),
  }
  const page = pageDirectory && {
    page: createPage({ directory: pageDirectory, publicUrl: url, missing: () => 'not built' }),
  }
  const options = {
    forwarderSecret: undefined,
    clock: Date.now,
    ...(isLambda
      ? {}
      : {
          compress: createCompression(),
          registrations,
          webhooks: {
            addresses: webhooks,
            router: createWebhookRoutes({ webhooks, wrongKeys: bridge.oauth.wrongKeys, log }),
          },
        }),
    ...(hasGateways && forGateways),
    ...page,
    ...(simulator && { simulator }),
  }
  server.on('request', createHttpApp(bridge, log, options))

  const person = async (login: string) => {
    const account = await bridge.oauth.users.create({ login, password: 'correct horse', name: `Name of ${login}` })
    return {
      account,
      login,
      token: isLambda ? await appToken(bridge, url, login) : await pageToken(bridge, url, account),
    }
  }

  return {
    url,
    bridge,
    store,
    gateways,
    lines,
    warmed,
    /** Which offers went out, and on whose channel. */
    offers,
    presence,
    person,
    /** A token of a vendor's own app. */
    appToken: (login: string, scope?: string) => appToken(bridge, url, login, scope),
    ask: (token: string, method: string, path: string, body?: unknown) => ask(url, token, method, path, body),
    addCamera: async (owner: AccountId, change: Partial<Camera> = {}) => {
      const one = { ...frontDoor, accountId: owner, ...change }
      const made = { ...one, channel: { channelName: String(one.id), road: 'viewer' } as const }
      await bridge.cameras.put(made, 'k'.repeat(43))
      return made
    },
    async [Symbol.asyncDispose]() {
      await bridge.close()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      await store.close()
    },
  }
}

const frontDoor = {
  id: cameraId('front-door'),
  name: 'Front door',
  kind: 'doorbell',
  room: 'Entrance',
  manufacturer: 'Transom',
  model: 'Test',
  hasSpeaker: true,
} as const

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

/** As much of the answers as the tests look at. */
export interface Body {
  readonly error: string
  readonly advice?: string
  readonly cameras: readonly CameraRow[]
  readonly invitations: readonly { readonly id: string }[]
  readonly cameraId: string
  readonly cameraKey: string
  readonly canRegister: boolean
  readonly eventId: string
  readonly at: number
  readonly reference: string
  readonly sessionId: string
  readonly sdp: string
  readonly sessions: readonly Session[]
  readonly next?: string
  readonly phase: string
  readonly endedAt: number
  readonly timeline: readonly { readonly step: string; readonly at: number }[]
}

async function ask(url: string, token: string, method: string, path: string, body?: unknown): Promise<Reply> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && method !== 'GET' && { body: JSON.stringify(body) }),
  })
  await conforming(method, response)
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

/** Through the one-time link, as the page comes by it. */
export async function pageToken({ oauth }: Bridge, url: string, account: AccountId): Promise<string> {
  const visitor = createVisitor()
  const [form] = formsOf(await visitor.get((await oauth.entryLink(account))!))
  await visitor.post(form!.action, form!.fields)
  const page = { clientId: 'console', clientSecret: '', assistant: 'other', redirectUris: [`${url}/`] } as const
  const answer = await visitor.get(authorizationUrl({ issuer: `${url}/oauth` }, page, pkce))
  return redeem(url, 'console', `${url}/`, new URL(answer.url).searchParams.get('code')!)
}

/** Through sign-in and consent, as the vendor's app comes by it. */
async function appToken({ oauth }: Bridge, url: string, login: string, scope = 'camera'): Promise<string> {
  const redirectUri = 'https://app.example/done'
  const { clientId } = await oauth.clients.add({ assistant: 'other', redirectUris: [redirectUri], isPublic: true })
  const visitor = createVisitor()
  const app = { clientId, clientSecret: '', assistant: 'other', redirectUris: [redirectUri] } as const
  const asks = authorizationUrl({ issuer: `${url}/oauth` }, app, { ...pkce, scope })
  const [signIn] = formsOf(await visitor.get(asks))
  const asked = await visitor.post(signIn!.action, { ...signIn!.fields, login, password: 'correct horse' })
  const [agree] = formsOf(asked)
  const done = await visitor.post(agree!.action, agree!.fields)
  return redeem(url, clientId, redirectUri, new URL(done.headers.get('location')!).searchParams.get('code')!)
}

async function redeem(url: string, clientId: string, redirectUri: string, code: string): Promise<string> {
  const fields = { grant_type: 'authorization_code', client_id: clientId, redirect_uri: redirectUri, code }
  const response = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({ ...fields, code_verifier: verifier }),
  })
  return ((await response.json()) as { access_token: string }).access_token
}

/** As much of the signaling service as registering needs; the real one is in test/flows. */
function fakeService(): SignalingService {
  const service: Partial<SignalingService> = {
    endpoint: 'https://kvs.example',
    ensureChannel: async (name) => `arn:aws:kinesisvideo:local:000000000000:channel/${name}/1`,
    localEndpoint: 'https://127.0.0.1:9',
    createCredentials: async () => ({ accessKeyId: 'AKIA', secretAccessKey: 'secret' }),
    listCredentials: async () => [],
    revokeCredentials: async () => false,
    removeChannel: async () => {},
  }
  return service as SignalingService
}
