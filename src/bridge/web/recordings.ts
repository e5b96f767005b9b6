/** What happened at a camera, and what was recorded of it: listed, given out as files, deleted. */
import express, { Router, type Request, type RequestHandler, type Response } from 'express'
import { BridgeError } from 'transom-core/errors'
import { type Camera, type Clock, type Moment, type Recording, type Recordings } from 'transom-core/ports'
import {
  wantedAddress,
  wantedSpan,
  type ClipAddress,
  type Moments,
  type RecordingList,
  type RecordingRow,
} from 'transom-core/wire/api'
import { clipOf, noRecording, sendClip } from './clip-file.ts'
import { beginMs, lastOf } from './recording-of.ts'
import type { MediaAddresses, MediaGrant } from './media-address.ts'
import { Refused } from './refusals.ts'
import { read } from './views.ts'

/** Who may ask for which camera, and what there is to give. */
export interface RecordingDeps {
  /** The camera of a path, where whoever asks may see what was recorded of it, or delete it too. Throws otherwise. */
  readonly cameraOf: (request: Request, what: 'read' | 'change') => Promise<Camera>
  /** Somebody is about to be given the clip that begins at `at`, or pictures: for the owner's history. */
  readonly noteView: (camera: Camera, at?: number) => Promise<void>
  readonly moments: (camera: Camera, span: { readonly from: number; readonly to: number }) => Promise<readonly Moment[]>
  /** Absent where nothing is recorded. */
  readonly recordings: Recordings | undefined
  /** Absent where nobody can. */
  readonly pauseRecording: PauseRecording | undefined
  /** Whoever may see what was recorded gets addresses for players here. */
  readonly addresses: MediaAddresses
  readonly clock: Clock
}

/** Pauses what is recorded of a camera, or goes on with it. Resolves when that is kept. */
export type PauseRecording = (camera: Camera, isPaused: boolean) => Promise<void>

const dayMs = 24 * 3_600_000
const pageSize = 100
/** To see a clip, with pauses. */
const addressMs = 3 * 3_600_000
/** The day on which the clocks are put back has 25 hours. */
const longestMs = 25 * 3_600_000
const mostInDay = 10_000
/** What is live begins so long before now. */
const recentMs = 60_000
/** Seconds. Live playlists may not have longer fragments than they said at first, so there is some room. */
const leastTarget = 6

/**
 * Makes the routes `/cameras/:id/events` and `/cameras/:id/recordings…`, to be mounted where their askers come in. Refusals are
 * thrown as `BridgeError` or `Refused` for the handler there.
 */
export function createRecordingRoutes(deps: RecordingDeps): Router {
  const { cameraOf, noteView, moments, clock } = deps
  const router = Router()

  router.get('/cameras/:id/events', async (request, response) => {
    const camera = await cameraOf(request, 'read')
    response.json({ events: [...(await moments(camera, spanOf(request)))] } satisfies Moments)
  })

  router.get('/cameras/:id/recordings', async (request, response) => {
    const camera = await cameraOf(request, 'read')
    const span = spanOf(request)
    // One more than is shown says that there is more.
    const found = await kept().list(camera.id, { ...span, limit: pageSize + 1 })
    const shown = found.slice(0, pageSize)
    const last = found[pageSize]
    const rows = await rowsOf(camera, shown)
    response.json({
      recordings: [...rows],
      ...(last && { next: last.startAt }),
    } satisfies RecordingList)
  })

  // Of a time: what was recorded meanwhile, as one file.
  router.get('/cameras/:id/recordings/clip.mp4', async (request, response) => {
    const camera = await cameraOf(request, 'read')
    await send(request, response, camera, spanOf(request))
  })

  for (const name of ['playlist.m3u8', 'manifest.mpd']) {
    router.get(`/cameras/:id/recordings/${name}`, async (request, response) => {
      const camera = await cameraOf(request, 'read')
      const { from, to } = spanOf(request)
      if (to - from > longestMs) throw new BridgeError('invalid_request', 'ask for a day at most')
      const last = (await kept().list(camera.id, { from, to, limit: mostInDay })).at(-1)
      if (last === undefined) throw new Refused('not_found', 'nothing was recorded in this time')
      // What is still to come would change a playlist that says it will not change.
      const use = { kind: 'recorded', from, to: last.isOpen ? Math.min(to, last.endAt) : to } as const
      await noteView(camera, from)
      sendTo(response, camera, use, name)
    })

    router.get(`/cameras/:id/live/${name}`, async (request, response) => {
      const camera = await cameraOf(request, 'read')
      const recent = await kept().list(camera.id, { from: clock() - recentMs, to: Infinity, limit: mostInDay })
      const open = recent.findLast(({ isOpen }) => isOpen)
      if (open === undefined) throw new Refused('not_found', 'this camera records nothing now')
      const durations = (await kept().fragments(open)).map(({ durationMs }) => Math.round(durationMs / 1_000))
      await noteView(camera, open.startAt)
      const use = { kind: 'live', from: open.endAt - recentMs, target: Math.max(leastTarget, ...durations) } as const
      sendTo(response, camera, use, name)
    })
  }

  router.get('/cameras/:id/recordings/:recording', async (request, response) => {
    const { camera, recording } = await found(request)
    response.json((await rowsOf(camera, [recording]))[0] satisfies RecordingRow | undefined)
  })

  router.get('/cameras/:id/recordings/:recording/clip.mp4', async (request, response) => {
    const { camera, recording } = await found(request)
    await send(request, response, camera, spanOfAll(recording))
  })

  // A video element shows no token.
  router.post(
    '/cameras/:id/recordings/:recording/address',
    express.json({ type: () => true }),
    async (request, response) => {
      const { days } = read(wantedAddress, request.body ?? {})
      // Who hands something on must be its owner.
      const { camera, recording } = await found(request, days === undefined ? 'read' : 'change')
      const until = clock() + (days === undefined ? addressMs : days * dayMs)
      const isShared = days !== undefined
      const use = { kind: 'clip', ...spanOfAll(recording), isShared } as const
      const token = deps.addresses.mint({ accountId: camera.accountId, cameraId: camera.id, use }, until)
      await noteView(camera, recording.startAt)
      response.status(201).json({ url: `/media/${token}/clip.mp4`, until } satisfies ClipAddress)
    },
  )

  router.get('/cameras/:id/recordings/:recording/thumbnail.jpg', async (request, response) => {
    const { camera, recording } = await found(request)
    const picture = await kept().picture(recording)
    if (picture === undefined) throw new Refused('not_found', 'this recording has no picture')
    await noteView(camera)
    response.set('cache-control', 'private, no-store').type('image/jpeg').send(picture)
  })

  const pause =
    (isPaused: boolean): RequestHandler =>
    async (request, response) => {
      const camera = await cameraOf(request, 'change')
      if (deps.pauseRecording === undefined || camera.record === undefined)
        throw new BridgeError('invalid_request', 'nothing of this camera is recorded')
      await deps.pauseRecording(camera, isPaused)
      response.status(204).end()
    }
  router.put('/cameras/:id/recording/pause', pause(true))
  router.delete('/cameras/:id/recording/pause', pause(false))

  router.delete('/cameras/:id/recordings/:recording', async (request, response) => {
    const camera = await cameraOf(request, 'change')
    if (!(await kept().remove(camera.id, startOf(request)))) throw noRecording()
    response.status(204).end()
  })

  // All of a time; without one, all there is.
  router.delete('/cameras/:id/recordings', async (request, response) => {
    const camera = await cameraOf(request, 'change')
    const { from = 0, to = Infinity } = read(wantedSpan, request.query)
    for (;;) {
      const some = await kept().list(camera.id, { from, to, limit: pageSize })
      if (some.length === 0) break
      for (const { startAt } of some) await kept().remove(camera.id, startAt)
    }
    response.status(204).end()
  })

  return router

  function kept(): Recordings {
    if (deps.recordings === undefined) throw nothingHere()
    return deps.recordings
  }

  async function found(
    request: Request,
    what: 'read' | 'change' = 'read',
  ): Promise<{ readonly camera: Camera; readonly recording: Recording }> {
    const camera = await cameraOf(request, what)
    const recording = await kept().find(camera.id, startOf(request))
    if (recording === undefined) throw noRecording()
    return { camera, recording }
  }

  /** The last day, where nothing is said; a day from its begin, where that is. */
  function spanOf(request: Request): { readonly from: number; readonly to: number } {
    const { from, to } = read(wantedSpan, request.query)
    if (from !== undefined) return { from, to: to ?? from + dayMs }
    const end = to ?? clock()
    return { from: Math.max(0, end - dayMs), to: end }
  }

  /** Of recordings in the order of time: each with what happened meanwhile, and what made it begin. */
  async function rowsOf(camera: Camera, shown: readonly Recording[]): Promise<readonly RecordingRow[]> {
    const [first] = shown
    if (first === undefined) return []
    const since = first.startAt - beginMs
    const [happened, before] = await Promise.all([
      moments(camera, { from: since, to: Math.max(...shown.map(lastOf)) + 1 }),
      kept().list(camera.id, { from: since, to: first.startAt }),
    ])
    const ends = [before.at(-1), ...shown].map((recording) => (recording ? lastOf(recording) : since))
    return shown.map((recording, index) => {
      const from = Math.max(recording.startAt - beginMs, (ends[index] ?? since) + 1)
      const events = happened.filter(({ at }) => at >= Math.min(from, recording.startAt) && at <= lastOf(recording))
      return rowOf(recording, events)
    })
  }

  /** From two steps below where these routes are mounted, whatever is before that: a proxy may have put a path there. */
  function sendTo(response: Response, { accountId, id }: Camera, use: MediaGrant['use'], name: string): void {
    const token = deps.addresses.mint({ accountId, cameraId: id, use })
    response.set('cache-control', 'no-store').redirect(303, `../../../../media/${token}/${name}`)
  }

  async function send(request: Request, response: Response, camera: Camera, span: Span): Promise<void> {
    const clip = await clipOf(kept(), camera, span)
    await noteView(camera, clip.from)
    sendClip(request, response, camera, clip)
  }
}

interface Span {
  readonly from: number
  readonly to: number
}

const nothingHere = () => new Refused('not_supported', 'nothing is recorded here')

/** One that has only begun lasts no time yet. */
const spanOfAll = ({ startAt, endAt }: Recording): Span => ({ from: startAt, to: Math.max(endAt, startAt + 1) })

function startOf(request: Request): number {
  const startAt = Number(request.params['recording'])
  if (!Number.isSafeInteger(startAt) || startAt < 0) throw noRecording()
  return startAt
}

function rowOf({ startAt, endAt, isOpen, bytes }: Recording, happened: readonly Moment[]): RecordingRow {
  const events = happened.map(({ kind, at }) => ({ kind, at }))
  return { id: startAt, from: startAt, to: endAt, isOpen, bytes, events }
}
