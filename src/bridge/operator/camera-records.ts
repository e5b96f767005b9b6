/** The operator's cameras, as far as they are the bridge's records: the same embedded, where channels come with them, and on AWS. */
import { randomBytes } from 'node:crypto'
import type { Cameras } from '../cameras/cameras.ts'
import { BridgeError } from 'transom-core/errors'
import { cameraId, type AccountId, type Camera } from 'transom-core/ports'
import type { CameraAccess, CameraChange, NewCamera } from 'transom-core/wire/registration'

/** What the operator does with cameras. */
export interface CameraRecords {
  /** Throws `BridgeError` `invalid_request` when the id or the channel is taken. The channel is named like the id, if not otherwise. */
  add(camera: NewCamera, owner: AccountId, channelName?: string): Promise<CameraAccess>
  /** All of an account, or a page of them: at most `limit`, in order of id, after that of `after`. */
  list(owner: AccountId, page?: CameraPage): Promise<readonly ListedCamera[]>
  /** The camera of this id, whoever owns it. */
  find(id: string): Promise<Camera | undefined>
  /** Throws `BridgeError` `invalid_request` when the channel is that of another camera than `id`. */
  assertFree(channelName: string, id: string): Promise<void>
  /** Throws `BridgeError` `invalid_request` when nothing can be recorded of the camera that is to have this id, or has it. */
  assertRecordable(id: string): Promise<void>
  /** Changes what is said of it, and nothing else. Throws `camera_not_found`. */
  change(id: string, change: CameraChange): Promise<void>
  /** A new camera key instead of the one before. Throws `camera_not_found`. */
  issueKey(id: string): Promise<CameraAccess>
  /** Throws `camera_not_found`. */
  remove(id: string): Promise<void>
}

/** Some of an account's cameras. */
export type CameraPage = Parameters<Cameras['page']>[1]

/** A camera as the operator lists it: without its channel's signaling mode. */
export type ListedCamera = Omit<Camera, 'id' | 'channel'> & { readonly cameraId: string; readonly channelName: string }

/** The operator's cameras where they are records alone. `publicUrl` is where cameras post their events. */
export function createCameraRecords(cameras: Cameras, publicUrl: string): CameraRecords {
  const assertFree = async (channelName: string, id: string): Promise<void> => {
    const other = await cameras.byChannel(channelName)
    if (other !== undefined && other.id !== id)
      throw new BridgeError('invalid_request', `the channel ${channelName} is that of camera ${other.id}`)
  }
  return {
    async add({ id, road, ...described }, accountId, channelName = id) {
      const camera: Camera = { ...described, id: cameraId(id), accountId, channel: { channelName, road } }
      const cameraKey = newCameraKey()
      if (!(await cameras.add(camera, cameraKey))) {
        throw new BridgeError('invalid_request', `there is a camera ${id} already`)
      }
      return accessOf(camera, publicUrl, cameraKey)
    },
    async list(owner, page) {
      return (await (page === undefined ? cameras.list(owner) : cameras.page(owner, page))).map(
        ({ id, channel: { channelName }, ...described }) => {
          return { cameraId: id, channelName, ...described }
        },
      )
    },
    find: async (id) => cameras.byId(id),
    assertFree,
    async assertRecordable() {
      throw new BridgeError('invalid_request', 'record: nothing is recorded here')
    },
    async change(id, change) {
      if ((await cameras.change(id, (camera) => merge(camera, change))) === undefined) throw noCamera(id)
    },
    async issueKey(id) {
      const camera = await existing(cameras, id)
      const cameraKey = newCameraKey()
      await cameras.put(camera, cameraKey)
      return accessOf(camera, publicUrl, cameraKey)
    },
    async remove(id) {
      await existing(cameras, id)
      await cameras.remove(id)
    },
  }
}

/** The camera of this id, whoever owns it. Throws `BridgeError` `camera_not_found`. */
export async function existing(cameras: Cameras, id: string): Promise<Camera> {
  const camera = await cameras.byId(id)
  if (camera === undefined) throw noCamera(id)
  return camera
}

/** What the firmware of a camera must know of the bridge; without `cameraKey` where the key stays as it is. */
export function accessOf({ id, channel }: Camera, publicUrl: string, cameraKey?: string): CameraAccess {
  const { channelName } = channel
  const eventsUrl = `${publicUrl}/cameras/${id}/events`
  return { cameraId: id, channelName, ...(cameraKey !== undefined && { cameraKey }), eventsUrl }
}

/** Makes a camera key: 32 random bytes in base64url. */
export const newCameraKey = (): string => randomBytes(32).toString('base64url')

const noCamera = (id: string) => new BridgeError('camera_not_found', `there is no camera ${id}`)

/** The schema lets null only where a camera may be without: a merged camera is a camera. */
function merge(camera: Camera, change: CameraChange): Camera {
  const merged = Object.entries({ ...camera, ...change }).filter(([, value]) => value !== null)
  return Object.fromEntries(merged) as unknown as Camera
}
