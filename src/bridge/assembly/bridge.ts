/** The bridge as one object: every room built and plugged together, whatever it runs on (embedded or AWS). */
import { createSecretKey } from 'node:crypto'
import type { Router } from 'express'
import type { Broker } from '../broker/broker.ts'
import type { Fulfillment } from '../google/fulfillment.ts'
import type { GoogleReports } from '../google/reports.ts'
import type { SignalingDoor } from '../google/signaling.ts'
import { createStreamTokens } from '../google/stream-token.ts'
import type { OAuthClient } from '../oauth/client.ts'
import type { OAuth } from '../oauth/server.ts'
import { createOutbox } from '../outbox/outbox.ts'
import type {
  Camera,
  Clock,
  Fault,
  Log,
  Presence,
  Reencoding,
  ServerFailure,
  Signaling,
  Store,
} from 'transom-core/ports'
import { createAlexaSide, type AlexaSide } from './alexa.ts'
import { openBroker } from './broker.ts'
import { createCameras, type Cameras } from '../cameras/cameras.ts'
import type { BridgeConfig } from '../settings/bridge-config.ts'
import { createConsoleSide, type ApiOptions } from './console.ts'
import { createEvents, type Events } from '../cameras/events.ts'
import { createGoogleSide } from './google.ts'
import { createSignatures, type Signatures } from '../signature.ts'
import { createLinking, type Linking } from './linking.ts'
import { createNotices, type Notices } from './notices.ts'
import { createPresenceNews, createSourceFaults } from '../cameras/presence.ts'
import type { Keys } from './keys.ts'
import { createShares, type Shares } from '../cameras/sharing.ts'
import { createSnapshots } from '../cameras/snapshots.ts'
import { createCameraStates } from '../cameras/states.ts'

export interface BridgeDeps {
  readonly config: BridgeConfig
  /** Origin of the bridge as browsers and assistants reach it, without a slash at the end. */
  readonly publicUrl: string
  readonly keys: Keys
  readonly clients: readonly OAuthClient[]
  readonly store: Store
  readonly signaling: Signaling
  readonly presence: Presence
  /** One process that stays and sees everything: it may keep connections open, and serve the page. Not on Lambda. */
  readonly isLive?: boolean
  readonly clock: Clock
  readonly log: Log
}

export interface Bridge {
  readonly oauth: OAuth
  readonly linking: Linking
  readonly shares: Shares
  readonly broker: Broker
  readonly cameras: Cameras
  readonly events: Events
  readonly snapshots: ReturnType<typeof createSnapshots>
  readonly notices: Notices
  /** Of cameras and of the forwarder. */
  readonly signatures: Signatures
  readonly alexa: AlexaSide
  /** The routes below `/api`; absent when the console is off. */
  readonly api: ((options: ApiOptions) => Router) | undefined
  readonly fulfillment: Fulfillment
  readonly signalingDoor: SignalingDoor
  /** What Google is told unasked of whole accounts; absent without a service account for Home Graph. */
  readonly googleReports: GoogleReports | undefined
  /** One round of comparing what Home Graph believes with what is true; absent like `googleReports`. */
  readonly reconcileGoogle: ((signal: AbortSignal) => Promise<unknown>) | undefined
  /** A camera master came to this channel or left it. */
  presenceChanged(this: void, channelName: string, isOnline: boolean, at: number): void
  /** The deps' own, with the reason why a camera behind a gateway is away. */
  readonly presence: Presence
  /** What a gateway says of the camera behind it. */
  sourceReported(this: void, camera: Camera, report: SourceReport): Promise<void>
  /** Goes on with what another process, or an earlier one, could not tell any more. */
  resume(): Promise<void>
  /** Resolves when everything that was to be told has been: of presses, or of all. */
  settled(lane?: 'press'): Promise<void>
  /** Refuses what is being negotiated and waits for what is being announced. */
  close(): Promise<void>
}

/** As in `CameraEvent`. */
export interface SourceReport {
  readonly fault?: Fault
  readonly hasSpeaker?: boolean
  readonly failedServers?: readonly ServerFailure[]
  readonly reencoding?: Reencoding
}

export function createBridge(deps: BridgeDeps): Bridge {
  const { config, publicUrl, keys, clients, store, isLive = false, clock, log } = deps
  const faults = createSourceFaults(deps.presence)
  const { presence } = faults
  const base = { store, clock, log }
  const states = createCameraStates(base)
  const snapshots = createSnapshots(base)
  const tellOfChange = async (camera: Camera, kind: 'changed' | 'removed') => {
    if (kind === 'removed') await snapshots.remove(camera)
    await events.receive(camera, { kind, at: clock() })
    if (kind === 'removed') await Promise.all([shares.drop(camera), linking.sharing.forget(camera)])
  }
  const cameras = createCameras(store, tellOfChange, createSecretKey(keys.sealing, 'base64'))
  const broker = openBroker({ ...deps, presence }, (view, account) => console?.news.session(view, account))
  const shares = createShares(store, cameras, {
    endViews: ({ accountId, id }) => broker.endCamera(accountId, id, 'what the owner shares has changed'),
    async tell(camera, kind) {
      console?.news.shared(camera.id, camera.accountId, kind === 'changed')
      await events.seenOtherwise(camera, kind)
    },
  })
  const streamTokens = createStreamTokens(base)
  const linking = createLinking({
    ...base,
    publicUrl,
    keys,
    clients,
    cameras,
    shares,
    behindProxy: config.behindProxy,
    config: config.linking,
    ...(isLive && config.console && { consoleUri: `${publicUrl}/` }),
    async onUnlinked(account, assistant, { linkId, isLast }) {
      // Another link of a household's goes on, and what this one has brought ends with it.
      if (!isLast) return assistant === 'alexa' ? alexaSide.linkRemoved(account, linkId) : undefined
      await broker.endAll(account, assistant, 'account unlinked')
      if (assistant === 'alexa') return alexaSide.unlinked(account)
      // What was handed to a display a moment ago begins nothing any more.
      await streamTokens.revokeAll(account)
      await google.reports?.unlinkedHere(account)
    },
  })
  const { oauth, authority } = linking

  const notices = createNotices(base)
  // What an account may see: its own cameras and those shared with it.
  const seen = { ...cameras, ...shares.visible }
  const alexaSide = createAlexaSide({
    ...base,
    config: config.alexa,
    states,
    publicUrl,
    sealingKey: keys.sealing,
    authority,
    cameras: seen,
    broker,
    notices,
  })
  const googleSide = createGoogleSide({
    ...base,
    config: config.google,
    states,
    publicUrl,
    cameras: seen,
    broker,
    linking,
    notices,
  })
  const console = config.console
    ? createConsoleSide({ ...base, states, config, isLive, cameras, shares, linking, broker, presence })
    : undefined
  const outbox = createOutbox({
    ...base,
    deliver: {
      ...(alexaSide.deliver && { alexa: alexaSide.deliver }),
      ...(googleSide.deliver && { google: googleSide.deliver }),
    },
  })
  const events = createEvents({
    ...base,
    states,
    outbox,
    translate: [alexaSide.translate, googleSide.translate],
    audience: shares.audience,
    warm: (camera) => broker.warm(camera),
    onNews: (camera, news) => console?.news.camera(camera, news),
    onStuck: ({ accountId, name }) => void notices.add(accountId, 'button_stuck', name),
  })
  const presenceNews = createPresenceNews(async (channelName, isOnline, at) => {
    try {
      const camera = await cameras.byChannel(channelName)
      if (camera === undefined) return
      // A camera that is back will be looked at: the way to it is fetched ahead.
      if (isOnline) broker.warm(camera)
      await events.receive(camera, { kind: 'online', isOnline, at })
    } catch (thrown) {
      log('error', 'presence not told', { channelName, reason: String(thrown) })
    }
  })
  const google = googleSide.open(outbox)

  return {
    oauth,
    linking,
    shares,
    broker,
    cameras,
    events,
    snapshots,
    notices,
    signatures: createSignatures(base),
    alexa: alexaSide.open(events),
    api: console?.open(events).api,
    fulfillment: google.fulfillment,
    signalingDoor: google.signalingDoor,
    googleReports: google.reports,
    reconcileGoogle: google.reconcile,
    presenceChanged: presenceNews.changed,
    presence,
    async sourceReported(camera, { hasSpeaker, ...words }) {
      // Its presence itself follows from its channel; here the page learns the reason.
      if (faults.note(camera.channel.channelName, words))
        console?.news.camera(camera, { kind: 'online', isOnline: words.fault === undefined, at: clock() })
      if (hasSpeaker === undefined || hasSpeaker === camera.hasSpeaker) return
      await cameras.change(camera.id, (now) => ({ ...now, hasSpeaker }))
    },
    resume: () => outbox.start(),
    async settled(lane) {
      await google.settled()
      await outbox.settled(lane)
    },
    async close() {
      console?.close()
      await broker.close()
      presenceNews.close()
      await google.close()
      await outbox.close()
    },
  }
}
