/** The messages on a channel's WebSocket: tolerant when read, strict when written. */
import * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import { maxPayload } from 'transom-core/ports'

/** What can be sent to the other side of a channel. */
export type Outgoing =
  | { readonly kind: 'offer' | 'answer'; readonly sdp: string }
  | {
      readonly kind: 'candidate'
      /** `candidate:…` without `a=`, RFC 8839 section 5.1. */
      readonly candidate: string
      readonly sdpMid?: string
      readonly sdpMLineIndex?: number
    }
  | { readonly kind: 'end-of-candidates' }

/** What arrives on a channel. `senderClientId` names the viewer; a message without it comes from the master. */
export type ChannelMessage =
  | (Outgoing & { readonly senderClientId?: string })
  /** The service refused something we sent; `correlationId` is that of the message, see `encodeMessage`. */
  | {
      readonly kind: 'status'
      readonly correlationId?: string
      readonly errorType?: string
      readonly statusCode?: string
      readonly description?: string
    }
  /** The service will end this connection within a minute. */
  | { readonly kind: 'go-away' }
  /** The service asks to fetch new ICE servers. */
  | { readonly kind: 'reconnect-ice-server' }
  /** A message of the service that we do not know; `type` is its name, cut short. */
  | { readonly kind: 'unknown'; readonly type: string }
  /**
   * Something that cannot be read: an offer, an answer, a candidate, or a whole frame. `what` says it in a few words of ours,
   * with nothing of the content.
   */
  | {
      readonly kind: 'garbled'
      readonly part: 'offer' | 'answer' | 'candidate' | 'frame'
      readonly what: string
      readonly senderClientId?: string
    }

const maxCandidate = 1_024
/** Old services name the master so instead of leaving `senderClientId` out. */
const masterName = 'AWS_DEFAULT_SINGLE_MASTER'

const envelopeSchema = z.object({
  senderClientId: z.string().max(256).nullish(),
  messageType: z.string().max(64),
  messagePayload: z.string().nullish(),
  statusResponse: z
    .object({
      correlationId: z.string().max(256).nullish(),
      errorType: z.string().max(256).nullish(),
      statusCode: z.coerce.string().max(16).nullish(),
      description: z.string().nullish(),
    })
    .nullish(),
})

const descriptionSchema = z.object({
  type: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['offer', 'answer']))
    .nullish(),
  // After a byte order mark or a blank line it is one, too.
  sdp: z
    .string()
    .overwrite((text) => text.trimStart())
    .startsWith('v='),
})

const candidateSchema = z.object({
  candidate: z.string().max(maxCandidate).nullable(),
  // Some write the mid as a number, and the index as a text. Any other odd place is as if it were left out.
  sdpMid: z
    .union([z.string().max(256), z.number().transform(String)])
    .nullish()
    .catch(undefined),
  sdpMLineIndex: z
    .union([
      z.int().nonnegative(),
      z
        .string()
        .regex(/^\d{1,3}$/)
        .transform(Number),
    ])
    .nullish()
    .catch(undefined),
})

/**
 * Reads one frame; never throws. Key names are taken in both spellings in use (`messagePayload`, `MessagePayload`).
 * The caller bounds the length of the frame.
 */
export function decodeMessage(frame: string): ChannelMessage {
  if (frame.trim() === '') return { kind: 'unknown', type: 'empty' }
  const envelope = envelopeSchema.safeParse(camelKeys(parseJson(frame)))
  if (!envelope.success) return { kind: 'garbled', part: 'frame', what: 'a message in no known form' }
  const { senderClientId, messageType, messagePayload, statusResponse } = envelope.data
  const sender = senderClientId && senderClientId !== masterName ? { senderClientId } : {}
  switch (messageType) {
    case 'SDP_OFFER':
      return { ...decodeDescription('offer', messagePayload), ...sender }
    case 'SDP_ANSWER':
      return { ...decodeDescription('answer', messagePayload), ...sender }
    case 'ICE_CANDIDATE':
      return { ...decodeCandidate(messagePayload), ...sender }
    case 'GO_AWAY':
      return { kind: 'go-away' }
    case 'RECONNECT_ICE_SERVER':
      return { kind: 'reconnect-ice-server' }
    case 'STATUS_RESPONSE':
      return { kind: 'status', ...present(statusResponse ?? {}) }
    default:
      return { kind: 'unknown', type: messageType.replace(/[^\w.-]/g, '?') }
  }
}

/**
 * Reads a payload that must hold the given kind of session description, as base64 of `{"type":…,"sdp":…}`. A bare SDP is
 * refused: the cameras do the same.
 */
export function decodeDescription(kind: 'offer' | 'answer', payload: string | null | undefined): Outgoing | Garbled {
  const description = descriptionSchema.safeParse(parseJson(Buffer.from(payload ?? '', 'base64').toString('utf8')))
  if (!description.success) return { kind: 'garbled', part: kind, what: `an ${kind} that cannot be read` }
  if ((description.data.type ?? kind) !== kind)
    return { kind: 'garbled', part: kind, what: `an ${kind} that says it is none` }
  return { kind, sdp: description.data.sdp }
}

/** The payload of a message: base64 of JSON. Throws `offer_too_large` when it is longer than the service carries. */
export function encodePayload(message: Outgoing): string {
  const payload = Buffer.from(JSON.stringify(wireForm(message))).toString('base64')
  if (payload.length > maxPayload) {
    throw new BridgeError(
      'offer_too_large',
      `the ${message.kind} takes ${payload.length} base64 characters, the signaling service carries ${maxPayload}`,
    )
  }
  return payload
}

/** One frame to the service. The correlation id lets it report a failure; without one it stays silent. */
export function encodeMessage(message: Outgoing, recipientClientId: string | undefined, correlationId: string): string {
  return JSON.stringify({
    action: actions[message.kind],
    recipientClientId,
    messagePayload: encodePayload(message),
    correlationId,
  })
}

type Garbled = Extract<ChannelMessage, { kind: 'garbled' }>

const actions = {
  offer: 'SDP_OFFER',
  answer: 'SDP_ANSWER',
  candidate: 'ICE_CANDIDATE',
  'end-of-candidates': 'ICE_CANDIDATE',
} satisfies Record<Outgoing['kind'], string>

function wireForm(message: Outgoing): object {
  if (message.kind === 'end-of-candidates') return { candidate: '', sdpMid: '0', sdpMLineIndex: 0 }
  if (message.kind !== 'candidate') return { type: message.kind, sdp: message.sdp }
  const { candidate, sdpMid, sdpMLineIndex } = message
  return { candidate, sdpMid, sdpMLineIndex }
}

function decodeCandidate(payload: string | null | undefined): Outgoing | Garbled {
  const parsed = candidateSchema.safeParse(parseJson(Buffer.from(payload ?? '', 'base64').toString('utf8')))
  if (!parsed.success) return { kind: 'garbled', part: 'candidate', what: 'a candidate that cannot be read' }
  const { candidate, sdpMid, sdpMLineIndex } = parsed.data
  const [, value = ''] = /^(?:a=)?(?:candidate:)?(.*)$/is.exec((candidate ?? '').trim()) ?? []
  // W3C WebRTC 4.8.1: an empty candidate ends the list of its generation.
  if (value === '') return { kind: 'end-of-candidates' }
  // Whoever puts this line into an SDP must not get more than one line out of it.
  if (!/^[\x20-\x7e]+$/.test(value) || !/ typ /i.test(value))
    return { kind: 'garbled', part: 'candidate', what: 'a candidate in no known form' }
  return { kind: 'candidate', candidate: `candidate:${value}`, ...present({ sdpMid, sdpMLineIndex }) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.trimStart())
  } catch {
    return undefined
  }
}

/** The object with its own keys, one level deep, beginning with a small letter. */
function camelKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) => [
      key.charAt(0).toLowerCase() + key.slice(1),
      key.toLowerCase() === 'statusresponse' ? camelKeys(held) : held,
    ]),
  )
}

type Present<T> = { [K in keyof T]?: NonNullable<T[K]> }

/** The object without its keys that hold nothing. */
function present<T extends object>(value: T): Present<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, held]) => held !== undefined && held !== null),
  ) as Present<T>
}
