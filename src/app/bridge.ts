/** The bridge as one object: every room built and plugged together, whatever it runs on (embedded or AWS). */
import { createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createAlexaEvents } from '../alexa/event-gateway.ts'
import { createAlexaGrants } from '../alexa/grants.ts'
import { createAlexaHandler } from '../alexa/handler.ts'
import { createBroker, type Broker } from '../broker/broker.ts'
import { createFulfillment, type Fulfillment } from '../google/fulfillment.ts'
import { createHomeGraph, serviceAccountKey } from '../google/home-graph.ts'
import { createSignalingDoor, type SignalingDoor } from '../google/signaling.ts'
import { createOAuth, type OAuth } from '../oauth/server.ts'
import type { OAuthClient } from '../oauth/client.ts'
import type { Clock, Log, Presence, Signaling, Store } from '../ports.ts'
import { createCameras, type Cameras } from './cameras.ts'
import type { Config } from './config.ts'
import { createPresses, type Presses } from './presses.ts'
import type { Keys } from './secrets.ts'

export interface BridgeDeps {
  readonly config: Config
  /** Origin of the bridge as browsers and assistants reach it, without a slash at the end. */
  readonly publicUrl: string
  readonly keys: Keys
  readonly clients: readonly OAuthClient[]
  readonly store: Store
  readonly signaling: Signaling
  readonly presence: Presence
  readonly clock: Clock
  readonly log: Log
}

export interface Bridge {
  readonly oauth: OAuth
  readonly broker: Broker
  readonly cameras: Cameras
  readonly presses: Presses
  readonly alexa: ReturnType<typeof createAlexaHandler>
  readonly fulfillment: Fulfillment
  readonly signalingDoor: SignalingDoor
  /** Refuses what is being negotiated and waits for what is being announced. */
  close(): Promise<void>
}

export function createBridge(deps: BridgeDeps): Bridge {
  const { config, publicUrl, keys, clients, store, clock, log } = deps
  const base = { store, clock, log }
  const cameras = createCameras(store)
  const broker = createBroker({ ...deps, budgets: config.budgets })
  const oauth = createOAuth({
    ...base,
    issuer: `${publicUrl}/oauth`,
    clients,
    signingKeys: keys.signing,
    cookieKeys: keys.cookies,
    behindProxy: config.behindProxy,
  })
  const { verifyToken } = oauth

  const sealingKey = createSecretKey(keys.sealing, 'base64')
  const grants = createAlexaGrants({ ...base, key: sealingKey, lwa: config.alexa.lwa })
  const { gatewayUrl } = config.alexa
  const alexaEvents = grants.isConfigured
    ? createAlexaEvents({ grants, clock, log, ...(gatewayUrl && { gatewayUrl }) })
    : undefined

  const homeGraph = createHomeGraphOf(config, { clock, log })
  const googleClient = clients.find(({ assistant }) => assistant === 'google')?.clientId ?? 'google'
  const { talkBack } = config.google
  const presses = createPresses({
    ...base,
    announce: [alexaEvents?.doorbellPress, homeGraph?.doorbellPress].filter((tell) => tell !== undefined),
  })

  return {
    oauth,
    broker,
    cameras,
    presses,
    alexa: createAlexaHandler({
      verifyToken,
      cameras,
      broker,
      grants,
      clock,
      log,
      canSendEvents: grants.isConfigured,
      budgetMs: config.alexa.budgetMs,
    }),
    fulfillment: createFulfillment({
      ...base,
      verifyToken,
      cameras,
      broker,
      clientId: googleClient,
      signalingUrl: `${publicUrl}/google/signaling`,
      canNotify: homeGraph !== undefined,
      // True once online states are reported as they change; until then Google must ask.
      willReportState: false,
      unlink: (accountId) => oauth.unlink(accountId, googleClient),
      budgetMs: config.google.budgetMs,
    }),
    signalingDoor: createSignalingDoor({ ...base, cameras, broker, talkBack, budgetMs: config.google.budgetMs }),
    async close() {
      await broker.close()
      await presses.settled()
    },
  }
}

function createHomeGraphOf(
  { google }: Config,
  deps: { clock: Clock; log: Log },
): ReturnType<typeof createHomeGraph> | undefined {
  if (google.serviceAccountPath === undefined) return undefined
  const parsed = serviceAccountKey.safeParse(JSON.parse(readFileSync(google.serviceAccountPath, 'utf8')))
  if (!parsed.success)
    throw new Error(`TRANSOM_GOOGLE_SERVICE_ACCOUNT: ${google.serviceAccountPath} is not a service account's key file`)
  return createHomeGraph({
    ...deps,
    serviceAccount: parsed.data,
    ...(google.homeGraphUrl && { url: google.homeGraphUrl }),
  })
}
