/** What gateways ask of the bridge, each with its own key and of its own cameras; and the operator's words about gateways. */
import express, { Router, type Request } from 'express'
import type * as z from 'zod'
import type { WrongKeys } from 'transom-core/admission'
import { BridgeError } from 'transom-core/errors'
import type { Camera, Recordings } from 'transom-core/ports'
import { cameraEvent } from 'transom-core/wire/camera-event'
import { faultsOf } from 'transom-core/wire/faults'
import { fragmentQuery, taskResult } from 'transom-core/wire/gateway'
import { seenCertificate } from 'transom-core/wire/source'
import { gatewayRequest } from 'transom-core/wire/registration'
import { bearerToken } from 'transom-bridge/http'
import { snapshotLimit } from 'transom-bridge/cameras/snapshots'
import type { GatewayKeys } from './gateway-keys.ts'
import type { Gateways } from './gateways.ts'
import { createPlaybackRoutes, type PlaybackDeps } from './playback-routes.ts'
import { homeGateway } from './sources.ts'

export interface GatewayRoutesDeps {
  readonly gateways: Gateways
  readonly keys: GatewayKeys
  readonly wrongKeys: WrongKeys
  readonly leaveStill: (camera: Camera, picture: Buffer) => Promise<void>
  readonly recordings: Recordings
  /** Of the player of recordings, where the gateway at home is one. */
  readonly playback?: Omit<PlaybackDeps, 'recordings'>
}

/** Of a fragment: more than a camera of 20 Mbit/s sends between two key frames. */
const fragmentLimit = 32 * 1_024 * 1_024

/** To be mounted at `/gateway`. Refusals are thrown as `BridgeError` for the application's own handler. */
export function createGatewayRoutes(deps: GatewayRoutesDeps): Router {
  const { gateways, keys, wrongKeys, leaveStill, recordings, playback } = deps
  const router = Router()
  // Before a body is read: those of strangers, 32 MiB each, would fill the memory.
  router.use(async (request, _response, next) => {
    await nameOf(request)
    next()
  })

  router.get('/cameras', async (request, response) => {
    gateways.connect(await nameOf(request), response)
  })
  router.post('/cameras/:id/events', express.json({ limit: '16kb' }), async (request, response) => {
    const camera = await cameraOf(request, request.params.id)
    const isOver = await gateways.receive(camera, read(cameraEvent, request.body))
    response.status(202).json(isOver ? { ended: true } : {})
  })
  router.put(
    '/cameras/:id/snapshot',
    express.raw({ limit: snapshotLimit, type: () => true }),
    async (request, response) => {
      const camera = await cameraOf(request, request.params['id'])
      await leaveStill(camera, Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0))
      response.status(202).json({})
    },
  )
  router.put(
    '/cameras/:id/recordings/:startAt/fragments/:number',
    express.raw({ limit: fragmentLimit, type: () => true }),
    async (request, response) => {
      const { id } = await cameraOf(request, request.params['id'])
      const [startAt, number] = [wholeNumber(request.params['startAt']), wholeNumber(request.params['number'])]
      const { codecs = '', ...time } = read(fragmentQuery, request.query)
      const data = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      if (number === 0) await recordings.begin(id, startAt, codecs, data)
      else await recordings.append(id, startAt, { number, ...time, data })
      response.status(204).end()
    },
  )
  router.put(
    '/cameras/:id/recordings/:startAt/picture',
    express.raw({ limit: snapshotLimit, type: () => true }),
    async (request, response) => {
      const { id } = await cameraOf(request, request.params['id'])
      const recording = await recordings.find(id, wholeNumber(request.params['startAt']))
      if (recording === undefined) throw new BridgeError('invalid_request', 'there is no such recording')
      await recordings.putPicture(recording, Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0))
      response.status(204).end()
    },
  )
  router.post('/cameras/:id/recordings/:startAt/end', async (request, response) => {
    const { id } = await cameraOf(request, request.params.id)
    await recordings.end(id, wholeNumber(request.params.startAt))
    response.status(204).end()
  })
  router.post('/cameras/:id/certificates', express.json({ limit: '1kb' }), async (request, response) => {
    const camera = await cameraOf(request, request.params.id)
    if (await gateways.seen(camera.id, read(seenCertificate, request.body))) return void response.status(204).end()
    throw new BridgeError('invalid_request', 'another certificate was the first one there')
  })
  router.post('/tasks/:id', express.json({ limit: '1mb' }), async (request, response) => {
    const name = await nameOf(request)
    gateways.tasks.done(name, request.params.id, read(taskResult, request.body))
    response.status(204).end()
  })
  if (playback) router.use('/playback', createPlaybackRoutes({ ...playback, recordings }, admitHome))
  return router

  async function admitHome(request: Request): Promise<void> {
    if ((await nameOf(request)) !== homeGateway)
      throw new BridgeError('unauthorized', 'only the gateway of the bridge plays recordings')
  }

  async function nameOf(request: Request): Promise<string> {
    const name = await keys.nameOf(bearerToken(request.headers) ?? '')
    if (name !== undefined) return name
    await wrongKeys.refuse(request, { door: 'gateway' })
    throw new BridgeError('unauthorized', 'this is not the key of a gateway')
  }

  async function cameraOf(request: Request, id: string): Promise<Camera> {
    const camera = await gateways.cameraOf(await nameOf(request), id)
    if (camera === undefined) throw new BridgeError('camera_not_found', 'this gateway reads no such camera')
    return camera
  }
}

/** To be mounted at `/operator`: gateways on other machines are added, listed and removed. */
export function createGatewayAdmin(deps: {
  readonly gateways: Pick<Gateways, 'isConnected' | 'removed'>
  readonly keys: GatewayKeys
}): Router {
  const { gateways, keys } = deps
  const router = Router()
  router.get('/gateways', async (_request, response) => {
    const found = await keys.list()
    response.json({ gateways: found.map((one) => ({ ...one, isConnected: gateways.isConnected(one.name) })) })
  })
  router.post('/gateways', async (request, response) => {
    const { name } = read(gatewayRequest, request.body)
    response.status(201).json({ name, key: await keys.add(name) })
  })
  router.delete('/gateways/:name', async (request, response) => {
    const { name } = request.params
    if (!(await keys.remove(name))) throw new BridgeError('camera_not_found', `there is no gateway ${name}`)
    await gateways.removed(name)
    response.status(204).end()
  })
  return router
}

function wholeNumber(text: string | undefined): number {
  const value = Number(text)
  if (!/^\d{1,15}$/.test(text ?? '')) throw new BridgeError('invalid_request', `${text} is no whole number`)
  return value
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new BridgeError('invalid_request', faultsOf(parsed.error))
  return parsed.data
}
