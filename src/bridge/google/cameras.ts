/** What this room needs to know of an account's cameras; `app` plugs the implementation in. */
import type { AccountId, Camera, CameraId, CameraState } from 'transom-core/ports'

export interface Cameras {
  list(accountId: AccountId): Promise<readonly Camera[]>
  /** `undefined` also for a camera of somebody else. */
  find(accountId: AccountId, cameraId: CameraId): Promise<Camera | undefined>
}

/** What was last heard of a camera; what it has never said is not there. */
export type StateOf = (camera: Camera) => Promise<CameraState>

/** The cameras of an account by the ids that Google gives back, which may be any text. */
export async function camerasById(
  cameras: Pick<Cameras, 'list'>,
  accountId: AccountId,
): Promise<ReadonlyMap<string, Camera>> {
  return new Map((await cameras.list(accountId)).map((camera) => [String(camera.id), camera]))
}

/** The addresses of a camera's picture for players without WebRTC. The stock receiver sends no token: a secret is in the URL. */
export function streamUrls({ streams = [], dashUri }: Camera): { readonly hls?: string; readonly dash?: string } {
  const hls = streams.find(({ protocol }) => protocol === 'HLS')?.uri
  return { ...(hls !== undefined && { hls }), ...(dashUri !== undefined && { dash: dashUri }) }
}
