/** What can go wrong, in one closed list. Each assistant translates every code into its own word; nothing else leaves the house. */

/**
 * Every code of `BridgeError`, with the message that it has when nothing more is known. Codes are never renamed:
 * clients decide by them.
 */
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
  /** The display's offer is larger than the signaling service carries, also after all was left out that a view can spare. */
  offer_too_large: 'the offer is too large for the signaling service',
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
  /** The vendor's own registry of cameras is away, and what it said last is too old. */
  registry_failed: 'the registry of the cameras cannot be used',
  /** Too many requests; the same one may succeed later. */
  rate_limited: 'too many requests',
  /** Something of ours (the store, account linking) was too slow for the assistant's deadline. */
  out_of_time: 'not done by the deadline',
  /** The camera's answer has a picture and no sound, and the display may wait for sound before it shows anything. */
  no_sound: 'the camera sends no sound, for which this display may wait in vain',
  /** The camera answered without a picture, or promised one and sends none. */
  no_picture: 'the camera sends no picture',
  /** The disk of the bridge is full: nothing can be kept until somebody makes room. */
  no_room: 'the disk is full',
  /** The store cannot be read or written: damaged, locked, not permitted. */
  store_failed: 'the store cannot be used',
  /** The camera behind the gateway answered 401 or 403. */
  source_password: 'the camera refuses the user name or the password',
  /** Nothing listens at the address, or the camera closes the connection at once. */
  source_refused: 'the camera refuses connections',
  /** No reply from the address: no power, no network, a firewall. */
  source_unreachable: 'the camera does not answer',
  source_unknown_host: 'no host has the name in the address of the camera',
  /** 404: the path of the address is wrong; or the media file is not there. */
  source_not_found: 'there is no stream at the address of the camera',
  /** Its video is not H.264, and nothing here can re-encode it. */
  source_codec: 'the camera sends video that displays cannot play',
  source_no_key_frame: 'the camera sent no key frame for 30 s',
  source_stopped: 'the camera stopped sending pictures',
  /** 453, 503: other programs hold all the streams that it can serve. */
  source_busy: 'the camera has too many sessions open',
  /** It was reached by TLS, and may be somebody else. */
  source_certificate: 'the camera shows another certificate than at first',
  /** What it sends is not the protocol, or beyond its bounds. */
  source_garbled: 'the camera sends something that cannot be read',
  /** The process that reads the camera is away: it is begun again, or another machine is switched off. */
  source_gateway: 'the gateway that reads the camera is not there',
  /** The gateway has no FFmpeg (`node-av`, an optional dependency) to read it with. */
  source_no_ffmpeg: 'FFmpeg is not installed with the bridge',
  /** The address itself: its scheme is not supported, or it is not a URL. */
  source_invalid: 'the address of the camera cannot be used',
  /** Our own mistake. */
  internal: 'internal error',
} as const

/** One of the codes above. */
export type ErrorCode = keyof typeof errorCodes

/** Every code, in the order above. */
export const errorCodeNames = Object.keys(errorCodes).filter(isErrorCode)

function isErrorCode(code: string): code is ErrorCode {
  return code in errorCodes
}

/** What keeps a camera behind the gateway from delivering pictures. */
export type SourceFault = Extract<ErrorCode, `source_${string}`>

/** The codes that say why a camera behind a gateway delivers no pictures, in the order above. */
export const sourceFaults = Object.keys(errorCodes).filter(isSourceFault)

/** Whether a text is one of these codes; narrows its type. */
export function isSourceFault(code: string): code is SourceFault {
  return code.startsWith('source_') && code in errorCodes
}

/** What the owner of the camera can do about each, where a session failed for it. */
export const advice: Record<ErrorCode, string> = {
  invalid_request: 'Update the display or the app that asked: it sent something that the bridge cannot read.',
  unauthorized: 'Link the account again: in the Alexa or Google Home app, or by signing in again.',
  token_expired: 'Try again; if it stays, link the account again.',
  camera_not_found:
    'Let the assistant look for devices again: the camera was removed, or is not shared with you any more.',
  camera_offline:
    'Check that the camera has power and network, and that its access key and the signaling address are right.',
  camera_silent:
    'Restart the camera. If it is slow by nature, let it trickle its candidates (road "viewer"), or raise the budget.',
  camera_garbled:
    'Update the camera’s firmware: its answer to the offer is not one. The log says what was wrong with it.',
  camera_hung_up: 'Try again. If it stays, look for restarts of the camera and for a weak network.',
  camera_busy: 'Close the view on another display: a camera serves ten at most, some serve fewer.',
  offer_too_large:
    'Nothing is wrong with the camera. The display offers more than fits into one signaling message: report the display and the log.',
  no_common_codec: 'Let the camera send H.264 (Constrained Baseline) and Opus: every display can play these.',
  no_candidates:
    'Check the camera’s network, and give it a STUN or TURN server (TRANSOM_ICE_SERVERS, TRANSOM_TURN_URLS).',
  media_failed:
    'Camera and display cannot reach each other: set up a TURN server (TRANSOM_TURN_URLS), and look for a firewall.',
  display_gave_up:
    'Nothing, if you closed the view. Otherwise the camera was too slow: look at the times of the steps.',
  signaling_failed: 'Check that the signaling service runs and can be reached, and that its credentials are right.',
  registry_failed:
    'Try again. If the problem persists, check the vendor’s registry of cameras (TRANSOM_REGISTRY); the log of the bridge says how it failed.',
  rate_limited: 'Wait a minute, then try again. If it stays, something asks too often: look at the list of sessions.',
  out_of_time: 'Try again. If it stays, the bridge or its store is too slow: look at its load and its log.',
  no_sound: 'Give the camera a sound track, or use the gateway, which adds silence (TRANSOM_SOURCE).',
  no_picture:
    'Check the camera’s own picture: its lens or privacy switch, its encoder, its log. For an intercom without a picture set hasVideo to false.',
  no_room: 'Free some space on the disk of the bridge (TRANSOM_DATA). Then try again.',
  store_failed: 'Try again. If the problem persists, the log of the bridge names the file and what to do.',
  source_password:
    'Correct user and password in the address of the camera. Wait if the camera has locked the account: it is tried again every ten minutes, and at once after a change.',
  source_refused: 'Switch RTSP on in the settings of the camera, and check the port in its address (RTSP uses 554).',
  source_unreachable: 'Check the power and the network of the camera, and its address.',
  source_unknown_host: 'Correct the host name in the address of the camera, or use its IP address.',
  source_not_found: 'Correct the path in the address of the camera; its manual or its app shows the RTSP address.',
  source_codec:
    'Set the video codec to H.264 without B-frames in the settings of the camera, or use the address of its second stream, which often has it. With FFmpeg (npm install node-av) the bridge converts the video.',
  source_no_key_frame: 'Set the key frame interval (I-frame interval, GOP) of the camera to 1 or 2 seconds.',
  source_stopped: 'Restart the camera if the problem persists, and check its network.',
  source_busy: 'Close other programs that show this camera, or raise the number of streams in its settings.',
  source_certificate:
    'If the camera was reset or updated, accept its new certificate: npx transom camera trust <camera id>. Otherwise check who else is on its network.',
  source_garbled: 'Update the firmware of the camera, and check that its address is an RTSP address.',
  source_gateway:
    'If the gateway runs on another machine, check that machine and its network, and its log. The one in the bridge starts again by itself; if the problem persists, the log of the bridge says why it ends.',
  source_no_ffmpeg: 'Run npm install node-av where the bridge is installed, and restart it. Not every system has it.',
  source_invalid:
    'Use an address such as rtsp://user:password@192.168.1.20/stream, with special characters percent-encoded.',
  internal: 'This is a fault of the bridge: its log has the details for a bug report.',
}

/** The same for a camera whose presses and motion do not arrive by ONVIF: its stream is another matter. */
export const eventsAdvice: Record<SourceFault, string> = {
  ...advice,
  source_password:
    'Give this user the right to ONVIF: some brands keep ONVIF users in a list of their own. Then give the camera again, with --onvif.',
  source_refused: 'Switch ONVIF on in the settings of the camera, and check the port of its ONVIF address.',
  source_not_found: 'Find the ONVIF address again (npx transom camera probe HOST), and give it to the camera.',
  source_busy: 'Close other programs that follow its events, or restart the camera.',
  source_garbled:
    'Update the firmware of the camera. If it has no ONVIF events, let its button call the webhook of the camera instead.',
  source_invalid: 'Find the ONVIF address again (npx transom camera probe HOST), and give it to the camera.',
}

/** The one error class of the house. `message` and `cause` are for the log and the owner, never for an assistant. */
export class BridgeError extends Error {
  override readonly name = 'BridgeError'
  readonly code: ErrorCode
  /** When the same may succeed, where that is known. */
  readonly retryAfterMs?: number

  constructor(
    code: ErrorCode,
    message: string = errorCodes[code],
    options: ErrorOptions & { readonly retryAfterMs?: number } = {},
  ) {
    super(message, options)
    this.code = code
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs
  }
}

/** Any thrown value as a `BridgeError`; what is not one already is our own mistake and becomes `internal`. */
export function toBridgeError(thrown: unknown): BridgeError {
  if (thrown instanceof BridgeError) return thrown
  return new BridgeError('internal', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown })
}
