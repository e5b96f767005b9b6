/** One view of one camera, as plain data moved by a pure function: events in, effects out; no clock, no I/O. */
import { BridgeError, errorCodes, toBridgeError, type ErrorCode } from '../errors.ts'
import type { AccountId, CameraId, SessionId } from '../ports.ts'
import { isReachable } from './candidate.ts'
import {
  composeAnswer,
  knownCandidates,
  sendsSound,
  wantsSound,
  type AnswerRules,
  type TrickledCandidate,
} from './answer.ts'
import { offerForCamera, readOffer } from './offer.ts'

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

/** What the camera says of the display's sound: packets received, and their level (0 to 1, root mean square). */
export interface Heard {
  readonly packets: number
  readonly level: number
}

interface Story {
  readonly facts: Facts
  readonly timeline: readonly Step[]
  readonly heard?: Heard
}

interface Collected {
  readonly offer: string
  readonly candidates: readonly TrickledCandidate[]
  readonly lastCandidateAt: number
  readonly servers: Servers
}

/** The kinds of servers that the camera is given, and so the kinds of candidates that are worth waiting for. */
export interface Servers {
  /** TURN: relay candidates. */
  readonly turn: boolean
  /** STUN (which TURN servers speak too): reflexive candidates. */
  readonly stun: boolean
}

type Offered = Story & Collected & { readonly phase: 'offered' }
type Gathering = Story & Collected & { readonly phase: 'gathering'; readonly answer: string; readonly settleBy: number }
type Negotiating = Offered | Gathering
type Answered = Story & {
  readonly phase: 'answered' | 'connected'
  readonly answer: string
  readonly answeredAt: number
  readonly endsBy: number
  /** Why the display may see nothing although it has its answer. */
  readonly cause?: Cause
}
type Closed = Story & {
  readonly phase: 'closed'
  readonly reason: string
  readonly answeredAt?: number
  readonly cause?: Cause
}

export type Session = Negotiating | Answered | Closed

/** What a camera says of a viewer: `busy` instead of an answer, the others after it. */
export type ViewerState = 'connected' | 'busy' | 'failed' | 'left' | 'silent'

export type SessionEvent = { readonly at: number } & (
  | { readonly kind: 'camera-answered'; readonly sdp: string }
  | { readonly kind: 'camera-candidate'; readonly candidate: TrickledCandidate }
  | { readonly kind: 'camera-gathered' }
  | { readonly kind: 'camera-garbled'; readonly what: string }
  /** No camera master is connected, since this instant. */
  | { readonly kind: 'camera-gone'; readonly sinceAt: number }
  | { readonly kind: 'signaling-ended' }
  | { readonly kind: 'signaling-failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'servers-known'; readonly servers: Servers }
  | { readonly kind: 'woke' }
  | { readonly kind: 'camera-reported'; readonly state: ViewerState; readonly heard?: Heard }
  | { readonly kind: 'display-connected' }
  | { readonly kind: 'ended'; readonly reason: string }
)

export type Effect =
  /** Send this offer to the camera master. */
  | { readonly kind: 'offer'; readonly sdp: string }
  /** Feed a `woke` event at this instant; a later wake replaces an earlier one. */
  | { readonly kind: 'wake'; readonly at: number }
  /** The verdict: this is the display's answer. */
  | { readonly kind: 'answer'; readonly sdp: string }
  /** The verdict: there is no answer. */
  | { readonly kind: 'refuse'; readonly error: BridgeError }
  /** Nothing more is wanted from the signaling side: let go of it, and of the wake. */
  | { readonly kind: 'hang-up' }

type Moved = readonly [Session, readonly Effect[]]

/** A camera with two interfaces, STUN and two relays sends about 12; a hostile one is not listened to for ever. */
const mostCandidates = 64

/**
 * Opens a session with the display's offer. `absentSince` is the instant since which the camera is known to be gone.
 * A bad offer and an absent camera are refused at once.
 */
export function open(facts: Facts, offer: string, at: number, absentSince?: number): Moved {
  const timeline = [{ step: 'offer-received', at: facts.startedAt }]
  const session: Offered = {
    facts,
    timeline,
    phase: 'offered',
    offer,
    candidates: [],
    lastCandidateAt: at,
    // Until they are known, everything may come.
    servers: { turn: true, stun: true },
  }
  try {
    const sdp = offerForCamera(readOffer(offer))
    if (absentSince !== undefined && at - absentSince > facts.budgets.absentMs) throw new BridgeError('camera_offline')
    // Not the camera's fault: it was never asked.
    if (at >= verdictAt(facts)) throw new BridgeError('internal', 'no time was left to ask the camera')
    return [
      note(session, at, 'offer-sent'),
      [
        { kind: 'offer', sdp },
        { kind: 'wake', at: verdictAt(facts) },
      ],
    ]
  } catch (thrown) {
    return refuse(session, at, toBridgeError(thrown))
  }
}

/** A view that was refused before there was an offer: what is left of it is its cause. */
export function refused(facts: Facts, at: number, { code, message }: BridgeError): Session {
  const timeline = [{ step: 'asked-for', at: facts.startedAt }]
  const closed: Closed = { facts, timeline, phase: 'closed', reason: 'refused', cause: { code, message } }
  return note(closed, at, 'refused', code)
}

/**
 * Moves a session by one event. An event that comes too late, or twice, changes nothing and has no effects.
 * From `open` on a session gives exactly one verdict (`answer` or `refuse`), by `answerBy`, and with it one `hang-up`.
 */
export function step(session: Session, event: SessionEvent): Moved {
  switch (session.phase) {
    case 'offered':
    case 'gathering':
      return negotiate(session, event)
    case 'answered':
    case 'connected':
      return [watch(session, event), []]
    case 'closed':
      // The camera's last totals come after the display said goodbye.
      return [session.answeredAt === undefined ? session : hear(session, event), []]
  }
}

/** True when a stored session's time is over although nobody said so: feed it `woke`. */
export function isOverdue(session: Session, at: number): session is Answered {
  return 'endsBy' in session && at >= session.endsBy
}

function negotiate(session: Negotiating, event: SessionEvent): Moved {
  const { at } = event
  if (at >= verdictAt(session.facts) && event.kind !== 'ended' && event.kind !== 'camera-gone')
    return decide(session, at)
  switch (event.kind) {
    case 'camera-answered':
      return session.phase === 'offered' ? receiveAnswer(session, event.sdp, at) : [session, []]
    case 'camera-candidate':
      return session.candidates.length < mostCandidates ? receiveCandidate(session, event.candidate, at) : [session, []]
    case 'camera-gathered':
      // gathering + camera-gathered -> answered. Before the answer it says nothing.
      return session.phase === 'gathering' ? decide(note(session, at, 'camera-gathered'), at) : [session, []]
    case 'camera-garbled':
      // offered + camera-garbled -> closed. Once there is an answer, garbage changes nothing.
      return session.phase === 'offered'
        ? refuse(session, at, new BridgeError('camera_garbled', event.what))
        : [session, []]
    case 'camera-gone':
      // offered + camera-gone -> closed. Once its answer is there, the camera is not needed for the verdict.
      if (session.phase === 'gathering') return settle(session, at)
      return refuse(
        session,
        at,
        new BridgeError(event.sinceAt <= session.facts.startedAt ? 'camera_offline' : 'camera_hung_up'),
      )
    case 'signaling-ended':
      return session.phase === 'offered' ? refuse(session, at, new BridgeError('camera_hung_up')) : decide(session, at)
    case 'signaling-failed':
      return session.phase === 'offered'
        ? refuse(session, at, new BridgeError(event.code, event.message))
        : decide(session, at)
    case 'servers-known':
      return settle({ ...session, servers: event.servers }, at)
    case 'woke':
      return settle(session, at)
    case 'ended':
      // offered|gathering + ended -> closed
      return refuse(session, at, new BridgeError('display_gave_up', `${errorCodes.display_gave_up}: ${event.reason}`))
    case 'camera-reported':
      // offered + camera-reported busy -> closed. A camera has no word for it in its signaling.
      return session.phase === 'offered' && event.state === 'busy'
        ? refuse(session, at, new BridgeError('camera_busy'))
        : [session, []]
    case 'display-connected':
      return [session, []]
  }
}

/** offered + camera-answered -> gathering. A bad answer is refused at once, not at the deadline; a complete one is enough. */
function receiveAnswer(session: Offered, answer: string, at: number): Moved {
  const { facts, offer, candidates } = session
  try {
    composeAnswer(readOffer(offer), answer, [], facts.rules)
  } catch (thrown) {
    return refuse(session, at, toBridgeError(thrown))
  }
  const settleBy = Math.min(at + facts.budgets.settleCapMs, verdictAt(facts))
  const gathering: Gathering = { ...session, phase: 'gathering', answer, settleBy, lastCandidateAt: at }
  const next = note(gathering, at, 'camera-answered')
  return knownCandidates(answer, candidates, facts.rules).isComplete ? decide(next, at) : settle(next, at)
}

function receiveCandidate(session: Negotiating, candidate: TrickledCandidate, at: number): Moved {
  const type = / typ (host|srflx|prflx|relay)\b/.exec(candidate.candidate)?.[1] ?? 'malformed'
  const candidates = [...session.candidates, candidate]
  return settle(note({ ...session, candidates, lastCandidateAt: at }, at, 'camera-candidate', type), at)
}

/** gathering + enough and quiet, or settleBy -> answered; else says when to look again. */
function settle(session: Negotiating, at: number): Moved {
  if (session.phase === 'offered') return [session, [{ kind: 'wake', at: verdictAt(session.facts) }]]
  const quietBy = isEnough(session) ? session.lastCandidateAt + session.facts.budgets.quietMs : session.settleBy
  const wakeAt = Math.min(quietBy, session.settleBy)
  return at >= wakeAt ? decide(session, at) : [session, [{ kind: 'wake', at: wakeAt }]]
}

/** A relay and a direct way where the camera has TURN; else a way that the Internet can reach where it has STUN; else any. */
function isEnough({ facts, answer, candidates, servers }: Gathering): boolean {
  const known = knownCandidates(answer, candidates, facts.rules).candidates
  const isDirect = known.some(({ type }) => type !== 'relay')
  if (servers.turn) return isDirect && known.some(({ type }) => type === 'relay')
  return servers.stun ? known.some(isReachable) : isDirect
}

/** The verdict, with what is known now. */
function decide(session: Negotiating, at: number): Moved {
  // offered + deadline -> closed
  if (session.phase === 'offered') return refuse(session, at, new BridgeError('camera_silent'))
  const { facts, timeline, offer, answer, candidates } = session
  try {
    if (knownCandidates(answer, candidates, facts.rules).candidates.length === 0) throw new BridgeError('no_candidates')
    const sdp = composeAnswer(readOffer(offer), answer, candidates, facts.rules)
    // gathering + settled -> answered
    const next: Answered = {
      facts,
      timeline,
      phase: 'answered',
      answer: sdp,
      answeredAt: at,
      endsBy: at + facts.budgets.lifetimeMs,
    }
    return [note(warned(next, offer), at, 'answer-sent'), [{ kind: 'answer', sdp }, { kind: 'hang-up' }]]
  } catch (thrown) {
    return refuse(session, at, toBridgeError(thrown))
  }
}

/** A camera without sound gets its chance: some displays show it, and nothing that we could add to the answer would sound. */
function warned(session: Answered, offer: string): Answered {
  const { facts, answer } = session
  if (facts.rules.needsSound !== true || sendsSound(answer) || !wantsSound(readOffer(offer))) return session
  const cause = { code: 'no_sound', message: errorCodes.no_sound } as const
  return note({ ...session, cause }, session.answeredAt, 'no-sound')
}

function refuse({ facts, timeline }: Negotiating, at: number, error: BridgeError): Moved {
  const { code, message } = error
  const closed: Closed = { facts, timeline, phase: 'closed', reason: 'refused', cause: { code, message } }
  return [note(closed, at, 'refused', code), [{ kind: 'refuse', error }, { kind: 'hang-up' }]]
}

const lifetimeOver = 'its lifetime is over'

/** After the verdict only the story is kept; nothing comes out of here. */
function watch(session: Answered, event: SessionEvent): Session {
  const { at } = event
  switch (event.kind) {
    case 'display-connected':
      // answered + display-connected -> connected
      return session.phase === 'answered' ? note({ ...session, phase: 'connected' }, at, 'display-connected') : session
    case 'camera-reported': {
      const told = hear(session, event)
      // answered|connected + camera-reported connected, after its lifetime -> closed
      if (event.state === 'connected' && at >= session.endsBy) return close(told, at, lifetimeOver)
      if (event.state === 'connected') return prolong(told, at)
      if (event.state === 'busy') return told
      // answered|connected + camera-reported failed|left|silent -> closed
      if (event.state === 'left') return close(told, at, 'the camera saw the display leave')
      if (event.state === 'silent') return close(told, at, 'nothing came from the display any more')
      return close(told, at, 'media failed', { code: 'media_failed', message: errorCodes.media_failed })
    }
    case 'ended':
      // answered|connected + ended -> closed
      return close(session, at, event.reason)
    case 'woke':
      return at >= session.endsBy ? close(session, at, lifetimeOver) : session
    case 'camera-answered':
    case 'camera-candidate':
    case 'camera-gathered':
    case 'camera-garbled':
    case 'camera-gone':
    case 'signaling-ended':
    case 'signaling-failed':
    case 'servers-known':
      return session
  }
}

/** Seen alive in the second half of its time; sooner it is not worth a write. */
function prolong(session: Answered, at: number): Answered {
  const { lifetimeMs } = session.facts.budgets
  return session.endsBy - at < lifetimeMs / 2 ? { ...session, endsBy: at + lifetimeMs } : session
}

function hear<S extends Answered | Closed>(session: S, event: SessionEvent): S {
  if (event.kind !== 'camera-reported') return session
  const { state, heard, at } = event
  const isNews = (name: string): boolean => !session.timeline.some((one) => one.step === name)
  // The same words again are no change: what is connected is said every few seconds.
  const isSame = heard?.packets === session.heard?.packets && heard?.level === session.heard?.level
  const told = heard === undefined || isSame ? session : { ...session, heard }
  const linked = state === 'connected' && isNews('camera-connected') ? note(told, at, 'camera-connected') : told
  return heard !== undefined && heard.packets > 0 && isNews('talk-back-heard')
    ? note(linked, at, 'talk-back-heard')
    : linked
}

function close(session: Answered, at: number, reason: string, failure?: Cause): Closed {
  const { facts, timeline, heard, answeredAt } = session
  const cause = failure ?? session.cause
  const closed: Closed = {
    facts,
    timeline,
    phase: 'closed',
    reason,
    answeredAt,
    ...(heard && { heard }),
    ...(cause && { cause }),
  }
  return note(closed, at, 'ended', reason)
}

function note<S extends Session>(session: S, at: number, name: string, detail?: string): S {
  return {
    ...session,
    timeline: [...session.timeline, { step: name, at, ...(detail === undefined ? {} : { detail }) }],
  }
}

function verdictAt(facts: Facts): number {
  return facts.answerBy - facts.budgets.replyMs
}
