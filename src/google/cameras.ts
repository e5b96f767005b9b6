/** What this room needs to know of an account's cameras; `app` plugs the implementation in. */
import type { AccountId, Camera, CameraId } from '../ports.ts'

export interface Cameras {
  list(accountId: AccountId): Promise<readonly Camera[]>
  /** `undefined` also for a camera of somebody else. */
  find(accountId: AccountId, cameraId: CameraId): Promise<Camera | undefined>
}

/** One of the sensors in Google's table for SensorState; with words for its states, a unit for its value, or both. */
export interface Sensor {
  /** Google's name: `SmokeLevel`, `CarbonMonoxideLevel`, `AirQuality`, … */
  readonly name: string
  readonly states?: readonly string[]
  /** Google's word: `PARTS_PER_MILLION`, `PERCENTAGE`, … */
  readonly unit?: string
}

/** What a camera has beside its picture; a trait is announced only where its source is there. */
export interface CameraSources {
  /** URLs of the same picture for players without WebRTC. The stock receiver sends no token: a secret must be in the URL. */
  readonly streams?: { readonly hls?: string; readonly dash?: string }
  readonly battery?: { readonly isRechargeable: boolean }
  /** It tells whether its lens is on; it cannot be told. */
  readonly tellsOnOff?: boolean
  readonly sensors?: readonly Sensor[]
  /** It tells that it sees somebody, whether or not it has a button. */
  readonly seesPeople?: boolean
}

/** How a camera is, as it last said; what it has not said is not there. */
export interface CameraCondition {
  readonly battery?: { readonly percent: number; readonly isCharging?: boolean }
  readonly isOn?: boolean
  readonly sensors?: readonly { readonly name: string; readonly state?: string; readonly value?: number }[]
}

export interface CameraFacts {
  sourcesOf(camera: Camera): CameraSources
  conditionOf(camera: Camera): Promise<CameraCondition>
}
