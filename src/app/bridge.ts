/** The bridge as one object: every room built and plugged together, whatever it runs on (embedded or AWS). */
import { createSecretKey } from 'node:crypto'
import { createAlexaEvents } from '../alexa/event-gateway.ts'
import { createAlexaGrants } from '../alexa/grants.ts'
import { createAlexaHandler } from '../alexa/handler.ts'
import { createBroker, type Broker } from '../broker/broker.ts'
import type { Fulfillment } from '../google/fulfillment.ts'
import type { GoogleReports } from '../google/reports.ts'
import type { SignalingDoor } from '../google/signaling.ts'
import { createOAuth, type OAuth } from '../oauth/server.ts'
import type { OAuthClient } from '../oauth/client.ts'
import { createOutbox } from '../outbox/outbox.ts'
import type { Camera, CameraNews, Clock, Log, Presence, Signaling, Store } from '../ports.ts'
import { createCameras, type Cameras } from './cameras.ts'
import type { Config } from './config.ts'
import { createGoogle } from './google.ts'
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
  /** What Google is told unasked; absent without a service account for Home Graph. */
  readonly googleReports: GoogleReports | undefined
  /** A camera master came to this channel or left it. Never rejects. */
  presenceChanged(channelName: string, isOnline: boolean, at: number): Promise<void>
  /** Refuses what is being negotiated and waits for what is being announced. */
  close(): Promise<void>
}

export function createBridge(deps: BridgeDeps): Bridge {
  const { config, publicUrl, keys, clients, store, clock, log } = deps
  const base = { store, clock, log }
  const cameras = createCameras(store, (camera, kind) => tell(camera, { kind, at: clock() }))
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

  const { side, open } = createGoogle({
    ...deps,
    config: config.google,
    cameras,
    broker,
    oauth,
    stateOf: async () => ({}),
  })
  const outbox = createOutbox({ ...base, deliver: { ...(side && { google: side.deliver }) } })
  const google = open(outbox)
  const presses = createPresses({
    ...base,
    announce: [
      alexaEvents?.doorbellPress,
      side && ((camera: Camera, at: number, eventId: string) => tell(camera, { kind: 'press', eventId, at })),
    ].filter((tell) => tell !== undefined),
  })
  // What an earlier process could not say any more.
  outbox.start().catch((thrown: unknown) => log('error', 'not-told', { reason: String(thrown) }))

  async function tell(camera: Camera, news: CameraNews): Promise<void> {
    if (side !== undefined) await outbox.add(await side.news(camera, news))
  }

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
    fulfillment: google.fulfillment,
    signalingDoor: google.signalingDoor,
    googleReports: google.reports,
    async presenceChanged(channelName, isOnline, at) {
      try {
        const camera = await cameras.byChannel(channelName)
        if (camera !== undefined) await tell(camera, { kind: 'online', isOnline, at })
      } catch (thrown) {
        log('error', 'not-told', { channelName, reason: String(thrown) })
      }
    },
    async close() {
      await broker.close()
      await google.close()
      await presses.settled()
      await outbox.close()
    },
  }
}
