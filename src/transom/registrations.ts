/** Cameras in one step: the bridge's record, the signaling channel and the keys are made, shown and removed together. */
import type { Cameras } from 'transom-bridge/cameras/cameras'
import { BridgeError } from 'transom-core/errors'
import type { Camera, Presence } from 'transom-core/ports'
import type { SignalingService } from 'transom-signaling/service'
import type { Registration } from 'transom-core/wire/registration'
import { accessOf, createCameraRecords, existing, newCameraKey } from 'transom-bridge/operator/camera-records'
import type { Registrations } from 'transom-bridge/operator/registration-ports'

export interface RegistrationDeps {
  readonly cameras: Cameras
  readonly service: SignalingService
  readonly presence: Presence
  readonly publicUrl: string
  readonly region: string
  /** The id of the built-in doorbell, where it runs. */
  readonly builtIn?: string
}

export function createRegistrations(deps: RegistrationDeps): Registrations {
  const { cameras, service, presence, publicUrl, region, builtIn } = deps
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

  return {
    ...records,
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
          const keys = await service.listCredentials({ kind: 'camera', channelName })
          const seen = presence({ channelName, road: 'viewer' })
          const since = seen !== undefined && seen.isUnseen !== true && { sinceAt: seen.sinceAt }
          const issued = keys.map(({ accessKeyId, createdAt }) => ({ accessKeyId, createdAt }))
          const fault = seen?.fault && { fault: seen.fault }
          const servers = seen?.failedServers && { failedServers: seen.failedServers }
          return { ...camera, isOnline: seen?.online ?? false, ...since, ...fault, ...servers, keys: issued }
        }),
      )
    },
    async issueKey(id, replace = false) {
      const camera = await existing(cameras, id)
      const scope = { kind: 'camera', channelName: camera.channel.channelName } as const
      const older = replace ? await service.listCredentials(scope) : []
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
