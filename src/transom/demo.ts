/** The demo user and the built-in doorbell, with which an embedded bridge begins. */
import type { Bridge } from 'transom-bridge/assembly/bridge'
import { cameraId, type AccountId, type Camera } from 'transom-core/ports'
import type { SignalingService } from 'transom-signaling/service'
import { saveSecrets, type Secrets } from './secrets.ts'

export const doorbellId = cameraId('front-door')

/** The demo user and its doorbell; found again at the next start. */
export async function ensureDemo({ oauth, cameras }: Bridge, { demo }: Secrets): Promise<Camera> {
  const { login, password, cameraKey } = demo
  const accountId: AccountId =
    (await oauth.users.find(login))?.accountId ?? (await oauth.users.create({ login, password, name: 'Demo' }))
  const known = await cameras.find(accountId, doorbellId)
  // One with a key of its own is somebody's real camera by now.
  if (known?.hasSnapshots === true || (known && !(await cameras.byKey(doorbellId, cameraKey)))) return known
  const camera: Camera = {
    id: doorbellId,
    accountId,
    name: 'Front Door',
    kind: 'doorbell',
    channel: { channelName: doorbellId, road: 'viewer' },
    room: 'Entrance',
    manufacturer: 'Transom',
    model: 'Synthetic Doorbell',
    hasSpeaker: true,
    ...known,
    hasSnapshots: true,
  }
  await cameras.put(camera, cameraKey)
  return camera
}

/** The secrets with keys for the signaling service, made at the first start. Throws an `Error` when they are of another one. */
export async function withCredentials(
  secrets: Secrets,
  service: SignalingService,
  path: string,
  databasePath: string,
): Promise<Secrets> {
  await service.ensureChannel(doorbellId)
  if (secrets.credentials !== undefined) {
    if (await service.knowsKey(secrets.credentials.application.accessKeyId)) return secrets
    throw new Error(
      `${path}, ${databasePath} and certificates/credentials.key beside them do not belong together: restore the whole data directory from one backup`,
    )
  }
  const application = await service.createCredentials({ kind: 'application' })
  const camera = await service.createCredentials({ kind: 'camera', channelName: doorbellId })
  const complete = { ...secrets, credentials: { application, camera } }
  await saveSecrets(path, complete)
  return complete
}
