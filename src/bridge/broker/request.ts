/** What a display asks for, and what follows from it alone: the facts of its session, and the session's id. */
import { createHash } from 'node:crypto'
import { sessionId, type AccountId, type Camera, type SessionId } from 'transom-core/ports'
import type { AnswerRules } from './rules.ts'
import type { Assistant, Budgets, Facts, RecordedSpan } from './story.ts'

/** One offer of one display. */
export interface NegotiateRequest {
  readonly assistant: Assistant
  readonly accountId: AccountId
  readonly camera: Camera
  /** The display's own name for the session; the same name again is the same session. */
  readonly reference: string
  /** The display's complete SDP offer. */
  readonly offer: string
  readonly receivedAt: number
  /** The instant by which the reply must be out. */
  readonly answerBy: number
  readonly rules: AnswerRules
  /** It shows what was recorded instead of what happens now; the camera's channel is then that of the gateway's player. */
  readonly recording?: RecordedSpan
}

/** By what a display names its session. */
export interface SessionRef {
  readonly assistant: Assistant
  readonly accountId: AccountId
  readonly reference: string
}

/** What does not change while the session lives. `viewerId`: our name towards the camera. */
export function factsOf(
  request: NegotiateRequest,
  id: SessionId,
  viewerId: string,
  offerDigest: string,
  budgets: Budgets,
): Facts {
  const { assistant, accountId, camera, reference, rules, receivedAt, answerBy, recording } = request
  const owner = camera.sharedBy !== undefined && { ownerId: camera.sharedBy }
  const who = { id, assistant, accountId, ...owner, cameraId: camera.id, reference, viewerId }
  // Without a speaker, a way back would lead nowhere.
  const fitting = {
    ...rules,
    talkBack: rules.talkBack && camera.hasSpeaker && recording === undefined,
    // Guests see a camera, and talk by it where they may; where it looks is the owner's. What was recorded moves nothing.
    mayControl: camera.sharedBy === undefined || recording !== undefined,
    needsPicture: camera.hasVideo !== false,
  }
  return {
    ...who,
    offerDigest,
    startedAt: receivedAt,
    answerBy,
    rules: fitting,
    budgets,
    ...(recording && { recording }),
  }
}

/** The same display's session has the same id on every machine, so that a repeat finds it. */
export function idOf({ assistant, accountId, reference }: SessionRef): SessionId {
  return sessionId(digestOf(JSON.stringify([assistant, accountId, reference])))
}

/** Of an offer, to tell it from another one. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
