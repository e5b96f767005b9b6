/** Cameras in one step: the bridge's record, the signaling channel and the keys are made, shown and removed together. */
import type { Cameras } from 'transom-bridge/cameras/cameras'
import { BridgeError } from 'transom-core/errors'
import type { Camera, Presence } from 'transom-core/ports'
import type { SignalingService } from 'transom-signaling/service'
import type { Registration } from 'transom-core/wire/registration'
import { accessOf, createCameraRecords, existing, newCameraKey } from 'transom-bridge/operator/camera-records'
import type { NetworkCameras, Registrations } from 'transom-bridge/operator/registration-ports'
import { gatewayKeyName, placeOf, type Gateway } from './gateway.ts'

export interface RegistrationDeps {
  readonly cameras: Cameras
  readonly service: SignalingService
  readonly gateway: Gateway
  readonly presence: Presence
  readonly publicUrl: string
  readonly region: string
  /** The id of the built-in doorbell, where it runs. */
  readonly builtIn?: string
}

export function createRegistrations(deps: RegistrationDeps): Registrations & { readonly network: NetworkCameras } {
  const { cameras, service, gateway, presence, publicUrl, region, builtIn } = deps
  const records = createCameraRecords(cameras, publicUrl)

  /** Makes an access key, and says everything that goes with it. */
  const issue = async (camera: Camera, cameraKey?: string): Promise<Registration> => {
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

  const keysOf = async (channelName: string) =>
    (await service.listCredentials({ kind: 'camera', channelName })).filter(({ name }) => name !== gatewayKeyName)

  const network: NetworkCameras = {
    async add(camera, owner, source, channelName) {
      // Before anything is made.
      placeOf(source)
      // What it can play is for its source to say.
      const described = { ...camera, road: 'viewer', hasSpeaker: false, hasSnapshots: true } as const
      const access = await records.add(described, owner, channelName)
      try {
        await gateway.put(camera.id, source)
      } catch (error) {
        await cameras.remove(camera.id)
        throw error
      }
      return access
    },
    async change(id, source) {
      await existing(cameras, id)
      placeOf(source)
      if ((await gateway.placeOf(id)) === undefined)
        throw new BridgeError(
          'invalid_request',
          id === builtIn
            ? `${id} is the built-in doorbell: TRANSOM_SOURCE says what it shows`
            : `${id} connects by itself: remove it and add it again with an address`,
        )
      await gateway.put(id, source)
    },
  }

  return {
    ...records,
    network,
    async add(camera, owner, channelName) {
      // The record first: it is what makes the id taken.
      const { cameraKey } = await records.add(camera, owner, channelName)
      try {
        return await issue(await existing(cameras, camera.id), cameraKey)
      } catch (error) {
        await cameras.remove(camera.id)
        throw error
      }
    },
    async list(owner) {
      return Promise.all(
        (await records.list(owner)).map(async (camera) => {
          const { channelName } = camera
          const [place, keys] = await Promise.all([gateway.placeOf(camera.cameraId), keysOf(channelName)])
          const seen = presence({ channelName, road: 'viewer' })
          const since = seen !== undefined && seen.isUnseen !== true && { sinceAt: seen.sinceAt }
          const issued = keys.map(({ accessKeyId, createdAt }) => ({ accessKeyId, createdAt }))
          const fault = seen?.fault && { fault: seen.fault }
          const servers = seen?.failedServers && { failedServers: seen.failedServers }
          const reencoding = seen?.reencoding && { reencoding: seen.reencoding }
          const source = place !== undefined && { source: place }
          const online = { isOnline: seen?.online ?? false, ...since, ...fault, ...servers, ...reencoding }
          return { ...camera, ...source, ...online, keys: issued }
        }),
      )
    },
    async change(id, change) {
      if (change.hasSpeaker !== undefined && (await gateway.placeOf(id)) !== undefined)
        throw new BridgeError('invalid_request', `whether ${id} has a speaker is read from the camera itself`)
      await records.change(id, change)
    },
    async issueKey(id, replace = false) {
      const camera = await existing(cameras, id)
      if ((await gateway.placeOf(id)) !== undefined) {
        if (replace) return records.issueKey(id)
        throw new BridgeError(
          'invalid_request',
          `${id} is read by the bridge and needs no access key; --replace makes a new camera key`,
        )
      }
      const older = replace ? await keysOf(camera.channel.channelName) : []
      const cameraKey = replace ? newCameraKey() : undefined
      const issued = await issue(camera, cameraKey)
      if (cameraKey !== undefined) await cameras.put(camera, cameraKey)
      await Promise.all(older.map(({ accessKeyId }) => service.revokeCredentials(accessKeyId)))
      return issued
    },
    async remove(id) {
      const camera = await existing(cameras, id)
      if (id === builtIn)
        throw new BridgeError('invalid_request', `${id} is the built-in doorbell: TRANSOM_DOORBELL=off turns it off`)
      await gateway.remove(id)
      await service.removeChannel(camera.channel.channelName)
      await records.remove(id)
    },
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
