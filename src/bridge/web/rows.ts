/** A camera as the page's list shows it: what it is, and how it is doing. */
import { mayViewRecordings } from '../authority.ts'
import type { Broker } from '../broker/broker.ts'
import { advice, eventsAdvice } from 'transom-core/errors'
import type { AccountId, Camera, CameraId, CameraState, Presence } from 'transom-core/ports'
import type { CameraRow } from 'transom-core/wire/api'
import type { Viewers } from './viewers.ts'

/** As much of the cameras' records as this room needs. */
export interface CameraLists {
  list(accountId: AccountId): Promise<readonly Camera[]>
  find(accountId: AccountId, id: CameraId): Promise<Camera | undefined>
}

export interface RowDeps {
  /** Its own cameras. */
  readonly own: CameraLists
  /** Its own, and those shared with it. */
  readonly visible: CameraLists
  readonly broker: Pick<Broker, 'recent'>
  readonly presence: Presence
  readonly stateOf: (camera: Camera) => Promise<CameraState>
  readonly viewers: Viewers
  readonly isRecording: (id: CameraId) => boolean
  /** Somebody has paused what is recorded of it. */
  readonly isPaused: (id: CameraId) => boolean
  /** True where every session of every account passes by here: then the store is asked once only. */
  readonly isLive: boolean
}

export interface Rows {
  list(accountId: AccountId): Promise<readonly CameraRow[]>
  /** Undefined where the account may not see it. */
  find(accountId: AccountId, id: CameraId): Promise<CameraRow | undefined>
  /** `camera` as the account sees it. */
  of(camera: Camera, isOwner: boolean): Promise<CameraRow>
}

/** Whoever looks began not long ago, mostly; of others the cameras tell again and again. */
const mostCounted = 200

export function createRows({
  own,
  visible,
  broker,
  presence,
  stateOf,
  viewers,
  isRecording,
  isPaused,
  isLive,
}: RowDeps): Rows {
  const counted = new Set<AccountId>()

  async function of(camera: Camera, isOwner: boolean): Promise<CameraRow> {
    const { id, name, room, kind, manufacturer, model, hasSpeaker, hasVideo = true, record } = camera
    const { press, snapshot, presence: reported } = await stateOf(camera)
    const seen = presence(camera.channel)
    return {
      id,
      name,
      ...(room !== undefined && { room }),
      kind,
      manufacturer,
      model,
      isOwner,
      mayTalk: hasSpeaker,
      hasVideo,
      isOnline: seen?.online ?? reported?.isOnline ?? null,
      ...(seen !== undefined && seen.isUnseen !== true && { sinceAt: seen.sinceAt }),
      ...(seen === undefined && reported && { sinceAt: reported.sinceAt }),
      ...(seen?.fault && { fault: { ...seen.fault, advice: advice[seen.fault.code] } }),
      // What only the owner can put right, with names of the owner's servers, is not the guests'.
      ...(isOwner &&
        seen?.eventsFault && { eventsFault: { ...seen.eventsFault, advice: eventsAdvice[seen.eventsFault.code] } }),
      ...(isOwner && seen?.failedServers && { failedServers: seen.failedServers }),
      ...(seen?.reencoding && { reencoding: seen.reencoding }),
      viewers: viewers.of(id),
      ...(record !== undefined && { records: record, isRecordingPaused: isPaused(id) }),
      isRecording: isRecording(id),
      mayViewRecordings: mayViewRecordings(camera),
      ...(press !== undefined && { lastPressAt: press.at }),
      ...(snapshot !== undefined && { snapshotAt: snapshot.at }),
    }
  }

  return {
    of,
    async list(accountId) {
      const [mine, all] = await Promise.all([own.list(accountId), visible.list(accountId), count(accountId)])
      const owned = new Set(mine.map(({ id }) => id))
      return Promise.all(all.map((camera) => of(camera, owned.has(camera.id))))
    },
    async find(accountId, id) {
      const [mine, camera] = await Promise.all([own.find(accountId, id), visible.find(accountId, id)])
      return camera && of(camera, mine !== undefined)
    },
  }

  /** Sessions from before this process, or of another one. */
  async function count(accountId: AccountId): Promise<void> {
    if (isLive && counted.has(accountId)) return
    counted.add(accountId)
    for (const view of await broker.recent(accountId, { limit: mostCounted })) viewers.learn(view)
  }
}
