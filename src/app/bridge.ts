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
import type { OAuthClient } from '../oauth/client.ts'
import type { OAuth } from '../oauth/server.ts'
import type { Clock, Log, Presence, Signaling, Store } from '../ports.ts'
import { createCameras, type Cameras } from './cameras.ts'
import type { Config } from './config.ts'
import { createLinking, type Linking } from './linking.ts'
import { createPresses, type Presses } from './presses.ts'
import type { Keys } from './secrets.ts'
import { createShares, type Shares } from './sharing.ts'

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
  readonly linking: Linking
  readonly shares: Shares
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
  const shares = createShares(store, cameras)
  const linking = createLinking({
    ...base,
    publicUrl,
    keys,
    clients,
    cameras,
    shares,
    behindProxy: config.behindProxy,
    config: config.linking,
    async onUnlinked(account, assistant) {
      await broker.endAll(account, assistant, 'account unlinked')
      if (assistant === 'alexa') await grants.forget(account, 'account unlinked')
    },
  })
  const { oauth, verifyToken, verifyGoogleToken, googleClient } = linking

  const sealingKey = createSecretKey(keys.sealing, 'base64')
  const grants = createAlexaGrants({ ...base, key: sealingKey, lwa: config.alexa.lwa })
  const { gatewayUrl } = config.alexa
  const alexaEvents = grants.isConfigured
    ? createAlexaEvents({ grants, clock, log, ...(gatewayUrl && { gatewayUrl }) })
    : undefined

  const homeGraph = createHomeGraphOf(config, { clock, log })
  const { talkBack } = config.google
  const presses = createPresses({
    ...base,
    announce: [alexaEvents?.doorbellPress, homeGraph?.doorbellPress]
      .filter((tell) => tell !== undefined)
      .map((tell) => async (camera, at, eventId) => {
        const everybody = await shares.audience(camera)
        return Promise.allSettled(everybody.map((theirs) => tell(theirs, at, eventId)))
      }),
  })

  return {
    oauth,
    linking,
    shares,
    broker,
    cameras,
    presses,
    alexa: createAlexaHandler({
      verifyToken,
      cameras: shares.visible,
      broker,
      grants,
      clock,
      log,
      canSendEvents: grants.isConfigured,
      budgetMs: config.alexa.budgetMs,
    }),
    fulfillment: createFulfillment({
      ...base,
      verifyToken: verifyGoogleToken,
      cameras: shares.visible,
      broker,
      clientId: googleClient,
      signalingUrl: `${publicUrl}/google/signaling`,
      canNotify: homeGraph !== undefined,
      // True once online states are reported as they change; until then Google must ask.
      willReportState: false,
      unlink: (accountId) => oauth.unlinkAssistant(accountId, 'google'),
      budgetMs: config.google.budgetMs,
    }),
    signalingDoor: createSignalingDoor({
      ...base,
      broker,
      talkBack,
      budgetMs: config.google.budgetMs,
      cameras: shares.visible,
    }),
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
