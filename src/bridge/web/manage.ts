/** What an owner does with cameras on the page: add, remove, share, ring. Other apps may look, but not do this. */
import { randomBytes, randomUUID } from 'node:crypto'
import express, { Router, type Request } from 'express'
import { BridgeError } from 'transom-core/errors'
import { cameraId, type AccountId, type Camera, type CameraNews, type Clock } from 'transom-core/ports'
import {
  guestLogin,
  guestRights,
  wantedCamera,
  type AddedCamera,
  type Guests,
  type Invitations,
  type Pressed,
} from 'transom-core/wire/api'
import type { CameraAccess, CameraWebhooks, NewCamera, Registration } from 'transom-core/wire/registration'
import type { CameraLogin, NewSource } from 'transom-core/wire/source'
import type { Sharing } from '../oauth/people/sharing.ts'
import type { CameraLists } from './rows.ts'
import type { People, Person } from './person.ts'
import { Refused } from './refusals.ts'
import { notNamed } from './sources.ts'
import { read } from './views.ts'

/** Addresses for buttons that can only call a URL; `roll` makes others, after which those of before do nothing. */
export interface WebhookAddresses {
  of(cameraId: string): Promise<CameraWebhooks>
  roll(cameraId: string): Promise<CameraWebhooks>
}

export interface ManageDeps {
  /** Who is signed in to the page. Throws when a token is of another app's. */
  readonly ownerOf: (request: Request) => Promise<Person>
  readonly own: CameraLists
  readonly people: People
  readonly sharing: Omit<Sharing, 'cameras' | 'received' | 'share' | 'unshare' | 'forget'>
  readonly receive: (camera: Camera, news: CameraNews) => Promise<void>
  /** Absent where only the operator makes cameras: on AWS, whose channels are the vendor's. */
  readonly registrations:
    | {
        add(camera: NewCamera, owner: AccountId): Promise<Registration>
        remove(id: string): Promise<void>
      }
    | undefined
  /** Absent where buttons cannot call the bridge by a URL alone: on AWS. */
  readonly webhooks: WebhookAddresses | undefined
  /** Where a gateway reads cameras at addresses. */
  readonly networkCameras:
    | { add(camera: NewCamera, owner: AccountId, source: WantedSource): Promise<CameraAccess> }
    | undefined
  /** Whether somebody may say at which addresses gateways read cameras. */
  readonly mayNameSource: (person: Person | undefined) => boolean
  readonly clock: Clock
}

/** More than any home has, and than Alexa takes of one customer (300); who has so many adds them by mistake. */
const mostCameras = 1_000

export function createManageRoutes(deps: ManageDeps): Router {
  const { ownerOf, own, sharing, receive, registrations, networkCameras, mayNameSource, webhooks, clock } = deps
  const router = Router()
  router.use('/cameras', express.json({ limit: '16kb', type: () => true }))

  router.post('/cameras', async (request, response) => {
    const owner = await ownerOf(request)
    const { accountId } = owner
    if (registrations === undefined) throw new Refused('not_supported', elsewhere)
    const { source, ...wanted } = read(wantedCamera, request.body)
    if (source !== undefined && (networkCameras === undefined || !mayNameSource(owner))) throw notNamed()
    if ((await own.list(accountId)).length >= mostCameras)
      throw new BridgeError('invalid_request', `an account has ${mostCameras} cameras at most`)
    const camera = { ...wanted, id: idFor(wanted.name) }
    const added =
      source === undefined || networkCameras === undefined
        ? registrations.add(camera, accountId)
        : networkCameras.add(camera, accountId, toWanted(source))
    response.status(201).json((await added) satisfies AddedCamera)
  })

  router.delete('/cameras/:id', async (request, response) => {
    const { accountId } = await ownerOf(request)
    const { id } = await owned(accountId, request)
    if (registrations === undefined) throw new Refused('not_supported', elsewhere)
    await registrations.remove(id)
    response.status(204).end()
  })

  router.post('/cameras/:id/ring', async (request, response) => {
    const { accountId } = await ownerOf(request)
    const camera = await owned(accountId, request)
    if (camera.kind !== 'doorbell') throw new BridgeError('invalid_request', `${camera.name} has no button`)
    const press = { kind: 'press', eventId: randomUUID(), at: clock() } as const
    await receive(camera, press)
    response.status(202).json({ eventId: press.eventId, at: press.at } satisfies Pressed)
  })

  router.get('/cameras/:id/webhooks', async (request, response) => {
    const { accountId } = await ownerOf(request)
    const { id } = await owned(accountId, request)
    response.json(await webhooksHere().of(id))
  })

  router.post('/cameras/:id/webhooks', async (request, response) => {
    const { accountId } = await ownerOf(request)
    const { id } = await owned(accountId, request)
    response.status(201).json(await webhooksHere().roll(id))
  })

  router.get('/cameras/:id/guests', async (request, response) => {
    const { accountId } = await ownerOf(request)
    response.json({ guests: await sharing.guests(accountId, request.params.id) } satisfies Guests)
  })

  // 204 for every login: who has one is nobody else's business.
  router.put('/cameras/:id/guests/:login', async (request, response) => {
    const owner = await ownerOf(request)
    const rights = read(guestRights, request.body)
    await sharing.invite(owner, request.params.id, read(guestLogin, request.params.login), rights)
    response.status(204).end()
  })

  router.delete('/cameras/:id/guests/:login', async (request, response) => {
    const owner = await ownerOf(request)
    await sharing.withdraw(owner, request.params.id, request.params.login)
    response.status(204).end()
  })

  router.get('/invitations', async (request, response) => {
    response.json({ invitations: await sharing.invitations(await ownerOf(request)) } satisfies Invitations)
  })

  router.post('/invitations/:id/accept', async (request, response) => {
    const isThere = await sharing.accept(await ownerOf(request), request.params.id)
    if (!isThere) throw noInvitation()
    response.status(204).end()
  })

  router.post('/invitations/:id/decline', async (request, response) => {
    const isThere = await sharing.decline(await ownerOf(request), request.params.id)
    if (!isThere) throw noInvitation()
    response.status(204).end()
  })

  // The guest leaves; the owner ends a share above.
  router.delete('/cameras/:id/share', async (request, response) => {
    const { accountId } = await ownerOf(request)
    if (!(await sharing.leave(accountId, request.params.id))) throw new BridgeError('camera_not_found')
    response.status(204).end()
  })

  return router

  function webhooksHere(): WebhookAddresses {
    if (webhooks === undefined) throw new Refused('not_supported', 'this bridge has no webhooks')
    return webhooks
  }

  /** A camera of somebody else, shared or not, does not exist here. */
  async function owned(accountId: AccountId, request: Request): Promise<Camera> {
    const camera = await own.find(accountId, cameraId(String(request.params['id'])))
    if (camera === undefined) throw new BridgeError('camera_not_found')
    return camera
  }
}

/** As `NetworkSource` in `operator/registration-ports.ts`. */
interface WantedSource {
  readonly source: string
  readonly login?: CameraLogin | undefined
  readonly onvif?: string | undefined
}
const toWanted = ({ address: source, user, password = '', onvif }: NewSource): WantedSource => ({
  source,
  onvif,
  login: user === undefined ? undefined : { user, password },
})

const noInvitation = () => new Refused('not_found', 'there is no such invitation to you')

const elsewhere = 'here cameras are registered by the operator: npx transom camera, see docs/aws.md'

/** From its name, as people would choose one; what is added is the same whoever else has a camera of that name. */
function idFor(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const short =
    plain
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 60)
      .replace(/^-+|-+$/g, '') || 'camera'
  return `${short}-${randomBytes(4).toString('hex')}`
}
