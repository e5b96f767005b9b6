/** An example: the cameras of a vendor come from its own device service, whose records look like nothing of Transom's. */
import { cameraId, type CameraRegistry } from 'transom-core/ports'

/** What the device service knows of a device. */
export interface Device {
  readonly serial: string
  readonly nickname: string
  readonly hasButton: boolean
  readonly firmware: string
}

/** `devicesOf`: asks the device service. Rejects when it cannot say: then the bridge goes on with what it said last. */
export function createVendorRegistry(
  devicesOf: (user: string, signal: AbortSignal) => Promise<readonly Device[]>,
): CameraRegistry {
  return {
    async camerasOf(account, signal) {
      const devices = await devicesOf(account, signal)
      return devices.map(({ serial, nickname, hasButton, firmware }) => ({
        id: cameraId(serial),
        name: nickname,
        kind: hasButton ? 'doorbell' : 'camera',
        manufacturer: 'Vendor',
        model: 'VB-2',
        firmwareVersion: firmware,
        hasSpeaker: true,
        hasMotion: true,
        channel: { channelName: `device-${serial}`, road: 'viewer' },
      }))
    },
  }
}
