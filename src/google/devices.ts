/** Cameras as Google's devices: how they are described (SYNC) and how they are (QUERY). */
import type { Camera } from '../ports.ts'
import type { DeviceState, SyncDevice } from '../wire/google.ts'

/** What the bridge may promise of its devices; both need a Home Graph service account. */
export interface DevicePromises {
  /** True if a press is announced through Home Graph; only then has a doorbell the trait ObjectDetection. */
  readonly canNotify: boolean
  /** True only if `online` is really reported: Google then trusts the reports and stops asking. */
  readonly willReportState: boolean
}

/** In code points. Google cuts longer names without a word; we cut them where it can be seen. */
const nameLimit = 60

export function describeDevice(camera: Camera, { canNotify, willReportState }: DevicePromises): SyncDevice {
  const announces = camera.kind === 'doorbell' && canNotify
  const room = camera.room?.trim()
  return {
    id: camera.id,
    type: camera.kind === 'doorbell' ? 'action.devices.types.DOORBELL' : 'action.devices.types.CAMERA',
    traits: [
      'action.devices.traits.CameraStream',
      ...(announces ? (['action.devices.traits.ObjectDetection'] as const) : []),
    ],
    name: { name: Array.from(camera.name).slice(0, nameLimit).join('') },
    willReportState,
    ...(announces && { notificationSupportedByAgent: true }),
    // An empty hint would make a room with an empty name.
    ...(room && { roomHint: room }),
    deviceInfo: {
      manufacturer: camera.manufacturer,
      model: camera.model,
      ...(camera.firmwareVersion && { swVersion: camera.firmwareVersion }),
    },
    attributes: { cameraStreamSupportedProtocols: ['webrtc'], cameraStreamNeedAuthToken: true },
  }
}

/**
 * The state of a device from what the broker knows. Nobody can know the presence of a master on AWS; it is then said to be
 * online, which means "try it": Google does not even send EXECUTE to a device that is offline, so the other lie would hide a
 * camera for ever, and this one is put right by the reply to EXECUTE or to the offer.
 */
export function deviceState(online: boolean | undefined): DeviceState {
  if (online === false) return { online: false, status: 'OFFLINE', errorCode: 'deviceOffline' }
  return { online: true, status: 'SUCCESS' }
}

/** The state of an id that is not a camera of this account. */
export const unknownDevice: DeviceState = { online: false, status: 'ERROR', errorCode: 'deviceNotFound' }
