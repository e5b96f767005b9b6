/** What an operator tells the bridge to register a camera, and what the camera's firmware must be told then. */
import * as z from 'zod'
import { sourceFaults } from '../errors.ts'
import { weekdays } from '../week-hours.ts'
import { noStreamAddress, onvifAddress, streamAddress } from './source.ts'

/** A camera's id, and its channel's name. `.` and `..` are taken out of every path that they stand in (RFC 3986 section 5.2.4). */
export const cameraIdShape = z
  .string()
  .regex(/^(?!\.{1,2}$)[a-zA-Z0-9_.-]{1,256}$/, 'must be 1 to 256 of a-z, A-Z, 0-9, _ . -, and not . or ..')
const id = cameraIdShape
/** The name of a gateway on another machine; the one that runs with the bridge is `home`. */
export const gatewayName = z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be 1 to 64 of a-z, 0-9 and -')
/** A name that people are shown: something to see, on one line, in the order in which it is written (Unicode TR 36, 2.5). */
export const shownShape = /^(?=.*[\p{L}\p{N}\p{P}\p{S}])[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+$/u
const label = z
  .string()
  .trim()
  .min(1)
  .max(128)
  .regex(shownShape, 'must be text on one line, without control characters, and not blank')
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time: 07:30')
const account = z.string().min(1).max(256)
const login = z.string().min(1).max(254)
/** Where a network camera is read, user and password percent-encoded in it: `rtsp://user:password@camera.local/stream`. */
const source = z.string().regex(streamAddress, noStreamAddress).max(2_048)
const address = z.url({ protocol: /^https?$/ }).max(2_048)

/** What may be left out: where it is, what it is, and what it can do beside showing its picture. What is left out it cannot. */
const details = {
  room: label.exactOptional(),
  serialNumber: label.exactOptional(),
  firmwareVersion: label.exactOptional(),
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
  /** What of it is recorded, where a gateway reads it: always, or when something happens. */
  record: z.enum(['events', 'always']).exactOptional(),
  /** Only in these hours, by the clock of the household. */
  recordHours: z
    .array(z.strictObject({ days: z.array(z.enum(weekdays)).min(1).max(7), from: timeOfDay, to: timeOfDay }))
    .min(1)
    .max(20)
    .exactOptional(),
  /** How long before and after what happens, and how long one recording is at most: seconds. */
  recordAround: z
    .strictObject({
      before: z.int().min(0).max(30).exactOptional(),
      after: z.int().min(1).max(120).exactOptional(),
      longest: z.int().min(10).max(300).exactOptional(),
    })
    .exactOptional(),
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
  /** What Frigate calls it, if not its id; of which only what has entered one of the zones counts. */
  frigate: z.strictObject({ camera: label, zones: z.array(label).min(1).max(50).exactOptional() }).exactOptional(),
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

/** Whose camera it is: by login, or by account id. The embedded bridge takes its demo user when nobody is named. */
export const cameraOwner = z.strictObject({ owner: login.exactOptional(), account: account.exactOptional() })
export type CameraOwner = z.infer<typeof cameraOwner>

/** What an owner says of a camera. */
export const newCamera = z.strictObject({
  id,
  name: label,
  kind: z.enum(['doorbell', 'camera']).default('doorbell'),
  manufacturer: label.default('Transom'),
  model: label.default('KVS camera'),
  /** Whether it plays the sound that it receives. */
  hasSpeaker: z.boolean().default(true),
  ...details,
  /** How it is offered calls. `viewer` lets it trickle; `alexa-offer` is for firmware that knows only Alexa's way. */
  road: z.enum(['viewer', 'alexa-offer']).default('viewer'),
})
export type NewCamera = z.infer<typeof newCamera>

/**
 * Asks `POST /operator/cameras`: a camera with its owner, its channel, or the address at which the bridge is to read
 * it.
 */
export const registrationRequest = newCamera.extend({
  ...cameraOwner.shape,
  /** Its signaling channel; the id, if not given. */
  channelName: id.exactOptional(),
  /** The address of a network camera, which the bridge then reads itself; only where a gateway runs with it. */
  source: source.exactOptional(),
  /** Where it speaks ONVIF: its events are followed, and its own still pictures taken. */
  onvif: onvifAddress.exactOptional(),
  /** Which gateway reads it; `home`, the one with the bridge, if not given. */
  gateway: gatewayName.exactOptional(),
})
export type RegistrationRequest = z.infer<typeof registrationRequest>

/** What a webhook of a camera may do. */
export const webhookEvents = ['press', 'motion', 'person'] as const
/** One of these. */
export type WebhookEvent = (typeof webhookEvents)[number]
/** The webhooks of a camera, by event: whoever calls one (GET or POST) makes this happen, and nothing else. Each is a secret. */
export const cameraWebhooks = z.object({ press: z.url(), motion: z.url(), person: z.url() })
export type CameraWebhooks = z.infer<typeof cameraWebhooks>

/** Asks for a further access key of a camera; `replace`: instead of all others. */
export const cameraKeyRequest = z.object({ replace: z.boolean().default(false) })

/** A key for a viewer that is none of the bridge's: a vendor's app, a page with AWS's SDK, a script. */
export const viewerKeyRequest = z.strictObject({
  /** Whose picture it opens. */
  cameras: z.array(id).min(1).max(100),
  /** What it is for. */
  name: label.exactOptional(),
})

/** The same fields, where null takes one away. */
function removable<Shape extends Readonly<Record<string, z.ZodExactOptional<z.ZodType>>>>(shape: Shape) {
  const fields = Object.entries(shape).map(([name, field]) => [name, field.unwrap().nullable().exactOptional()])
  return Object.fromEntries(fields) as {
    [Name in keyof Shape]: z.ZodExactOptional<z.ZodNullable<ReturnType<Shape[Name]['unwrap']>>>
  }
}

/** What can be said otherwise later (JSON Merge Patch, RFC 7396); the rest of a camera, and its keys, stay. */
export const cameraChange = z.strictObject({
  name: label.exactOptional(),
  manufacturer: label.exactOptional(),
  model: label.exactOptional(),
  hasSpeaker: z.boolean().exactOptional(),
  ...removable(details),
})
export type CameraChange = z.infer<typeof cameraChange>

/** The same from the operator, who may also give a network camera another address, and with it another gateway. */
export const cameraChangeRequest = cameraChange.extend({
  source: source.exactOptional(),
  gateway: gatewayName.exactOptional(),
  /** With `source`. Null: it is not asked by ONVIF any more; left out: as before, if the camera is at the same host. */
  onvif: onvifAddress.nullable().exactOptional(),
})

/** What a camera must know of the bridge. */
export const cameraAccess = z.object({
  cameraId: id,
  channelName: id,
  /** Bearer token for `eventsUrl`, where the camera says that somebody rang; absent when only the access key is new. */
  cameraKey: z.string().exactOptional(),
  eventsUrl: z.url(),
})
export type CameraAccess = z.infer<typeof cameraAccess>

const accessKey = z.object({ accessKeyId: z.string(), secretAccessKey: z.string() })

/** Everything that the firmware needs, where the signaling is ours. Secrets are in it once: they cannot be asked for again. */
export const registration = cameraAccess.extend({
  channelArn: z.string(),
  region: z.string(),
  ...accessKey.shape,
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

/** A camera as it is listed; of connections and access keys only our own signaling service knows. */
export const listedCamera = newCamera
  .omit({ id: true, road: true })
  .extend({ cameraId: id, accountId: account, channelName: id })
  .strip()
/**
 * The same where the signaling service is the bridge's own: with connection, access keys and what its gateway has
 * reported.
 */
export const registeredCamera = listedCamera.extend({
  /** Scheme, host and port of a network camera: path and query may hold secrets, too. */
  source: z.string().exactOptional(),
  /** Scheme, host and port of the ONVIF device, where it is asked for events and stills. */
  onvif: z.string().exactOptional(),
  /** The gateway that reads it, and the SHA-256 fingerprints of the certificates that it showed first, by `host:port`. */
  gateway: z.string().exactOptional(),
  certificates: z.record(z.string(), z.string()).exactOptional(),
  isOnline: z.boolean(),
  /** When it came or went, epoch milliseconds; absent when it has not since the bridge was started. */
  sinceAt: z.number().exactOptional(),
  /** Why it is offline, where its gateway has said so. */
  fault: z.object({ code: z.enum(sourceFaults), message: z.string() }).exactOptional(),
  /** Why its ONVIF events do not arrive, where its gateway has said so. */
  eventsFault: z.object({ code: z.enum(sourceFaults), message: z.string() }).exactOptional(),
  /** The STUN and TURN servers that give it nothing, where its gateway has said so. */
  failedServers: z.array(z.object({ url: z.string(), message: z.string() })).exactOptional(),
  /** What displays cannot play of its video, which its gateway converts, and the cost in percent of one core. */
  reencoding: z.object({ of: z.string(), percent: z.number().exactOptional() }).exactOptional(),
  keys: z.array(z.object({ accessKeyId: z.string(), createdAt: z.number() })),
})

/** A camera of a batch: no network camera, whose password could not be compared with the one before. */
export const batchCamera = registrationRequest.omit({ source: true, onvif: true, gateway: true })
export type BatchCamera = z.infer<typeof batchCamera>
/** The most cameras in one `POST /operator/cameras:batch`, and the most bytes of its body. */
export const batchLimits = { cameras: 100, bytes: 512 * 1024 } as const
/** Asks `POST /operator/cameras:batch`. A camera that is not right is refused by itself, so the door reads them one by one. */
export const cameraBatch = z.strictObject({
  cameras: z.array(batchCamera).min(1).max(batchLimits.cameras),
  /** Only says what would be done. */
  dryRun: z.boolean().default(false),
})
/** What became of one camera of a batch. */
export const batchResult = z.discriminatedUnion('result', [
  /** `access`: what its firmware needs, with secrets that are shown only once; absent in a dry run. */
  z.object({
    result: z.literal('created'),
    cameraId: id,
    access: z.union([registration, cameraAccess]).exactOptional(),
  }),
  z.object({ result: z.enum(['changed', 'unchanged']), cameraId: id }),
  /** Nothing was done. `error` is a code of the bridge's. */
  z.object({ result: z.literal('refused'), cameraId: id.exactOptional(), error: z.string(), message: z.string() }),
])
export type BatchResult = z.infer<typeof batchResult>
/** Answers it: one result for each camera, in the order of the request. */
export const cameraBatchResults = z.object({ results: z.array(batchResult) })

/** Everything that such a viewer needs. The secret is in it only once. */
export const viewerKey = z.object({
  ...accessKey.shape,
  name: label.exactOptional(),
  region: z.string(),
  endpoint: z.url(),
  caPath: z.string().nullable(),
  channels: z.array(z.object({ cameraId: id, channelName: id, channelArn: z.string() })),
})
export type ViewerKey = z.infer<typeof viewerKey>

/** A viewer's key as it is listed, without its secret. `createdAt` in epoch milliseconds. */
export const listedViewerKey = z.object({
  accessKeyId: z.string(),
  name: label.exactOptional(),
  createdAt: z.number(),
  cameras: z.array(z.string()),
})
export type ListedViewerKey = z.infer<typeof listedViewerKey>
/** Answers `GET /operator/keys`. */
export const listedViewerKeys = z.object({ keys: z.array(listedViewerKey) })
/** Answers `GET /operator/gateways`: the gateways on other machines. */
export const listedGateways = z.object({
  gateways: z.array(z.object({ name: gatewayName, createdAt: z.number(), isConnected: z.boolean() })),
})
/** The body of `POST /operator/gateways`. */
export const gatewayRequest = z.strictObject({ name: gatewayName })
/** Answers it: a gateway with its key, which is shown only then. */
export const newGateway = z.object({ name: gatewayName, key: z.string() })

/** The query of `GET /operator/cameras`: the cameras of an account, or of all. */
export const cameraListQuery = cameraOwner.extend({
  /** Those of every account, by pages. */
  all: z.literal('true').exactOptional(),
  /** The most on a page, 100 by default. An account's come all at once where neither this nor `cursor` is given. */
  limit: z.coerce.number().int().min(1).max(1_000).exactOptional(),
  /** Of the page before. */
  cursor: z.string().min(1).max(1_024).exactOptional(),
})
export type CameraListQuery = z.infer<typeof cameraListQuery>
/**
 * Answers it. `cursor`: there may be more, to be asked for with it; a page may hold fewer than its limit, even none. The
 * last page has none.
 */
export const listedCameras = z.object({
  cameras: z.array(z.union([registeredCamera, listedCamera])),
  cursor: z.string().exactOptional(),
})
