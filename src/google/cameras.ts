/** What this room needs to know of an account's cameras; `app` plugs the implementation in. */
import type { AccountId, Camera, CameraId } from '../ports.ts'

export interface Cameras {
  list(accountId: AccountId): Promise<readonly Camera[]>
  /** `undefined` also for a camera of somebody else. */
  find(accountId: AccountId, cameraId: CameraId): Promise<Camera | undefined>
}
