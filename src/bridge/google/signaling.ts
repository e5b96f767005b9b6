/** The signaling door: the player on the display posts its offer here and takes the camera's answer home. */
import type { Broker } from '../broker/broker.ts'
import { within } from 'transom-core/deadline'
import { BridgeError, toBridgeError, type ErrorCode } from 'transom-core/errors'
import type { Clock, Log, Store } from 'transom-core/ports'
import { signalingMessage, type SignalingAnswer } from 'transom-core/wire/google'
import type { Cameras } from './cameras.ts'
import { googleErrorCode, logFailure, signalingStatus } from './errors.ts'
import { bearerToken, header, parseJson, type HttpHeaders } from '../http.ts'
import { createStreamTokens, type BeginGrant, type StreamGrant } from './stream-token.ts'
import { faultsOf } from 'transom-core/wire/faults'

export interface SignalingDoorDeps {
  readonly cameras: Pick<Cameras, 'find'>
  readonly broker: Pick<Broker, 'negotiate' | 'end'>
  readonly store: Store
  /** True if a display's microphone may be offered to a camera that has a speaker. */
  readonly talkBack: boolean
  /** Milliseconds from request to reply, whatever happens; default 2000, Google's quality bar for cameras. */
  readonly budgetMs?: number
  /** Web origins whose pages may read our replies beside Google's own, as a Cast receiver of the user's. */
  readonly moreOrigins?: readonly string[]
  readonly clock: Clock
  readonly log: Log
}

/** A request as any HTTP server can give it; `body` as it came. */
export interface SignalingRequest {
  readonly method: string
  readonly headers: HttpHeaders
  readonly body?: string | Uint8Array | undefined
}

export interface SignalingReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Never throws. */
export type SignalingDoor = (request: SignalingRequest) => Promise<SignalingReply>

/** The largest body in bytes that is read; a full offer has about ten thousand. A server in front need not accept more. */
export const signalingBodyLimit = 64 * 1024

const playerOrigin = 'https://www.gstatic.com'

type Message = { readonly deviceId?: string } & (
  | { readonly action: 'offer'; readonly sdp: string; readonly saysType: boolean }
  | { readonly action: 'end' }
)

export function createSignalingDoor(deps: SignalingDoorDeps): SignalingDoor {
  const { cameras, broker, talkBack, clock, log, budgetMs = 2000, moreOrigins = [] } = deps
  const allowedOrigins = [playerOrigin, ...moreOrigins]
  const tokens = createStreamTokens(deps)

  return async ({ method, headers, body }) => {
    const receivedAt = clock()
    const cors = corsHeaders(headers, allowedOrigins)
    if (method === 'OPTIONS') return { status: 204, headers: preflightHeaders(cors), body: '' }
    const json = { ...cors, 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }
    if (method !== 'POST') {
      return { status: 405, headers: { ...json, Allow: 'POST, OPTIONS' }, body: refusal('invalid_request') }
    }
    if (body !== undefined && Buffer.byteLength(body) > signalingBodyLimit) {
      log('warn', 'google.signaling', { status: 413, bytes: Buffer.byteLength(body) })
      return { status: 413, headers: json, body: refusal('invalid_request') }
    }
    // What is known so far, for the log.
    const seen: Seen = {}
    try {
      const work = () => answer(headers, body, receivedAt, seen)
      const onLate = (thrown: unknown) => logFailure(log, 'google.late-failure', toBridgeError(thrown), seen)
      const reply = await within(receivedAt + budgetMs - clock(), work, onLate)
      log('info', 'google.signaling', { ...seen, status: 200, ms: clock() - receivedAt })
      return { status: 200, headers: json, body: JSON.stringify(reply) }
    } catch (thrown) {
      const error = toBridgeError(thrown)
      const status = signalingStatus[error.code]
      logFailure(log, 'google.signaling', error, { ...seen, status, ms: clock() - receivedAt })
      const challenge = status === 401 ? { 'WWW-Authenticate': 'Bearer error="invalid_token"' } : {}
      return { status, headers: { ...json, ...challenge }, body: refusal(error.code) }
    }
  }

  async function answer(
    headers: HttpHeaders,
    body: string | Uint8Array | undefined,
    receivedAt: number,
    seen: Seen,
  ): Promise<SignalingAnswer | Record<string, never>> {
    const token = bearerToken(headers)
    if (token === undefined) throw new BridgeError('unauthorized', 'no stream token')
    const message = readMessage(body)
    if (message.action === 'end') {
      const grant = await tokens.redeemToEnd(token)
      admit(grant, message, seen)
      // In this order: if the broker fails, the player's repeat still finds its token.
      await broker.end(
        { assistant: 'google', accountId: grant.accountId, reference: grant.reference },
        'ended by the display',
      )
      await tokens.revoke(token)
      return {}
    }
    const grant = await tokens.redeemToBegin(token)
    admit(grant, message, seen)
    const sdp = await begin(grant, message.sdp, receivedAt)
    return { action: 'answer', ...(message.saysType && { type: 'answer' as const }), sdp }
  }

  async function begin(grant: BeginGrant, offer: string, receivedAt: number): Promise<string> {
    const { accountId, cameraId, reference } = grant
    const camera = await cameras.find(accountId, cameraId)
    if (!camera) throw new BridgeError('camera_not_found', `${cameraId} is gone`)
    const rules = { ipv4Only: false, tcpCandidates: true, talkBack, needsSound: true }
    const answerBy = receivedAt + budgetMs
    const [answer, kept] = await Promise.allSettled([
      broker.negotiate({ assistant: 'google', accountId, camera, reference, offer, receivedAt, answerBy, rules }),
      grant.keepForEnd(),
    ])
    // Worth a picture all the same; only the later `end` will find no token.
    if (kept.status === 'rejected') logFailure(log, 'google.token-not-kept', toBridgeError(kept.reason), { reference })
    if (answer.status === 'rejected') throw answer.reason
    return answer.value
  }
}

/** Notes for the log whose stream it is, and throws if the message names another device than the token. */
/** What is known of a request by now, for the log. */
interface Seen {
  action?: string
  cameraId?: string
  reference?: string
}

function admit({ cameraId, reference }: StreamGrant, message: Message, seen: Seen): void {
  Object.assign(seen, { action: message.action, cameraId, reference })
  if (message.deviceId && message.deviceId !== cameraId) {
    throw new BridgeError('invalid_request', 'the message names another device than its token')
  }
}

/** The message in any of the shapes seen in the field. Throws `invalid_request`. */
function readMessage(body: string | Uint8Array | undefined): Message {
  const json = parseJson(body ?? '')
  if (json === undefined) throw new BridgeError('invalid_request', 'the body is not JSON')
  const read = signalingMessage.safeParse(json)
  if (!read.success) throw new BridgeError('invalid_request', faultsOf(read.error))
  const { action, type, deviceId, sdp, offer } = read.data
  const said = action ?? type ?? (offer ? 'offer' : undefined)
  const device = deviceId ? { deviceId } : {}
  if (said === 'end') return { action: 'end', ...device }
  // `answer` belongs to offers of ours, and we send none (`cameraStreamOffer`).
  if (said !== 'offer') throw new BridgeError('invalid_request', `unknown action ${JSON.stringify(said)?.slice(0, 64)}`)
  const text = sdp || offer
  if (!text) throw new BridgeError('invalid_request', 'an offer without sdp')
  return { action: 'offer', sdp: text, saysType: typeof type === 'string', ...device }
}

/** Google defines no error body; ours has the word that fulfillment would use. */
function refusal(code: ErrorCode): string {
  return JSON.stringify({ error: googleErrorCode[code] })
}

/**
 * On every reply, errors too: without them the player sees a network failure instead of a status. The exact origin, never
 * `*`: the player's fetch is credentialed. A request that names no origin comes from no browser; it is told the player's.
 */
function corsHeaders(headers: HttpHeaders, allowedOrigins: readonly string[]): Record<string, string> {
  const origin = header(headers, 'origin') ?? playerOrigin
  if (!allowedOrigins.includes(origin)) return { Vary: 'Origin' }
  return { 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' }
}

function preflightHeaders(cors: Readonly<Record<string, string>>): Record<string, string> {
  if (!('Access-Control-Allow-Origin' in cors)) return cors
  return {
    ...cors,
    'Access-Control-Allow-Methods': 'POST, OPTIONS',
    'Access-Control-Allow-Headers': 'content-type, authorization',
    'Access-Control-Max-Age': '600',
  }
}
