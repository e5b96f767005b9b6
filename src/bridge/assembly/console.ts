/** The page's side of the bridge, plugged together: what it is told unasked, and what it may ask. */
import type { Request, Router } from 'express'
import type { Authorized } from '../authority.ts'
import type { Broker } from '../broker/broker.ts'
import type { AccountId, ChannelRef, Clock, Log, Presence, RecordingPauses, Recordings } from 'transom-core/ports'
import { createApi, type ApiDeps } from '../web/api.ts'
import type { MediaAddresses } from '../web/media-address.ts'
import { createFeed } from '../web/feed.ts'
import { createNews, type News } from '../web/news.ts'
import type { PauseRecording } from '../web/recordings.ts'
import { createRows } from '../web/rows.ts'
import { createViewers } from '../web/viewers.ts'
import type { Cameras } from '../cameras/cameras.ts'
import { mayNameSource } from '../cameras/source-rule.ts'
import type { CameraStates } from '../cameras/states.ts'
import type { BridgeConfig } from '../settings/bridge-config.ts'
import type { Events } from '../cameras/events.ts'
import type { Linking } from './linking.ts'
import type { NetworkCameras, Registrations } from '../operator/registration-ports.ts'
import type { Shares } from '../cameras/sharing.ts'
import type { NoteRecordingView } from '../cameras/recording-views.ts'
import type { Visits } from '../cameras/visits.ts'

export interface ConsoleDeps {
  readonly config: BridgeConfig
  /** True where one process sees everything, and may keep connections open. */
  readonly isLive: boolean
  readonly cameras: Cameras
  readonly shares: Shares
  readonly linking: Linking
  readonly broker: Broker
  readonly presence: Presence
  readonly events: Pick<Events, 'receive'>
  readonly states: Pick<CameraStates, 'of'>
  readonly visits: Pick<Visits, 'moments'>
  readonly recordings: Recordings | undefined
  readonly playback: ChannelRef | undefined
  readonly noteRecordingView: NoteRecordingView
  readonly pauses: RecordingPauses | undefined
  readonly pauseRecording: PauseRecording | undefined
  readonly addresses: MediaAddresses
  /** Absent where no notifications are sent. */
  readonly push: ApiDeps['push']
  readonly figures: ApiDeps['figures']
  readonly clock: Clock
  readonly log: Log
}

export interface ApiOptions {
  readonly grantOf: (request: Request) => Promise<Authorized>
  /** Where cameras can be registered. */
  readonly registrations?: Registrations
  /** Where buttons may call the bridge by a URL alone. */
  readonly webhooks?: ApiDeps['webhooks']
  /** Where a gateway reads cameras at addresses. */
  readonly networkCameras?: NetworkCameras
  readonly hearDisplays?: ApiDeps['hearDisplays']
}

export interface ConsoleSide {
  readonly news: Omit<News, 'close'>
  /** The routes below `/api`. */
  readonly api: (options: ApiOptions) => Router
  close(): void
}

export function createConsoleSide(deps: ConsoleDeps): ConsoleSide {
  const {
    config,
    isLive,
    cameras,
    shares,
    linking,
    broker,
    presence,
    events,
    states,
    visits,
    recordings,
    addresses,
    clock,
    log,
  } = deps
  const viewers = createViewers(clock)
  const visible = { ...cameras, ...shares.visible }
  const rows = createRows({
    own: cameras,
    visible,
    broker,
    presence,
    stateOf: states.of,
    viewers,
    isRecording: (id) => recordings?.isRecording(id) ?? false,
    isPaused: (id) => deps.pauses?.isPaused(id) ?? false,
    isLive,
  })
  const feed = createFeed({ clock, log })
  const loginOf = async (guest: AccountId) => (await linking.oauth.users.findByAccount(guest))?.login
  const news = createNews({ feed, rows, viewers, byId: cameras.byId, audience: shares.audience, loginOf, log })

  return {
    news,
    api: ({ grantOf, registrations, networkCameras, webhooks, hearDisplays }) =>
      createApi({
        grantOf,
        visible,
        own: cameras,
        people: linking.oauth.users,
        sharing: linking.sharing,
        receive: events.receive,
        registrations,
        webhooks,
        networkCameras,
        mayNameSource,
        moments: visits.moments,
        recordings,
        playback: deps.playback,
        noteGuestView: (camera, at) => deps.noteRecordingView(camera, { guest: camera.accountId }, at),
        pauseRecording: deps.pauseRecording,
        addresses,
        push: deps.push,
        figures: deps.figures,
        broker,
        rows,
        feed: isLive ? feed : undefined,
        hearDisplays,
        // A browser has no deadline of its own; the page waits as long as the more patient of the assistants.
        budgetMs: Math.max(config.alexa.budgetMs, config.google.budgetMs),
        clock,
        log,
      }),
    close() {
      news.close()
      feed.close()
    },
  }
}
