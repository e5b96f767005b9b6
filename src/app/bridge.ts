/** The bridge as one object: every room built and plugged together, whatever it runs on (embedded or AWS). */
import { createSecretKey } from 'node:crypto'
import { createAlexaEvents } from '../alexa/event-gateway.ts'
import { createAlexaGrants } from '../alexa/grants.ts'
import { createAlexaHandler } from '../alexa/handler.ts'
import { createBroker, type Broker } from '../broker/broker.ts'
import { googlePress } from '../google/deliver.ts'
import type { Fulfillment } from '../google/fulfillment.ts'
import type { GoogleReports } from '../google/reports.ts'
import type { SignalingDoor } from '../google/signaling.ts'
import { createOAuth, type OAuth } from '../oauth/server.ts'
import type { OAuthClient } from '../oauth/client.ts'
import { createOutbox } from '../outbox/outbox.ts'
import type { Clock, Log, Presence, Signaling, Store } from '../ports.ts'
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
  /** A camera master came to this channel or left it. */
  presenceChanged(channelName: string): Promise<void>
  /** Refuses what is being negotiated and waits for what is being announced. */
  close(): Promise<void>
}

export function createBridge(deps: BridgeDeps): Bridge {
  const { config, publicUrl, keys, clients, store, clock, log } = deps
  const base = { store, clock, log }
  const cameras = createCameras(store, (camera) => void tell(() => google.reports?.camerasChanged(camera.accountId)))
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

  const googleSide = createGoogle({ ...deps, config: config.google, cameras, broker, oauth })
  const outbox = createOutbox({ ...base, deliver: { ...(googleSide.deliver && { google: googleSide.deliver }) } })
  const google = googleSide.open(outbox)
  const presses = createPresses({
    ...base,
    announce: [
      alexaEvents?.doorbellPress,
      googleSide.deliver && ((...press: Parameters<typeof googlePress>) => outbox.add([googlePress(...press)])),
    ].filter((tell) => tell !== undefined),
  })
  // What an earlier process could not say any more.
  void tell(() => outbox.start())

  /** For work that nobody waits for; what fails here is the store. */
  async function tell(work: () => Promise<void> | undefined): Promise<void> {
    try {
      await work()
    } catch (thrown) {
      log('error', 'not-told', { reason: String(thrown) })
    }
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
    presenceChanged: (channelName) =>
      tell(async () => {
        const camera = google.reports && (await cameras.byChannel(channelName))
        if (camera) await google.reports?.statesChanged(camera.accountId)
      }),
    async close() {
      await broker.close()
      await google.close()
      await presses.settled()
      await outbox.close()
    },
  }
}
