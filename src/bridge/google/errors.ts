/** The bridge's errors in Google's words: codes in fulfillment replies, HTTP statuses at the two doors, lines in the log. */
import type { LogEvent, LogFieldsOf } from 'transom-core/log-events'
import type { BridgeError, ErrorCode } from 'transom-core/errors'
import type { Log } from 'transom-core/ports'

/**
 * Google's platform error codes, as far as we use them. All but `deviceOffline` and `protocolError` (and `deviceTurnedOff`,
 * see camera-stream.ts) are in the 2021 list of smart-home-schema; those are in Google's current pages. A code that Google does not know becomes a vague apology.
 */
type GoogleErrorCode =
  | 'authFailure'
  | 'deviceBusy'
  | 'deviceNotFound'
  | 'deviceOffline'
  | 'hardError'
  | 'protocolError'
  | 'streamUnavailable'
  | 'streamUnplayable'
  | 'transientError'

export const googleErrorCode: Record<ErrorCode, GoogleErrorCode> = {
  invalid_request: 'protocolError',
  unauthorized: 'authFailure',
  // Not `authExpired`: whether Google knows it is unsure. The refresh comes from the HTTP status 401, not from this word.
  token_expired: 'authFailure',
  camera_not_found: 'deviceNotFound',
  camera_offline: 'deviceOffline',
  camera_silent: 'streamUnavailable',
  camera_garbled: 'streamUnavailable',
  camera_hung_up: 'streamUnavailable',
  camera_busy: 'deviceBusy',
  no_common_codec: 'streamUnplayable',
  no_candidates: 'streamUnavailable',
  display_gave_up: 'streamUnavailable',
  media_failed: 'streamUnavailable',
  signaling_failed: 'transientError',
  registry_failed: 'transientError',
  rate_limited: 'transientError',
  out_of_time: 'transientError',
  no_room: 'transientError',
  store_failed: 'transientError',
  no_sound: 'streamUnplayable',
  no_picture: 'streamUnavailable',
  offer_too_large: 'streamUnplayable',
  // `deviceOffline` where the camera is as good as not there: QUERY says so too.
  source_password: 'deviceOffline',
  source_refused: 'deviceOffline',
  source_unreachable: 'deviceOffline',
  source_unknown_host: 'deviceOffline',
  source_not_found: 'deviceOffline',
  source_codec: 'streamUnplayable',
  source_no_key_frame: 'deviceOffline',
  source_stopped: 'deviceOffline',
  source_busy: 'deviceBusy',
  source_certificate: 'deviceOffline',
  source_garbled: 'deviceOffline',
  source_gateway: 'deviceOffline',
  source_no_ffmpeg: 'deviceOffline',
  source_invalid: 'deviceOffline',
  internal: 'hardError',
}

/**
 * The status of a fulfillment request that failed as a whole. 401 makes Google refresh its access token. What is our own
 * trouble stays 200 with an `errorCode` in the payload: the schema's place for "developer system unavailability"; only the
 * reply to DISCONNECT has no payload to say it in.
 */
export function fulfillmentStatus(code: ErrorCode, intent: string): number {
  if (code === 'unauthorized' || code === 'token_expired') return 401
  if (code === 'invalid_request') return 400
  return intent === 'action.devices.DISCONNECT' ? 500 : 200
}

/** The status of a signaling POST that failed. Google defines none; these are what working bridges send. */
export const signalingStatus: Record<ErrorCode, number> = {
  invalid_request: 400,
  unauthorized: 401,
  token_expired: 401,
  camera_not_found: 404,
  camera_offline: 502,
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
  source_password: 502,
  source_refused: 502,
  source_unreachable: 502,
  source_unknown_host: 502,
  source_not_found: 502,
  source_codec: 502,
  source_no_key_frame: 502,
  source_stopped: 502,
  source_busy: 503,
  source_certificate: 502,
  source_garbled: 502,
  source_gateway: 502,
  source_no_ffmpeg: 502,
  source_invalid: 502,
  internal: 500,
}

export type GoogleEvent = Extract<LogEvent, `google.${string}`>

/** One line for a failure; our own mistake comes with its stack, everything else is somebody's weather. */
export function logFailure(log: Log, event: GoogleEvent, error: BridgeError, fields: LogFieldsOf<GoogleEvent>): void {
  const { code, message, cause } = error
  if (code !== 'internal') return log('warn', event, { ...fields, code, error: message })
  log('error', event, { ...fields, code, error: message, stack: cause instanceof Error ? cause.stack : error.stack })
}
