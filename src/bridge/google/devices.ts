/** Cameras as Google's devices: how they are described (SYNC) and how they are (QUERY, Home Graph). */
import { createHash } from 'node:crypto'
import type { Camera, CameraState, Sensor } from 'transom-core/ports'
import { deviceMark, type DeviceState, type SyncDevice, type TraitStates } from 'transom-core/wire/google'
import { streamUrls, type Cameras } from './cameras.ts'

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

/** True if somebody at this camera is worth a word: its button was pressed, or it sees people itself. */
export function announcesPeople(camera: Camera): boolean {
  return camera.kind === 'doorbell' || camera.detects?.includes('person') === true
}

/** Google has a device for it: what has no picture can still be a doorbell that announces who rings, but no camera. */
function isDevice(camera: Camera, { canNotify }: DevicePromises): boolean {
  return camera.hasVideo !== false || (camera.kind === 'doorbell' && canNotify)
}

/** Of an account's cameras those that Google hears of; for all that is said to Google, or it would know nothing of what we mean. */
export function onlyDevices(cameras: Cameras, promises: DevicePromises): Cameras {
  return {
    list: async (account) => (await cameras.list(account)).filter((camera) => isDevice(camera, promises)),
    async find(account, id) {
      const camera = await cameras.find(account, id)
      return camera && isDevice(camera, promises) ? camera : undefined
    },
  }
}

/** A trait is announced only where the camera has the source for it. */
export function describeDevice(camera: Camera, promises: DevicePromises): SyncDevice {
  const announces = promises.canNotify && announcesPeople(camera)
  const { hasVideo = true, hasBattery, hasSwitch, sensors = [] } = camera
  const room = camera.room?.trim()
  const traits: Trait[] = []
  if (hasVideo) traits.push('action.devices.traits.CameraStream')
  if (announces) traits.push('action.devices.traits.ObjectDetection')
  if (hasBattery) traits.push('action.devices.traits.EnergyStorage')
  if (hasSwitch) traits.push('action.devices.traits.OnOff')
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
      ...(hasVideo && { cameraStreamSupportedProtocols: protocolsOf(camera), cameraStreamNeedAuthToken: true }),
      ...(hasBattery && { queryOnlyEnergyStorage: true }),
      // Its switch is read, not turned. The schema's rules contradict one another unless both are said.
      ...(hasSwitch && { commandOnlyOnOff: false, queryOnlyOnOff: true }),
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
 * The state of a device from what the broker and the camera itself say. On AWS the presence of a master is known
 * only where the vendor's cloud reports it; else it is said to be online, which means "try it": Google does not even send EXECUTE to a device that is offline, so the
 * other lie would hide a camera for ever, and this one is put right by the reply to EXECUTE or to the offer.
 */
export function traitStates(camera: Camera, online: boolean | undefined, now: CameraState): TraitStates {
  const battery = camera.hasBattery ? now.battery : undefined
  const sensors = (camera.sensors ?? []).flatMap(({ name }) => {
    const { state, value } = now.sensors?.[name] ?? {}
    return state === undefined && value === undefined ? [] : { name, state, value }
  })
  return {
    online: (online ?? now.presence?.isOnline) !== false,
    ...(battery && {
      descriptiveCapacityRemaining: describeCapacity(battery.level),
      capacityRemaining: [{ rawValue: Math.round(battery.level), unit: 'PERCENTAGE' as const }],
    }),
    ...(camera.hasSwitch && now.switch && { on: now.switch.isOn }),
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

/** In order of preference. */
function protocolsOf(camera: Camera): ('webrtc' | 'hls' | 'dash')[] {
  const urls = streamUrls(camera)
  return ['webrtc', ...(['hls', 'dash'] as const).filter((protocol) => urls[protocol] !== undefined)]
}

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
