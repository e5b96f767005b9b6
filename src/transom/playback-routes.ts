/** What the gateway at home asks for when it plays recordings: what a viewer may see, and fragment after fragment of that. */
import express, { Router, type Request } from 'express'
import type * as z from 'zod'
import { mayViewRecordings } from 'transom-bridge/authority'
import type { Broker, ViewedRecording } from 'transom-bridge/broker/broker'
import { BridgeError } from 'transom-core/errors'
import type { AccountId, Camera, CameraId, Log, ReadFragment, Recording, Recordings } from 'transom-core/ports'
import { cameraEvent, type CameraEvent } from 'transom-core/wire/camera-event'
import { faultsOf } from 'transom-core/wire/faults'
import { fragmentHeaders, type RecordedSpan } from 'transom-core/wire/playback'

export interface PlaybackDeps {
  readonly broker: Pick<Broker, 'recordingOf'>
  /** The camera as an account sees it: asked with each request, since a share may end meanwhile. */
  readonly seenBy: (accountId: AccountId, cameraId: CameraId) => Promise<Camera | undefined>
  readonly recordings: Pick<Recordings, 'list' | 'fragments' | 'fragment'>
  /** How a viewer fares; true ends it. */
  readonly onEvent: (camera: Camera, event: CameraEvent) => Promise<boolean>
  readonly log: Log
}

/** To be mounted below `/gateway`, `…/:viewerId`. `admit` throws for whoever is not the gateway at home. */
export function createPlaybackRoutes(deps: PlaybackDeps, admit: (request: Request) => Promise<void>): Router {
  const { broker, seenBy, onEvent } = deps
  const router = Router()
  router.use(async (request, _response, next) => {
    await admit(request)
    next()
  })

  router.get('/:viewerId', async (request, response) => {
    const { recording } = await viewed(request.params.viewerId)
    response.json(recording satisfies RecordedSpan)
  })

  router.get('/:viewerId/fragment', async (request, response) => {
    const { camera, recording } = await viewed(request.params.viewerId)
    const at = Number(request.query['at'])
    if (!Number.isSafeInteger(at)) throw new BridgeError('invalid_request', 'at is no instant')
    const found = await fragmentFrom(deps, camera.id, at, recording.to ?? Infinity)
    if (found === undefined) return void response.status(204).end()
    response.set({
      [fragmentHeaders.recording]: `${found.startAt}`,
      [fragmentHeaders.until]: `${Math.round(found.until)}`,
    })
    response.type('video/mp4').send(Buffer.concat([found.init, found.data]))
  })

  router.post('/:viewerId/events', express.json({ limit: '16kb' }), async (request, response) => {
    const view = await viewed(request.params['viewerId'], 'also without the right to it')
    const event = read(cameraEvent, request.body)
    if (event.kind !== 'viewer') throw new BridgeError('invalid_request', 'a recording reports its viewers only')
    response.status(202).json((await onEvent(view.camera, event)) ? { ended: true } : {})
  })
  return router

  async function viewed(
    viewerId = '',
    how?: 'also without the right to it',
  ): Promise<ViewedRecording & { readonly camera: Camera }> {
    const view = await broker.recordingOf(viewerId)
    const camera = view && (await seenBy(view.accountId, view.cameraId))
    if (view === undefined || camera === undefined) throw new BridgeError('camera_not_found', 'there is no such viewer')
    if (how === undefined && !mayViewRecordings(camera))
      throw new BridgeError('camera_not_found', 'the recordings are no longer shared')
    return { ...view, camera }
  }
}

interface FoundFragment {
  readonly startAt: number
  readonly until: number
  readonly init: Buffer
  readonly data: Buffer
}

/** That with the picture of the instant `from`, or else the next one that can be read and begins before `to`. */
async function fragmentFrom(
  { recordings, log }: Pick<PlaybackDeps, 'recordings' | 'log'>,
  cameraId: CameraId,
  from: number,
  to: number,
): Promise<FoundFragment | undefined> {
  for (let at = from, last: Recording | undefined; ;) {
    const [recording] = await recordings.list(cameraId, {
      from: at,
      to,
      limit: 1,
      ...(last && { after: last.startAt }),
    })
    if (recording === undefined) return undefined
    last = recording
    at = Math.max(at, recording.startAt)
    const init = await recordings.fragment(recording, 0)
    const kept = await recordings.fragments(recording)
    for (const one of kept) {
      if (one.at + one.durationMs <= at || one.at >= to) continue
      const fragment = await recordings.fragment(recording, one.number)
      if (isWhole(init) && isWhole(fragment)) {
        const until = one.at + one.durationMs
        return { startAt: recording.startAt, until, init: init.data, data: fragment.data }
      }
      log('error', 'recordings.damaged', { cameraId, startAt: recording.startAt, failed: 1 })
    }
  }
}

const isWhole = (fragment: ReadFragment | undefined): fragment is Extract<ReadFragment, { readonly kind: 'whole' }> =>
  fragment?.kind === 'whole'

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new BridgeError('invalid_request', faultsOf(parsed.error))
  return parsed.data
}
