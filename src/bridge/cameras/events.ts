/** What cameras say: kept, and handed to the assistants' outbox; durable before the camera is answered. */
import { BridgeError } from 'transom-core/errors'
import type { Camera, CameraNews, Clock, Log, Moment, Store } from 'transom-core/ports'
import type { Announcements } from './announcements.ts'
import { happenedAt } from './clock.ts'
import { createPace, restMs } from './pace.ts'
import { createPresses, staleMs } from './presses.ts'
import type { CameraStates } from './states.ts'
import type { Visits } from './visits.ts'

/** Takes in what cameras say. */
export interface Events {
  /**
   * Resolves when the news is durable; the same news again is once. Rejects when the store does, and with `rate_limited` where
   * the camera says more than anybody could hear. `sentAt`: when it was sent, by the clock that `at` is of.
   */
  receive(camera: Camera, news: CameraNews, sentAt?: number): Promise<void>
  /** The camera left a picture, taken at `at`. */
  pictured(camera: Camera, at: number): Promise<void>
}

/** What there is to see on the page; a picture is no news for the assistants. */
export type PageNews = CameraNews | { readonly kind: 'pictured'; readonly at: number }

const newsRetryMs = 1_000
/** What a camera says itself, as often as it likes; the other news are the bridge's own. */
const isOfCamera = (kind: CameraNews['kind']) => kind !== 'online' && kind !== 'changed' && kind !== 'removed'

/** What people look for later. */
const isMoment = (news: CameraNews): news is Extract<CameraNews, { readonly kind: Moment['kind'] }> =>
  news.kind === 'press' || news.kind === 'person' || (news.kind === 'motion' && news.isDetected)

/** What comes in is kept in the store, told to the assistants, and handed to `onNews`. Presses and news have a pace. */
export function createEvents(deps: {
  readonly store: Store
  readonly states: CameraStates
  readonly announcements: Pick<Announcements, 'toAll'>
  readonly visits: Pick<Visits, 'note' | 'forget'>
  /** With a press it is kept who came: see `createPresses`. */
  readonly keepsAnswers?: boolean
  /** Of each press that is not old, before it is kept. A rejection refuses the press. */
  readonly onRing: (camera: Camera, eventId: string) => Promise<void>
  /** Of everything that is new, once it is kept. */
  readonly onNews?: (camera: Camera, news: PageNews) => Promise<void>
  /** Of what is to be recorded, at once: before anything is kept. */
  readonly onMoment?: (camera: Camera, moment: Moment) => Promise<void>
  /** Its button rings without a pause: said once, and it is not heard until it has been quiet for a minute. */
  readonly onStuck?: (camera: Camera) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}): Events {
  const { states, announcements, visits, clock } = deps
  const { onNews = async () => {}, onMoment = async () => {}, onStuck = async () => {} } = deps
  const presses = createPresses(deps)
  const pace = createPace(clock)

  async function admit(camera: Camera, kind: CameraNews['kind']): Promise<void> {
    const verdict = pace.admit(camera.id, kind)
    if (verdict === 'admitted') return
    if (verdict === 'stuck') await onStuck(camera)
    const isStuck = verdict !== 'too-often'
    const message = isStuck ? 'the button seems stuck: it is heard again after a minute of quiet' : 'too many events'
    throw new BridgeError('rate_limited', message, { retryAfterMs: isStuck ? restMs : newsRetryMs })
  }

  /** What is kept of the news before anybody hears it. */
  async function keep(camera: Camera, news: CameraNews): Promise<unknown> {
    switch (news.kind) {
      case 'motion':
        if (news.isDetected) await visits.note(camera, { kind: 'motion', at: news.at }, news.eventId)
        return states.note(camera, news)
      case 'person':
        return visits.note(camera, { kind: 'person', at: news.at }, news.eventId)
      case 'battery':
      case 'switch':
      case 'sensor':
        return states.note(camera, news)
      case 'removed':
        // Its id may be given to somebody else's camera.
        await Promise.all([states.forget(camera), visits.forget(camera)])
        return presses.forget(camera)
      case 'press':
      case 'online':
      case 'changed':
        return
    }
  }

  return {
    async receive(camera, given, sentAt) {
      if (isOfCamera(given.kind)) await admit(camera, given.kind)
      const news = { ...given, at: happenedAt(given.at, sentAt, clock()) }
      if (isMoment(news) && clock() - news.at < staleMs) await onMoment(camera, { kind: news.kind, at: news.at })
      if (news.kind === 'press') {
        const heard = news.at > given.at ? await presses.asFirstHeard(camera, news) : news
        if (await presses.receive(camera, heard)) await onNews(camera, heard)
        return
      }
      // What it does not have is not kept: names come from outside.
      if (news.kind === 'sensor' && !camera.sensors?.some(({ name }) => name === news.name)) return
      if (!isOfCamera(news.kind)) await onNews(camera, news)
      await keep(camera, news)
      if (isOfCamera(news.kind)) await onNews(camera, news)
      await announcements.toAll(camera, news)
    },
    async pictured(camera, at) {
      await states.note(camera, { kind: 'pictured', at })
      await onNews(camera, { kind: 'pictured', at })
    },
  }
}
