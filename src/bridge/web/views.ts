/**
 * Views, live or of what was recorded: the page, and a vendor's own app, are displays like an assistant's, with the same sessions
 * and deadlines.
 */
import { randomBytes } from 'node:crypto'
import express, { Router, type Request } from 'express'
import type * as z from 'zod'
import type { Broker } from '../broker/broker.ts'
import { BridgeError, toBridgeError } from 'transom-core/errors'
import {
  cameraId,
  type AccountId,
  type Camera,
  type ChannelRef,
  type Clock,
  type Grant,
  type IceServer,
  type Log,
  type Recordings,
} from 'transom-core/ports'
import type { CameraLists } from './rows.ts'
import {
  viewEnd,
  viewOffer,
  viewReference,
  wantedView,
  type View,
  type ViewAnswer,
  type WantedView,
} from 'transom-core/wire/api'
import { faultsOf } from 'transom-core/wire/faults'
import { mayViewRecordings } from '../authority.ts'
import { noRecording } from './clip-file.ts'
import { Refused } from './refusals.ts'

export interface ViewDeps {
  readonly grantOf: (request: Request) => Promise<Grant>
  readonly visible: Pick<CameraLists, 'find'>
  readonly broker: Pick<Broker, 'warm' | 'iceServers' | 'isOnline' | 'negotiate' | 'connected' | 'end' | 'idOf'>
  /** The channel on which a gateway plays recordings; absent where none does. */
  readonly playback: ChannelRef | undefined
  readonly recordings: Pick<Recordings, 'list'> | undefined
  /** A guest is about to see a recording, which begins at `at`, or pictures: for the owner's history. */
  readonly noteGuestView: (camera: Camera, at?: number) => Promise<void>
  /** From offer to answer. */
  readonly budgetMs: number
  readonly clock: Clock
  readonly log: Log
}

/** A full offer has about ten thousand characters; as JSON it may double. */
const offerLimit = '128kb'

export function createViewRoutes(deps: ViewDeps): Router {
  const { grantOf, visible, broker, playback, recordings, noteGuestView, budgetMs, clock, log } = deps
  const router = Router()
  // Whatever it says it is: nothing but JSON is meant.
  const readJson = express.json({ limit: offerLimit, type: () => true })
  router.use('/views', readJson)

  // The offer comes in a moment: all that it needs, down to the open line to the camera, should be there by then.
  router.post('/cameras/:id/views', readJson, async (request, response) => {
    const { accountId } = await grantOf(request)
    const { recording } = read(wantedView, request.body ?? {})
    const camera = await shown(await seen(accountId, request.params['id']), recording)
    if (recording) {
      const [first] = (await recordings?.list(camera.id, { to: Infinity, ...recording, limit: 1 })) ?? []
      if (first === undefined) throw noRecording()
      if (camera.sharedBy !== undefined) await noteGuestView(camera, Math.max(first.startAt, recording.from))
    }
    const name = randomBytes(16).toString('base64url')
    broker.warm(camera, { assistant: 'console', accountId, reference: name })
    const iceServers = await iceServersOrNone(camera)
    response.status(201).json({ reference: name, iceServers, answerWithinMs: budgetMs } satisfies View)
  })

  router.post('/views/:reference/offer', async (request, response) => {
    const receivedAt = clock()
    const ref = await refOf(request)
    const { cameraId: id, sdp, recording } = read(viewOffer, request.body)
    const camera = await shown(await seen(ref.accountId, id), recording)
    // A browser in the camera's own network resolves its name (mDNS); elsewhere the candidate is of no use, and no harm.
    const rules = { ipv4Only: false, tcpCandidates: true, localNames: true, talkBack: true }
    const answer = await broker.negotiate({
      ...ref,
      camera,
      offer: sdp,
      receivedAt,
      answerBy: receivedAt + budgetMs,
      rules,
      ...(recording && { recording }),
    })
    response.json({ sessionId: broker.idOf(ref), sdp: answer } satisfies ViewAnswer)
  })

  router.post('/views/:reference/connected', async (request, response) => {
    await broker.connected(await refOf(request))
    response.status(204).end()
  })

  router.post('/views/:reference/end', async (request, response) => {
    const { reason } = read(viewEnd, request.body ?? {})
    await broker.end(await refOf(request), reason)
    response.status(204).end()
  })

  return router

  async function seen(accountId: AccountId, id: string): Promise<Camera> {
    const camera = await visible.find(accountId, cameraId(id))
    if (camera === undefined) throw new BridgeError('camera_not_found')
    return camera
  }

  /** The camera as the broker is to ask for it: what was recorded of it is played on a channel of its own, online or not. */
  async function shown(camera: Camera, recording: WantedView['recording']): Promise<Camera> {
    if (recording === undefined) return camera
    if (playback === undefined) throw new Refused('not_supported', 'recordings are not played here')
    if (!mayViewRecordings(camera))
      throw new Refused('forbidden', 'the owner of this camera does not share its recordings with you')
    const played = { ...camera, channel: playback }
    if (broker.isOnline(played) === false)
      throw new BridgeError('source_gateway', 'the gateway plays no recordings now')
    return played
  }

  /** The name is the account's own: the same one of somebody else is another session. */
  async function refOf(request: Request) {
    const { accountId } = await grantOf(request)
    return { assistant: 'console', accountId, reference: read(viewReference, request.params['reference']) } as const
  }

  /** A view without TURN beats no view; the offer will find out the rest. */
  async function iceServersOrNone(camera: Camera): Promise<readonly IceServer[]> {
    try {
      return await broker.iceServers(camera, clock() + budgetMs)
    } catch (thrown) {
      const { code, message } = toBridgeError(thrown)
      log('warn', 'web.no-ice-servers', { cameraId: camera.id, code, error: message })
      return []
    }
  }
}

export function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new BridgeError('invalid_request', faultsOf(parsed.error))
  return parsed.data
}
