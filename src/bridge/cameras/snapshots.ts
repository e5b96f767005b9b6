/** The last still picture of each camera, left by the camera and fetched by a display. */
import { BridgeError } from 'transom-core/errors'
import type { Camera, Clock, Store } from 'transom-core/ports'

/** A still picture as it is handed out. */
export interface Snapshot {
  readonly at: number
  readonly type: 'image/jpeg' | 'image/png'
  readonly picture: Buffer
}

/** Bytes of a picture. A record holds 400,000 bytes, and base64 takes a third more; Amazon wants about 60 KB. */
export const snapshotLimit = 256 * 1024
/** After that a picture shows nothing of today, and goes. */
export const snapshotKeptMs = 7 * 24 * 3_600_000

/** The last picture of each camera, in the store. Throws `BridgeError` `invalid_request` for what is no picture. */
export function createSnapshots(deps: { readonly store: Store; readonly clock: Clock }) {
  const records = deps.store.collection<{
    readonly at: number
    readonly type: Snapshot['type']
    readonly base64: string
  }>('snapshot')
  return {
    /** Throws `BridgeError('invalid_request')` for what is neither JPEG nor PNG. Returns when it was taken. */
    async put(camera: Camera, picture: Buffer): Promise<number> {
      const type = typeOf(picture)
      if (type === undefined) throw new BridgeError('invalid_request', 'a snapshot is a JPEG or PNG picture')
      const at = deps.clock()
      const record = { at, type, base64: picture.toString('base64') }
      await records.put(camera.id, record, { expiresAt: at + snapshotKeptMs })
      return at
    },
    remove: (camera: Camera): Promise<void> => records.remove(camera.id),
    async get(camera: Camera): Promise<Snapshot | undefined> {
      const found = (await records.get(camera.id))?.value
      return found && { at: found.at, type: found.type, picture: Buffer.from(found.base64, 'base64') }
    },
  }
}

function typeOf(picture: Buffer): Snapshot['type'] | undefined {
  if (picture.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))) return 'image/jpeg'
  if (picture.subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'))) return 'image/png'
  return undefined
}
