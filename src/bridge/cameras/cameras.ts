/** The cameras' records: who owns which, and the key with which a camera speaks to the bridge. */
import { createHash, timingSafeEqual, type KeyObject } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { BridgeError } from 'transom-core/errors'
import type { AccountId, Camera, CameraId, Store } from 'transom-core/ports'
import { seal, unseal } from 'transom-core/seal'

/** The cameras' records, with their keys and owners. */
export interface Cameras {
  list(accountId: AccountId): Promise<readonly Camera[]>
  /** At most `limit` of them, in order of id, after that of `after`. */
  page(accountId: AccountId, page: { readonly limit: number; readonly after?: string }): Promise<readonly Camera[]>
  /** `undefined` also for a camera of somebody else. */
  find(accountId: AccountId, id: CameraId): Promise<Camera | undefined>
  /** The camera of that id, if the key is its key. */
  byKey(id: string, key: string): Promise<Camera | undefined>
  /** Whoever it belongs to: for the operator, not for an account. */
  byId(id: string): Promise<Camera | undefined>
  /** The camera whose master is on this signaling channel. */
  byChannel(channelName: string): Promise<Camera | undefined>
  /** The camera of that id, whoever's it is, with the key that signs its requests. For doors that know who is speaking. */
  signer(id: string): Promise<{ readonly camera: Camera; readonly signingKey: Uint8Array } | undefined>
  /** Adds a camera or replaces it. Of its key only what can check it is kept; what signs its requests is sealed. */
  put(camera: Camera, key: string): Promise<void>
  /**
   * Adds a camera; false when there is one of that id. Throws `BridgeError` `invalid_request` when its channel is that of
   * another camera, also of one that is being added at this moment. Without a key it says nothing itself.
   */
  add(camera: Camera, key?: string): Promise<boolean>
  /** Changes what is said of a camera, and keeps its key; `undefined` when there is none. Its id, owner and channel stay. */
  change(id: string, to: (camera: Camera) => Camera): Promise<Camera | undefined>
  remove(id: string): Promise<void>
}

/** Receives a camera that is new, other than before, or gone. */
export type OnCameraChange = (camera: Camera, kind: 'changed' | 'removed') => Promise<void>

/** The key that signs is the SHA-256 of the camera's key; whoever reads the store gets neither. */
interface CameraRecord {
  readonly camera: Camera
  /** SHA-256 of the signing key, in base64; absent where the camera has none. */
  readonly keyCheck?: string
  /** The signing key; absent when it was written without the means to seal it. */
  readonly sealedKey?: string
}

/** As it was written before the signing key was sealed: it is that key. */
interface OldRecord {
  readonly camera: Camera
  readonly keyHash: string
}

/**
 * `onChange` is told of cameras that are new, other than before, or gone. `sealing`: 32 bytes that seal the signing keys;
 * without them cameras can show their key, but sign nothing.
 */
export function createCameras(store: Store, onChange: OnCameraChange = async () => {}, sealing?: KeyObject): Cameras {
  const records = store.collection<CameraRecord | OldRecord>('camera')
  const byId = async (id: string) => (await read(id))?.camera

  /** An old record becomes a new one when it is read for the first time. */
  async function read(id: string): Promise<CameraRecord | undefined> {
    if (id.length < 1 || id.length > 256) return undefined
    const stored = await records.get(id)
    if (stored === undefined) return undefined
    if (!('keyHash' in stored.value)) return stored.value
    const { camera, keyHash } = stored.value
    const renewed = toRecord(camera, Buffer.from(keyHash, 'base64'))
    const options = { group: camera.accountId, onlyIf: { version: stored.version } } as const
    if (sealing !== undefined) await records.put(id, renewed, options)
    return renewed
  }

  function toRecord(camera: Camera, signingKey: Buffer): CameraRecord {
    const keyCheck = hash(signingKey).toString('base64')
    if (sealing === undefined) return { camera, keyCheck }
    return { camera, keyCheck, sealedKey: seal(sealing, boundTo(camera.id), signingKey.toString('base64')) }
  }

  const channels = store.collection<{ readonly cameraId: string }>('camera-channel')

  const holds = async (id: string, channelName: string): Promise<boolean> =>
    (await byId(id))?.channel.channelName === channelName

  /**
   * Takes a channel for a camera before its record is written: that of another camera never, what a camera has left that is
   * not there (any more) always. The store knows no transactions. Whoever takes a channel over looks for the other camera
   * afterwards, and whoever writes a camera for its channel: of two at once at least one sees the other.
   */
  async function claim({ id, channel: { channelName } }: Camera): Promise<void> {
    const held = await channels.get(channelName)
    const holder = held?.value.cameraId
    if (holder !== undefined && holder !== id && (await holds(holder, channelName))) throw taken(channelName, holder)
    const onlyIf = held === undefined ? 'absent' : ({ version: held.version } as const)
    const version = await channels.put(channelName, { cameraId: id }, { onlyIf })
    if (version === undefined) return assertHeld(id, channelName)
    if (holder === undefined || holder === id || !(await holds(holder, channelName))) return
    await channels.put(channelName, { cameraId: holder }, { onlyIf: { version } })
    throw taken(channelName, holder)
  }

  async function assertHeld(id: string, channelName: string): Promise<void> {
    const holder = (await channels.get(channelName))?.value.cameraId
    if (holder !== id) throw taken(channelName, holder)
  }

  return {
    async list(accountId) {
      const found: Camera[] = []
      for await (const { value } of records.all(accountId)) found.push(value.camera)
      return found
    },
    async page(accountId, page) {
      return (await records.list(accountId, page)).map(({ value }) => value.camera)
    },
    async find(accountId, id) {
      const camera = await byId(id)
      return camera?.accountId === accountId ? camera : undefined
    },
    async byKey(id, key) {
      const record = await read(id)
      return record?.keyCheck !== undefined && timingSafeEqual(hash(hash(key)), Buffer.from(record.keyCheck, 'base64'))
        ? record.camera
        : undefined
    },
    async byChannel(channelName) {
      const found = await channels.get(channelName)
      const camera = found && (await byId(found.value.cameraId))
      return camera?.channel.channelName === channelName ? camera : undefined
    },
    async signer(id) {
      const record = await read(id)
      if (sealing === undefined || record?.sealedKey === undefined) return undefined
      const signingKey = unseal(sealing, boundTo(id), record.sealedKey)
      return signingKey === undefined
        ? undefined
        : { camera: record.camera, signingKey: Buffer.from(signingKey, 'base64') }
    },
    async put(camera, key) {
      const before = await byId(camera.id)
      await records.put(camera.id, toRecord(camera, hash(key)), { group: camera.accountId })
      await channels.put(camera.channel.channelName, { cameraId: camera.id })
      if (!isDeepStrictEqual(before, camera)) await onChange(camera, 'changed')
    },
    async add(camera, key) {
      const { id, accountId: group } = camera
      const { channelName } = camera.channel
      await claim(camera)
      const record = key === undefined ? { camera } : toRecord(camera, hash(key))
      if ((await records.put(id, record, { group, onlyIf: 'absent' })) === undefined) return false
      await assertHeld(id, channelName).catch(async (error: unknown) => {
        await records.take(id)
        throw error
      })
      await onChange(camera, 'changed')
      return true
    },
    byId,
    async change(id, to) {
      let before: Camera | undefined
      const changed = await records.change(id, (stored) => {
        if (stored === undefined) return undefined
        before = stored.value.camera
        return { value: { ...stored.value, camera: to(before) }, group: before.accountId }
      })
      const camera = changed?.value.camera
      if (camera !== undefined && !isDeepStrictEqual(before, camera)) await onChange(camera, 'changed')
      return camera
    },
    async remove(id) {
      const removed = (await records.take(id))?.value.camera
      if (removed === undefined) return
      const { channelName } = removed.channel
      const claimed = (await channels.take(channelName))?.value
      // Somebody else's by now, perhaps: then it stays theirs.
      if (claimed !== undefined && claimed.cameraId !== id)
        await channels.put(channelName, claimed, { onlyIf: 'absent' })
      await onChange(removed, 'removed')
    },
  }
}

const taken = (channelName: string, holder = 'that is being removed') =>
  new BridgeError('invalid_request', `the channel ${channelName} is that of camera ${holder}`)

const boundTo = (id: string): string => `camera ${id}`

function hash(key: string | Buffer): Buffer {
  return createHash('sha256').update(key).digest()
}
