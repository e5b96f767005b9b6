/** What goes wrong on the way to KVS, in the house's words and with what to do about it. */
import * as z from 'zod'
import { BridgeError, type ErrorCode } from 'transom-core/errors'

/** What the service refused. Kept as the cause of the `BridgeError`. */
export class ServiceRefusal extends Error {
  override readonly name = 'ServiceRefusal'
  /** Refused was a WebSocket, a message sent on it, or a REST call. */
  readonly what: 'upgrade' | 'message' | 'call'
  readonly status: number
  /** The service's name of the error, such as `ClientLimitExceededException`; empty when it gave none. */
  readonly errorType: string

  constructor(what: ServiceRefusal['what'], status: number, errorType: string, text: string) {
    super(`the service refused the ${what}: ${status} ${errorType} ${text}`.trim())
    this.what = what
    this.status = status
    this.errorType = errorType
  }
}

/** Any failure of a call about a channel as a `BridgeError` whose message says what to do. */
export function toKvsError(thrown: unknown, channelName: string, region: string): BridgeError {
  if (thrown instanceof BridgeError) return thrown
  const fail = (code: ErrorCode, message: string) => new BridgeError(code, message, { cause: thrown })
  const { name, code, status, text } = traits(thrown)
  if (/LimitExceeded|Throttl|TooManyRequests/.test(name) || status === 429) {
    // AWS has one error for both: too many calls, and all viewer places taken. Only an upgrade can mean the places.
    return thrown instanceof ServiceRefusal &&
      thrown.what === 'upgrade' &&
      !/rate|throttl|too many requests/i.test(text)
      ? fail('camera_busy', `channel ${channelName} takes no further viewer`)
      : fail('rate_limited', `too many calls about channel ${channelName}`)
  }
  if (name.startsWith('ResourceNotFound') || status === 404) {
    return fail(
      'signaling_failed',
      `there is no signaling channel ${channelName} in ${region}: start the camera once so that it creates it, or mend the camera's channel name`,
    )
  }
  // What our own signaling service says where AWS replies without an answer.
  if (name === 'MasterNotAnsweringException')
    return fail('camera_silent', `the master of channel ${channelName} gave no answer`)
  if (name === 'CredentialsProviderError') return fail('signaling_failed', `no credentials for KVS: ${text}`)
  if (status === 401 || status === 403 || /AccessDenied|NotAuthorized|Signature|Token|InvalidClient/.test(name)) {
    // Without its own cause: AWS quotes the request that should have been signed, with the security token in it.
    const cause = new ServiceRefusal(thrown instanceof ServiceRefusal ? thrown.what : 'call', status, name, '')
    return new BridgeError(
      'signaling_failed',
      `the signaling service refuses our credentials for channel ${channelName} (${name || status}): check keys, permissions and the clock`,
      { cause },
    )
  }
  if (/CERT|_SIGNED|ISSUER|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL/.test(code)) {
    return fail(
      'signaling_failed',
      `the signaling service's certificate is not trusted (${code}): check the CA and the host name`,
    )
  }
  if (name === 'TimeoutError' || code === 'ETIMEDOUT') {
    return fail('signaling_failed', `the signaling service did not reply in time about channel ${channelName}`)
  }
  return fail('signaling_failed', `the signaling service failed for channel ${channelName}: ${code || name || status}`)
}

/** A refusal says more of our keys than of the channel: an address that was looked up so lately is not doubted for it. */
const sureMs = 60_000

/**
 * Whether the failure can come from an endpoint or ARN that was right once: gone, moved, or made anew. `ageMs`: how long ago
 * it was looked up.
 */
export function mayBeStale(error: unknown, ageMs: number): boolean {
  const { name, code, status } = traits(error instanceof BridgeError ? error.cause : error)
  return (
    name.startsWith('ResourceNotFound') ||
    status === 404 ||
    // Of an ARN that is not there any more, IAM may know no permission either.
    (ageMs >= sureMs && (status === 401 || status === 403)) ||
    ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ERR_TLS_CERT_ALTNAME_INVALID'].includes(code)
  )
}

/** What the SDK's errors, Node's and ours tell, under one roof; empty or 0 where they say nothing. */
function traits(thrown: unknown): { name: string; code: string; status: number; text: string } {
  if (thrown instanceof ServiceRefusal) {
    return { name: thrown.errorType, code: '', status: thrown.status, text: thrown.message }
  }
  const { name, code, message, $metadata } = errorSchema.parse(thrown)
  return { name, code, status: $metadata.httpStatusCode, text: message }
}

const word = z.string().catch('')

const errorSchema = z
  .object({
    name: word,
    code: word,
    message: word,
    $metadata: z.object({ httpStatusCode: z.number().catch(0) }).catch({ httpStatusCode: 0 }),
  })
  .catch({ name: '', code: '', message: '', $metadata: { httpStatusCode: 0 } })
