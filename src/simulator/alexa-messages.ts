/** The messages that Alexa accepts, closed where her schema is closed. Written apart from the bridge's own types, to judge them. */

import * as z from 'zod'

export const interfaces = { rtc: 'Alexa.RTCSessionController' } as const

/** Every error type of the Alexa interface. */
const errorTypes = [
  'ALREADY_IN_OPERATION',
  'BRIDGE_UNREACHABLE',
  'CLOUD_CONTROL_DISABLED',
  'ENDPOINT_BUSY',
  'ENDPOINT_LOW_POWER',
  'ENDPOINT_UNREACHABLE',
  'EXPIRED_AUTHORIZATION_CREDENTIAL',
  'FIRMWARE_OUT_OF_DATE',
  'HARDWARE_MALFUNCTION',
  'INSUFFICIENT_PERMISSIONS',
  'INTERNAL_ERROR',
  'INVALID_AUTHORIZATION_CREDENTIAL',
  'INVALID_DIRECTIVE',
  'INVALID_VALUE',
  'NO_SUCH_ENDPOINT',
  'NOT_SUPPORTED_IN_CURRENT_MODE',
  'NOT_IN_OPERATION',
  'RATE_LIMIT_EXCEEDED',
  'VALUE_OUT_OF_RANGE',
  'TOO_MANY_FAILED_ATTEMPTS',
  'PARTNER_OUTAGE',
] as const

const property = z.strictObject({
  namespace: z.string().min(1),
  name: z.string().min(1),
  instance: z.string().optional(),
  value: z.unknown(),
  timeOfSample: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/, 'must be UTC with Z'),
  uncertaintyInMilliseconds: z.number().int().min(0),
})

interface Expected {
  readonly namespace: string
  readonly name: string
  readonly correlationToken: string | undefined
  readonly endpoint?: { readonly endpointId: string; readonly token: string }
}

function header({ namespace, name, correlationToken }: Expected) {
  const common = {
    namespace: z.literal(namespace),
    name: z.literal(name),
    messageId: z.string().regex(/^[A-Za-z0-9-]{1,127}$/, 'must be 1 to 127 letters, digits and hyphens'),
    payloadVersion: z.literal('3'),
  }
  if (correlationToken === undefined) return z.strictObject(common)
  return z.strictObject({ ...common, correlationToken: z.literal(correlationToken) })
}

/** A reply with this header, endpoint and payload, and nothing else. */
export function eventSchema<P extends z.ZodType>(expected: Expected, payload: P) {
  const head = header(expected)
  const context = z.strictObject({ properties: z.array(property).optional() }).optional()
  const { endpoint } = expected
  if (endpoint === undefined) return z.strictObject({ context, event: z.strictObject({ header: head, payload }) })
  const scope = z.strictObject({ type: z.literal('BearerToken'), token: z.literal(endpoint.token) })
  const target = z.strictObject({
    endpointId: z.literal(endpoint.endpointId),
    scope: scope.optional(),
    cookie: z.record(z.string(), z.string()).optional(),
  })
  return z.strictObject({ context, event: z.strictObject({ header: head, endpoint: target, payload }) })
}

/** Whether a reply is an error, before it is known whether it is a well-formed one. */
export const anyEvent = z.object({ event: z.object({ header: z.object({ namespace: z.string(), name: z.string() }) }) })

export const errorPayload = z.object({ type: z.enum(errorTypes), message: z.string() })

export const emptyPayload = z.strictObject({})

export const answerPayload = z.strictObject({
  answer: z.strictObject({ format: z.string().regex(/^SDP$/i), value: z.string().min(1) }),
})

const text = (most: number) => z.string().min(1).max(most)

const capability = z.looseObject({
  type: z.literal('AlexaInterface'),
  interface: z.string().min(1),
  instance: z.string().optional(),
  version: z.string().regex(/^\d+(\.\d+)?$/),
  proactivelyReported: z.boolean().optional(),
  properties: z
    .strictObject({
      supported: z.array(z.strictObject({ name: z.string().min(1) })).min(1),
      proactivelyReported: z.boolean().optional(),
      retrievable: z.boolean().optional(),
      nonControllable: z.boolean().optional(),
    })
    .optional(),
  configuration: z.record(z.string(), z.unknown()).optional(),
})

const endpoint = z.strictObject({
  endpointId: z.string().regex(/^[A-Za-z0-9_\-=#;:?@&]{1,256}$/, 'has characters or a length that Alexa refuses'),
  manufacturerName: text(128),
  description: text(128),
  friendlyName: text(128),
  displayCategories: z
    .array(z.string().regex(/^[A-Z_]+$/))
    .min(1)
    .refine((categories) => new Set(categories).size === categories.length, 'names a category twice'),
  additionalAttributes: z
    .strictObject({
      manufacturer: text(256),
      model: text(256),
      serialNumber: text(256),
      firmwareVersion: text(256),
      softwareVersion: text(256),
      customIdentifier: text(256),
    })
    .partial()
    .optional(),
  cookie: z
    .record(z.string(), z.string())
    .refine((cookie) => Buffer.byteLength(JSON.stringify(cookie)) <= 5000, 'is larger than 5000 bytes')
    .optional(),
  connections: z.array(z.looseObject({ type: z.string() })).optional(),
  relationships: z.looseObject({}).optional(),
  capabilities: z.array(capability).min(1).max(100),
})

export type Endpoint = z.infer<typeof endpoint>

export const discoveryPayload = z.strictObject({
  endpoints: z
    .array(endpoint)
    .max(300)
    .refine(
      (endpoints) => new Set(endpoints.map(({ endpointId }) => endpointId)).size === endpoints.length,
      'has an endpointId twice',
    ),
})

/** Interfaces that make Alexa refuse the whole skill (deprecated features page). */
const withdrawn = ['Alexa.EventDetectionSensor', 'Alexa.MediaMetadata', 'Alexa.CustomIntent']

/** What the schema cannot say about an endpoint: one sentence for each thing that Alexa would hold against it. */
export function endpointProblems(endpoint: Endpoint): readonly string[] {
  const problems: string[] = []
  const { capabilities, displayCategories } = endpoint
  const find = (name: string): Endpoint['capabilities'][number] | undefined =>
    capabilities.find((capability) => capability.interface === name)
  const names = capabilities.map((each) => `${each.interface} ${each.instance ?? ''}`)
  if (new Set(names).size !== names.length) problems.push('it declares an interface twice')
  if (find('Alexa')?.version !== '3') problems.push('it does not declare Alexa version 3')
  const gone = withdrawn.filter((name) => find(name) !== undefined)
  if (gone.length > 0) problems.push(`it declares ${gone.join(', ')}, withdrawn by Amazon`)

  const [camera, doorbell] = ['CAMERA', 'DOORBELL'].map((category) => displayCategories.indexOf(category))
  if (doorbell !== -1 && camera !== -1 && (camera ?? 0) > (doorbell ?? 0))
    problems.push('DOORBELL stands before CAMERA: a ring would not open the picture')
  const rtc = find(interfaces.rtc)
  if (rtc !== undefined) {
    if (rtc.version !== '3') problems.push(`${interfaces.rtc} has version ${rtc.version}, not 3`)
    if (typeof rtc.configuration?.isFullDuplexAudioSupported !== 'boolean')
      problems.push('isFullDuplexAudioSupported is not a boolean')
    if (!displayCategories.includes('CAMERA')) problems.push('it streams, and is no CAMERA')
  }
  const bell = find('Alexa.DoorbellEventSource')
  if (
    bell !== undefined &&
    (bell.version !== '3' || bell.proactivelyReported !== true || bell.properties !== undefined)
  ) {
    problems.push('Alexa.DoorbellEventSource must be version 3 and proactivelyReported at its own level')
  }
  return problems
}
