/** Why a call failed, in one closed list: what the simulator itself found wrong, as an assistant would see it. */

export const causes = {
  bridge_unreachable: 'nothing answers at the address of the bridge',
  link_failed: 'account linking did not end with usable tokens',
  discovery_invalid: 'the list of devices is not one the assistant accepts',
  no_camera: 'the account has no such camera',
  state_invalid: 'the report of the state is not one the assistant accepts',
  stream_invalid: 'the stream description is not one the assistant accepts',
  cors_refused: 'the player in the display may not read the reply: its CORS headers are wrong',
  refused: 'the bridge answered with an error',
  answer_late: 'the answer came after the assistant had given up',
  answer_invalid: 'the SDP answer is not one the display can use',
  reply_invalid: 'a reply of the bridge does not have the prescribed form',
  ice_failed: 'no network path between display and camera was found',
  dtls_failed: 'the media connection could not be secured',
  connection_lost: 'the media connection ended before the display hung up',
  no_video: 'no video packet arrived',
  no_key_frame: 'video arrived, but never a complete picture to start from',
  profile_mismatch: 'the video is not of the profile that the answer announced',
  b_frames: 'the video has B-frames, which displays cannot play',
  not_decodable: 'complete pictures arrived, and none of them can be decoded',
  black_picture: 'the picture is black',
  frozen_picture: 'the picture stands still, since no new one came',
  no_audio: 'no audio packet arrived',
  media_stopped: 'picture and sound stopped before the display hung up',
  talk_back_refused: 'the camera is announced as two-way, and the answer takes no sound',
  not_supported: 'camera and surface have no way of showing the picture in common; the assistant tells the user so',
  ring_impossible: 'the bell cannot be pressed, or what follows from it cannot be heard',
  not_announced: 'the press was not announced',
  announcement_invalid: 'what the bridge sent is not what the assistant takes',
  talk_back_unheard: 'the camera reports no talk-back packet',
  not_linked: 'the account is not linked with the assistant, or not any more',
  grant_refused: 'the bridge did not take the permission to send events',
  press_refused: 'the bridge did not take the press of the bell',
  out_of_time: 'the whole call took longer than its limit',
  interrupted: 'the call was interrupted',
  simulator_failed: 'the simulator itself failed',
} as const

export type CauseCode = keyof typeof causes

/** The one error class of the simulator: a step of the call failed with a named cause. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: CauseCode

  constructor(code: CauseCode, message: string = causes[code], options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Any thrown value as a `CallError`; what is not one already is a mistake of the simulator. */
export function toCallError(thrown: unknown): CallError {
  if (thrown instanceof CallError) return thrown
  const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  return new CallError('simulator_failed', message, { cause: thrown })
}
