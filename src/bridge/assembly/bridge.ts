/** The bridge as one object: every room built and plugged together, whatever it runs on (embedded or AWS). */
import { createSecretKey } from 'node:crypto'
import type { Router } from 'express'
import { within } from 'transom-core/deadline'
import type { Camera, Presence, PresenceReport } from 'transom-core/ports'
import type { Broker } from '../broker/broker.ts'
import { createAnnouncements } from '../cameras/announcements.ts'
import type { Cameras } from '../cameras/cameras.ts'
import { createEvents, type Events } from '../cameras/events.ts'
import {
  createCameraPresence,
  createPresenceReports,
  createSourceFaults,
  createSourceReports,
  type SourceReport,
} from '../cameras/presence.ts'
import { createRecordingViews, type NoteRecordingView } from '../cameras/recording-views.ts'
import { createShares, type Shares } from '../cameras/sharing.ts'
import { createSnapshots } from '../cameras/snapshots.ts'
import { createPressAnswers } from '../cameras/press-answers.ts'
import { createCameraStates } from '../cameras/states.ts'
import { createUntoldChanges } from '../cameras/untold-changes.ts'
import { createVisits, type Visits } from '../cameras/visits.ts'
import type { Fulfillment } from '../google/fulfillment.ts'
import type { GoogleReports } from '../google/reports.ts'
import type { SignalingDoor } from '../google/signaling.ts'
import type { OAuth } from '../oauth/server.ts'
import { createOutbox, type Outbox } from '../outbox/outbox.ts'
import { createSignatures, type Signatures } from '../signature.ts'
import { createFigures } from '../web/figures.ts'
import { createPushDevices } from '../web/push-devices.ts'
import { createMediaRoutes } from '../web/media.ts'
import type { PauseRecording } from '../web/recordings.ts'
import { createMediaAddresses, type MediaAddresses } from '../web/media-address.ts'
import { createShownRecordings } from '../web/shown-recordings.ts'
import { createAccountRecords } from './accounts.ts'
import { createAlexaSide, type AlexaSide } from './alexa.ts'
import { openBroker } from './broker.ts'
import { openCameras } from './cameras.ts'
import { createConsoleSide, type ApiOptions } from './console.ts'
import { createGoogleDoors, createGoogleNotifications } from './google.ts'
import type { BridgeDeps } from './ground.ts'
import { createHouse, type House, type WhatFollows } from './happenings.ts'
import { createLinking, type Linking } from './linking.ts'
import { createNotices, type Notices } from './notices.ts'
import { createPushSide } from './push.ts'

/** A bridge, plugged together: what its doors call. `createHttpApp` opens it to HTTP. */
export interface Bridge {
  readonly oauth: OAuth
  readonly linking: Linking
  readonly shares: Shares
  readonly broker: Broker
  readonly cameras: Cameras
  readonly events: Events
  readonly visits: Visits
  readonly snapshots: ReturnType<typeof createSnapshots>
  /** Somebody other than the owner is about to see what was recorded. */
  readonly noteRecordingView: NoteRecordingView
  /** Pauses what is recorded of a camera, or goes on with it; absent where nobody can. */
  readonly pauseRecording: PauseRecording | undefined
  readonly notices: Notices
  /** Of cameras and of the forwarder. */
  readonly signatures: Signatures
  readonly alexa: AlexaSide
  /** The routes below `/api`; absent when the console is off. */
  readonly api: ((options: ApiOptions) => Router) | undefined
  /** The routes below `/media`, for players; absent where nothing is recorded. */
  readonly media: Router | undefined
  readonly mediaAddresses: MediaAddresses
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
  /** What the vendor's cloud knows of a camera's connection. */
  presenceReported(this: void, camera: Camera, report: PresenceReport): Promise<void>
  /** What the assistants are still to be told. */
  readonly outbox: Pick<Outbox, 'state'>
  /** Goes on with what another process, or an earlier one, could not tell any more. */
  resume(): Promise<void>
  /** Resolves when everything that was to be told has been: of presses, or of all. */
  readonly settled: Settled
  /** The same for what is begun from now on alone: an invocation does not wait for what an earlier one has left. */
  fromNow(): Settled
  /** Refuses what is being negotiated and waits for what is being announced. */
  close(): Promise<void>
}

/** Resolves when what was to be told of this lane, or of both, has been told or put off. Never rejects. */
export type Settled = (lane?: 'press') => Promise<void>

/**
 * Plugs a bridge together and connects nothing yet. Throws an `Error` for clients or keys that cannot be used. End it
 * with `close`.
 */
export function createBridge(deps: BridgeDeps): Bridge {
  const house = createHouse()
  const rooms = openRooms(deps, house)
  house.follow(whatFollows(rooms, deps))
  const unfollow = deps.recording?.recordings.follow((about, change) => {
    void house.happened('recordingChanged', about, change)
  })
  const { linking, broker, outbox, google, page, presenceNews, push, figures, ...rest } = rooms
  const { accounts: _accounts, notePressAnswer: _notePressAnswer, ...others } = rest
  return {
    ...others,
    linking,
    broker,
    outbox,
    oauth: linking.oauth,
    api: page?.api,
    fulfillment: google.fulfillment,
    signalingDoor: google.signalingDoor,
    googleReports: google.reports,
    reconcileGoogle: google.reconcile,
    presenceChanged: presenceNews.changed,
    async resume() {
      await outbox.start()
      // Only a function that answers Alexa alone leaves such, and only where there is a registry.
      if (deps.registry !== undefined)
        await createUntoldChanges(deps.store).tell((camera, kind) => house.happened(cameraHappening[kind], camera))
    },
    async settled(lane) {
      await google.afterwards.settled()
      await push?.settled()
      await outbox.settled(lane)
    },
    fromNow() {
      const since = { followed: google.afterwards.now(), taken: outbox.now() }
      return async (lane) => {
        await google.afterwards.settled(since.followed)
        await outbox.settled(lane, since.taken)
      }
    },
    async close() {
      unfollow?.()
      push?.close()
      page?.close()
      await broker.close()
      await figures?.settled()
      presenceNews.close()
      await google.close()
      await outbox.close()
    },
  }
}

type Rooms = ReturnType<typeof openRooms>

/** Every room, each built of those above it. What one of them has to say to those below it, it says to the house. */
function openRooms(deps: BridgeDeps, house: House) {
  const { config, publicUrl, keys, clients, store, isLive = false, clock, log } = deps
  const base = { store, clock, log }

  // The cameras: their records, what was last heard of each, and why one is away.
  const sealing = createSecretKey(keys.sealing, 'base64')
  const { cameras, copies } = openCameras(deps, sealing, (camera, kind) =>
    house.happened(cameraHappening[kind], camera),
  )
  const snapshots = createSnapshots(base)
  const states = createCameraStates(base)
  const visits = createVisits(store, clock)
  const faults = createSourceFaults(deps.presence)
  const { presence } = faults

  // The heart: one session for each view, whoever asks for it.
  const broker = openBroker(
    { ...deps, presence },
    {
      onSession: (view, reader) => void house.happened('sessionMoved', view, reader),
      onOutcome: (view, reader) => void house.happened('sessionEnded', view, reader),
    },
  )

  // Who may see what: guests, account linking, and what an owner should know.
  const shares = createShares(store, cameras, (camera, kind) => house.happened(shareHappening[kind], camera))
  const seen = { ...cameras, ...shares.visible }
  const copied = deps.registry === undefined ? seen : createShares(store, copies).visible
  const notices = createNotices(base)
  const devices = createPushDevices({ store, sealing, clock })
  const accounts = createAccountRecords({
    store,
    cameras,
    states,
    visits,
    broker,
    notices,
    devices,
    recordings: deps.recording?.recordings,
    clock,
  })
  const linking = createLinking({
    ...base,
    ofAccount: {
      export: accounts.export,
      onLeave: (user) => house.happened('accountLeaves', user),
      onLeft: (user) => house.happened('accountLeft', user),
    },
    publicUrl,
    keys,
    clients,
    cameras,
    shares,
    behindProxy: config.behindProxy,
    config: config.linking,
    ...(isLive && config.console && { consoleUri: `${publicUrl}/` }),
    onUnlinked: (account, assistant, { linkId, isLast }) =>
      isLast
        ? house.happened(`${assistant}Unlinked`, account)
        : house.happened(`${assistant}LinkRemoved`, account, linkId),
  })

  // The assistants: what they are told, what is still to be told them, and the doors at which they ask.
  const known = { ...base, cameras: seen, states, broker, notices }
  const { authority } = linking
  const recordings = deps.recording?.recordings
  const noteRecordingView = createRecordingViews({ ...base, ...linking.oauth })
  const mediaAddresses = createMediaAddresses({ key: sealing, clock })
  const pauses = deps.recording?.pauses
  const pauseRecording: PauseRecording | undefined =
    pauses &&
    (async (camera, isPaused) => {
      await pauses.set(camera.id, isPaused)
      await house.happened('cameraNews', camera, { kind: 'changed', at: clock() })
    })
  const alexa = createAlexaSide({
    ...known,
    copies: copied,
    recordingOf:
      recordings &&
      createShownRecordings({ recordings, addresses: mediaAddresses, publicUrl, noteView: noteRecordingView }),
    config: config.alexa,
    publicUrl,
    sealingKey: keys.sealing,
    authority,
    visits,
  })
  const notifications = createGoogleNotifications({ ...known, cameras: copied, isLive, config: config.google })
  const outbox = createOutbox({
    ...base,
    deliver: {
      ...(alexa.deliver && { alexa: alexa.deliver }),
      ...(notifications.deliver && { google: notifications.deliver }),
    },
  })
  const google = createGoogleDoors({ ...known, config: config.google, publicUrl, notifications, outbox, linking })

  // What cameras and gateways say: kept, then told.
  const { audience } = shares
  const translate = [alexa.translate, notifications.translate]
  const announcements = createAnnouncements({ audience, visits, translate, outbox })
  const events = createEvents({
    ...base,
    states,
    announcements,
    visits,
    keepsAnswers: isLive,
    onRing: (camera, eventId) => house.happened('cameraRang', camera, eventId),
    onNews: (camera, news) => house.happened('cameraNews', camera, news),
    onMoment: (camera, moment) => house.happened('cameraMoment', camera, moment),
    onStuck: (camera) => house.happened('buttonStuck', camera),
  })
  const sourceReported = createSourceReports({
    faults,
    cameras,
    onReason: (camera, isOnline, at) => house.happened('cameraNews', camera, { kind: 'online', isOnline, at }),
    clock,
  })
  const tellPresence = (camera: Camera, isOnline: boolean, at: number) =>
    house.happened(isOnline ? 'cameraOnline' : 'cameraOffline', camera, at)
  const presenceNews = createCameraPresence({ cameras, tell: tellPresence, log })
  const presenceReported = createPresenceReports({ states, tell: tellPresence, clock })

  // What was recorded, for players, and the page.
  const media =
    recordings &&
    createMediaRoutes({
      addresses: mediaAddresses,
      seenBy: seen.find,
      recordings,
      noteSharedView: (camera, at) => noteRecordingView(camera, 'link', at),
      brand: config.linking.brand,
      clock,
      log,
    })
  // Somebody's own phones and computers, beside the assistants.
  const push = isLive ? createPushSide({ ...base, config, publicUrl, devices, audience, visits }) : undefined
  const figures = isLive && config.console ? createFigures(base) : undefined
  const page = config.console
    ? createConsoleSide({
        ...base,
        config,
        isLive,
        cameras,
        shares,
        linking,
        broker,
        presence,
        states,
        events,
        visits,
        recordings,
        playback: deps.recording?.playback,
        noteRecordingView,
        pauses,
        pauseRecording,
        addresses: mediaAddresses,
        push,
        figures,
      })
    : undefined

  return {
    accounts,
    cameras,
    snapshots,
    visits,
    noteRecordingView,
    pauseRecording,
    presence,
    broker,
    shares,
    notices,
    linking,
    alexa,
    outbox,
    google,
    announcements,
    events,
    sourceReported,
    presenceReported,
    presenceNews,
    media,
    mediaAddresses,
    page,
    push,
    figures,
    notePressAnswer: isLive ? createPressAnswers({ states, visits, log }) : undefined,
    signatures: createSignatures(base),
  }
}

const cameraHappening = { changed: 'cameraChanged', removed: 'cameraRemoved' } as const
const shareHappening = { changed: 'shareChanged', removed: 'shareRemoved', dropped: 'shareDropped' } as const

/** What follows what. Each row runs from left to right, and ends where something fails. */
function whatFollows(rooms: Rooms, deps: BridgeDeps): WhatFollows {
  const { recording, clock, log, onRing, onSession, onNews } = deps
  const {
    accounts,
    cameras,
    outbox,
    snapshots,
    broker,
    shares,
    notices,
    linking,
    alexa,
    google,
    announcements,
    events,
    page,
    push,
    figures,
    notePressAnswer,
  } = rooms
  /** What is being viewed was negotiated under other rules. */
  const endViews = ({ accountId, id }: Camera) => broker.endCamera(accountId, id, 'what the owner shares has changed')
  const tellGuest = (kind: 'changed' | 'removed') => (camera: Camera) =>
    announcements.toOne(camera, { kind, at: clock() })
  const showGuest =
    (isShared: boolean) =>
    ({ id, accountId }: Camera) =>
      page?.news.shared(id, accountId, isShared)
  return {
    cameraChanged: [(camera) => events.receive(camera, { kind: 'changed', at: clock() })],
    cameraRemoved: [
      snapshots.remove,
      async ({ id }) => recording?.recordings.removeAll(id),
      async ({ id }) => recording?.pauses?.set(id, false),
      // Its guests are told as part of its audience, so the shares go afterwards.
      (camera) => events.receive(camera, { kind: 'removed', at: clock() }),
      shares.drop,
      linking.sharing.forget,
    ],
    cameraNews: [
      (camera, news) => push?.follow(camera, news),
      (camera, news) => page?.news.camera(camera, news),
      (camera, news) => onNews?.(camera, news),
    ],
    cameraMoment: [(camera) => recording?.happened(camera), (camera, moment) => page?.news.moment(camera, moment)],
    recordingChanged: [(about, change) => page?.news.recording(about, change)],
    // A camera that is back will be looked at: the way to it is fetched ahead.
    cameraOnline: [
      (camera) => broker.warm(camera),
      (camera, at) => events.receive(camera, { kind: 'online', isOnline: true, at }),
    ],
    cameraOffline: [(camera, at) => events.receive(camera, { kind: 'online', isOnline: false, at })],
    // Somebody will want to look in a moment: the way to the camera is fetched ahead.
    cameraRang: [(camera) => broker.warm(camera), (camera, eventId) => onRing?.(camera, eventId)],
    buttonStuck: [({ accountId, name }) => notices.add(accountId, 'button_stuck', name)],
    shareChanged: [endViews, showGuest(true), tellGuest('changed')],
    shareRemoved: [endViews, showGuest(false), tellGuest('removed')],
    shareDropped: [endViews],
    sessionMoved: [
      (view, reader) => page?.news.session(view, reader),
      // A guest's view is reported to the camera's owner as well: it counts once.
      ({ guestId, ...view }) => (guestId === undefined ? onSession?.(view) : undefined),
      (view) => notePressAnswer?.(view),
    ],
    sessionEnded: [(view, reader) => figures?.note(view, reader)],
    alexaUnlinked: [(account) => broker.endAll(account, 'alexa', 'account unlinked'), alexa.unlinked],
    googleUnlinked: [(account) => broker.endAll(account, 'google', 'account unlinked'), google.unlinked],
    // Another link of a household's goes on, and what this one has brought ends with it.
    alexaLinkRemoved: [alexa.linkRemoved],
    googleLinkRemoved: [],
    accountLeaves: [
      async ({ accountId }) => {
        for (const { id } of await cameras.list(accountId)) await (deps.removeCamera ?? cameras.remove)(id)
      },
      linking.sharing.forgetPerson,
      () => told(outbox, log),
    ],
    accountLeft: [
      () => told(outbox, log),
      ({ accountId }) => outbox.forget(accountId),
      ({ accountId }) => broker.forget(accountId),
      () => figures?.settled(),
      accounts.forget,
    ],
  }
}

/** So long an account that is removed waits for the assistants to be told of it; what they do not take by then, they find out. */
const toldMs = 5_000

const told = (outbox: Outbox, log: BridgeDeps['log']): Promise<void> => {
  const untold = (error: unknown): void => log('warn', 'accounts.assistants-untold', { error: String(error) })
  return within(toldMs, () => outbox.settled(), untold).catch(untold)
}
