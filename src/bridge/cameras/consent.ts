/** Sharing with consent: an owner invites by login, and whoever has that login accepts, declines, or leaves later. */
import { hash } from 'node:crypto'
import { BridgeError } from 'transom-core/errors'
import type { Sharing, SharedGuest } from '../oauth/people/sharing.ts'
import type { Audit } from '../oauth/people/audit.ts'
import { canonicalLogin, type User, type Users } from '../oauth/people/users.ts'
import { cameraId, type AccountId, type Camera, type CameraId, type Clock, type Store } from 'transom-core/ports'
import type { Cameras } from './cameras.ts'
import type { Shares } from './sharing.ts'

/**
 * It is addressed to a login, whether anybody has it or not: nothing that an owner sees or measures tells which logins
 * exist. For the same reason one that is declined looks to its owner like one that waits.
 */
interface Invitation {
  readonly ownerId: AccountId
  readonly cameraId: CameraId
  /** As the owner wrote it. */
  readonly login: string
  readonly addressee: string
  readonly mayTalk: boolean
  readonly isDeclined?: true
}

const keptMs = 14 * 24 * 3_600_000
/** Of one camera, and shown to one person. */
const mostInvitations = 100

export function createConsent(deps: {
  readonly store: Store
  readonly cameras: Pick<Cameras, 'list' | 'find'>
  readonly shares: Shares
  readonly users: Pick<Users, 'find' | 'findByAccount'>
  readonly audit: Pick<Audit, 'write'>
  readonly clock: Clock
}): Sharing {
  const { cameras, shares, users, audit, clock } = deps
  const invitations = deps.store.collection<Invitation>('share-invitation')
  /** Where the owner finds them. */
  const index = deps.store.collection<Record<string, never>>('share-invitation-of')

  return {
    async cameras(owner) {
      return Promise.all(
        (await cameras.list(owner)).map(async ({ id, name }) => ({ id, name, guests: await guestsOf(owner, id) })),
      )
    },
    guests: async (owner, camera) => guestsOf(owner, (await owned(owner, camera)).id),
    async invite(owner, camera, login, mayTalk) {
      const { id, name } = await owned(owner.accountId, camera)
      const addressee = addressOf(login, owner.tenant)
      if (addressee === addressOf(owner.login, owner.tenant)) {
        throw new BridgeError('invalid_request', 'the camera is yours already')
      }
      const guest = await guestBy(owner, id, addressee)
      if (guest !== undefined) return shares.share(owner.accountId, id, guest.accountId, mayTalk)
      const others = await index.list(placeOf(owner.accountId, id), { limit: mostInvitations })
      const key = keyOf(owner.accountId, id, addressee)
      if (others.length >= mostInvitations && !others.some((other) => other.id === key)) {
        throw new BridgeError('invalid_request', `a camera has ${mostInvitations} open invitations at most`)
      }
      const expiresAt = clock() + keptMs
      const before = (await invitations.get(key))?.value
      const invitation = { ownerId: owner.accountId, cameraId: id, login: login.trim(), addressee, mayTalk }
      await index.put(key, {}, { group: placeOf(owner.accountId, id), expiresAt })
      const value = { ...invitation, ...(before?.isDeclined && { isDeclined: true as const }) }
      await invitations.put(key, value, { group: groupOf(addressee), expiresAt })
      await audit.write(owner.accountId, 'invited', `${invitation.login} to ${name}`)
    },
    async withdraw(owner, camera, login) {
      const { id, name } = await owned(owner.accountId, camera)
      const addressee = addressOf(login, owner.tenant)
      const guest = await guestBy(owner, id, addressee)
      if (guest !== undefined) {
        await shares.unshare(owner.accountId, id, guest.accountId)
        await tellBoth('unshared', name, owner.accountId, guest.accountId)
      }
      await remove(owner.accountId, id, addressee)
    },
    async invitations(guest) {
      if (!(await isAddressed(guest))) return []
      const found = await invitations.list(groupOf(addressOfUser(guest)), { limit: mostInvitations })
      const open = await Promise.all(
        found.map(async ({ id, value }) => {
          const [camera, owner] = await Promise.all([
            cameras.find(value.ownerId, value.cameraId),
            users.findByAccount(value.ownerId),
          ])
          if (value.isDeclined || camera === undefined || owner === undefined) return undefined
          return { id, camera: camera.name, owner: { login: owner.login, name: owner.name }, mayTalk: value.mayTalk }
        }),
      )
      return open.filter((one) => one !== undefined)
    },
    async accept(guest, id) {
      const invitation = await addressedTo(guest, id)
      const camera = invitation && (await cameras.find(invitation.ownerId, invitation.cameraId))
      if (invitation === undefined || camera === undefined) return false
      await shares.share(invitation.ownerId, camera.id, guest.accountId, invitation.mayTalk)
      await remove(invitation.ownerId, camera.id, invitation.addressee)
      await tellBoth('shared', camera.name, invitation.ownerId, guest.accountId)
      return true
    },
    async decline(guest, id) {
      if ((await addressedTo(guest, id)) === undefined) return false
      await invitations.change(id, (stored) => {
        if (stored === undefined) return undefined
        const { value, expiresAt } = stored
        const place = { group: groupOf(value.addressee), ...(expiresAt !== undefined && { expiresAt }) }
        return { value: { ...value, isDeclined: true }, ...place }
      })
      return true
    },
    async received(guest) {
      const found = await Promise.all(
        (await shares.received(guest)).map(async ({ ownerId, cameraId: id, mayTalk }) => {
          const [camera, owner] = await Promise.all([cameras.find(ownerId, id), users.findByAccount(ownerId)])
          return camera && { id, name: camera.name, owner: owner?.login ?? 'an account that is gone', mayTalk }
        }),
      )
      return found.filter((one) => one !== undefined)
    },
    async leave(guest, camera) {
      const share = (await shares.received(guest)).find((one) => one.cameraId === camera)
      if (share === undefined) return false
      const name = (await cameras.find(share.ownerId, share.cameraId))?.name ?? camera
      await shares.unshare(share.ownerId, share.cameraId, guest)
      await tellBoth('left', name, share.ownerId, guest)
      return true
    },
    async share(owner, camera, guest, mayTalk) {
      const { id, name } = await owned(owner, camera)
      await shares.share(owner, id, guest, mayTalk)
      await tellBoth('shared', name, owner, guest)
    },
    async unshare(owner, camera, guest) {
      const { id, name } = await owned(owner, camera)
      await shares.unshare(owner, id, guest)
      await tellBoth('unshared', name, owner, guest)
    },
    async forget({ accountId: owner, id }) {
      for await (const { id: key } of index.all(placeOf(owner, id))) {
        await invitations.remove(key)
        await index.remove(key)
      }
    },
  }

  async function owned(owner: AccountId, id: string): Promise<Camera> {
    const camera = await cameras.find(owner, cameraId(id))
    if (camera === undefined) throw new BridgeError('camera_not_found')
    return camera
  }

  async function guestsOf(owner: AccountId, camera: CameraId): Promise<readonly SharedGuest[]> {
    const [accepted, open] = await Promise.all([
      shares.guests(owner, camera),
      index.list(placeOf(owner, camera), { limit: mostInvitations }),
    ])
    const invited = await Promise.all(open.map(async ({ id }) => (await invitations.get(id))?.value))
    const people = await Promise.all(
      accepted.map(async ({ accountId, mayTalk }) => {
        const user = await users.findByAccount(accountId)
        return user && { login: user.login, name: user.name, mayTalk }
      }),
    )
    return [
      ...people.filter((one) => one !== undefined),
      ...invited.flatMap((one) => (one ? [{ login: one.login, mayTalk: one.mayTalk, isInvited: true as const }] : [])),
    ]
  }

  /** Among the guests alone: whoever else has the login is not looked for. */
  async function guestBy(owner: Pick<User, 'accountId'>, camera: CameraId, addressee: string) {
    const guests = await shares.guests(owner.accountId, camera)
    const people = await Promise.all(guests.map(({ accountId }) => users.findByAccount(accountId)))
    return people.find((user) => user !== undefined && addressOfUser(user) === addressee)
  }

  /** A name that another provider gives a person is not one of our logins, and may be anybody's. */
  async function isAddressed(guest: User): Promise<boolean> {
    return (await users.find(guest.login, guest.tenant))?.accountId === guest.accountId
  }

  async function addressedTo(guest: User, id: string): Promise<Invitation | undefined> {
    if (!/^[\w-]{43}$/.test(id) || !(await isAddressed(guest))) return undefined
    const found = (await invitations.get(id))?.value
    return found?.addressee === addressOfUser(guest) ? found : undefined
  }

  async function remove(owner: AccountId, camera: CameraId, addressee: string): Promise<void> {
    const key = keyOf(owner, camera, addressee)
    await invitations.remove(key)
    await index.remove(key)
  }

  async function tellBoth(kind: 'shared' | 'unshared' | 'left', camera: string, owner: AccountId, guest: AccountId) {
    const [from, to] = await Promise.all([users.findByAccount(owner), users.findByAccount(guest)])
    await audit.write(owner, kind, `${camera} with ${to?.login ?? guest}`)
    await audit.write(guest, kind, `${camera} by ${from?.login ?? owner}`)
  }
}

const addressOf = (login: string, tenant: string | undefined): string => `${tenant ?? ''}\n${canonicalLogin(login)}`
const addressOfUser = ({ login, tenant }: User): string => addressOf(login, tenant)
/** Of a fixed length, whatever was typed. */
const digest = (...parts: readonly string[]): string => hash('sha256', JSON.stringify(parts), 'base64url')
const keyOf = (owner: string, camera: string, addressee: string): string => digest(owner, camera, addressee)
const groupOf = (addressee: string): string => digest(addressee)
const placeOf = (owner: string, camera: string): string => `${owner}\n${camera}`
