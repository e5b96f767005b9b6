/** What is kept of a session: its facts, its story and its end, as plain data. */
import type { ErrorCode } from 'transom-core/errors'
import type { AccountId, CameraId, Fault, SessionId } from 'transom-core/ports'
import type { TrickledCandidate } from './answer.ts'
import type { AnswerRules } from './rules.ts'

/** How long to wait for what, in milliseconds. */
export interface Budgets {
  /** After the camera's answer, at most this long for its candidates. */
  readonly settleCapMs: number
  /** Once enough candidates are known, this long without another one ends the collection. */
  readonly quietMs: number
  /** The verdict falls this long before `answerBy`, so that the reply is out in time. */
  readonly replyMs: number
  /** A camera that has been gone for longer than this is not even asked; one that may be reconnecting is. */
  readonly absentMs: number
  /**
   * A session ends this long after its answer, or after its camera last said that the display is there, if nobody ends it:
   * `SessionDisconnected` may never come.
   */
  readonly lifetimeMs: number
}

/** On whose display the camera is seen: an assistant's, or our own page's and whoever else plays by its ways. */
export type Assistant = 'alexa' | 'google' | 'console'

/** What does not change while a session lives. */
export interface Facts {
  readonly id: SessionId
  readonly assistant: Assistant
  readonly accountId: AccountId
  /** The owner of the camera, where the account is a guest. */
  readonly ownerId?: AccountId
  readonly cameraId: CameraId
  /** The display's own name for this session. */
  readonly reference: string
  /** A digest of the display's offer: the same one again is a retry and gets the same answer. */
  readonly offerDigest: string
  /** Our name towards the camera, fresh for each attempt. */
  readonly viewerId: string
  readonly startedAt: number
  readonly answerBy: number
  readonly rules: AnswerRules
  readonly budgets: Budgets
  /** What the camera sent when it was last waited for to the end; `all` after a view that failed: then it gets all the time. */
  readonly expected?: Gathered | 'all'
  /** The camera has told of viewers before: of one that connects it would tell, too. */
  readonly hasReports?: true
  /** What was recorded is shown. */
  readonly recording?: RecordedSpan
}

/** From an instant until another, or as far as there is something. Epoch milliseconds. */
export interface RecordedSpan {
  readonly from: number
  readonly to?: number
}

/** The kinds of candidates that a camera sent in all the time that it was given, with these kinds of servers. */
export interface Gathered extends Pick<Servers, 'turn' | 'stun'> {
  readonly types: readonly string[]
}

/** One instant of the session's story, for its owner. Holds no SDP and no address. */
export interface Step {
  readonly step: string
  readonly at: number
  readonly detail?: string
}

/** Why a session failed: the one reason its owner is shown. */
export interface Cause {
  readonly code: ErrorCode
  readonly message: string
}

/** What the camera says of the display's sound: packets received, and their level (0 to 1, root mean square) if it measures it. */
export interface Heard {
  readonly packets: number
  readonly level?: number
  /** From packet in to packet out at the camera's gateway, once the camera has opened its loudspeaker: p95, milliseconds. */
  readonly delayMs?: number
  /** It talks while somebody else has the floor, so the camera does not play it. */
  readonly isWaiting?: true
}

/** RTP packets that the camera says it has sent to the display. */
export interface Sent {
  readonly videoPackets: number
  readonly audioPackets: number
}

/** What every session has, whatever its phase. */
export interface Story {
  readonly facts: Facts
  readonly timeline: readonly Step[]
  readonly heard?: Heard
}

/** What is kept of an answer. */
interface Outcome {
  readonly answeredAt: number
  /** In it the camera sends a picture. */
  readonly hasPicture?: true
  /** TURN servers of which the camera had no relay address when it was given. */
  readonly noRelayOf?: readonly string[]
}

export type Answered = Story &
  Outcome & {
    readonly phase: 'answered' | 'connected'
    readonly answer: string
    readonly endsBy: number
    /** Why the display may see nothing although it has its answer. */
    readonly cause?: Cause | undefined
  }
export type Closed = Story &
  Partial<Outcome> & {
    readonly phase: 'closed'
    readonly reason: string
    readonly cause?: Cause | undefined
    /** The cause is what silence suggests: a word of the camera's may refute it. */
    readonly isPresumed?: true | undefined
    /** Nobody said whether it was seen, and nobody would have: neither a failure nor a success. */
    readonly isUnconfirmed?: true | undefined
  }

/** The kinds of servers that the camera is given, and so the kinds of candidates that are worth waiting for. */
export interface Servers {
  /** TURN: relay candidates. */
  readonly turn: boolean
  /** STUN (which TURN servers speak too): reflexive candidates. */
  readonly stun: boolean
  /** The addresses of the TURN servers, `turn:relay.example:3478`, to name them where they failed. */
  readonly turnUrls?: readonly string[]
}

/** What a camera says of a viewer: `busy` instead of an answer, `failed` before it or after, the others after it. */
export type ViewerState = 'connected' | 'busy' | 'failed' | 'left' | 'silent'

/** What a camera may add to the state of a viewer. */
export interface Told {
  readonly heard?: Heard
  readonly sent?: Sent
  /** Why, with `busy` and `failed`, and while its source fails or the display gets no sound. */
  readonly cause?: Cause
}

export type SessionEvent = { readonly at: number } & (
  | { readonly kind: 'camera-answered'; readonly sdp: string }
  | { readonly kind: 'camera-candidate'; readonly candidate: TrickledCandidate }
  | { readonly kind: 'camera-gathered' }
  | { readonly kind: 'camera-garbled'; readonly what: string }
  /** No camera master is connected, since this instant. */
  | { readonly kind: 'camera-gone'; readonly sinceAt: number; readonly fault?: Fault }
  | { readonly kind: 'signaling-ended' }
  | { readonly kind: 'signaling-failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'servers-known'; readonly servers: Servers }
  | { readonly kind: 'woke' }
  | ({ readonly kind: 'camera-reported'; readonly state: ViewerState } & Told)
  | { readonly kind: 'display-connected' }
  | { readonly kind: 'ended'; readonly reason: string }
)

/** The story with one more step. */
export function note<S extends Story>(session: S, at: number, name: string, detail?: string): S {
  return {
    ...session,
    timeline: [...session.timeline, { step: name, at, ...(detail === undefined ? {} : { detail }) }],
  }
}

/** True when the story has this step. */
export function hasStep({ timeline }: Story, ...names: readonly string[]): boolean {
  return timeline.some(({ step }) => names.includes(step))
}
