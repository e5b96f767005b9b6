/** Messages of the Alexa Smart Home API, payload version 3: the directives we read and the events we send, as zod schemas and types. */
import { z } from 'zod'

// ── What Alexa sends: unknown fields pass unseen, what we use is checked ─────────────────────────────────────────────

/** Characters and length of an endpoint id: the pattern of Amazon's message schema, narrower than the documentation's. */
const endpointId = z.string().regex(/^[a-zA-Z0-9_\-=#;:?@&]{1,256}$/)
const bearer = { type: z.literal('BearerToken'), token: z.string().min(1).max(16_384) }
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

const endpoint = z.object({ scope: z.object(bearer), endpointId })

/** Every directive that has a handler, by `namespace/name`. */
export const directives = {
  'Alexa.Discovery/Discover': directive('Alexa.Discovery', 'Discover', {
    payload: z.object({ scope: z.object(bearer) }),
  }),
  'Alexa.Authorization/AcceptGrant': directive('Alexa.Authorization', 'AcceptGrant', {
    payload: z.object({
      grant: z.object({ type: z.literal('OAuth2.AuthorizationCode'), code: z.string().min(1).max(4096) }),
      grantee: z.object(bearer),
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
}

export type DirectiveName = keyof typeof directives
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
      .object({ endpointId, scope: z.object(bearer).optional().catch(undefined) })
      .optional()
      .catch(undefined),
    payload: z.object({ sessionId: z.string().optional().catch(undefined) }).catch({}),
  }),
})

// ── What we send: closed, field by field ─────────────────────────────────────────────────────────────────────────────

const eventEndpoint = z.strictObject({ scope: z.strictObject(bearer).exactOptional(), endpointId })
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

const capability = z.discriminatedUnion('interface', [
  z.strictObject({ ...alexaInterface, interface: z.literal('Alexa') }),
  z.strictObject({
    ...alexaInterface,
    interface: z.literal('Alexa.RTCSessionController'),
    configuration: z.strictObject({ isFullDuplexAudioSupported: z.boolean() }),
  }),
  z.strictObject({
    ...alexaInterface,
    interface: z.literal('Alexa.DoorbellEventSource'),
    proactivelyReported: z.literal(true),
  }),
  z.strictObject({
    ...alexaInterface,
    interface: z.literal('Alexa.EndpointHealth'),
    properties: z.strictObject({
      supported: z.tuple([z.strictObject({ name: z.literal('connectivity') })]),
      proactivelyReported: z.boolean(),
      retrievable: z.literal(true),
    }),
  }),
])

const shortText = z.string().min(1).max(128)
const attribute = z.string().min(1).max(256)

const discoveredEndpoint = z.strictObject({
  endpointId,
  manufacturerName: shortText,
  friendlyName: shortText,
  description: shortText,
  displayCategories: z.array(z.enum(['CAMERA', 'DOORBELL'])).min(1),
  additionalAttributes: z.strictObject({
    manufacturer: attribute.exactOptional(),
    model: attribute.exactOptional(),
    serialNumber: attribute.exactOptional(),
    firmwareVersion: attribute.exactOptional(),
  }),
  capabilities: z.array(capability).min(1).max(100),
})
export type DiscoveredEndpoint = z.infer<typeof discoveredEndpoint>

const connectivity = z.strictObject({
  namespace: z.literal('Alexa.EndpointHealth'),
  name: z.literal('connectivity'),
  value: z.strictObject({ value: z.enum(['OK', 'UNREACHABLE']) }),
  timeOfSample: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/),
  uncertaintyInMilliseconds: z.int().min(0),
})

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
    context: z.strictObject({ properties: z.array(connectivity) }),
  }),
  response(
    'Alexa.RTCSessionController',
    'AnswerGeneratedForSession',
    z.strictObject({ answer: z.strictObject({ format: z.literal('SDP'), value: z.string().min(1) }) }),
  ),
  response('Alexa.RTCSessionController', 'SessionConnected', sessionPayload),
  response('Alexa.RTCSessionController', 'SessionDisconnected', sessionPayload),
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
