/** Keys for viewers that are none of the bridge's: vendors' apps, pages and scripts with AWS's SDKs. */
import type { Cameras } from 'transom-bridge/cameras/cameras'
import { BridgeError } from 'transom-core/errors'
import type { SignalingService } from 'transom-signaling/service'
import { existing } from 'transom-bridge/operator/camera-records'
import type { ViewerKeys } from 'transom-bridge/operator/registration-ports'

export interface ViewerKeyDeps {
  readonly cameras: Cameras
  readonly service: SignalingService
  readonly region: string
}

export function createViewerKeys({ cameras, service, region }: ViewerKeyDeps): ViewerKeys {
  return {
    async add(cameraIds, name) {
      const channels = await Promise.all(
        [...new Set(cameraIds)].map(async (cameraId) => {
          const { channelName } = (await existing(cameras, cameraId)).channel
          return { cameraId, channelName, channelArn: await service.ensureChannel(channelName) }
        }),
      )
      const channelNames = channels.map(({ channelName }) => channelName)
      const key = await service.createCredentials({ kind: 'viewer', channelNames }, name)
      const { endpoint, caPath = null } = service
      return { ...key, ...(name !== undefined && { name }), region, endpoint, caPath, channels }
    },
    async list() {
      const keys = await service.listCredentials({ kind: 'viewer' })
      return Promise.all(
        keys.map(async ({ scope, ...key }) => {
          const channelNames = scope.kind === 'viewer' ? scope.channelNames : []
          const found = await Promise.all(channelNames.map((channelName) => cameras.byChannel(channelName)))
          return { ...key, cameras: found.flatMap((camera) => (camera === undefined ? [] : [camera.id])) }
        }),
      )
    },
    async remove(accessKeyId) {
      if (await service.revokeCredentials(accessKeyId)) return
      throw new BridgeError('camera_not_found', `there is no key ${accessKeyId}`)
    },
  }
}
