/** What this room needs to know of an account's cameras; `app` plugs the implementation in. */
import { cameraId, type AccountId, type Camera, type CameraId, type CameraState } from 'transom-core/ports'

export interface Cameras {
  list(accountId: AccountId): Promise<readonly Camera[]>
  /** `undefined` also for a camera of somebody else. */
  find(accountId: AccountId, cameraId: CameraId): Promise<Camera | undefined>
}

/** What was last heard of a camera; what it has never said is not there. */
export type StateOf = (camera: Camera) => Promise<CameraState>

/** For more than so many the whole account is read at once, which may have thousands. */
const mostSingly = 8

/** Of these ids, which Google gives back and which may be any text, those of the account's cameras, with the cameras. */
export async function camerasAmong(
  cameras: Cameras,
  accountId: AccountId,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Camera>> {
  const asked = [...new Set(ids)].filter((id) => /^[\w.-]{1,256}$/.test(id))
  const found =
    asked.length > mostSingly
      ? await cameras.list(accountId)
      : await Promise.all(asked.map(async (id) => cameras.find(accountId, cameraId(id))))
  return new Map(found.flatMap((camera) => (camera === undefined ? [] : [[String(camera.id), camera]])))
}

/** The addresses of a camera's picture for players without WebRTC. The stock receiver sends no token: a secret is in the URL. */
export function streamUrls({ streams = [], dashUri }: Camera): { readonly hls?: string; readonly dash?: string } {
  const hls = streams.find(({ protocol }) => protocol === 'HLS')?.uri
  return { ...(hls !== undefined && { hls }), ...(dashUri !== undefined && { dash: dashUri }) }
}
