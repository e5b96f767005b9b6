/** How a camera is, in Alexa's words. */
import type { Camera, CameraState } from 'transom-core/ports'
import type { AlexaProperty } from 'transom-core/wire/alexa'

/** The embedded signaling service notices a dead connection within seconds. */
const PRESENCE_UNCERTAINTY_MS = 5_000
/** Where nobody can know (AWS does not tell), the sample may be as old as the longest master connection, an hour. */
const NO_PRESENCE_UNCERTAINTY_MS = 3_600_000
/** A sensor that never says that it is over has long forgotten what it saw. */
const MOTION_KEPT_MS = 600_000

/**
 * Where nobody can know whether the camera is there it is reported as reachable: reported otherwise, Alexa refuses to open
 * it without asking us, while an offer to a camera that is not there fails in time and says so.
 */
export function connectivity(isOnline: boolean | undefined, now: number): AlexaProperty {
  return {
    namespace: 'Alexa.EndpointHealth',
    name: 'connectivity',
    value: { value: (isOnline ?? true) ? 'OK' : 'UNREACHABLE' },
    timeOfSample: new Date(now).toISOString(),
    uncertaintyInMilliseconds: isOnline === undefined ? NO_PRESENCE_UNCERTAINTY_MS : PRESENCE_UNCERTAINTY_MS,
  }
}

export function detectionState(isDetected: boolean, at: number): AlexaProperty {
  return {
    namespace: 'Alexa.MotionSensor',
    name: 'detectionState',
    value: isDetected ? 'DETECTED' : 'NOT_DETECTED',
    timeOfSample: new Date(at).toISOString(),
    uncertaintyInMilliseconds: 0,
  }
}

export function objectDetectionClasses({ detects = [] }: Camera, now: number): AlexaProperty {
  return {
    namespace: 'Alexa.SmartVision.ObjectDetectionSensor',
    name: 'objectDetectionClasses',
    value: detects.map((imageNetClass) => ({ imageNetClass })),
    timeOfSample: new Date(now).toISOString(),
    uncertaintyInMilliseconds: 0,
  }
}

/** Every property that the endpoint has declared as retrievable, as of `now`. */
export function allProperties(
  camera: Camera,
  state: CameraState,
  facts: { readonly isOnline: boolean | undefined; readonly canSendEvents: boolean },
  now: number,
): AlexaProperty[] {
  const { motion, presence } = state
  const isDetected = motion !== undefined && motion.isDetected && now - motion.at < MOTION_KEPT_MS
  return [
    connectivity(facts.isOnline ?? presence?.isOnline, now),
    ...(camera.hasMotion ? [detectionState(isDetected, motion?.at ?? now)] : []),
    ...(camera.detects?.length && facts.canSendEvents ? [objectDetectionClasses(camera, now)] : []),
  ]
}
