/** Cameras as Google's devices: how they are described (SYNC) and how they are (QUERY, Home Graph). */
import { createHash } from 'node:crypto'
import type { Camera } from '../ports.ts'
import { deviceMark, type DeviceState, type SyncDevice, type TraitStates } from '../wire/google.ts'
import type { CameraCondition, CameraSources, Sensor } from './cameras.ts'

/** What the bridge may promise of its devices; both need a Home Graph service account. */
export interface DevicePromises {
  /** True if a press is announced through Home Graph; only then has a doorbell the trait ObjectDetection. */
  readonly canNotify: boolean
  /** True only if states are really reported: Google then trusts the reports and stops asking. */
  readonly willReportState: boolean
}

/** In code points. Google cuts longer names without a word; we cut them where it can be seen. */
const nameLimit = 60

type Trait = SyncDevice['traits'][number]

export function describeDevice(camera: Camera, sources: CameraSources, promises: DevicePromises): SyncDevice {
  const announces = promises.canNotify && (camera.kind === 'doorbell' || sources.seesPeople === true)
  const { battery, tellsOnOff, sensors = [], streams } = sources
  const room = camera.room?.trim()
  const traits: Trait[] = ['action.devices.traits.CameraStream']
  if (announces) traits.push('action.devices.traits.ObjectDetection')
  if (battery) traits.push('action.devices.traits.EnergyStorage')
  if (tellsOnOff) traits.push('action.devices.traits.OnOff')
  if (sensors.length > 0) traits.push('action.devices.traits.SensorState')
  const device = {
    id: camera.id,
    type: camera.kind === 'doorbell' ? 'action.devices.types.DOORBELL' : 'action.devices.types.CAMERA',
    traits,
    name: { name: Array.from(camera.name).slice(0, nameLimit).join('') },
    willReportState: promises.willReportState,
    ...(announces && { notificationSupportedByAgent: true }),
    // An empty hint would make a room with an empty name.
    ...(room && { roomHint: room }),
    deviceInfo: {
      manufacturer: camera.manufacturer,
      model: camera.model,
      ...(camera.firmwareVersion && { swVersion: camera.firmwareVersion }),
    },
    attributes: {
      cameraStreamSupportedProtocols: [
        'webrtc',
        ...(streams?.hls === undefined ? [] : (['hls'] as const)),
        ...(streams?.dash === undefined ? [] : (['dash'] as const)),
      ],
      cameraStreamNeedAuthToken: true,
      ...(battery && { queryOnlyEnergyStorage: true, isRechargeable: battery.isRechargeable }),
      ...(tellsOnOff && { queryOnlyOnOff: true }),
      ...(sensors.length > 0 && { sensorStatesSupported: sensors.map(describeSensor) }),
    },
  } as const satisfies Omit<SyncDevice, 'customData'>
  return { ...device, customData: { rev: digestOf(device) } }
}

/** True if Google has kept another description of this device than we would give it now. */
export function isOutdated(customData: unknown, described: SyncDevice): boolean {
  const mark = deviceMark.safeParse(customData)
  return mark.success && mark.data.rev !== described.customData.rev
}

/**
 * The state of a device from what the broker and the camera itself say. Nobody can know the presence of a master on AWS; it
 * is then said to be online, which means "try it": Google does not even send EXECUTE to a device that is offline, so the
 * other lie would hide a camera for ever, and this one is put right by the reply to EXECUTE or to the offer.
 */
export function traitStates(online: boolean | undefined, sources: CameraSources, now: CameraCondition): TraitStates {
  const battery = sources.battery && now.battery
  const sensors = (sources.sensors ?? []).flatMap(({ name }) => now.sensors?.find((one) => one.name === name) ?? [])
  return {
    online: online !== false,
    ...(battery && {
      descriptiveCapacityRemaining: describeCapacity(battery.percent),
      capacityRemaining: [{ rawValue: Math.round(battery.percent), unit: 'PERCENTAGE' as const }],
      ...(battery.isCharging !== undefined && { isCharging: battery.isCharging }),
    }),
    ...(sources.tellsOnOff && now.isOn !== undefined && { on: now.isOn }),
    ...(sensors.length > 0 && {
      currentSensorStateData: sensors.map(({ name, state, value }) => ({
        name,
        ...(state !== undefined && { currentSensorState: state }),
        ...(value !== undefined && { rawValue: value }),
      })),
    }),
  }
}

/** The same as QUERY wants it: what is reported and what is answered may never differ. */
export function deviceState(states: TraitStates): DeviceState {
  if (!states.online) return { ...states, status: 'OFFLINE', errorCode: 'deviceOffline' }
  return { ...states, status: 'SUCCESS' }
}

/** The state of an id that is not a camera of this account. */
export const unknownDevice: DeviceState = { online: false, status: 'ERROR', errorCode: 'deviceNotFound' }

function describeSensor({ name, states, unit }: Sensor) {
  return {
    name,
    ...(states && { descriptiveCapabilities: { availableStates: [...states] } }),
    ...(unit !== undefined && { numericCapabilities: { rawValueUnit: unit } }),
  }
}

function describeCapacity(percent: number): NonNullable<TraitStates['descriptiveCapacityRemaining']> {
  if (percent > 95) return 'FULL'
  if (percent > 70) return 'HIGH'
  if (percent > 30) return 'MEDIUM'
  return percent > 10 ? 'LOW' : 'CRITICALLY_LOW'
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 12)
}
