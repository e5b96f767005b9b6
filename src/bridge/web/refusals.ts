/** The bridge's errors in HTTP's words, for browsers and apps: a status, the code, what happened and what to do about it. */
import type { ErrorRequestHandler, Response } from 'express'
import { advice, BridgeError, errorCodes, toBridgeError, type ErrorCode } from 'transom-core/errors'
import type { Log } from 'transom-core/ports'
import type { refusalCodes, Refused as RefusedAnswer } from 'transom-core/wire/api'

const statusOf: Record<ErrorCode, number> = {
  invalid_request: 400,
  unauthorized: 401,
  token_expired: 401,
  camera_not_found: 404,
  camera_offline: 503,
  camera_silent: 504,
  camera_garbled: 502,
  camera_hung_up: 502,
  camera_busy: 503,
  no_common_codec: 502,
  no_candidates: 502,
  display_gave_up: 409,
  media_failed: 502,
  signaling_failed: 502,
  registry_failed: 503,
  rate_limited: 429,
  out_of_time: 504,
  no_room: 503,
  store_failed: 503,
  no_sound: 502,
  no_picture: 502,
  offer_too_large: 413,
  source_password: 503,
  source_refused: 503,
  source_unreachable: 503,
  source_unknown_host: 503,
  source_not_found: 503,
  source_codec: 502,
  source_no_key_frame: 503,
  source_stopped: 503,
  source_busy: 503,
  source_certificate: 503,
  source_garbled: 503,
  source_gateway: 503,
  source_no_ffmpeg: 503,
  source_invalid: 503,
  internal: 500,
}

/** Words that only this room needs. */
type Refusal = (typeof refusalCodes)[number]

const refusalStatus: Record<Refusal, number> = {
  forbidden: 403,
  not_found: 404,
  not_supported: 501,
  session_not_found: 404,
}

export class Refused extends Error {
  override readonly name = 'Refused'
  readonly refusal: Refusal

  constructor(refusal: Refusal, message: string) {
    super(message)
    this.refusal = refusal
  }
}

/** In HTTP's words. */
export const statusOfRefusal = ({ refusal }: Refused): number => refusalStatus[refusal]

/** Seconds (RFC 9110 section 10.2.3). Short: a press is worth telling for half a minute. */
const storeRetryS = 5

/** Answers what a route throws. */
export function answerError(log: Log): ErrorRequestHandler {
  return (thrown: Error & { status?: unknown }, request, response: Response, next) => {
    if (response.headersSent) return next(thrown)
    if (thrown instanceof Refused) {
      const { refusal: error, message } = thrown
      return void response.status(statusOfRefusal(thrown)).json({ error, message } satisfies RefusedAnswer)
    }
    // Errors of Express itself (a bad path, a body that is no JSON or too large) carry their status.
    const { status: given } = thrown
    const isRequestFault = typeof given === 'number' && given >= 400 && given < 500
    const error = isRequestFault ? new BridgeError('invalid_request', thrown.message) : toBridgeError(thrown)
    const { code } = error
    const status = isRequestFault ? given : statusOf[code]
    const fields = { method: request.method, path: `${request.baseUrl}${request.path}`, code }
    const isOfStore = code === 'no_room' || code === 'store_failed'
    if (code === 'internal' || isOfStore) log('error', 'web.failed', { ...fields, error: thrown })
    else if (status >= 500) log('warn', 'web.failed', { ...fields, error: error.message })
    if (status === 401) response.set('WWW-Authenticate', 'Bearer error="invalid_token"')
    const retryAfterS = isOfStore ? storeRetryS : error.retryAfterMs && Math.ceil(error.retryAfterMs / 1_000)
    if (retryAfterS !== undefined) response.set('retry-after', String(retryAfterS))
    // Where our files lie is for the log.
    const message = code === 'internal' || isOfStore ? errorCodes[code] : error.message
    response.status(status).json({ error: code, message, advice: advice[code] } satisfies RefusedAnswer)
  }
}
