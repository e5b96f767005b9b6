/** The bridge as one object: every room built and plugged together, whatever it runs on (embedded or AWS). */
import { readFileSync } from 'node:fs'
import { createBroker, type Broker } from '../broker/broker.ts'
import { createFulfillment, type Fulfillment } from '../google/fulfillment.ts'
import { createHomeGraph, serviceAccountKey } from '../google/home-graph.ts'
import { createSignalingDoor, type SignalingDoor } from '../google/signaling.ts'
import { createOAuth, type OAuth } from '../oauth/server.ts'
import type { OAuthClient } from '../oauth/client.ts'
import { createOutbox, type Deliver } from '../outbox/outbox.ts'
import type { CameraNews, Clock, Log, Presence, Signaling, Store } from '../ports.ts'
import { createAlexaSide, type AlexaSide } from './alexa.ts'
import { createCameras, type Cameras } from './cameras.ts'
import type { Config } from './config.ts'
import { createEvents, type Events, type Translate } from './events.ts'
import { createNotices, type Notices } from './notices.ts'
import { createPresenceNews } from './presence.ts'
import type { Keys } from './secrets.ts'
import { createSnapshots } from './snapshots.ts'

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
  readonly events: Events
  readonly snapshots: ReturnType<typeof createSnapshots>
  readonly notices: Notices
  readonly alexa: AlexaSide
  readonly fulfillment: Fulfillment
  readonly signalingDoor: SignalingDoor
  /** A camera master came to this channel or left it. */
  presenceChanged(this: void, channelName: string, isOnline: boolean, at: number): void
  /** Resolves when everything that was to be told has been. */
  settled(): Promise<void>
  /** Refuses what is being negotiated and waits for what is being announced. */
  close(): Promise<void>
}

export function createBridge(deps: BridgeDeps): Bridge {
  const { config, publicUrl, keys, clients, store, clock, log } = deps
  const base = { store, clock, log }
  const cameras = createCameras(store, (camera, kind) => events.receive(camera, { kind, at: clock() }))
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

  const notices = createNotices(base)
  const alexaSide = createAlexaSide({
    ...base,
    config: config.alexa,
    publicUrl,
    sealingKey: keys.sealing,
    verifyToken,
    cameras,
    broker,
    notices,
  })
  const homeGraph = createHomeGraphOf(config, { clock, log })
  const google = homeGraph && googleBell(homeGraph, cameras)
  const googleClient = clients.find(({ assistant }) => assistant === 'google')?.clientId ?? 'google'
  const { talkBack } = config.google
  const outbox = createOutbox({
    ...base,
    deliver: { ...(alexaSide.deliver && { alexa: alexaSide.deliver }), ...(google && { google: google.deliver }) },
  })
  const events = createEvents({
    ...base,
    outbox,
    translate: [alexaSide.translate, ...(google ? [google.translate] : [])],
    warm: (camera) => broker.warm(camera),
  })
  const presenceNews = createPresenceNews(async (channelName, isOnline, at) => {
    try {
      const camera = await cameras.byChannel(channelName)
      if (camera) await events.receive(camera, { kind: 'online', isOnline, at })
    } catch (thrown) {
      log('error', 'presence not told', { channelName, reason: String(thrown) })
    }
  })
  // What an earlier process could not say any more.
  outbox.start().catch((thrown: unknown) => log('error', 'outbox not started', { reason: String(thrown) }))

  return {
    oauth,
    broker,
    cameras,
    events,
    snapshots: createSnapshots(base),
    notices,
    alexa: alexaSide.open(events),
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
    presenceChanged: presenceNews.changed,
    settled: () => outbox.settled(),
    async close() {
      await broker.close()
      presenceNews.close()
      await outbox.close()
    },
  }
}

/** Presses for Google through the same outbox. */
function googleBell(
  homeGraph: ReturnType<typeof createHomeGraph>,
  cameras: Cameras,
): { readonly deliver: Deliver; readonly translate: Translate } {
  return {
    translate: (camera, news: CameraNews) =>
      news.kind !== 'press' || camera.kind !== 'doorbell'
        ? []
        : [
            {
              id: `google ${camera.id} ${news.eventId}`,
              destination: 'google',
              lane: 'press',
              accountId: camera.accountId,
              cameraId: camera.id,
              body: null,
              at: news.at,
              usefulUntil: news.at + 30_000,
            },
          ],
    async deliver({ id, accountId, cameraId, at }, signal) {
      const camera = cameraId && (await cameras.find(accountId, cameraId))
      if (!camera) return { kind: 'drop', reason: 'there is no such camera any more' }
      const result = await homeGraph.doorbellPress(camera, at, id, signal)
      if (result.kind === 'accepted') return { kind: 'done' }
      if (result.kind === 'unlinked') return { kind: 'drop', reason: 'unlinked' }
      return { kind: result.retryable ? 'retry' : 'drop', reason: result.reason }
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
