/** What an operator tells the bridge to register a camera, and what the camera's firmware must be told then. */
import { z } from 'zod'

const id = z.string().regex(/^[a-zA-Z0-9_.-]{1,256}$/, '1 to 256 of a-z, A-Z, 0-9, _ . -')
const label = z.string().min(1).max(128)
const address = z.url({ protocol: /^https?$/ }).max(2_048)

/** What a camera can do beside showing its picture; what is left out it cannot. */
const abilities = {
  /** False for an intercom without a picture. */
  hasVideo: z.boolean().exactOptional(),
  /** It posts `motion`, with beginning and end. */
  hasMotion: z.boolean().exactOptional(),
  /** It posts `person`. */
  detects: z.array(z.literal('person')).max(1).exactOptional(),
  /** It posts `battery`. */
  hasBattery: z.boolean().exactOptional(),
  /** It leaves still pictures. */
  hasSnapshots: z.boolean().exactOptional(),
  /** It posts `switch`: whether its lens is on. */
  hasSwitch: z.boolean().exactOptional(),
  /** Its picture at fixed addresses, for displays without WebRTC. */
  streams: z
    .array(
      z.strictObject({
        uri: z.url({ protocol: /^(https|rtsps?)$/ }).max(2_048),
        protocol: z.enum(['HLS', 'RTSP']),
        width: z.int().min(1),
        height: z.int().min(1),
        audioCodec: z.enum(['AAC', 'G711', 'NONE']),
      }),
    )
    .max(10)
    .exactOptional(),
  dashUri: address.exactOptional(),
  /** It posts `sensor`; names, states and units as in Google's table for SensorState. */
  sensors: z
    .array(
      z
        .strictObject({
          name: label,
          states: z.array(label).min(1).max(20).exactOptional(),
          unit: label.exactOptional(),
        })
        .refine(({ states, unit }) => states !== undefined || unit !== undefined, 'needs states, a unit or both'),
    )
    .max(20)
    .exactOptional(),
}

export const registrationRequest = z.strictObject({
  /** Also the name of its signaling channel. */
  id,
  name: label,
  kind: z.enum(['doorbell', 'camera']).default('doorbell'),
  /** The login of the user it belongs to. */
  owner: z.string().min(1).max(254).default('demo'),
  room: label.exactOptional(),
  manufacturer: label.default('Transom'),
  model: label.default('KVS camera'),
  serialNumber: label.exactOptional(),
  firmwareVersion: label.exactOptional(),
  /** Whether it plays the sound that it receives. */
  hasSpeaker: z.boolean().default(true),
  ...abilities,
  /** How it is offered calls. `viewer` lets it trickle; `alexa-offer` is for firmware that knows only Alexa's way. */
  road: z.enum(['viewer', 'alexa-offer']).default('viewer'),
})
export type RegistrationRequest = z.infer<typeof registrationRequest>

const accessKey = z.object({ accessKeyId: z.string(), secretAccessKey: z.string() })

/** Everything that the firmware needs. Secrets are in it once: they cannot be asked for again. */
export const registration = z.object({
  cameraId: id,
  channelName: id,
  channelArn: z.string(),
  region: z.string(),
  ...accessKey.shape,
  /** Bearer token for `eventsUrl`, where the camera says that somebody rang; absent when only the access key is new. */
  cameraKey: z.string().optional(),
  eventsUrl: z.url(),
  /** The signaling service's control plane. */
  endpoint: z.url(),
  /** File of the authority to trust, on the bridge's machine; null when it is a public one. */
  caPath: z.string().nullable(),
  /** For AWS's C SDK and its samples. */
  environment: z.record(z.string(), z.string()),
  /** What will not work like this, in plain words. */
  warnings: z.array(z.string()),
})
export type Registration = z.infer<typeof registration>

export const registeredCamera = z.object({
  cameraId: id,
  name: label,
  kind: z.enum(['doorbell', 'camera']),
  channelName: id,
  isOnline: z.boolean(),
  /** When it came or went, epoch milliseconds. */
  sinceAt: z.number(),
  keys: z.array(z.object({ accessKeyId: z.string(), createdAt: z.number() })),
})
export const registeredCameras = z.object({ cameras: z.array(registeredCamera) })
export type RegisteredCamera = z.infer<typeof registeredCamera>
