/** Live views: the page, and a vendor's own app, are displays like an assistant's, with the same sessions and deadlines. */
import { randomBytes } from 'node:crypto'
import express, { Router, type Request } from 'express'
import type * as z from 'zod'
import type { Broker } from '../broker/broker.ts'
import { BridgeError, toBridgeError } from 'transom-core/errors'
import {
  cameraId,
  type AccountId,
  type Camera,
  type Clock,
  type Grant,
  type IceServer,
  type Log,
} from 'transom-core/ports'
import type { CameraLists } from './rows.ts'
import { viewEnd, viewOffer, viewReference, type View, type ViewAnswer } from 'transom-core/wire/api'
import { faultsOf } from 'transom-core/wire/faults'

export interface ViewDeps {
  readonly grantOf: (request: Request) => Promise<Grant>
  readonly visible: Pick<CameraLists, 'find'>
  readonly broker: Pick<Broker, 'warm' | 'iceServers' | 'negotiate' | 'connected' | 'end' | 'idOf'>
  /** From offer to answer. */
  readonly budgetMs: number
  readonly clock: Clock
  readonly log: Log
}

/** A full offer has about ten thousand characters; as JSON it may double. */
const offerLimit = '128kb'

export function createViewRoutes({ grantOf, visible, broker, budgetMs, clock, log }: ViewDeps): Router {
  const router = Router()
  // Whatever it says it is: nothing but JSON is meant.
  router.use('/views', express.json({ limit: offerLimit, type: () => true }))

  // The offer comes in a moment: all that it needs, down to the open line to the camera, should be there by then.
  router.post('/cameras/:id/views', async (request, response) => {
    const { accountId } = await grantOf(request)
    const camera = await seen(accountId, request.params.id)
    const name = randomBytes(16).toString('base64url')
    broker.warm(camera, { assistant: 'console', accountId, reference: name })
    const iceServers = await iceServersOrNone(camera)
    response.status(201).json({ reference: name, iceServers, answerWithinMs: budgetMs } satisfies View)
  })

  router.post('/views/:reference/offer', async (request, response) => {
    const receivedAt = clock()
    const ref = await refOf(request)
    const { cameraId: id, sdp } = read(viewOffer, request.body)
    const camera = await seen(ref.accountId, id)
    // A browser in the camera's own network resolves its name (mDNS); elsewhere the candidate is of no use, and no harm.
    const rules = { ipv4Only: false, tcpCandidates: true, localNames: true, talkBack: true }
    const answer = await broker.negotiate({
      ...ref,
      camera,
      offer: sdp,
      receivedAt,
      answerBy: receivedAt + budgetMs,
      rules,
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
