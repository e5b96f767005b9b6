/** The cameras' records: who owns which, and the key with which a camera speaks to the bridge. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { AccountId, Camera, CameraId, Store } from '../ports.ts'

export interface Cameras {
  list(accountId: AccountId): Promise<readonly Camera[]>
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
  /** Adds a camera or replaces it. Of its key only a hash is kept, which is also its signing key. */
  put(camera: Camera, key: string): Promise<void>
  /** Adds a camera; false when there is one of that id. */
  add(camera: Camera, key: string): Promise<boolean>
  remove(id: string): Promise<void>
}

interface CameraRecord {
  readonly camera: Camera
  readonly keyHash: string
}

const pageSize = 300

/** `onChange` is told of cameras that are new, other than before, or gone. */
export function createCameras(
  store: Store,
  onChange: (camera: Camera, kind: 'changed' | 'removed') => Promise<void> = async () => {},
): Cameras {
  const records = store.collection<CameraRecord>('camera')
  const byId = async (id: string) => (await records.get(id))?.value.camera
  const channels = store.collection<{ readonly cameraId: string }>('camera-channel')
  return {
    async list(accountId) {
      const found: Camera[] = []
      let after: string | undefined
      do {
        const page = await records.list(accountId, { limit: pageSize, ...(after !== undefined && { after }) })
        found.push(...page.map(({ value }) => value.camera))
        after = page.length === pageSize ? page.at(-1)?.id : undefined
      } while (after !== undefined)
      return found
    },
    async find(accountId, id) {
      const camera = (await records.get(id))?.value.camera
      return camera?.accountId === accountId ? camera : undefined
    },
    async byKey(id, key) {
      if (id.length > 256) return undefined
      const record = (await records.get(id))?.value
      return record !== undefined && timingSafeEqual(hash(key), Buffer.from(record.keyHash, 'base64'))
        ? record.camera
        : undefined
    },
    async byChannel(channelName) {
      const found = await channels.get(channelName)
      const camera = found && (await records.get(found.value.cameraId))?.value.camera
      return camera?.channel.channelName === channelName ? camera : undefined
    },
    async signer(id) {
      if (id.length < 1 || id.length > 256) return undefined
      const record = (await records.get(id))?.value
      return record && { camera: record.camera, signingKey: Buffer.from(record.keyHash, 'base64') }
    },
    async put(camera, key) {
      const before = await byId(camera.id)
      await records.put(camera.id, toRecord(camera, key), { group: camera.accountId })
      await channels.put(camera.channel.channelName, { cameraId: camera.id })
      if (!isDeepStrictEqual(before, camera)) await onChange(camera, 'changed')
    },
    async add(camera, key) {
      const options = { group: camera.accountId, onlyIf: 'absent' } as const
      if ((await records.put(camera.id, toRecord(camera, key), options)) === undefined) return false
      await channels.put(camera.channel.channelName, { cameraId: camera.id })
      await onChange(camera, 'changed')
      return true
    },
    byId,
    async remove(id) {
      const removed = (await records.take(id))?.value.camera
      if (removed === undefined) return
      await channels.remove(removed.channel.channelName)
      await onChange(removed, 'removed')
    },
  }
}

const toRecord = (camera: Camera, key: string) => ({ camera, keyHash: hash(key).toString('base64') })

function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
