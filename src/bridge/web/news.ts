/** What the house learns of cameras and sessions, as events for those who may see it. */
import { mayViewRecordings } from '../authority.ts'
import type { SessionView } from '../broker/view.ts'
import {
  cameraId,
  type AccountId,
  type Camera,
  type CameraId,
  type CameraNews,
  type Log,
  type Moment,
  type RecordingListener,
} from 'transom-core/ports'
import type { StreamEvent } from 'transom-core/wire/api'
import type { Feed } from './feed.ts'
import type { Rows } from './rows.ts'
import type { Viewers } from './viewers.ts'

export interface NewsDeps {
  readonly feed: Feed
  readonly rows: Rows
  readonly viewers: Viewers
  readonly byId: (id: string) => Promise<Camera | undefined>
  /** The camera as each account sees it that may see it: the owner's first. */
  readonly audience: (camera: Camera) => Promise<readonly Camera[]>
  /** A guest's login, for the owner of the camera. */
  readonly loginOf: (guest: AccountId) => Promise<string | undefined>
  readonly log: Log
}

/** None of these throws or rejects: nobody who learns something waits for who looks on. */
export interface News {
  session(view: SessionView, accountId: AccountId): void
  camera(camera: Camera, news: CameraNews | { readonly kind: 'pictured'; readonly at: number }): void
  moment(camera: Camera, moment: Moment): void
  readonly recording: RecordingListener
  /** The guest may see the camera, or may not any more. */
  shared(id: CameraId, guest: AccountId, isShared: boolean): void
  close(): void
}

/** Several changes of one camera at once are told as one. */
const gatherMs = 50

export function createNews({ feed, rows, viewers, byId, audience, loginOf, log }: NewsDeps): News {
  const changed = new Set<CameraId>()
  let timer: NodeJS.Timeout | undefined
  let guestNews = Promise.resolve()

  function note(id: CameraId): void {
    if (feed.isIdle()) return
    changed.add(id)
    timer ??= setTimeout(() => {
      timer = undefined
      for (const each of changed) inBackground(() => tellRows(each))
      changed.clear()
    }, gatherMs)
  }

  async function tellRows(id: CameraId): Promise<void> {
    const camera = await byId(id)
    if (camera === undefined) return
    for (const seen of await audience(camera)) {
      if (!feed.isListening(seen.accountId)) continue
      const data = await rows.of(seen, seen.accountId === camera.accountId)
      feed.send(seen.accountId, { event: 'camera', data })
    }
  }

  async function tellAll(camera: Camera, event: StreamEvent, mayKnow = (_seen: Camera) => true): Promise<void> {
    for (const seen of await audience(camera)) if (mayKnow(seen)) feed.send(seen.accountId, event)
  }

  function inBackground(work: () => Promise<void>): void {
    work().catch((thrown: unknown) => log('error', 'web.news-lost', { error: String(thrown) }))
  }

  return {
    session(view, accountId) {
      if (viewers.learn(view)) note(view.cameraId)
      const { guestId, ...rest } = view
      if (guestId === undefined) return feed.send(accountId, { event: 'session', data: rest })
      if (!feed.isListening(accountId)) return
      // One after the other: a session's story must not be told backwards.
      guestNews = guestNews
        .then(async () => {
          const guest = await loginOf(guestId)
          feed.send(accountId, { event: 'session', data: { ...rest, ...(guest !== undefined && { guest }) } })
        })
        .catch((thrown: unknown) => log('error', 'web.news-lost', { error: String(thrown) }))
    },
    camera(camera, news) {
      if (feed.isIdle()) return
      const { id } = camera
      switch (news.kind) {
        case 'removed':
          return inBackground(() => tellAll(camera, { event: 'camera-removed', data: { id } }))
        case 'press': {
          const { eventId, at } = news
          note(id)
          return inBackground(() => tellAll(camera, { event: 'press', data: { cameraId: id, eventId, at } }))
        }
        case 'online':
        case 'changed':
        case 'pictured':
          return note(id)
        case 'person':
        case 'motion':
        case 'battery':
        case 'switch':
        case 'sensor':
          return
      }
    },
    moment(camera, { kind, at }) {
      if (feed.isIdle()) return
      const event = { event: 'moment', data: { cameraId: camera.id, kind, at } } as const
      inBackground(() => tellAll(camera, event, mayViewRecordings))
    },
    recording({ cameraId: id, startAt }, change) {
      if (feed.isIdle()) return
      note(id)
      const event = { event: 'recording', data: { cameraId: id, id: startAt, change } } as const
      inBackground(async () => {
        const camera = await byId(id)
        if (camera !== undefined) await tellAll(camera, event, mayViewRecordings)
      })
    },
    shared(id, guest, isShared) {
      if (isShared) note(cameraId(id))
      else feed.send(guest, { event: 'camera-removed', data: { id } })
    },
    close() {
      clearTimeout(timer)
      changed.clear()
    },
  }
}
