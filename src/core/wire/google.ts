/** Google's messages: the intents of Cloud-to-cloud fulfillment, the player's signaling, and what we send to Home Graph. */
import * as z from 'zod'

// ── Requests: fields that we do not use pass unseen ──────────────────────────────────────────────────────────────────

/** Opaque: the 2021 schemas say uuid, Google itself sends long decimal strings. */
const requestId = z.string().min(1).max(256)

/** No real home comes near these bounds; they keep the work for one hostile request linear and small. */
const devices = z.array(z.object({ id: z.string().min(1).max(256), customData: z.unknown().optional() })).max(1000)
const executions = z
  .array(z.object({ command: z.string().min(1), params: z.unknown().optional() }))
  .min(1)
  .max(100)

/** The intents of Google's fulfillment: SYNC, QUERY, EXECUTE and DISCONNECT. */
export const googleIntent = z.enum([
  'action.devices.SYNC',
  'action.devices.QUERY',
  'action.devices.EXECUTE',
  'action.devices.DISCONNECT',
])

const input = z.discriminatedUnion('intent', [
  z.object({ intent: z.literal('action.devices.SYNC') }),
  z.object({ intent: z.literal('action.devices.QUERY'), payload: z.object({ devices }) }),
  z.object({
    intent: z.literal('action.devices.EXECUTE'),
    payload: z.object({ commands: z.array(z.object({ devices, execution: executions })).max(1000) }),
  }),
  z.object({ intent: z.literal('action.devices.DISCONNECT') }),
])

/** Every fulfillment request. `inputs` is a list, but a reply has room for the answer to one: two are refused. */
export const googleRequest = z.object({ requestId, inputs: z.tuple([input]) })
export type GoogleRequest = z.infer<typeof googleRequest>
/** One entry of EXECUTE's `commands`: devices, and what each is to do. */
export type ExecuteCommand = Extract<
  z.infer<typeof input>,
  { intent: 'action.devices.EXECUTE' }
>['payload']['commands'][number]

/** `params` of `action.devices.commands.GetCameraStream`; mind the capital S. `StreamToChromecast` does not matter to us. */
export const getCameraStreamParams = z.object({ SupportedStreamProtocols: z.array(z.string()) })

/** What we send as `customData`, and what comes back if Google has kept it; anything else counts as nothing. */
export const deviceMark = z.strictObject({
  /** A digest of the description that Google was given: an old one shows that Google must ask again. */
  rev: z.string().max(64),
})

// ── Replies: closed, so that nothing leaves that the schemas do not know ─────────────────────────────────────────────

const streamProtocol = z.enum(['webrtc', 'hls', 'dash'])

const sensorSupported = z.strictObject({
  name: z.string().min(1),
  descriptiveCapabilities: z.strictObject({ availableStates: z.array(z.string().min(1)).min(1) }).optional(),
  numericCapabilities: z.strictObject({ rawValueUnit: z.string().min(1) }).optional(),
})

const syncDevice = z.strictObject({
  id: z.string(),
  type: z.enum(['action.devices.types.CAMERA', 'action.devices.types.DOORBELL']),
  traits: z.array(
    z.enum([
      'action.devices.traits.CameraStream',
      'action.devices.traits.ObjectDetection',
      'action.devices.traits.EnergyStorage',
      'action.devices.traits.OnOff',
      'action.devices.traits.SensorState',
    ]),
  ),
  name: z.strictObject({ name: z.string() }),
  willReportState: z.boolean(),
  notificationSupportedByAgent: z.literal(true).optional(),
  roomHint: z.string().min(1).optional(),
  deviceInfo: z.strictObject({ manufacturer: z.string(), model: z.string(), swVersion: z.string().optional() }),
  attributes: z.strictObject({
    /** In order of preference. */
    cameraStreamSupportedProtocols: z.array(streamProtocol).min(1).optional(),
    cameraStreamNeedAuthToken: z.literal(true).optional(),
    queryOnlyEnergyStorage: z.literal(true).optional(),
    commandOnlyOnOff: z.literal(false).optional(),
    queryOnlyOnOff: z.literal(true).optional(),
    sensorStatesSupported: z.array(sensorSupported).min(1).optional(),
  }),
  customData: deviceMark,
})
/** A camera as SYNC's reply describes it. */
export type SyncDevice = z.infer<typeof syncDevice>

/** `errorCode` stands there when the whole request failed. */
export const syncReply = z.strictObject({
  requestId: z.string(),
  payload: z.strictObject({
    agentUserId: z.string(),
    devices: z.array(syncDevice),
    errorCode: z.string().optional(),
  }),
})
export type SyncReply = z.infer<typeof syncReply>

/** The state of a device by its traits, as QUERY answers and Home Graph is told; a trait without a known state has no fields. */
const traitStates = z.strictObject({
  online: z.boolean(),
  descriptiveCapacityRemaining: z.enum(['CRITICALLY_LOW', 'LOW', 'MEDIUM', 'HIGH', 'FULL']).optional(),
  capacityRemaining: z.tuple([z.strictObject({ rawValue: z.int(), unit: z.literal('PERCENTAGE') })]).optional(),
  on: z.boolean().optional(),
  currentSensorStateData: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        currentSensorState: z.string().min(1).optional(),
        rawValue: z.number().optional(),
      }),
    )
    .min(1)
    .optional(),
})
export type TraitStates = z.infer<typeof traitStates>

const deviceState = traitStates.extend({
  status: z.enum(['SUCCESS', 'OFFLINE', 'ERROR']),
  errorCode: z.string().optional(),
})
/** What QUERY and ReportState say of one camera: online, status, and the states of its traits. */
export type DeviceState = z.infer<typeof deviceState>

/** The reply to QUERY: states by device id. `errorCode` stands there when the whole request failed. */
export const queryReply = z.strictObject({
  requestId: z.string(),
  payload: z.strictObject({ devices: z.record(z.string(), deviceState), errorCode: z.string().optional() }),
})
export type QueryReply = z.infer<typeof queryReply>

/** The states of a successful GetCameraStream. Optional ones are left out, never empty: an empty one stops the player. */
const streamStates = z.discriminatedUnion('cameraStreamProtocol', [
  z.strictObject({
    online: z.literal(true),
    cameraStreamProtocol: z.literal('webrtc'),
    cameraStreamSignalingUrl: z.string().min(1),
    cameraStreamAuthToken: z.string().min(1),
    /** A string that holds a JSON array of RTCIceServer. */
    cameraStreamIceServers: z.string().min(3).optional(),
  }),
  z.strictObject({
    online: z.literal(true),
    cameraStreamProtocol: z.enum(['hls', 'dash']),
    cameraStreamAccessUrl: z.string().min(1),
    cameraStreamAuthToken: z.string().min(1),
  }),
])
export type StreamStates = z.infer<typeof streamStates>

const commandResult = z.discriminatedUnion('status', [
  z.strictObject({ ids: z.array(z.string()), status: z.literal('SUCCESS'), states: streamStates }),
  z.strictObject({
    ids: z.array(z.string()),
    status: z.literal('OFFLINE'),
    states: z.strictObject({ online: z.literal(false) }),
    errorCode: z.string(),
  }),
  z.strictObject({ ids: z.array(z.string()), status: z.literal('ERROR'), errorCode: z.string() }),
])
/** What became of a command, for the devices that share the result. */
export type CommandResult = z.infer<typeof commandResult>

/** The reply to EXECUTE: results, each with the ids of its devices. `errorCode` as above. */
export const executeReply = z.strictObject({
  requestId: z.string(),
  payload: z.strictObject({ commands: z.array(commandResult), errorCode: z.string().optional() }),
})
export type ExecuteReply = z.infer<typeof executeReply>

/** The reply to DISCONNECT, which is empty. */
export const disconnectReply = z.strictObject({})
export type DisconnectReply = z.infer<typeof disconnectReply>

/** The reply to a request whose intent we do not know. */
export const failureReply = z.strictObject({
  requestId: z.string(),
  payload: z.strictObject({ errorCode: z.string() }),
})
export type FailureReply = z.infer<typeof failureReply>

// ── Signaling: what the player posts to `cameraStreamSignalingUrl` ───────────────────────────────────────────────────

/**
 * All shapes seen in the field: `{action, sdp}` as specified, `{type, sdp}` and `{offer}` from some players.
 * `sdp` of an `end` is absent or empty.
 */
export const signalingMessage = z.object({
  action: z.string().nullish(),
  type: z.string().nullish(),
  deviceId: z.string().nullish(),
  sdp: z.string().nullish(),
  offer: z.string().nullish(),
})

/** `type` only for a player that said `type` itself. */
export const signalingAnswer = z.strictObject({
  action: z.literal('answer'),
  type: z.literal('answer').optional(),
  sdp: z.string().min(1),
})
export type SignalingAnswer = z.infer<typeof signalingAnswer>

// ── Home Graph ───────────────────────────────────────────────────────────────────────────────────────────────────────

const objectDetection = z.strictObject({
  ObjectDetection: z.strictObject({
    objects: z
      .strictObject({
        named: z.array(z.string().min(1)).min(1).optional(),
        familiar: z.int().min(1).optional(),
        unfamiliar: z.int().min(1).optional(),
        unclassified: z.int().min(1).optional(),
      })
      .refine((objects) => Object.keys(objects).length > 0, 'nobody was seen'),
    priority: z.literal(0),
    /** Epoch milliseconds. */
    detectionTimestamp: z.int(),
  }),
})

/** The body of `POST /v1/devices:reportStateAndNotification`. `eventId` goes with notifications and differs for each. */
export const reportRequest = z.strictObject({
  requestId: z.string(),
  eventId: z.string().optional(),
  agentUserId: z.string(),
  payload: z.strictObject({
    devices: z.strictObject({
      states: z.record(z.string(), traitStates),
      notifications: z.record(z.string(), objectDetection).optional(),
    }),
  }),
})
export type ReportRequest = z.infer<typeof reportRequest>

/** The body of `POST /v1/devices:requestSync`. */
export const requestSyncRequest = z.strictObject({ agentUserId: z.string().min(1), async: z.literal(true) })

/** The bodies of `POST /v1/devices:query` and `POST /v1/devices:sync`. */
export const graphQueryRequest = z.strictObject({
  requestId: z.string().min(1),
  agentUserId: z.string().min(1),
  inputs: z.tuple([
    z.strictObject({
      payload: z.strictObject({ devices: z.array(z.strictObject({ id: z.string().min(1) })).min(1) }),
    }),
  ]),
})
/** Asks Home Graph for the devices of an account (`devices:sync`); `agentUserId` is our account id. */
export const graphDevicesRequest = z.strictObject({ requestId: z.string().min(1), agentUserId: z.string().min(1) })

/** What Home Graph says it believes; fields that we do not compare pass unseen. */
export const graphStates = z.object({
  payload: z.object({ devices: z.record(z.string(), z.record(z.string(), z.unknown())).default({}) }),
})
/** Home Graph's reply: the devices that Google has of the account. */
export const graphDevices = z.object({
  payload: z.object({
    devices: z
      .array(z.looseObject({ id: z.string(), customData: z.record(z.string(), z.unknown()).optional() }))
      .default([]),
  }),
})

/** The token endpoint's reply to a service account's assertion (RFC 7523, RFC 6749 section 5.1). */
export const serviceTokenReply = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() })
