/** What an owner does with network cameras on the page: finds, probes, tries and edits them. A gateway does the work. */
import express, { Router, type Request, type Response } from 'express'
import { BridgeError } from 'transom-core/errors'
import { cameraId, type AccountId, type Camera } from 'transom-core/ports'
import { editedCamera, type EditedCamera } from 'transom-core/wire/api'
import {
  seenCertificate,
  sourceAddress,
  type CameraSource,
  type FoundCameras,
  type PlayedTone,
  type Restreams,
  type SeenCertificate,
  type SourceAddress,
  type SourceChange,
  type SourceProbe,
  type TriedSource,
} from 'transom-core/wire/source'
import { goneOf } from '../http.ts'
import type { Person } from './person.ts'
import { Refused } from './refusals.ts'
import type { CameraLists } from './rows.ts'
import { read } from './views.ts'

/** What the page asks of whoever has gateways: as `NetworkCameras` in `operator/registration-ports.ts` says. */
export interface SourceWork {
  edit(id: string, change: SourceChange): Promise<void>
  sourceOf(id: string): Promise<CameraSource | undefined>
  trustCertificate(id: string, seen: SeenCertificate): Promise<void>
  discover(signal: AbortSignal): Promise<FoundCameras>
  restreams(given: SourceAddress, signal: AbortSignal): Promise<Restreams>
  probe(given: SourceAddress, signal: AbortSignal): Promise<SourceProbe>
  tryOut(id: string, signal: AbortSignal): Promise<TriedSource>
  playTone(id: string, signal: AbortSignal): Promise<PlayedTone>
}

export interface SourceDeps {
  /** Who is signed in to the page. Throws when a token is of another app's. */
  readonly ownerOf: (request: Request) => Promise<Person>
  /** Whether somebody may say at which addresses gateways read cameras. */
  readonly mayNameSource: (person: Person | undefined) => boolean
  readonly own: CameraLists
  readonly registrations: { change(id: string, change: Omit<EditedCamera, 'source'>): Promise<void> } | undefined
  /** Absent where no gateway runs with the bridge: on AWS. */
  readonly networkCameras: SourceWork | undefined
}

export const notNamed = () =>
  new Refused('forbidden', 'on this bridge only the operator says at which addresses cameras are read')

export function createSourceRoutes(deps: SourceDeps): Router {
  const { ownerOf, mayNameSource, own, registrations, networkCameras } = deps
  /** Whoever has a camera looked at now: one at a time, for it costs connections and a processor. */
  const looking = new Set<AccountId>()
  const router = Router()
  router.use(['/sources', '/cameras'], express.json({ limit: '16kb', type: () => true }))

  router.post('/sources/discover', async (request, response) => {
    const { accountId } = await namer(request)
    response.json(await looked(accountId, response, (signal) => here().discover(signal)))
  })
  router.post('/sources/restreams', async (request, response) => {
    const { accountId } = await namer(request)
    const given = read(sourceAddress, request.body)
    response.json(await looked(accountId, response, (signal) => here().restreams(given, signal)))
  })
  router.post('/sources/probe', async (request, response) => {
    const { accountId } = await namer(request)
    const given = read(sourceAddress, request.body)
    response.json(await looked(accountId, response, (signal) => here().probe(given, signal)))
  })

  router.patch('/cameras/:id', async (request, response) => {
    const { accountId } = await ownerOf(request)
    const { source, ...change } = read(editedCamera, request.body)
    const { id } = await owned(accountId, request)
    if (registrations === undefined) throw new Refused('not_supported', 'here cameras are changed by the operator')
    if (source !== undefined) {
      await namer(request)
      await here().edit(id, source)
    }
    if (Object.keys(change).length > 0) await registrations.change(id, change)
    response.status(204).end()
  })
  router.get('/cameras/:id/source', async (request, response) => {
    const { accountId } = await ownerOf(request)
    const { id } = await owned(accountId, request)
    const source = await networkCameras?.sourceOf(id)
    if (source === undefined) throw new Refused('not_found', 'this camera connects by itself')
    response.json(source satisfies CameraSource)
  })
  router.put('/cameras/:id/certificate', async (request, response) => {
    const { accountId } = await namer(request)
    const { id } = await owned(accountId, request)
    await here().trustCertificate(id, read(seenCertificate, request.body))
    response.status(204).end()
  })
  router.post('/cameras/:id/try', async (request, response) => {
    const { accountId } = await ownerOf(request)
    const { id } = await owned(accountId, request)
    response.json(await looked(accountId, response, (signal) => here().tryOut(id, signal)))
  })
  router.post('/cameras/:id/tone', async (request, response) => {
    const { accountId } = await ownerOf(request)
    const { id } = await owned(accountId, request)
    response.json(await looked(accountId, response, (signal) => here().playTone(id, signal)))
  })
  return router

  function here(): SourceWork {
    if (networkCameras === undefined) throw new Refused('not_supported', 'no gateway runs with this bridge')
    return networkCameras
  }

  /** Before a word of the request is read: to everybody else all addresses are alike. */
  async function namer(request: Request): Promise<Person> {
    const person = await ownerOf(request)
    here()
    if (mayNameSource(person)) return person
    throw notNamed()
  }

  /** A camera of somebody else, shared or not, does not exist here. */
  async function owned(accountId: AccountId, request: Request): Promise<Camera> {
    const camera = await own.find(accountId, cameraId(String(request.params['id'])))
    if (camera === undefined) throw new BridgeError('camera_not_found')
    return camera
  }

  /** Ends with the request of whoever asked. */
  async function looked<T>(
    accountId: AccountId,
    response: Response,
    look: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (looking.has(accountId))
      throw new BridgeError(
        'rate_limited',
        'another camera is being looked at for this account: wait until that is over',
      )
    looking.add(accountId)
    try {
      return await look(goneOf(response))
    } finally {
      looking.delete(accountId)
    }
  }
}
