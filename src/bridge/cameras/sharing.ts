/** Cameras that an owner shares with another account: what that account may see, and what else it may do. */
import { BridgeError } from 'transom-core/errors'
import { cameraId, type AccountId, type Camera, type CameraId, type Store } from 'transom-core/ports'
import type { GuestRights, ShownRights } from '../oauth/people/sharing.ts'
import type { Cameras } from './cameras.ts'

export interface Guest extends ShownRights {
  readonly accountId: AccountId
}

export interface Shares {
  /** The cameras as each account sees them: its own, and those shared with it. Any other does not exist for it. */
  readonly visible: Pick<Cameras, 'list' | 'find'>
  /** What is shared with an account, and by whom. */
  received(guest: AccountId): Promise<readonly Share[]>
  /** With whom an owner shares a camera. */
  guests(owner: AccountId, camera: CameraId): Promise<readonly Guest[]>
  /** Changes a share, too. Throws `BridgeError` `camera_not_found` when the camera is not the owner's. */
  share(owner: AccountId, camera: CameraId, guest: AccountId, rights: GuestRights): Promise<void>
  /** Ends a share; ending one that is not there is no error. */
  unshare(owner: AccountId, camera: CameraId, guest: AccountId): Promise<void>
  /** Ends every share of a camera that was removed: one that comes under its id is another. */
  drop(camera: Camera): Promise<void>
  /** The camera once for everybody who may see it, the owner first: to tell them all of a press. */
  audience(camera: Camera): Promise<readonly Camera[]>
}

/** What counts. It names the owner, so that a camera that changes hands is shared with nobody any more. */
export interface Share extends Guest {
  readonly cameraId: CameraId
  readonly ownerId: AccountId
}

/** Shared with one account: what an owner can make a guest's assistants read. Each of them has limits of its own. */
const mostCameras = 1_000
const mostGuests = 100

/**
 * Told of each share that is new or other than before, that has been removed, or that has been dropped with its camera; the
 * camera is as the guest sees it, or saw it. May be told again, when something fails half-way.
 */
export type OnShare = (camera: Camera, kind: 'changed' | 'removed' | 'dropped') => Promise<void>

export function createShares(
  store: Store,
  cameras: Pick<Cameras, 'list' | 'find'>,
  onShare: OnShare = async () => {},
): Shares {
  const shares = store.collection<Share>('share')
  /**
   * Where the owner finds them. It is written before a share and removed after it: whatever fails in between, no share
   * exists that its owner cannot see and end.
   */
  const index = store.collection<{ readonly guest: AccountId }>('share-of')

  const share = async (camera: CameraId, guest: AccountId) => (await shares.get(keyOf(camera, guest)))?.value
  const own = async (owner: AccountId, camera: CameraId) => {
    const found = await cameras.find(owner, camera)
    if (found === undefined) throw new BridgeError('camera_not_found')
    return found
  }

  async function guests(owner: AccountId, camera: CameraId): Promise<readonly Guest[]> {
    const listed = await index.list(groupOf(owner, camera), { limit: mostGuests })
    const found = await Promise.all(listed.map(({ value }) => share(camera, value.guest)))
    return found.flatMap((one) => (one?.ownerId === owner ? [{ accountId: one.accountId, ...shown(one) }] : []))
  }

  /** False when there was none. */
  async function end(owner: AccountId, camera: CameraId, guest: AccountId): Promise<boolean> {
    const key = keyOf(camera, guest)
    if ((await share(camera, guest))?.ownerId === owner) await shares.remove(key)
    return (await index.get(`${owner} ${key}`)) !== undefined
  }

  return {
    visible: {
      async list(account) {
        const [mine, shared] = await Promise.all([cameras.list(account), shares.list(account, { limit: mostCameras })])
        const seen = await Promise.all(
          shared.map(async ({ value }) => {
            const camera = await cameras.find(value.ownerId, value.cameraId)
            return camera && asSeenBy(camera, value)
          }),
        )
        return [...mine, ...seen.filter((camera) => camera !== undefined)]
      },
      async find(account, camera) {
        const [mine, shared] = await Promise.all([cameras.find(account, camera), share(camera, account)])
        if (mine !== undefined || shared === undefined) return mine
        const theirs = await cameras.find(shared.ownerId, camera)
        return theirs && asSeenBy(theirs, shared)
      },
    },
    received: async (guest) => (await shares.list(guest, { limit: mostCameras })).map(({ value }) => value),
    guests,
    async share(owner, camera, guest, wanted) {
      const found = await own(owner, camera)
      if (guest === owner) throw new BridgeError('invalid_request', 'the camera is yours already')
      const others = (await guests(owner, camera)).filter(({ accountId }) => accountId !== guest)
      if (others.length >= mostGuests) throw new BridgeError('invalid_request', 'too many guests')
      const key = keyOf(camera, guest)
      const seen = await shares.list(guest, { limit: mostCameras })
      if (seen.length >= mostCameras && !seen.some(({ id }) => id === key))
        throw new BridgeError('invalid_request', `${mostCameras} cameras are shared with this account already`)
      const before = (await shares.get(key))?.value
      const rights = granted(wanted, before?.ownerId === owner ? before : undefined)
      await index.put(`${owner} ${key}`, { guest }, { group: groupOf(owner, camera) })
      await shares.put(key, { accountId: guest, cameraId: camera, ownerId: owner, ...rights }, { group: guest })
      await onShare(asSeenBy(found, { accountId: guest, ...rights }), 'changed')
    },
    async unshare(owner, camera, guest) {
      if (!(await end(owner, camera, guest))) return
      const ours = await cameras.find(owner, camera)
      if (ours !== undefined) {
        await onShare(asSeenBy(ours, { accountId: guest, mayTalk: false }), 'removed')
      }
      await index.remove(`${owner} ${keyOf(camera, guest)}`)
    },
    async drop(camera) {
      const { accountId: owner, id } = camera
      for (const { value } of await index.list(groupOf(owner, id), { limit: mostGuests })) {
        await end(owner, id, value.guest)
        await onShare(asSeenBy(camera, { accountId: value.guest, mayTalk: false }), 'dropped')
        await index.remove(`${owner} ${keyOf(id, value.guest)}`)
      }
    },
    async audience(camera) {
      const others = await guests(camera.accountId, cameraId(camera.id))
      return [camera, ...others.map((guest) => asSeenBy(camera, guest))]
    },
  }
}

/**
 * To who may not talk, the camera has no speaker: so it is announced, and so its answers are made. A fixed address of its
 * picture, with the camera's password in it perhaps, would work on after the share: guests get none, and see it live.
 */
function asSeenBy(
  { streams: _streams, dashUri: _dashUri, ...camera }: Camera,
  { accountId, ...rights }: Guest,
): Camera {
  const { mayTalk, ...others } = shown(rights)
  return { ...camera, accountId, sharedBy: camera.accountId, hasSpeaker: camera.hasSpeaker && mayTalk, ...others }
}

/** Of a record that says more; one of before there were recordings does not say whether they may be seen. */
export const shown = ({ mayTalk, mayViewRecordings }: ShownRights): ShownRights => ({
  mayTalk,
  ...(mayViewRecordings && { mayViewRecordings }),
})

/** What is wanted, and where it is not said, what was. */
export const granted = ({ mayTalk, mayViewRecordings }: GuestRights, before: ShownRights | undefined): ShownRights => ({
  mayTalk,
  ...((mayViewRecordings ?? before?.mayViewRecordings) && { mayViewRecordings: true }),
})

/** Account ids are UUIDs or a few characters more, camera ids at most 256: together within the store's 512. */
const keyOf = (camera: string, guest: string): string => `${guest}\n${camera}`
const groupOf = (owner: string, camera: string): string => `${owner}\n${camera}`
