/** Builds the events that answer a directive, each from the few facts it needs. */
import { randomUUID } from 'node:crypto'
import { errorCodes, type ErrorCode, type SourceFault } from 'transom-core/errors'
import type { StreamSource } from 'transom-core/ports'
import {
  envelope,
  type AlexaErrorType,
  type AlexaEvent,
  type AlexaProperty,
  type DiscoveredEndpoint,
  type EventEndpoint,
} from 'transom-core/wire/alexa'

/** What a reply repeats of its directive. */
export interface Echo {
  readonly correlationToken?: string
  readonly endpoint?: EventEndpoint
}

/** To the person in front of the display a camera behind the gateway is busy, not playable, or not there. */
const alexaSourceErrors = {
  source_password: 'ENDPOINT_UNREACHABLE',
  source_refused: 'ENDPOINT_UNREACHABLE',
  source_unreachable: 'ENDPOINT_UNREACHABLE',
  source_unknown_host: 'ENDPOINT_UNREACHABLE',
  source_not_found: 'ENDPOINT_UNREACHABLE',
  source_codec: 'INVALID_DIRECTIVE',
  source_no_key_frame: 'ENDPOINT_UNREACHABLE',
  source_stopped: 'ENDPOINT_UNREACHABLE',
  source_busy: 'ENDPOINT_BUSY',
  source_certificate: 'ENDPOINT_UNREACHABLE',
  source_garbled: 'ENDPOINT_UNREACHABLE',
  source_gateway: 'ENDPOINT_UNREACHABLE',
  source_no_ffmpeg: 'ENDPOINT_UNREACHABLE',
  source_invalid: 'ENDPOINT_UNREACHABLE',
} as const satisfies Record<SourceFault, AlexaErrorType>

/**
 * Alexa's word for each of our codes (alexa-interface.html, error types).
 * A camera that is there but answers nothing usable is unreachable to the person in front of the display, too.
 */
const errorTypes = {
  invalid_request: 'INVALID_DIRECTIVE',
  unauthorized: 'INVALID_AUTHORIZATION_CREDENTIAL',
  token_expired: 'EXPIRED_AUTHORIZATION_CREDENTIAL',
  camera_not_found: 'NO_SUCH_ENDPOINT',
  camera_offline: 'ENDPOINT_UNREACHABLE',
  camera_silent: 'ENDPOINT_UNREACHABLE',
  camera_garbled: 'ENDPOINT_UNREACHABLE',
  camera_hung_up: 'ENDPOINT_UNREACHABLE',
  no_candidates: 'ENDPOINT_UNREACHABLE',
  media_failed: 'ENDPOINT_UNREACHABLE',
  // Another attempt has taken its place, or nobody is left to read this.
  display_gave_up: 'ALREADY_IN_OPERATION',
  camera_busy: 'ENDPOINT_BUSY',
  // This camera cannot do what the directive asks. NOT_SUPPORTED_IN_CURRENT_MODE would promise another mode that can.
  no_common_codec: 'INVALID_DIRECTIVE',
  signaling_failed: 'BRIDGE_UNREACHABLE',
  rate_limited: 'RATE_LIMIT_EXCEEDED',
  out_of_time: 'INTERNAL_ERROR',
  no_room: 'INTERNAL_ERROR',
  store_failed: 'INTERNAL_ERROR',
  no_sound: 'INVALID_DIRECTIVE',
  no_picture: 'ENDPOINT_UNREACHABLE',
  offer_too_large: 'INVALID_DIRECTIVE',
  registry_failed: 'BRIDGE_UNREACHABLE',
  ...alexaSourceErrors,
  internal: 'INTERNAL_ERROR',
} as const satisfies Record<ErrorCode, AlexaErrorType>

/** What can be read of any input at all, however broken: its `namespace/name`, what a reply repeats, and `facts` to log. */
export function readEnvelope(event: unknown): { kind: string; echo: Echo; facts: Record<string, string> } {
  const parsed = envelope.safeParse(event)
  if (!parsed.success) return { kind: '', echo: {}, facts: { directive: 'none' } }
  const { header, endpoint, payload } = parsed.data.directive
  const kind = `${header.namespace ?? '?'}/${header.name ?? '?'}`
  const scope = endpoint?.scope
  const facts = {
    directive: kind,
    messageId: header.messageId,
    cameraId: endpoint?.endpointId,
    sessionId: payload.sessionId,
  }
  return {
    kind,
    echo: {
      ...(header.correlationToken !== undefined && { correlationToken: header.correlationToken }),
      ...(endpoint && { endpoint: { ...(scope && { scope }), endpointId: endpoint.endpointId } }),
    },
    facts: Object.fromEntries(
      Object.entries(facts).flatMap(([name, text]) => (text === undefined ? [] : [[name, text.slice(0, 256)]])),
    ),
  }
}

/** Only the table's words leave the house: neither the error's message nor its cause does. */
export function errorResponse(code: ErrorCode, echo: Echo): AlexaEvent {
  return reply('Alexa', 'ErrorResponse', echo, { type: errorTypes[code], message: errorCodes[code] })
}

/** The one error that AcceptGrant knows (alexa-authorization.html); any other makes Alexa retry a code that is used up. */
export function acceptGrantFailed(code: ErrorCode): AlexaEvent {
  return reply('Alexa.Authorization', 'ErrorResponse', {}, { type: 'ACCEPT_GRANT_FAILED', message: errorCodes[code] })
}

export function acceptGrantResponse(): AlexaEvent {
  return reply('Alexa.Authorization', 'AcceptGrant.Response', {}, {})
}

export function discoverResponse(endpoints: readonly DiscoveredEndpoint[]): AlexaEvent {
  return { event: { header: header('Alexa.Discovery', 'Discover.Response'), payload: { endpoints: [...endpoints] } } }
}

export function stateReport(echo: Echo, properties: readonly AlexaProperty[]): AlexaEvent {
  return { context: { properties: [...properties] }, ...reply('Alexa', 'StateReport', echo, {}) }
}

/** The plain answer to a directive that set something. */
export function response(echo: Echo, properties: readonly AlexaProperty[]): AlexaEvent {
  return { context: { properties: [...properties] }, ...reply('Alexa', 'Response', echo, {}) }
}

/** `imageUri`: the still picture that is shown until the stream runs. */
export function cameraStreams(echo: Echo, streams: readonly StreamSource[], imageUri: string): AlexaEvent {
  return reply('Alexa.CameraStreamController', 'Response', echo, {
    cameraStreams: streams.map(({ uri, protocol, width, height, audioCodec }) => ({
      uri,
      protocol,
      resolution: { width, height },
      authorizationType: 'NONE' as const,
      videoCodec: 'H264' as const,
      audioCodec,
    })),
    imageUri,
  })
}

/** `at`: when the picture was taken; `until`: how long its address is good. Epoch milliseconds. */
export function snapshot(echo: Echo, uri: string, at: number, until: number): AlexaEvent {
  return reply('Alexa.SmartVision.SnapshotProvider', 'Snapshot', echo, {
    value: { uri, uriExpirationTime: instant(until), authenticationType: 'ACCESS_TOKEN' },
    timeOfSample: instant(at),
    uncertaintyInMilliseconds: 0,
  })
}

/** As Alexa writes it, in whole seconds: a fraction is refused in some places. */
export const instant = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`

export function answerGenerated(echo: Echo, sdp: string): AlexaEvent {
  return reply('Alexa.RTCSessionController', 'AnswerGeneratedForSession', echo, {
    answer: { format: 'SDP', value: sdp },
  })
}

export function sessionEvent(
  name: 'SessionConnected' | 'SessionDisconnected',
  echo: Echo,
  sessionId: string,
): AlexaEvent {
  return name === 'SessionConnected'
    ? reply('Alexa.RTCSessionController', 'SessionConnected', echo, { sessionId })
    : reply('Alexa.RTCSessionController', 'SessionDisconnected', echo, { sessionId })
}

/** A message header with a fresh id, or the given one. */
export function header<const Namespace extends string, const Name extends string>(
  namespace: Namespace,
  name: Name,
  messageId: string = randomUUID(),
) {
  return { namespace, name, messageId, payloadVersion: '3' } as const
}

function reply<const Namespace extends string, const Name extends string, const Payload>(
  namespace: Namespace,
  name: Name,
  echo: Echo,
  payload: Payload,
) {
  const { correlationToken, endpoint } = echo
  return {
    event: {
      header: { ...header(namespace, name), ...(correlationToken !== undefined && { correlationToken }) },
      ...(endpoint && { endpoint }),
      payload,
    },
  }
}
