/** What an owner does with cameras on the page: add, remove, share, ring. Other apps may look, but not do this. */
import { randomBytes, randomUUID } from 'node:crypto'
import express, { Router, type Request } from 'express'
import { z } from 'zod'
import { BridgeError } from '../errors.ts'
import { cameraId, type AccountId, type Camera, type CameraNews, type Clock } from '../ports.ts'
import { newCamera, type NewCamera, type Registration } from '../wire/registration.ts'
import type { CameraLists } from './rows.ts'
import { Refused } from './refusals.ts'
import { read } from './views.ts'

export interface Person {
  readonly accountId: AccountId
  readonly login: string
  readonly name: string
  readonly tenant?: string
}

export interface People {
  find(login: string, tenant?: string): Promise<Person | undefined>
  findByAccount(id: string): Promise<Person | undefined>
}

export interface ManageDeps {
  /** Who is signed in to the page. Throws when a token is of another app's. */
  readonly ownerOf: (request: Request) => Promise<Person>
  readonly own: CameraLists
  readonly people: People
  readonly guests: (
    owner: AccountId,
    camera: Camera['id'],
  ) => Promise<readonly { readonly accountId: AccountId; readonly mayTalk: boolean }[]>
  readonly sharing: {
    share(owner: AccountId, cameraId: string, guest: AccountId, mayTalk: boolean): Promise<void>
    unshare(owner: AccountId, cameraId: string, guest: AccountId): Promise<void>
  }
  readonly receive: (camera: Camera, news: CameraNews) => Promise<void>
  /** Absent where only the operator makes cameras: on AWS, whose channels are the vendor's. */
  readonly registrations:
    | {
        add(camera: NewCamera, owner: AccountId): Promise<Registration>
        remove(id: string): Promise<void>
        isTaken(id: string): Promise<boolean>
      }
    | undefined
  readonly clock: Clock
}

/** More than any home has, and than Alexa takes of one customer (300); who has so many adds them by mistake. */
const mostCameras = 1_000

const wantedCamera = newCamera.extend({ id: newCamera.shape.id.optional() })
const guestRights = z.object({ mayTalk: z.boolean() })

export function createManageRoutes(deps: ManageDeps): Router {
  const { ownerOf, own, people, guests, sharing, receive, registrations, clock } = deps
  const router = Router()
  router.use('/cameras', express.json({ limit: '16kb', type: () => true }))

  router.post('/cameras', async (request, response) => {
    const { accountId } = await ownerOf(request)
    if (registrations === undefined) throw new Refused('not_supported', elsewhere)
    const { id, ...wanted } = read(wantedCamera, request.body)
    if ((await own.list(accountId)).length >= mostCameras)
      throw new BridgeError('invalid_request', `an account has ${mostCameras} cameras at most`)
    const camera = { ...wanted, id: id ?? (await idFor(wanted.name, registrations)) }
    response.status(201).json(await registrations.add(camera, accountId))
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
    response.status(202).json({ eventId: press.eventId, at: press.at })
  })

  router.get('/cameras/:id/guests', async (request, response) => {
    const { accountId } = await ownerOf(request)
    const { id } = await owned(accountId, request)
    const found = await guests(accountId, id)
    const described = await Promise.all(
      found.map(async ({ accountId: guest, mayTalk }) => {
        const person = await people.findByAccount(guest)
        return person && { login: person.login, name: person.name, mayTalk }
      }),
    )
    response.json({ guests: described.filter((guest) => guest !== undefined) })
  })

  router.put('/cameras/:id/guests/:login', async (request, response) => {
    const owner = await ownerOf(request)
    const { id } = await owned(owner.accountId, request)
    const { mayTalk } = read(guestRights, request.body)
    const guest = await people.find(request.params.login, owner.tenant)
    if (guest === undefined) throw new Refused('user_not_found', 'nobody here has this login')
    await sharing.share(owner.accountId, id, guest.accountId, mayTalk)
    response.status(204).end()
  })

  router.delete('/cameras/:id/guests/:login', async (request, response) => {
    const owner = await ownerOf(request)
    const { id } = await owned(owner.accountId, request)
    const guest = await people.find(request.params.login, owner.tenant)
    if (guest === undefined) throw new Refused('user_not_found', 'nobody here has this login')
    await sharing.unshare(owner.accountId, id, guest.accountId)
    response.status(204).end()
  })

  return router

  /** A camera of somebody else, shared or not, does not exist here. */
  async function owned(accountId: AccountId, request: Request): Promise<Camera> {
    const camera = await own.find(accountId, cameraId(String(request.params['id'])))
    if (camera === undefined) throw new BridgeError('camera_not_found')
    return camera
  }
}

const elsewhere = 'here cameras are registered by the operator: npm run transom, see docs/aws.md'

/** From its name, as people would choose one; ids are unique in the whole house, and no account learns of another's. */
async function idFor(name: string, registrations: NonNullable<ManageDeps['registrations']>): Promise<string> {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const short =
    plain
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 60)
      .replace(/^-+|-+$/g, '') || 'camera'
  return (await registrations.isTaken(short)) ? `${short}-${randomBytes(3).toString('hex')}` : short
}
