/** Sharing with consent: an owner invites by login, and whoever has that login accepts, declines, or leaves later. */
import { BridgeError } from 'transom-core/errors'
import { cameraId, type AccountId, type Camera, type CameraId, type Clock, type Store } from 'transom-core/ports'
import type { Sharing, SharedGuest } from '../oauth/people/sharing.ts'
import type { Audit } from '../oauth/people/audit.ts'
import type { User, Users } from '../oauth/people/users.ts'
import type { Cameras } from './cameras.ts'
import {
  addressOf,
  addressOfUser,
  createInvitations,
  mostInvitations,
  type Invitation,
  type Invitations,
} from './invitations.ts'
import { shown, type Shares } from './sharing.ts'

interface Parts {
  readonly cameras: Pick<Cameras, 'list' | 'find'>
  readonly shares: Shares
  readonly users: Pick<Users, 'find' | 'findByAccount'>
  readonly audit: Pick<Audit, 'write'>
}

type Context = Parts & { readonly invitations: Invitations }

export function createConsent(deps: Parts & { readonly store: Store; readonly clock: Clock }): Sharing {
  const invitations = createInvitations(deps.store, deps.clock)
  const context = { ...deps, invitations }
  return {
    ...forOwners(context),
    ...forGuests(context),
    ...forTheOperator(context),
    forget: ({ accountId, id }) => invitations.removeAll(accountId, id),
    async forgetPerson(user) {
      for (const { cameraId: camera } of await context.shares.received(user.accountId))
        await forGuests(context).leave(user.accountId, camera)
      if (await isAddressed(context, user)) await invitations.removeTo(addressOfUser(user))
    },
  }
}

function forOwners(context: Context): Pick<Sharing, 'cameras' | 'guests' | 'invite' | 'withdraw'> {
  const { cameras, shares, audit, invitations } = context
  return {
    async cameras(owner) {
      const guestsAt = async ({ id, name }: Camera) => ({ id, name, guests: await guestsOf(context, owner, id) })
      return Promise.all((await cameras.list(owner)).map(guestsAt))
    },
    guests: async (owner, camera) => guestsOf(context, owner, (await owned(context, owner, camera)).id),
    async invite(owner, camera, login, rights) {
      const { accountId: ownerId, tenant } = owner
      const { id, name } = await owned(context, ownerId, camera)
      const addressee = addressOf(login, tenant)
      if (addressee === addressOfUser(owner)) throw new BridgeError('invalid_request', 'the camera is yours already')
      const guest = await guestBy(context, ownerId, id, addressee)
      if (guest !== undefined) return shares.share(ownerId, id, guest.accountId, rights)
      const invitation = { ownerId, cameraId: id, login: login.trim(), addressee }
      if (!(await invitations.write(invitation, rights)))
        throw new BridgeError('invalid_request', `a camera has ${mostInvitations} open invitations at most`)
      const mention = { login: { login: invitation.login, tenant }, without: `somebody to ${name}` }
      await audit.write(ownerId, 'invited', `${invitation.login} to ${name}`, mention)
    },
    async withdraw({ accountId: ownerId, tenant }, camera, login) {
      const { id, name } = await owned(context, ownerId, camera)
      const addressee = addressOf(login, tenant)
      const guest = await guestBy(context, ownerId, id, addressee)
      if (guest !== undefined) {
        await shares.unshare(ownerId, id, guest.accountId)
        await tellBoth(context, 'unshared', name, ownerId, guest.accountId)
      }
      await invitations.remove({ ownerId, cameraId: id, addressee })
    },
  }
}

function forGuests(context: Context): Pick<Sharing, 'invitations' | 'accept' | 'decline' | 'received' | 'leave'> {
  const { cameras, shares, users, invitations } = context
  return {
    async invitations(guest) {
      if (!(await isAddressed(context, guest))) return []
      const found = await invitations.to(addressOfUser(guest))
      const open = await Promise.all(
        found.map(async ({ id, value: { ownerId, cameraId: camera, isDeclined, ...rights } }) => {
          const [seen, owner] = await Promise.all([cameras.find(ownerId, camera), users.findByAccount(ownerId)])
          if (isDeclined || seen === undefined || owner === undefined) return undefined
          return { id, camera: seen.name, owner: { login: owner.login, name: owner.name }, ...shown(rights) }
        }),
      )
      return open.filter((one) => one !== undefined)
    },
    async accept(guest, id) {
      const invitation = await addressedTo(context, guest, id)
      const camera = invitation && (await cameras.find(invitation.ownerId, invitation.cameraId))
      if (invitation === undefined || camera === undefined) return false
      const { mayTalk, mayViewRecordings = false } = invitation
      await shares.share(invitation.ownerId, camera.id, guest.accountId, { mayTalk, mayViewRecordings })
      await invitations.remove(invitation)
      await tellBoth(context, 'shared', camera.name, invitation.ownerId, guest.accountId)
      return true
    },
    async decline(guest, id) {
      if ((await addressedTo(context, guest, id)) === undefined) return false
      await invitations.decline(id)
      return true
    },
    async received(guest) {
      const found = await Promise.all(
        (await shares.received(guest)).map(async ({ ownerId, cameraId: id, ...rights }) => {
          const [camera, owner] = await Promise.all([cameras.find(ownerId, id), users.findByAccount(ownerId)])
          return camera && { id, name: camera.name, owner: owner?.login ?? gone, ...shown(rights) }
        }),
      )
      return found.filter((one) => one !== undefined)
    },
    async leave(guest, camera) {
      const share = (await shares.received(guest)).find((one) => one.cameraId === camera)
      if (share === undefined) return false
      const name = (await cameras.find(share.ownerId, share.cameraId))?.name ?? camera
      await shares.unshare(share.ownerId, share.cameraId, guest)
      await tellBoth(context, 'left', name, share.ownerId, guest)
      return true
    },
  }
}

function forTheOperator(context: Context): Pick<Sharing, 'share' | 'unshare'> {
  const { shares } = context
  return {
    async share(owner, camera, guest, rights) {
      const { id, name } = await owned(context, owner, camera)
      await shares.share(owner, id, guest, rights)
      await tellBoth(context, 'shared', name, owner, guest)
    },
    async unshare(owner, camera, guest) {
      const { id, name } = await owned(context, owner, camera)
      await shares.unshare(owner, id, guest)
      await tellBoth(context, 'unshared', name, owner, guest)
    },
  }
}

async function owned({ cameras }: Context, owner: AccountId, id: string): Promise<Camera> {
  const camera = await cameras.find(owner, cameraId(id))
  if (camera === undefined) throw new BridgeError('camera_not_found')
  return camera
}

async function guestsOf(
  { shares, users, invitations }: Context,
  owner: AccountId,
  camera: CameraId,
): Promise<readonly SharedGuest[]> {
  const [accepted, invited] = await Promise.all([shares.guests(owner, camera), invitations.of(owner, camera)])
  const people = await Promise.all(
    accepted.map(async ({ accountId, ...rights }) => {
      const user = await users.findByAccount(accountId)
      return user && { login: user.login, name: user.name, ...rights }
    }),
  )
  return [
    ...people.filter((one) => one !== undefined),
    ...invited.map(({ login, ...rights }) => ({ login, ...shown(rights), isInvited: true as const })),
  ]
}

/** Among the guests alone: whoever else has the login is not looked for. */
async function guestBy(
  { shares, users }: Context,
  owner: AccountId,
  camera: CameraId,
  addressee: string,
): Promise<User | undefined> {
  const guests = await shares.guests(owner, camera)
  const people = await Promise.all(guests.map(({ accountId }) => users.findByAccount(accountId)))
  return people.find((user) => user !== undefined && addressOfUser(user) === addressee)
}

/** A name that another provider gives a person is not one of our logins, and may be anybody's. */
async function isAddressed({ users }: Context, guest: User): Promise<boolean> {
  return (await users.find(guest.login, guest.tenant))?.accountId === guest.accountId
}

async function addressedTo(context: Context, guest: User, id: string): Promise<Invitation | undefined> {
  if (!(await isAddressed(context, guest))) return undefined
  const found = await context.invitations.find(id)
  return found?.addressee === addressOfUser(guest) ? found : undefined
}

const gone = 'an account that is gone'

async function tellBoth(
  { users, audit }: Context,
  kind: 'shared' | 'unshared' | 'left',
  camera: string,
  owner: AccountId,
  guest: AccountId,
): Promise<void> {
  const [from, to] = await Promise.all([users.findByAccount(owner), users.findByAccount(guest)])
  await audit.write(
    owner,
    kind,
    `${camera} with ${to?.login ?? gone}`,
    to && { login: to, without: `${camera} with ${gone}` },
  )
  await audit.write(
    guest,
    kind,
    `${camera} by ${from?.login ?? gone}`,
    from && { login: from, without: `${camera} by ${gone}` },
  )
}
