/** Messages of the Alexa Smart Home API, payload version 3: the directives we read and the events we send, as zod schemas and types. */
import * as z from 'zod'

// ── What Alexa sends: unknown fields pass unseen, what we use is checked ─────────────────────────────────────────────

/** Characters and length of an endpoint id: the pattern of Amazon's message schema, narrower than the documentation's. */
const endpointId = z.string().regex(/^[a-zA-Z0-9_\-=#;:?@&]{1,256}$/)
const token = z.string().min(1).max(16_384)
const bearer = { type: z.literal('BearerToken'), token }
/** Of Alexa Smart Properties (hotels, senior living): the room and its guest, opaque to us and given back as received. */
const partition = {
  type: z.literal('BearerTokenWithPartition'),
  token,
  partition: z.string().nullable().exactOptional(),
  userId: z.string().nullable().exactOptional(),
}
const directiveScope = z.discriminatedUnion('type', [z.object(bearer), z.object(partition)])
const correlationToken = z.string().min(1)
/** Opaque to us. Bounded because it becomes part of the key of a stored record. */
const rtcSession = z.object({ sessionId: z.string().min(1).max(256) })

/** The most SDP text an offer may hold, in characters; a real offer from Alexa has about 3,000. */
const OFFER_LIMIT = 64 * 1024

function directive<Namespace extends string, Name extends string, Parts extends z.ZodRawShape>(
  namespace: Namespace,
  name: Name,
  parts: Parts,
) {
  const header = z.object({
    namespace: z.literal(namespace),
    name: z.literal(name),
    payloadVersion: z.literal('3'),
    messageId: z.string().optional(),
    correlationToken: correlationToken.optional(),
  })
  return z.object({ directive: z.object({ header, ...parts }) })
}

const endpoint = z.object({ scope: directiveScope, endpointId })

/** Every directive that has a handler, by `namespace/name`. */
export const directives = {
  'Alexa.Discovery/Discover': directive('Alexa.Discovery', 'Discover', {
    payload: z.object({ scope: directiveScope }),
  }),
  'Alexa.Authorization/AcceptGrant': directive('Alexa.Authorization', 'AcceptGrant', {
    payload: z.object({
      grant: z.object({ type: z.literal('OAuth2.AuthorizationCode'), code: z.string().min(1).max(4096) }),
      grantee: directiveScope,
    }),
  }),
  'Alexa/ReportState': directive('Alexa', 'ReportState', { endpoint }),
  'Alexa.RTCSessionController/InitiateSessionWithOffer': directive(
    'Alexa.RTCSessionController',
    'InitiateSessionWithOffer',
    {
      endpoint,
      payload: rtcSession.extend({
        offer: z.object({ format: z.string().regex(/^[Ss][Dd][Pp]$/), value: z.string().min(1).max(OFFER_LIMIT) }),
      }),
    },
  ),
  'Alexa.RTCSessionController/SessionConnected': directive('Alexa.RTCSessionController', 'SessionConnected', {
    endpoint,
    payload: rtcSession,
  }),
  'Alexa.RTCSessionController/SessionDisconnected': directive('Alexa.RTCSessionController', 'SessionDisconnected', {
    endpoint,
    payload: rtcSession,
  }),
  // What the display asks for is one of what we have offered it, so the request itself adds nothing.
  'Alexa.CameraStreamController/InitializeCameraStreams': directive(
    'Alexa.CameraStreamController',
    'InitializeCameraStreams',
    { endpoint },
  ),
  'Alexa.SmartVision.SnapshotProvider/GetSnapshot': directive('Alexa.SmartVision.SnapshotProvider', 'GetSnapshot', {
    endpoint,
  }),
  'Alexa.SmartVision.ObjectDetectionSensor/SetObjectDetectionClasses': directive(
    'Alexa.SmartVision.ObjectDetectionSensor',
    'SetObjectDetectionClasses',
    { endpoint },
  ),
}

/** `Namespace/Name` of a directive that is understood. */
export type DirectiveName = keyof typeof directives
/**
 * The directive of this name, with header, endpoint and payload, as Amazon's documentation of its interface has them.
 */
export type Directive<Name extends DirectiveName> = z.infer<(typeof directives)[Name]>['directive']

/** What can be read of any directive, however broken the rest of it is: its name, and what a reply repeats of it. */
export const envelope = z.object({
  directive: z.object({
    header: z
      .object({
        namespace: z.string().optional().catch(undefined),
        name: z.string().optional().catch(undefined),
        messageId: z.string().optional().catch(undefined),
        correlationToken: correlationToken.optional().catch(undefined),
      })
      .catch({}),
    endpoint: z
      .object({ endpointId, scope: directiveScope.optional().catch(undefined) })
      .optional()
      .catch(undefined),
    payload: z.object({ sessionId: z.string().optional().catch(undefined) }).catch({}),
  }),
})

// ── What we send: closed, field by field ─────────────────────────────────────────────────────────────────────────────

const eventScope = z.discriminatedUnion('type', [z.strictObject(bearer), z.strictObject(partition)])
const eventEndpoint = z.strictObject({ scope: eventScope.exactOptional(), endpointId })
/** The endpoint of an event, with the scope by which the account is known. */
export type EventEndpoint = z.infer<typeof eventEndpoint>

function eventHeader<Namespace extends string, Name extends string>(namespace: Namespace, name: Name) {
  return z.strictObject({
    namespace: z.literal(namespace),
    name: z.literal(name),
    messageId: z.string().regex(/^[a-zA-Z0-9-]{1,127}$/),
    correlationToken: correlationToken.exactOptional(),
    payloadVersion: z.literal('3'),
  })
}

function response<Namespace extends string, Name extends string, Payload extends z.ZodType>(
  namespace: Namespace,
  name: Name,
  payload: Payload,
) {
  const event = z.strictObject({
    header: eventHeader(namespace, name),
    endpoint: eventEndpoint.exactOptional(),
    payload,
  })
  return z.strictObject({ event })
}

/** The error types that we use: those of namespace `Alexa` that need no further field. */
const errorType = z.enum([
  'ALREADY_IN_OPERATION',
  'BRIDGE_UNREACHABLE',
  'ENDPOINT_BUSY',
  'ENDPOINT_UNREACHABLE',
  'EXPIRED_AUTHORIZATION_CREDENTIAL',
  'INTERNAL_ERROR',
  'INVALID_AUTHORIZATION_CREDENTIAL',
  'INVALID_DIRECTIVE',
  'NO_SUCH_ENDPOINT',
  'RATE_LIMIT_EXCEEDED',
])
export type AlexaErrorType = z.infer<typeof errorType>

const alexaInterface = { type: z.literal('AlexaInterface'), version: z.literal('3') }

function reported<Name extends string>(name: Name) {
  return z.strictObject({
    supported: z.tuple([z.strictObject({ name: z.literal(name) })]),
    proactivelyReported: z.boolean(),
    retrievable: z.literal(true),
  })
}

const streamProtocol = z.enum(['HLS', 'RTSP'])
const streamAudio = z.enum(['AAC', 'G711', 'NONE'])
const resolution = z.strictObject({ width: z.int().positive(), height: z.int().positive() })

const capability = z.discriminatedUnion('interface', [
  z.strictObject({ ...alexaInterface, interface: z.literal('Alexa') }),
  z.strictObject({
    ...alexaInterface,
    interface: z.literal('Alexa.RTCSessionController'),
    configuration: z.strictObject({ isFullDuplexAudioSupported: z.boolean() }),
  }),
  z.strictObject({
    ...alexaInterface,
    interface: z.literal('Alexa.MotionSensor'),
    properties: reported('detectionState'),
  }),
  z.strictObject({
    ...alexaInterface,
    interface: z.literal('Alexa.CameraStreamController'),
    cameraStreamConfigurations: z
      .array(
        z.strictObject({
          protocols: z.tuple([streamProtocol]),
          resolutions: z.tuple([resolution]),
          authorizationTypes: z.tuple([z.literal('NONE')]),
          videoCodecs: z.tuple([z.literal('H264')]),
          audioCodecs: z.tuple([streamAudio]),
        }),
      )
      .min(1),
  }),
  // The next two are not in Amazon's message schema (smartvision pages; other bridges in the field).
  z.strictObject({
    ...alexaInterface,
    version: z.literal('1.0'),
    interface: z.literal('Alexa.SmartVision.ObjectDetectionSensor'),
    properties: reported('objectDetectionClasses'),
    configuration: z.strictObject({
      objectDetectionConfiguration: z.array(z.strictObject({ imageNetClass: z.enum(['person']) })).min(1),
    }),
  }),
  z.strictObject({
    ...alexaInterface,
    version: z.literal('1.1'),
    interface: z.literal('Alexa.SmartVision.SnapshotProvider'),
    configuration: z.strictObject({ isOnDemandSnapshotSupported: z.literal(false) }).exactOptional(),
  }),
  z.strictObject({
    ...alexaInterface,
    interface: z.literal('Alexa.DoorbellEventSource'),
    proactivelyReported: z.literal(true),
  }),
  z.strictObject({
    ...alexaInterface,
    interface: z.literal('Alexa.EndpointHealth'),
    properties: reported('connectivity'),
  }),
])

const shortText = z.string().min(1).max(128)
const attribute = z.string().min(1).max(256)

const discoveredEndpoint = z.strictObject({
  endpointId,
  manufacturerName: shortText,
  friendlyName: shortText,
  description: shortText,
  displayCategories: z.array(z.enum(['CAMERA', 'DOORBELL', 'OTHER'])).min(1),
  additionalAttributes: z.strictObject({
    manufacturer: attribute.exactOptional(),
    model: attribute.exactOptional(),
    serialNumber: attribute.exactOptional(),
    firmwareVersion: attribute.exactOptional(),
  }),
  capabilities: z.array(capability).min(1).max(100),
})
/** A camera as `Discover.Response` and `AddOrUpdateReport` describe it. */
export type DiscoveredEndpoint = z.infer<typeof discoveredEndpoint>

const sample = {
  timeOfSample: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/),
  uncertaintyInMilliseconds: z.int().min(0),
}

/** What an endpoint is like, as told in a StateReport or ChangeReport. */
const property = z.discriminatedUnion('namespace', [
  z.strictObject({
    namespace: z.literal('Alexa.EndpointHealth'),
    name: z.literal('connectivity'),
    value: z.strictObject({ value: z.enum(['OK', 'UNREACHABLE']) }),
    ...sample,
  }),
  z.strictObject({
    namespace: z.literal('Alexa.MotionSensor'),
    name: z.literal('detectionState'),
    value: z.enum(['DETECTED', 'NOT_DETECTED']),
    ...sample,
  }),
  z.strictObject({
    namespace: z.literal('Alexa.SmartVision.ObjectDetectionSensor'),
    name: z.literal('objectDetectionClasses'),
    value: z.array(z.strictObject({ imageNetClass: z.enum(['person']) })),
    ...sample,
  }),
])
export type AlexaProperty = z.infer<typeof property>
const properties = z.strictObject({ properties: z.array(property) })

const sessionPayload = z.strictObject({ sessionId: z.string() })

/** Every event that answers a directive. */
export const alexaEvent = z.union([
  response('Alexa', 'ErrorResponse', z.strictObject({ type: errorType, message: z.string() })),
  response(
    'Alexa.Authorization',
    'ErrorResponse',
    z.strictObject({ type: z.literal('ACCEPT_GRANT_FAILED'), message: z.string() }),
  ),
  response('Alexa.Authorization', 'AcceptGrant.Response', z.strictObject({})),
  z.strictObject({
    event: z.strictObject({
      header: eventHeader('Alexa.Discovery', 'Discover.Response'),
      payload: z.strictObject({ endpoints: z.array(discoveredEndpoint).max(300) }),
    }),
  }),
  response('Alexa', 'StateReport', z.strictObject({})).extend({
    context: properties,
  }),
  response(
    'Alexa.RTCSessionController',
    'AnswerGeneratedForSession',
    z.strictObject({ answer: z.strictObject({ format: z.literal('SDP'), value: z.string().min(1) }) }),
  ),
  response('Alexa.RTCSessionController', 'SessionConnected', sessionPayload),
  response('Alexa.RTCSessionController', 'SessionDisconnected', sessionPayload),
  response(
    'Alexa.CameraStreamController',
    'Response',
    z.strictObject({
      cameraStreams: z
        .array(
          z.strictObject({
            uri: z.url(),
            protocol: streamProtocol,
            resolution,
            authorizationType: z.literal('NONE'),
            videoCodec: z.literal('H264'),
            audioCodec: streamAudio,
          }),
        )
        .min(1),
      imageUri: z.url(),
    }),
  ),
  response(
    'Alexa.SmartVision.SnapshotProvider',
    'Snapshot',
    z.strictObject({
      value: z.strictObject({
        uri: z.url(),
        uriExpirationTime: sample.timeOfSample,
        authenticationType: z.literal('ACCESS_TOKEN'),
      }),
      ...sample,
    }),
  ),
  response('Alexa', 'Response', z.strictObject({})).extend({ context: properties }),
])
export type AlexaEvent = z.infer<typeof alexaEvent>

/** The event we POST to the event gateway when somebody rings. */
export const doorbellPress = z.strictObject({
  context: z.strictObject({}),
  event: z.strictObject({
    header: eventHeader('Alexa.DoorbellEventSource', 'DoorbellPress'),
    endpoint: eventEndpoint.required(),
    payload: z.strictObject({
      cause: z.strictObject({ type: z.literal('PHYSICAL_INTERACTION') }),
      // Amazon's pattern has no fraction of a second, unlike `toISOString()`.
      timestamp: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    }),
  }),
})
export type DoorbellPress = z.infer<typeof doorbellPress>

const scope = z.strictObject(bearer)

/** Everything we POST to the event gateway, unasked. The same token stands in its header and in the message. */
export const proactiveEvent = z.union([
  doorbellPress,
  z.strictObject({
    context: properties,
    event: z.strictObject({
      header: eventHeader('Alexa', 'ChangeReport'),
      endpoint: eventEndpoint.required(),
      payload: z.strictObject({
        change: z.strictObject({
          cause: z.strictObject({ type: z.enum(['PHYSICAL_INTERACTION', 'PERIODIC_POLL']) }),
          properties: z.array(property).min(1),
        }),
      }),
    }),
  }),
  z.strictObject({
    event: z.strictObject({
      header: eventHeader('Alexa.SmartVision.ObjectDetectionSensor', 'ObjectDetection'),
      endpoint: eventEndpoint.required(),
      payload: z.strictObject({
        events: z
          .array(
            z.strictObject({
              eventIdentifier: z.string().min(1).max(256),
              imageNetClass: z.enum(['person']),
              ...sample,
            }),
          )
          .min(1),
      }),
    }),
  }),
  z.strictObject({
    event: z.strictObject({
      header: eventHeader('Alexa.Discovery', 'AddOrUpdateReport'),
      payload: z.strictObject({ endpoints: z.array(discoveredEndpoint).min(1).max(300), scope }),
    }),
  }),
  // Not in Amazon's message schema, only in its pages.
  z.strictObject({
    event: z.strictObject({
      header: eventHeader('Alexa.Discovery', 'DeleteReport'),
      payload: z.strictObject({ endpoints: z.array(z.strictObject({ endpointId })).min(1).max(300), scope }),
    }),
  }),
])
export type ProactiveEvent = z.infer<typeof proactiveEvent>

// ── What Amazon's own services answer us ─────────────────────────────────────────────────────────────────────────────

/** The token endpoint of Login with Amazon, success (RFC 6749 section 5.1). A refresh may leave out `refresh_token`. */
export const lwaTokens = z.object({
  access_token: z.string().min(1),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().positive(),
  refresh_token: z.string().min(1).optional(),
})

/** The token endpoint of Login with Amazon, refusal (RFC 6749 section 5.2). */
export const lwaRefusal = z.object({ error: z.string().max(128) })

/** A refusal of the event gateway. */
export const eventGatewayRefusal = z.object({ payload: z.object({ code: z.string().max(128) }) })
