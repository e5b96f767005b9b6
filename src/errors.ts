/** What can go wrong, in one closed list. Each assistant translates every code into its own word; nothing else leaves the house. */

export const errorCodes = {
  /** The request itself is malformed: a directive, an SDP offer, a body. Repeating it will not help. */
  invalid_request: 'the request is malformed',
  /** The bearer token is missing, forged, for somebody else, or revoked. */
  unauthorized: 'the token is not valid',
  /** The bearer token was ours and is past its time. */
  token_expired: 'the token has expired',
  /** No such camera for this account; one that it may not see does not exist for it. */
  camera_not_found: 'no such camera',
  /** The signaling service says that no camera master is connected. */
  camera_offline: 'the camera is not connected',
  /** The camera was sent the offer and did not answer by the deadline. */
  camera_silent: 'the camera did not answer in time',
  /** What the camera sent is not an answer to the offer. */
  camera_garbled: 'the camera sent something that is not an answer',
  /** The signaling connection ended before the camera's answer arrived. */
  camera_hung_up: 'the connection to the camera ended before it answered',
  /** Every viewer slot of the camera is taken. */
  camera_busy: 'the camera has no room for another viewer',
  /** Camera and display share no codec that both can use. */
  no_common_codec: 'camera and display share no codec',
  /** The camera answered, but gave no network address at which the display could reach it. */
  no_candidates: 'the camera gave no usable network address',
  /** The answer was given, but camera and display found no way to each other (ICE or DTLS failed). */
  media_failed: 'camera and display could not connect',
  /** The display ended the session, or began it anew, before the answer was there. */
  display_gave_up: 'the display ended the session before the answer',
  /** The signaling service is unreachable, refuses us, or fails. */
  signaling_failed: 'the signaling service cannot be used',
  /** Too many requests; the same one may succeed later. */
  rate_limited: 'too many requests',
  /** Something of ours (the store, account linking) was too slow for the assistant's deadline. */
  out_of_time: 'not done by the deadline',
  /** The camera's answer has a picture and no sound, and the display may wait for sound before it shows anything. */
  no_sound: 'the camera sends no sound, for which this display may wait in vain',
  /** Our own mistake. */
  internal: 'internal error',
} as const

export type ErrorCode = keyof typeof errorCodes

/** The one error class of the house. `message` and `cause` are for the log and the owner, never for an assistant. */
export class BridgeError extends Error {
  override readonly name = 'BridgeError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string = errorCodes[code], options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Any thrown value as a `BridgeError`; what is not one already is our own mistake and becomes `internal`. */
export function toBridgeError(thrown: unknown): BridgeError {
  if (thrown instanceof BridgeError) return thrown
  return new BridgeError('internal', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown })
}
