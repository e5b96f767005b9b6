/** Open invitations to share a camera, kept so that their addressee finds them, and the owner of the camera. */
import { hash } from 'node:crypto'
import type { AccountId, CameraId, Clock, Store, Stored } from 'transom-core/ports'
import type { GuestRights, ShownRights } from '../oauth/people/sharing.ts'
import { canonicalLogin, type User } from '../oauth/people/users.ts'
import { granted } from './sharing.ts'

/**
 * It is addressed to a login, whether anybody has it or not: nothing that an owner sees or measures tells which logins
 * exist. For the same reason one that is declined looks to its owner like one that waits.
 */
export interface Invitation extends ShownRights {
  readonly ownerId: AccountId
  readonly cameraId: CameraId
  /** As the owner wrote it. */
  readonly login: string
  /** Of `addressOf`. */
  readonly addressee: string
  readonly isDeclined?: true
}

/** The camera and the login of an invitation: there is one of each at most. */
type Subject = Pick<Invitation, 'ownerId' | 'cameraId' | 'addressee'>

export interface Invitations {
  /** Renews one that is there, which stays declined if it was. False when the camera has as many as it may. */
  write(invitation: Omit<Invitation, keyof ShownRights>, rights: GuestRights): Promise<boolean>
  /** `undefined` also for what cannot be an id. */
  find(id: string): Promise<Invitation | undefined>
  to(addressee: string): Promise<readonly Stored<Invitation>[]>
  of(ownerId: AccountId, camera: CameraId): Promise<readonly Invitation[]>
  decline(id: string): Promise<void>
  remove(subject: Subject): Promise<void>
  removeAll(ownerId: AccountId, camera: string): Promise<void>
  /** All that are addressed so. */
  removeTo(addressee: string): Promise<void>
}

const keptMs = 14 * 24 * 3_600_000
/** Of one camera, and shown to one person. */
export const mostInvitations = 100

export function createInvitations(store: Store, clock: Clock): Invitations {
  const records = store.collection<Invitation>('share-invitation')
  /** Where the owner finds them. */
  const index = store.collection<Record<string, never>>('share-invitation-of')

  async function removeKey(key: string): Promise<void> {
    await records.remove(key)
    await index.remove(key)
  }

  return {
    async write(invitation, rights) {
      const key = keyOf(invitation)
      const group = placeOf(invitation.ownerId, invitation.cameraId)
      const others = await index.list(group, { limit: mostInvitations })
      if (others.length >= mostInvitations && !others.some((other) => other.id === key)) return false
      const expiresAt = clock() + keptMs
      const before = (await records.get(key))?.value
      await index.put(key, {}, { group, expiresAt })
      const value = {
        ...invitation,
        ...granted(rights, before),
        ...(before?.isDeclined && { isDeclined: true as const }),
      }
      await records.put(key, value, { group: groupOf(invitation.addressee), expiresAt })
      return true
    },
    find: async (id) => (/^[\w-]{43}$/.test(id) ? (await records.get(id))?.value : undefined),
    to: (addressee) => records.list(groupOf(addressee), { limit: mostInvitations }),
    async of(ownerId, camera) {
      const open = await index.list(placeOf(ownerId, camera), { limit: mostInvitations })
      const found = await Promise.all(open.map(async ({ id }) => (await records.get(id))?.value))
      return found.filter((one) => one !== undefined)
    },
    async decline(id) {
      await records.change(id, (stored) => {
        if (stored === undefined) return undefined
        const { value, expiresAt } = stored
        const place = { group: groupOf(value.addressee), ...(expiresAt !== undefined && { expiresAt }) }
        return { value: { ...value, isDeclined: true }, ...place }
      })
    },
    remove: (subject) => removeKey(keyOf(subject)),
    async removeTo(addressee) {
      for await (const { id } of records.all(groupOf(addressee))) await removeKey(id)
    },
    async removeAll(ownerId, camera) {
      for await (const { id } of index.all(placeOf(ownerId, camera))) await removeKey(id)
    },
  }
}

/** Whom an invitation by somebody of this tenant means by a login. */
export const addressOf = (login: string, tenant: string | undefined): string =>
  `${tenant ?? ''}\n${canonicalLogin(login)}`
export const addressOfUser = ({ login, tenant }: User): string => addressOf(login, tenant)

/** Of a fixed length, whatever was typed. */
const digest = (...parts: readonly string[]): string => hash('sha256', JSON.stringify(parts), 'base64url')
const keyOf = ({ ownerId, cameraId, addressee }: Subject): string => digest(ownerId, cameraId, addressee)
const groupOf = (addressee: string): string => digest(addressee)
const placeOf = (owner: string, camera: string): string => `${owner}\n${camera}`
