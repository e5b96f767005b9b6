/** The operator's API on a running bridge: cameras, and where it is mounted with it, people, clients, keys, links and shares. */
import { randomBytes } from 'node:crypto'
import express, { Router, type RequestHandler } from 'express'
import * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import { operatorOnly } from '../oauth/provider/endpoints.ts'
import { accountId, sessionId, type AccountId } from 'transom-core/ports'
import { operatorSessions, type Session, type Sessions } from 'transom-core/wire/api'
import {
  batchLimits,
  cameraBatch,
  cameraChangeRequest,
  cameraKeyRequest,
  cameraListQuery,
  registrationRequest,
  viewerKeyRequest,
  type CameraChange,
  type CameraOwner,
} from 'transom-core/wire/registration'
import { eventBatch, eventLimits } from 'transom-core/wire/operator-events'
import { enterCameras } from './camera-batch.ts'
import { createCameraLists } from './camera-lists.ts'
import type { CameraRecords } from './camera-records.ts'
import { receiveEvents, type EventDeps } from './event-batch.ts'
import type { Broker } from '../broker/broker.ts'
import { goneOf } from '../http.ts'
import { Refused } from '../web/refusals.ts'
import { createSessionRows } from '../web/records.ts'
import type { Linking } from '../assembly/linking.ts'
import type { NetworkCameras, Registrations, ViewerKeys, WebhookAddresses } from './registration-ports.ts'
import { faultsOf } from 'transom-core/wire/faults'

/** Where the bridge is and the token of this run: what `operator.json` in the data directory holds. */
export const operatorAccess = z.object({ url: z.url(), token: z.string().min(1) })
export type OperatorAccess = z.infer<typeof operatorAccess>

/** Makes the token of one run: 32 random bytes in base64url. */
export const operatorToken = (): string => randomBytes(32).toString('base64url')

/** Who may use the operator's API, and what it acts on. */
export interface OperatorDeps {
  /** Each of them opens everything. */
  readonly keys: readonly string[]
  /** The cameras' records, or where the signaling is ours, their channels and access keys with them. */
  readonly registrations: CameraRecords | Registrations
  /** Where a gateway runs with the bridge. */
  readonly networkCameras?: NetworkCameras
  /** Where buttons may call the bridge by a URL alone. */
  readonly webhooks?: WebhookAddresses
  /** Gateways on other machines. */
  readonly gateways?: RequestHandler
  /** Where the signaling is ours. */
  readonly viewerKeys?: ViewerKeys
  /** Receives what a cloud tells of the cameras. */
  readonly eventDoor?: EventDeps
  readonly broker: Pick<Broker, 'recent' | 'explain'>
  readonly linking: Pick<Linking, 'isServed'> & { readonly oauth: Pick<Linking['oauth'], 'users' | 'wrongKeys'> }
  /** Whose cameras are meant when nobody is named. */
  readonly defaultOwner?: string
  /** What was recorded, where something is. */
  readonly recordings?: RequestHandler
  /** People, clients, keys, links and shares; on AWS they are below `/oauth` only. */
  readonly admin?: RequestHandler
}

/** Each camera of a batch is read, and refused, by itself. */
const unreadBatch = cameraBatch.extend({ cameras: z.array(z.unknown()).min(1).max(batchLimits.cameras) })

const unreadEvents = eventBatch.extend({ events: z.array(z.unknown()).min(1).max(eventLimits.events) })

/** The routes, to be mounted where the access says. Refusals are thrown as `BridgeError` for the application's own handler. */
export function createOperatorRoutes(deps: OperatorDeps): Router {
  const { keys, registrations, broker, admin, gateways, recordings } = deps
  const rowOf = createSessionRows(async (guest) => (await deps.linking.oauth.users.findByAccount(guest))?.login)
  const list = createCameraLists({
    records: registrations,
    ownerOf: (named) => ownerOf(deps, named),
    ...(deps.linking.isServed && { people: deps.linking.oauth.users }),
  })
  const router = Router()
  router.use(operatorOnly(deps.linking.oauth.wrongKeys, ...keys))
  if (admin !== undefined) router.use('/admin', admin)
  router.post('/cameras\\:batch', express.json({ limit: batchLimits.bytes }), async (request, response) => {
    const { cameras, dryRun } = read(unreadBatch, request.body)
    response.json({
      results: await enterCameras(cameras, {
        records: registrations,
        ownerOf: (named) => ownerOf(deps, named),
        dryRun,
      }),
    })
  })
  const { eventDoor } = deps
  if (eventDoor !== undefined)
    router.post('/events', express.json({ limit: eventLimits.bytes }), async (request, response) => {
      const batch = read(unreadEvents, request.body)
      response.json({ results: await receiveEvents(eventDoor, batch.events) })
    })
  router.use(express.json({ limit: '16kb' }))
  if (gateways !== undefined) router.use(gateways)
  if (recordings !== undefined) router.use(recordings)
  router.get('/cameras', async (request, response) => {
    response.json(await list(read(cameraListQuery, request.query)))
  })
  router.post('/cameras', async (request, response) => {
    const { owner, account, channelName, source, onvif, gateway, ...camera } = read(registrationRequest, request.body)
    recordableHere(deps, camera)
    const accountId = await ownerOf(deps, { ...(owner && { owner }), ...(account && { account }) })
    const added =
      source === undefined
        ? registrations.add(camera, accountId, channelName)
        : networkHere(deps).add(camera, accountId, { source, onvif, gateway }, channelName)
    response.status(201).json(await added)
  })
  router.patch('/cameras/:id', async (request, response) => {
    const { source, onvif, gateway, ...change } = read(cameraChangeRequest, request.body)
    recordableHere(deps, change)
    if (source !== undefined) await networkHere(deps).change(request.params.id, { source, onvif, gateway })
    else if ((gateway ?? onvif) !== undefined)
      throw new BridgeError('invalid_request', 'gateway and onvif: give the address (source) with them')
    await registrations.change(request.params.id, change)
    response.status(204).end()
  })
  router.delete('/cameras/:id', async (request, response) => {
    await registrations.remove(request.params.id)
    response.status(204).end()
  })
  router.delete('/cameras/:id/certificates', async (request, response) => {
    await networkHere(deps).forgetCertificates(request.params.id)
    response.status(204).end()
  })
  router.post('/cameras/:id/try', async (request, response) => {
    response.json(await networkHere(deps).tryOut(request.params.id, goneOf(response)))
  })
  router.post('/cameras/:id/tone', async (request, response) => {
    response.json(await networkHere(deps).playTone(request.params.id, goneOf(response)))
  })
  router.post('/cameras/:id/keys', async (request, response) => {
    const { replace } = read(cameraKeyRequest, request.body ?? {})
    response.status(201).json(await registrations.issueKey(request.params.id, replace))
  })
  router.get('/sessions', async (request, response) => {
    const { limit, ...whose } = read(operatorSessions, request.query)
    const owner = await ownerOf(deps, whose)
    const views = await broker.recent(owner, { limit })
    response.json({ sessions: await Promise.all(views.map(rowOf)) } satisfies Sessions)
  })
  router.get('/sessions/:id', async (request, response) => {
    const view = await broker.explain(sessionId(request.params.id))
    if (view === undefined)
      throw new Refused('session_not_found', 'there is no such session, or it is older than 30 days')
    response.json({ ...(await rowOf(view)), timeline: view.timeline } satisfies Session)
  })
  router.get('/cameras/:id/webhooks', async (request, response) => {
    response.json(await webhooksHere(deps).of(request.params.id))
  })
  router.post('/cameras/:id/webhooks', async (request, response) => {
    response.status(201).json(await webhooksHere(deps).roll(request.params.id))
  })
  router.get('/keys', async (_request, response) => {
    response.json({ keys: await keysHere(deps).list() })
  })
  router.post('/keys', async (request, response) => {
    const { cameras, name } = read(viewerKeyRequest, request.body)
    response.status(201).json(await keysHere(deps).add(cameras, name))
  })
  router.delete('/keys/:accessKeyId', async (request, response) => {
    await keysHere(deps).remove(request.params.accessKeyId)
    response.status(204).end()
  })
  return router
}

function webhooksHere({ webhooks }: OperatorDeps): WebhookAddresses {
  if (webhooks === undefined) throw new BridgeError('invalid_request', 'this bridge has no webhooks')
  return webhooks
}

/** Nothing claims to be recorded that is not. */
function recordableHere({ recordings }: OperatorDeps, { record }: CameraChange): void {
  if (typeof record === 'string' && recordings === undefined)
    throw new BridgeError('invalid_request', 'record: nothing is recorded here')
}

function networkHere({ networkCameras }: OperatorDeps): NetworkCameras {
  if (networkCameras === undefined)
    throw new BridgeError(
      'invalid_request',
      'no gateway runs here that could read a source: register the camera without it',
    )
  return networkCameras
}

function keysHere({ viewerKeys }: OperatorDeps): ViewerKeys {
  if (viewerKeys === undefined) throw new BridgeError('invalid_request', 'access keys here are those of IAM')
  return viewerKeys
}

/** Accounts of another authorization server are known by their ids only, and whether they exist is not known at all. */
async function ownerOf({ linking, defaultOwner }: OperatorDeps, named: CameraOwner): Promise<AccountId> {
  const { users } = linking.oauth
  const { account } = named
  const login = named.owner ?? (account === undefined ? defaultOwner : undefined)
  if ((login === undefined) === (account === undefined)) {
    throw new BridgeError('invalid_request', 'whose cameras: owner (a login) or account (an account id)?')
  }
  if (account !== undefined) {
    if (linking.isServed && (await users.findByAccount(account)) === undefined) {
      throw new BridgeError('invalid_request', `there is no account ${account}`)
    }
    return accountId(account)
  }
  const user = await users.find(login ?? '')
  if (user !== undefined) return user.accountId
  const instead = linking.isServed ? '' : '; accounts are those of another server: name the account id'
  throw new BridgeError('invalid_request', `nobody has the login ${login}${instead}`)
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new BridgeError('invalid_request', faultsOf(parsed.error))
  return parsed.data
}
