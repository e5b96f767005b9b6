/** The messages of a signaling WebSocket: read in both spellings in use, written as AWS writes them. */
import * as z from 'zod'
import { ServiceError } from './service-error.ts'

const messageTypes = ['SDP_OFFER', 'SDP_ANSWER', 'ICE_CANDIDATE'] as const
export type MessageType = (typeof messageTypes)[number]

/** What a client asks the service to carry. */
export interface Posting {
  readonly type: MessageType
  readonly payload: string
  readonly isPlain?: boolean | undefined
  /** The viewer it is for; only a master names one. */
  readonly recipientClientId?: string
}

/** What the other side gets. */
export interface Delivery {
  readonly type: MessageType
  readonly payload: string
  /** The payload can stand between quotes as it is. Worth knowing: to look for what must be escaped is most of the work. */
  readonly isPlain?: boolean | undefined
  /** The viewer it comes from; without it, it comes from the master. */
  readonly senderClientId?: string
}

/** A frame read: what it asks for, or what is wrong with it. With a correlation id the sender wants to hear of a failure. */
export type Frame = { readonly correlationId?: string } & (
  | { readonly kind: 'posting'; readonly posting: Posting }
  | { readonly kind: 'fault'; readonly error: ServiceError }
)

/** Ids of clients and correlations, by the service model. */
export const idPattern = /^[a-zA-Z0-9_.-]{1,256}$/
/** base64 characters of a payload, by the service's quotas. */
export const maxPayload = 10_000
/** Bytes of a frame: payload and ids, and room for the ICE server list that a C SDK viewer adds to its offer. */
export const maxFrame = 32 * 1_024

const frameSchema = z.object({
  action: z.enum(messageTypes),
  messagePayload: z.string().min(1).max(maxPayload),
  recipientClientId: z.string().regex(idPattern).optional(),
})

/** Reads one text frame; never throws. `undefined`: nothing of it can be read, not even whom to tell. */
export function readFrame(text: string): Frame | undefined {
  const json = parseObject(text)
  if (!json) return undefined
  // AWS documents small first letters, the C SDK writes capitals (its request builder in Signaling.c), and "" for none.
  const field = (name: string, capital: string) => json[name] ?? json[capital]
  const recipient = field('recipientClientId', 'RecipientClientId')
  const correlation = field('correlationId', 'CorrelationId')
  const correlationId =
    typeof correlation === 'string' && idPattern.test(correlation) ? { correlationId: correlation } : {}
  const parsed = frameSchema.safeParse({
    action: json['action'] ?? json['Action'],
    messagePayload: field('messagePayload', 'MessagePayload'),
    ...(recipient === '' || recipient === undefined ? {} : { recipientClientId: recipient }),
  })
  if (!parsed.success) {
    const paths = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ')
    const error = new ServiceError('InvalidArgumentException', `Invalid value of ${paths}.`)
    return { ...correlationId, kind: 'fault', error }
  }
  const { action, messagePayload, recipientClientId } = parsed.data
  // JSON has no way but the backslash to write quotes and control characters (RFC 8259 section 7): without any, the payload
  // can be written as it was read.
  const isPlain = !text.includes('\\')
  const to = recipientClientId === undefined ? {} : { recipientClientId }
  return { ...correlationId, kind: 'posting', posting: { type: action, payload: messagePayload, isPlain, ...to } }
}

/** A message as its receiver gets it. `senderClientId` is left out, not empty, when the master sent it. */
export function writeDelivery({ type, payload, isPlain = false, senderClientId }: Delivery): string {
  if (isPlain) {
    const sender = senderClientId === undefined ? '' : `,"senderClientId":"${senderClientId}"`
    return `{"messageType":"${type}","messagePayload":"${payload}"${sender}}`
  }
  return JSON.stringify({ messageType: type, messagePayload: payload, senderClientId })
}

/** What tells a client that its connection is about to be closed. */
export const goAway = JSON.stringify({ messageType: 'GO_AWAY' })

/** What tells a client that its message was refused. */
export function writeStatus(correlationId: string, error: ServiceError): string {
  return JSON.stringify({
    messageType: 'STATUS_RESPONSE',
    statusResponse: {
      correlationId,
      errorType: error.type,
      statusCode: String(error.status),
      description: error.message,
    },
  })
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
