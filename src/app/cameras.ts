/** The cameras' records: who owns which, and the key with which a camera speaks to the bridge. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { AccountId, Camera, CameraId, Store } from '../ports.ts'

export interface Cameras {
  list(accountId: AccountId): Promise<readonly Camera[]>
  /** `undefined` also for a camera of somebody else. */
  find(accountId: AccountId, id: CameraId): Promise<Camera | undefined>
  /** The camera of that id, if the key is its key. */
  byKey(id: string, key: string): Promise<Camera | undefined>
  /** The camera on that signaling channel. */
  byChannel(channelName: string): Promise<Camera | undefined>
  /** Adds a camera or replaces it. Of its key only a hash is kept. */
  put(camera: Camera, key: string): Promise<void>
}

interface CameraRecord {
  readonly camera: Camera
  readonly keyHash: string
}

/** Alexa takes 300 endpoints for a customer at most. */
const mostCameras = 300

/** `onChange` hears of every camera that was added or replaced, when that is durable. */
export function createCameras(store: Store, onChange: (camera: Camera) => void = () => {}): Cameras {
  const records = store.collection<CameraRecord>('camera')
  const channels = store.collection<{ readonly cameraId: string }>('camera-channel')
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
    async byChannel(channelName) {
      const found = await channels.get(channelName)
      const camera = found && (await records.get(found.value.cameraId))?.value.camera
      return camera?.channel.channelName === channelName ? camera : undefined
    },
    async put(camera, key) {
      await records.put(camera.id, { camera, keyHash: hash(key).toString('base64') }, { group: camera.accountId })
      await channels.put(camera.channel.channelName, { cameraId: camera.id })
      onChange(camera)
    },
  }
}

function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
