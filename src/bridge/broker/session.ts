/** One view of one camera, as plain data moved by a pure function: events in, effects out; no clock, no I/O. */
import { BridgeError, errorCodes, toBridgeError } from 'transom-core/errors'
import type { Fault } from 'transom-core/ports'
import { readAnswer, sends, type Agreement } from './agreement.ts'
import {
  composeAnswer,
  hasRelay,
  isComplete,
  knownCandidates,
  readTrickled,
  type FoundCandidate,
  type TrickledCandidate,
} from './answer.ts'
import { isReachable } from './candidate.ts'
import { offerForCamera, readOffer } from './offer.ts'
import { allowedOffer, wants } from './rules.ts'
import type { Description } from './sdp.ts'
import {
  note,
  type Answered,
  type Closed,
  type Facts,
  type Gathered,
  type Servers,
  type SessionEvent,
  type Story,
} from './story.ts'
import { look, watch } from './watch.ts'

/** What is known while it negotiates. Offer and answer are read once, when they come. */
interface Collected {
  readonly offer: Description
  readonly candidates: readonly FoundCandidate[]
  /** How many candidates have come, those that could not be read included. */
  readonly trickled: number
  readonly lastCandidateAt: number
  readonly servers: Servers
}

type Offered = Story & Collected & { readonly phase: 'offered' }
type Gathering = Story &
  Collected & { readonly phase: 'gathering'; readonly agreement: Agreement; readonly settleBy: number }
type Negotiating = Offered | Gathering
export type Session = Negotiating | Answered | Closed

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
 * Opens a session with the display's offer. `absent`: since when the camera is known to be gone, and what its gateway said of
 * it. A bad offer and an absent camera are refused at once.
 */
export function open(
  facts: Facts,
  offer: string,
  at: number,
  absent?: { readonly sinceAt: number; readonly fault?: Fault },
): Moved {
  const story = { facts, timeline: [{ step: 'offer-received', at: facts.startedAt }] }
  try {
    const read = allowedOffer(readOffer(offer), facts.rules)
    const sdp = offerForCamera(read, facts.rules)
    // A gateway that has said why will not be back in a moment.
    if (absent?.fault) throw goneError(absent.fault)
    if (absent && at - absent.sinceAt > facts.budgets.absentMs) throw goneError()
    // Not the camera's fault: it was never asked.
    if (at >= verdictAt(facts)) throw new BridgeError('internal', 'no time was left to ask the camera')
    const session: Offered = {
      ...story,
      phase: 'offered',
      offer: read,
      candidates: [],
      trickled: 0,
      lastCandidateAt: at,
      // Until they are known, everything may come.
      servers: { turn: true, stun: true },
    }
    return [
      note(session, at, 'offer-sent'),
      [
        { kind: 'offer', sdp },
        { kind: 'wake', at: verdictAt(facts) },
      ],
    ]
  } catch (thrown) {
    return refuse(story, at, toBridgeError(thrown))
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
      // The camera's last word comes after the display said goodbye.
      return [session.answeredAt === undefined ? session : look(session, event), []]
  }
}

/** True when a stored session's time is over although nobody said so: feed it `woke`. */
export function isOverdue(session: Session, at: number): session is Answered {
  return (session.phase === 'answered' || session.phase === 'connected') && at >= session.endsBy
}

/** True when nothing more is to come of a stored session, whether anybody said so or not. */
export function isOver(session: Session, at: number): boolean {
  return session.phase === 'closed' || isOverdue(session, at)
}

/** What a session has come to so far: nothing while it negotiates. */
export function outcome(
  session: Session,
): Partial<Pick<Answered, 'answeredAt' | 'endsBy' | 'cause'>> & Pick<Closed, 'isUnconfirmed'> {
  switch (session.phase) {
    case 'offered':
    case 'gathering':
      return {}
    case 'answered':
    case 'connected': {
      const { answeredAt, endsBy, cause } = session
      return { answeredAt, endsBy, cause }
    }
    case 'closed': {
      const { answeredAt, cause, isUnconfirmed } = session
      return { ...(answeredAt !== undefined && { answeredAt }), cause, isUnconfirmed }
    }
  }
}

function negotiate(session: Negotiating, event: SessionEvent): Moved {
  const { at } = event
  if (at >= verdictAt(session.facts) && event.kind !== 'ended' && event.kind !== 'camera-gone')
    return decide(session, at)
  switch (event.kind) {
    case 'camera-answered':
      return session.phase === 'offered' ? receiveAnswer(session, event.sdp, at) : [session, []]
    case 'camera-candidate':
      return session.trickled < mostCandidates ? receiveCandidate(session, event.candidate, at) : [session, []]
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
        event.fault || event.sinceAt <= session.facts.startedAt
          ? goneError(event.fault)
          : new BridgeError('camera_hung_up'),
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
    case 'camera-reported': {
      // offered + camera-reported busy -> closed; offered|gathering + camera-reported failed -> closed. Its signaling has no words for it.
      const isBusy = event.state === 'busy' && session.phase === 'offered'
      if (!isBusy && event.state !== 'failed') return [session, []]
      const { code, message } = event.cause ?? { code: isBusy ? 'camera_busy' : 'media_failed', message: undefined }
      return refuse(session, at, new BridgeError(code, message))
    }
    case 'display-connected':
      return [session, []]
  }
}

/** offered + camera-answered -> gathering. A bad answer is refused at once, not at the deadline; a complete one is enough. */
function receiveAnswer(session: Offered, answer: string, at: number): Moved {
  const { facts, offer } = session
  try {
    const agreement = readAnswer(offer, answer, facts.rules)
    const settleBy = Math.min(at + facts.budgets.settleCapMs, verdictAt(facts))
    const gathering: Gathering = { ...session, phase: 'gathering', agreement, settleBy, lastCandidateAt: at }
    const next = note(gathering, at, 'camera-answered')
    return isComplete(agreement) ? decide(next, at) : settle(next, at)
  } catch (thrown) {
    return refuse(session, at, toBridgeError(thrown))
  }
}

function receiveCandidate(session: Negotiating, message: TrickledCandidate, at: number): Moved {
  const found = readTrickled(message)
  const candidates = found === undefined ? session.candidates : [...session.candidates, found]
  const next = { ...session, candidates, trickled: session.trickled + 1, lastCandidateAt: at }
  return settle(note(next, at, 'camera-candidate', found?.candidate.type ?? 'malformed'), at)
}

/** gathering + enough and quiet, or all that it has -> answered; else says when to look again. */
function settle(session: Negotiating, at: number): Moved {
  if (session.phase === 'offered') return [session, [{ kind: 'wake', at: verdictAt(session.facts) }]]
  const { lastCandidateAt, facts } = session
  const quietBy = isEnough(session) ? lastCandidateAt + facts.budgets.quietMs : Infinity
  const wakeAt = Math.min(quietBy, allBy(session))
  return at >= wakeAt ? decide(session, at) : [session, [{ kind: 'wake', at: wakeAt }]]
}

/**
 * A relay, which comes last of all whatever servers the camera has: it takes most round trips (RFC 8445 section 5.1.1). Else,
 * where it has no TURN, a way that the Internet can reach if it has STUN; without servers any. Less is enough of a camera that
 * sent no more when it was waited for to the end: its TURN server may be dead.
 */
function isEnough({ facts, agreement, candidates, servers }: Gathering): boolean {
  const known = knownCandidates(agreement, candidates, facts.rules)
  const { expected = 'all' } = facts
  if (known.length === 0) return false
  if (expected !== 'all' && expected.turn === servers.turn && expected.stun === servers.stun)
    if (expected.types.every((type) => known.some((candidate) => candidate.type === type))) return true
  if (known.some(({ type }) => type === 'relay')) return true
  return !servers.turn && (!servers.stun || known.some(isReachable))
}

/**
 * By when the camera has told all that it has, if it says no more. A STUN server replies in one round trip, a TURN server in
 * two (RFC 8656 section 7), over TLS in five: what is still missing after six, counted from the last candidate, is from a
 * server that is dead. So is a second relay's address after one that the display cannot use. With its address at home alone it
 * has all the time, for its relay may be on the way; but where no TURN server was handed out there is none, and an answer
 * without the trickle option, which the offer has, holds every candidate (RFC 8838 section 3) unless one comes beside it.
 * After a view that failed it has all the time, too.
 */
function allBy(session: Gathering): number {
  const { facts, timeline, agreement, candidates, trickled, servers, lastCandidateAt, settleBy } = session
  const known = knownCandidates(agreement, candidates, facts.rules)
  if (facts.expected === 'all' || known.length === 0) return settleBy
  const isReflexive = known.some(({ type }) => type === 'srflx')
  const isWhole = !agreement.isTrickling && trickled === 0
  if (!isReflexive && !hasRelay(agreement, candidates) && servers.turn && !isWhole) return settleBy
  const toldAt = (name: string, detail?: string) =>
    timeline.find((one) => one.step === name && one.detail === detail)?.at ?? -Infinity
  const roundTripMs = Math.max(0, toldAt('camera-candidate', 'srflx') - toldAt('camera-answered'))
  const { quietMs } = facts.budgets
  return Math.min(lastCandidateAt + Math.max(3 * quietMs, 6 * roundTripMs), settleBy)
}

/** What the camera sent, when it had all the time that it needs; undefined when it had less. */
export function gatheredBy(session: Session, at: number): Gathered | undefined {
  if (session.phase !== 'gathering') return undefined
  const by = allBy(session)
  if (at < by || by >= verdictAt(session.facts)) return undefined
  const { facts, agreement, candidates, servers } = session
  const types = new Set(knownCandidates(agreement, candidates, facts.rules).map(({ type }) => type))
  return { types: [...types], turn: servers.turn, stun: servers.stun }
}

/** The verdict, with what is known now. */
function decide(session: Negotiating, at: number): Moved {
  // offered + deadline -> closed
  if (session.phase === 'offered') return refuse(session, at, new BridgeError('camera_silent'))
  const { facts, timeline, agreement, candidates } = session
  if (knownCandidates(agreement, candidates, facts.rules).length === 0)
    return refuse(session, at, new BridgeError('no_candidates'))
  const sdp = composeAnswer(agreement, candidates, facts.rules)
  // gathering + settled -> answered
  const next: Answered = {
    facts,
    timeline,
    phase: 'answered',
    answer: sdp,
    answeredAt: at,
    endsBy: at + facts.budgets.lifetimeMs,
    ...(sends(agreement, 'video') && { hasPicture: true }),
  }
  return [note(warned(next, session), at, 'answer-sent'), [{ kind: 'answer', sdp }, { kind: 'hang-up' }]]
}

/** What its owner should know of an answer that was given all the same. */
function warned(answered: Answered, { facts, offer, agreement, candidates, servers }: Gathering): Answered {
  const at = answered.answeredAt
  const turnUrls = servers.turn && !hasRelay(agreement, candidates) ? servers.turnUrls : undefined
  const told = turnUrls?.length
    ? note({ ...answered, noRelayOf: turnUrls }, at, 'no-relay', turnUrls.join(', '))
    : answered
  // A camera without sound gets its chance: some displays show it, and nothing that we could add to the answer would sound.
  const needsSound = facts.rules.needsSound === true || !wants(offer.media, 'video')
  if (!needsSound || sends(agreement, 'audio') || !wants(offer.media, 'audio')) return told
  const cause = { code: 'no_sound', message: errorCodes.no_sound } as const
  return note({ ...told, cause }, at, 'no-sound')
}

/** The camera's own word for its absence, where there is one. */
export function goneError(fault?: Fault): BridgeError {
  return fault ? new BridgeError(fault.code, fault.message) : new BridgeError('camera_offline')
}

function refuse({ facts, timeline }: Story, at: number, error: BridgeError): Moved {
  const { code, message } = error
  const closed: Closed = { facts, timeline, phase: 'closed', reason: 'refused', cause: { code, message } }
  return [note(closed, at, 'refused', code), [{ kind: 'refuse', error }, { kind: 'hang-up' }]]
}

function verdictAt(facts: Facts): number {
  return facts.answerBy - facts.budgets.replyMs
}
