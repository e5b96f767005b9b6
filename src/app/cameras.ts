/** The cameras' records: who owns which, and the key with which a camera speaks to the bridge. */
import { createHash, timingSafeEqual } from 'node:crypto'
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
  /** Adds a camera or replaces it. Of its key only a hash is kept. */
  put(camera: Camera, key: string): Promise<void>
  /** Adds a camera; false when there is one of that id. */
  add(camera: Camera, key: string): Promise<boolean>
  remove(id: string): Promise<void>
}

interface CameraRecord {
  readonly camera: Camera
  readonly keyHash: string
}

/** Alexa takes 300 endpoints for a customer at most. */
const mostCameras = 300

export function createCameras(store: Store): Cameras {
  const records = store.collection<CameraRecord>('camera')
  const byId = async (id: string) => (await records.get(id))?.value.camera
  return {
    list: async (accountId) => (await records.list(accountId, { limit: mostCameras })).map(({ value }) => value.camera),
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
    async put(camera, key) {
      await records.put(camera.id, toRecord(camera, key), { group: camera.accountId })
    },
    async add(camera, key) {
      const options = { group: camera.accountId, onlyIf: 'absent' } as const
      return (await records.put(camera.id, toRecord(camera, key), options)) !== undefined
    },
    remove: (id) => records.remove(id),
    byId,
    async byChannel(channelName) {
      // A channel bears the name of its camera; one that does not is nobody's.
      const camera = await byId(channelName)
      return camera?.channel.channelName === channelName ? camera : undefined
    },
  }
}

const toRecord = (camera: Camera, key: string) => ({ camera, keyHash: hash(key).toString('base64') })

function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
