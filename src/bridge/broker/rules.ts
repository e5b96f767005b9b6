/** What a display can use and may do, told to both sides: in the offer that the camera gets and in the answer that the display gets. */
import type { CandidateRules } from './candidate.ts'
import { includesReceiving, includesSending, type Description, type Direction, type Media } from './sdp.ts'

/** What the display can use, as its assistant's documents say, and what it may do. */
export interface AnswerRules extends CandidateRules {
  /** Let the display's sound through to the camera; without it the camera is offered no sound and the display may send none. */
  readonly talkBack: boolean
  /** The display may move the camera: let a data channel through (Alexa's pan, tilt and zoom). Default true. */
  readonly mayControl?: boolean
  /** The display waits for sound before it shows the picture (Google's player does); an answer without it is noted. */
  readonly needsSound?: boolean
  /** The camera has a picture: an answer without it, to a display that wants one, is refused. */
  readonly needsPicture?: boolean
}

/** The offer without what its display may not have: a data channel of somebody who may only view is no section for anybody. */
export function allowedOffer(offer: Description, { mayControl = true }: AnswerRules): Description {
  if (mayControl) return offer
  return { ...offer, media: offer.media.map((media) => (media.isRtp ? media : { ...media, isLive: false })) }
}

/** What the display does in this section at most: it sends no video ever, and sound only where talk-back is allowed. */
export function allowedDirection({ kind, direction }: Media, { talkBack }: Pick<AnswerRules, 'talkBack'>): Direction {
  return toDirection(includesSending(direction) && kind === 'audio' && talkBack, includesReceiving(direction))
}

/** The direction of a side that does this. */
export function toDirection(sends: boolean, receives: boolean): Direction {
  if (sends) return receives ? 'sendrecv' : 'sendonly'
  return receives ? 'recvonly' : 'inactive'
}

/** Whether an offer has a section of this kind in which the display takes what the camera sends. */
export function wants(media: readonly Media[], kind: 'audio' | 'video'): boolean {
  return media.some((one) => one.kind === kind && one.isLive && includesReceiving(one.direction))
}
