/** Cameras in one step: the bridge's record, the signaling channel and the keys are made, shown and removed together. */
import type { Cameras } from 'transom-bridge/cameras/cameras'
import { BridgeError } from 'transom-core/errors'
import type { Camera, Presence } from 'transom-core/ports'
import type { SignalingService } from 'transom-signaling/service'
import type { Registration } from 'transom-core/wire/registration'
import {
  accessOf,
  createCameraRecords,
  existing,
  newCameraKey,
  type ListedCamera,
} from 'transom-bridge/operator/camera-records'
import type { Registrations } from 'transom-bridge/operator/registration-ports'
import { gatewayKeyName } from './gateway-wanted.ts'
import type { Gateways } from './gateways.ts'
import type { Webhooks } from './webhooks.ts'

export interface RegistrationDeps {
  readonly cameras: Cameras
  readonly service: SignalingService
  readonly gateways: Gateways
  readonly webhooks: Pick<Webhooks, 'forget'>
  readonly presence: Presence
  readonly publicUrl: string
  readonly region: string
  /** The id of the built-in doorbell, where it runs. */
  readonly builtIn?: string
}

const notRecorded = (id: string) =>
  new BridgeError('invalid_request', `only a camera that a gateway reads can be recorded, and ${id} connects by itself`)

/** Cameras that connect by themselves; of those that a gateway reads, what both have in common. */
export function createRegistrations(deps: RegistrationDeps): Registrations {
  const { cameras, service, gateways, webhooks, publicUrl, builtIn } = deps
  const records = createCameraRecords(cameras, publicUrl)
  const assertRecordable = async (id: string): Promise<void> => {
    if (id !== builtIn && (await gateways.placeOf(id)) === undefined) throw notRecorded(id)
  }
  return {
    ...records,
    assertRecordable,
    async add(camera, owner, channelName) {
      if (camera.record !== undefined) throw notRecorded(camera.id)
      // The record first: it is what makes the id taken.
      const { cameraKey } = await records.add(camera, owner, channelName)
      return orRemoved(cameras, camera.id, async () => issue(deps, await existing(cameras, camera.id), cameraKey))
    },
    async list(owner, page) {
      return Promise.all((await records.list(owner, page)).map((camera) => withState(deps, camera)))
    },
    async change(id, change) {
      if (change.hasSpeaker !== undefined && (await gateways.placeOf(id)) !== undefined)
        throw new BridgeError('invalid_request', `whether ${id} has a speaker is read from the camera itself`)
      if (typeof change.record === 'string') await assertRecordable(id)
      await records.change(id, change)
      if (change.record !== undefined) await gateways.renew(id)
    },
    async issueKey(id, replace = false) {
      const camera = await existing(cameras, id)
      if ((await gateways.placeOf(id)) === undefined) return replace ? reissue(deps, camera) : issue(deps, camera)
      if (replace) return records.issueKey(id)
      throw new BridgeError(
        'invalid_request',
        `${id} is read by a gateway and needs no access key; --replace makes a new camera key`,
      )
    },
    async remove(id) {
      const camera = await existing(cameras, id)
      if (id === builtIn)
        throw new BridgeError('invalid_request', `${id} is the built-in doorbell: TRANSOM_DOORBELL=off turns it off`)
      await gateways.remove(id)
      await webhooks.forget(id)
      await service.removeChannel(camera.channel.channelName)
      await records.remove(id)
    },
  }
}

/** What failed half-way leaves no camera behind. */
export async function orRemoved<T>(cameras: Cameras, id: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await cameras.remove(id)
    throw error
  }
}

/** Makes an access key, and says everything that goes with it. */
async function issue(deps: RegistrationDeps, camera: Camera, cameraKey?: string): Promise<Registration> {
  const { service, publicUrl, region } = deps
  const { channelName } = camera.channel
  const channelArn = await service.ensureChannel(channelName)
  const { accessKeyId, secretAccessKey } = await service.createCredentials({ kind: 'camera', channelName })
  const { endpoint, caPath = null } = service
  return {
    ...accessOf(camera, publicUrl, cameraKey),
    channelArn,
    region,
    accessKeyId,
    secretAccessKey,
    endpoint,
    caPath,
    environment: {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: region,
      CONTROL_PLANE_URI: endpoint,
      ...(caPath !== null && { AWS_KVS_CACERT_PATH: caPath }),
    },
    warnings: warningsOf(endpoint, publicUrl),
  }
}

/** The same with a new camera key, after which no older key opens anything. */
async function reissue(deps: RegistrationDeps, camera: Camera): Promise<Registration> {
  const { cameras, service } = deps
  const older = await keysOf(service, camera.channel.channelName)
  const cameraKey = newCameraKey()
  const issued = await issue(deps, camera, cameraKey)
  await cameras.put(camera, cameraKey)
  await Promise.all(older.map(({ accessKeyId }) => service.revokeCredentials(accessKeyId)))
  return issued
}

const keysOf = async (service: SignalingService, channelName: string) =>
  (await service.listCredentials({ kind: 'camera', channelName })).filter(({ name }) => name !== gatewayKeyName)

/** Where it is read, whether it is connected and why not, and its keys. */
async function withState({ gateways, service, presence }: RegistrationDeps, camera: ListedCamera) {
  const { channelName } = camera
  const [place, keys] = await Promise.all([gateways.placeOf(camera.cameraId), keysOf(service, channelName)])
  const seen = presence({ channelName, road: 'viewer' })
  return {
    ...camera,
    ...place,
    isOnline: seen?.online ?? false,
    ...(seen !== undefined && seen.isUnseen !== true && { sinceAt: seen.sinceAt }),
    ...(seen?.fault && { fault: seen.fault }),
    ...(seen?.eventsFault && { eventsFault: seen.eventsFault }),
    ...(seen?.failedServers && { failedServers: seen.failedServers }),
    ...(seen?.reencoding && { reencoding: seen.reencoding }),
    keys: keys.map(({ accessKeyId, createdAt }) => ({ accessKeyId, createdAt })),
  }
}

const isThisMachine = (url: string) => /^(127\.|localhost$|\[::1\]$)/.test(new URL(url).hostname)

function warningsOf(endpoint: string, publicUrl: string): string[] {
  const { protocol, port } = new URL(endpoint)
  return [
    ...(port !== '' || protocol !== 'https:'
      ? [
          "AWS's C SDK speaks HTTPS to port 443 only: lead that port here and set TRANSOM_SIGNALING_URL to https://<name>, without a port",
        ]
      : []),
    ...(isThisMachine(endpoint)
      ? ['only this machine reaches that endpoint: set TRANSOM_HOST and TRANSOM_SIGNALING_HOST for cameras elsewhere']
      : []),
    ...(isThisMachine(publicUrl)
      ? [
          'a press can be told from this machine only: set TRANSOM_PUBLIC_URL to http://<its address>:<port> for cameras elsewhere',
        ]
      : []),
  ]
}
