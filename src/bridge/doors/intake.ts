/** The cameras' own routes: what they say, and the still pictures they leave. */
import express, { Router, type Request } from 'express'
import { createRates, type Rate } from 'transom-core/admission'
import { BridgeError, toBridgeError } from 'transom-core/errors'
import { bearerToken, parseJson, readText, textOf } from '../http.ts'
import { cameraId, type Camera, type Clock } from 'transom-core/ports'
import { anyOrigin } from '../web/api.ts'
import { cameraEvent } from 'transom-core/wire/camera-event'
import type { OAuth } from '../oauth/server.ts'
import type { Bridge } from '../assembly/bridge.ts'
import { receiveEvent, type ReceivesEvents } from '../assembly/camera-events.ts'
import { signatureField, timestampField, type Signatures } from '../signature.ts'
import { snapshotLimit } from '../cameras/snapshots.ts'
import { faultsOf } from 'transom-core/wire/faults'

const eventLimit = 16 * 1024
/** For a camera with ten viewers, each of whom it reports every second. */
const eventRate: Rate = { perSecond: 20, burst: 100 }
const pictureRate: Rate = { perSecond: 0.5, burst: 10 }

/** As much of a bridge as the cameras' routes need. */
export interface IntakeDeps extends Pick<Bridge, 'cameras' | 'snapshots'>, ReceivesEvents {
  readonly events: Bridge['events']
  readonly shares: Pick<Bridge['shares'], 'visible'>
  readonly linking: Pick<Bridge['linking'], 'authority'> & { readonly oauth: Pick<OAuth, 'wrongKeys'> }
}

/**
 * Makes the routes `POST /cameras/:id/events` and `PUT` and `GET /cameras/:id/snapshot`. Refusals are thrown as
 * `BridgeError` for the application's own handler.
 */
export function createIntake(bridge: IntakeDeps, signatures: Signatures, clock: Clock): Router {
  const router = Router()
  const rates = createRates(clock)

  router.post('/cameras/:id/events', readText(eventLimit), async (request, response) => {
    const body = textOf(request)
    const reply = await withCamera(request, body, async (camera, signedAt) => {
      const parsed = cameraEvent.safeParse(parseJson(body))
      if (!parsed.success) throw new BridgeError('invalid_request', faultsOf(parsed.error))
      limit(`events of ${camera.id}`, eventRate)
      return receiveEvent(bridge, camera, parsed.data, signedAt)
    })
    response.status(202).json(reply)
  })

  router.put(
    '/cameras/:id/snapshot',
    express.raw({ limit: snapshotLimit, type: () => true }),
    async (request, response) => {
      const camera = await byKey(request)
      limit(`pictures of ${camera.id}`, pictureRate)
      const at = await bridge.snapshots.put(camera, Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0))
      await bridge.events.pictured(camera, at)
      response.status(202).json({})
    },
  )

  // A vendor's app shows it in a page of another origin.
  router.use('/cameras/:id/snapshot', anyOrigin)
  // Alexa comes with the access token of the account, and follows no redirect (alexa-smartvision-snapshotprovider.html).
  router.get('/cameras/:id/snapshot', async (request, response) => {
    const { accountId } = await bridge.linking.authority.authorize('picture', bearerToken(request.headers))
    const camera = await bridge.shares.visible.find(accountId, cameraId(request.params.id))
    const found = camera && (await bridge.snapshots.get(camera))
    if (found === undefined) throw new BridgeError('camera_not_found', 'no picture of such a camera')
    response.set('cache-control', 'private, no-store').type(found.type).send(found.picture)
  })

  return router

  function limit(name: string, rate: Rate): void {
    if (!rates.tryTake(name, rate)) throw new BridgeError('rate_limited', 'too often', { retryAfterMs: 1_000 })
  }

  /** With `X-Transom-Signature` the body is signed with the camera's key; else the key itself comes along. */
  async function withCamera<T>(
    request: Request,
    body: string,
    work: (camera: Camera, signedAt?: number) => Promise<T>,
  ): Promise<T> {
    const signature = request.get(signatureField)
    if (signature === undefined) return work(await byKey(request))
    const signer = await bridge.cameras.signer(String(request.params.id))
    if (signer === undefined) return refuse(request, 'the signature is not right')
    const signed = { signature, timestamp: request.get(timestampField) ?? '', body }
    try {
      await signatures.check(signer.signingKey, signed)
    } catch (thrown) {
      const { code, message } = toBridgeError(thrown)
      if (code === 'unauthorized') return refuse(request, message)
      throw thrown
    }
    try {
      return await work(signer.camera, Number(signed.timestamp) * 1000)
    } catch (thrown) {
      await signatures.forget(signed)
      throw thrown
    }
  }

  async function byKey(request: Request): Promise<Camera> {
    const camera = await bridge.cameras.byKey(String(request.params.id), bearerToken(request.headers) ?? '')
    return camera ?? refuse(request, 'the camera key is not valid for this camera')
  }

  async function refuse(request: Request, why: string): Promise<never> {
    await bridge.linking.oauth.wrongKeys.refuse(request, {
      door: 'camera',
      cameraId: String(request.params.id).slice(0, 256),
    })
    throw new BridgeError('unauthorized', why)
  }
}
