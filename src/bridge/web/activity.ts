/** `/api/activity`: what happened at all cameras of a household, newest first, each with what was recorded of it. */
import { Router, type Request } from 'express'
import { mayViewRecordings } from '../authority.ts'
import { beginMs, covers, lastOf, recordingOf } from './recording-of.ts'
import { BridgeError } from 'transom-core/errors'
import type { AccountId, Camera, Clock, Grant, Moment, Recording, Recordings } from 'transom-core/ports'
import { wantedActivity, type Activity, type ActivityEntry } from 'transom-core/wire/api'
import { read } from './views.ts'

export interface ActivityDeps {
  readonly grantOf: (request: Request) => Promise<Grant>
  readonly visible: { list(accountId: AccountId): Promise<readonly Camera[]> }
  readonly moments: (camera: Camera, span: Span) => Promise<readonly Moment[]>
  /** Absent where nothing is recorded. */
  readonly recordings: Recordings | undefined
  readonly clock: Clock
}

interface Span {
  readonly from: number
  readonly to: number
}

const dayMs = 24 * 3_600_000
/** Moments are kept so long. */
const mostMs = 30 * dayMs
const pageSize = 100
/** No recording is longer, so what belongs together is not parted at the edge of a span. */
const longestMs = 10 * 60_000
/** What happened within a minute of the clock and was not recorded is one entry. */
const togetherMs = 60_000

/** Makes the route, to be mounted at `/api`. Refusals are thrown as `BridgeError` for the handler there. */
export function createActivityRoutes({ grantOf, visible, moments, recordings, clock }: ActivityDeps): Router {
  const router = Router()
  router.get('/activity', async (request, response) => {
    const { accountId } = await grantOf(request)
    const { camera: id, kind, from, to = clock() + dayMs } = read(wantedActivity, request.query)
    const cameras = (await visible.list(accountId)).filter((one) => mayViewRecordings(one))
    const wanted = id === undefined ? cameras : cameras.filter((one) => one.id === id)
    if (id !== undefined && wanted.length === 0) throw new BridgeError('camera_not_found')
    const of = kind === 'recorded' ? recordedOf : happenedOf
    const since = from ?? Math.max(0, to - mostMs)
    const found: ActivityEntry[] = []
    // A day at first: whoever looks mostly wants the last few. Then longer and longer, as long as there is room.
    for (let [end, spanMs] = [to, dayMs]; end > since && found.length <= pageSize; spanMs *= 2) {
      const span = { from: Math.max(since, end - spanMs), to: end }
      const some = await Promise.all(wanted.map((camera) => of(camera, span)))
      found.push(...some.flat().filter(fits).sort(newestFirst))
      end = span.from
    }
    const last = found[pageSize - 1]
    // Those of the same instant stand together: the next page begins before it.
    const entries = found.filter(({ at }, index) => index < pageSize || at === last?.at)
    response.json({ entries, ...(last && entries.length < found.length && { next: last.at }) } satisfies Activity)

    function fits({ events }: ActivityEntry): boolean {
      return kind === undefined || kind === 'recorded' || events.some((event) => event.kind === kind)
    }
  })
  return router

  /** Entries that begin within the span: what happened, put together by what was recorded of it. */
  async function happenedOf(camera: Camera, { from, to }: Span): Promise<readonly ActivityEntry[]> {
    const groups = new Map<string, { readonly recording: Recording | undefined; readonly events: Moment[] }>()
    let recording: Recording | undefined
    for (const moment of await moments(camera, { from: from - longestMs, to: to + longestMs })) {
      if (recording === undefined || !covers(recording, moment.at))
        recording = recordings && (await recordingOf(recordings, camera.id, moment.at))
      const key = recording ? `${recording.startAt}` : `minute ${Math.floor(moment.at / togetherMs)}`
      const group = groups.get(key)
      if (group) group.events.push(moment)
      else groups.set(key, { recording, events: [moment] })
    }
    return [...groups.values()]
      .map(({ recording: kept, events }) => entryOf(camera, events[0]?.at ?? 0, events, kept))
      .filter(({ at }) => at >= from && at < to)
  }

  /** What was recorded, whatever made it begin, if anything did. */
  async function recordedOf(camera: Camera, { from, to }: Span): Promise<readonly ActivityEntry[]> {
    const all = (await recordings?.list(camera.id, { from, to, limit: Infinity })) ?? []
    const began = all.filter(({ startAt }) => startAt >= from)
    const [first, last] = [began[0], began.at(-1)]
    if (first === undefined || last === undefined) return []
    const happened = await moments(camera, { from: first.startAt - beginMs, to: lastOf(last) + 1 })
    return began.map((recording) => {
      const events = happened.filter(({ at }) => covers(recording, at) || wakes(recording, at, all))
      return entryOf(camera, recording.startAt, events, recording)
    })
  }
}

/** It began soon after, and was the first to. */
const wakes = ({ startAt }: Recording, at: number, all: readonly Recording[]): boolean =>
  at < startAt &&
  at >= startAt - beginMs &&
  !all.some((one) => covers(one, at) || (one.startAt > at && one.startAt < startAt))

function entryOf(camera: Camera, at: number, events: readonly Moment[], kept?: Recording): ActivityEntry {
  const recording = kept && {
    id: kept.startAt,
    from: kept.startAt,
    to: kept.endAt,
    isOpen: kept.isOpen,
    bytes: kept.bytes,
  }
  return {
    cameraId: camera.id,
    at,
    events,
    ...(recording && { recording }),
  }
}

const newestFirst = (one: ActivityEntry, other: ActivityEntry): number => other.at - one.at
