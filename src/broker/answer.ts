/** The camera's answer and its trickled candidates, folded into the one complete answer that the display gets. */
import { isIPv4 } from 'node:net'
import { BridgeError } from '../errors.ts'
import { candidateLine, candidatesOf, parseCandidate, usableCandidates, type Candidate } from './candidate.ts'
import { isBareH264 } from './offer.ts'
import { attributeLine, bundleLine, codecLines, describe, iceLiteLine, midLine, rejectedLines } from './sdp-lines.ts'
import { hasAttribute, parseSdp, sameCodec, valuesOf, withoutOrphans } from './sdp.ts'
import type { Attribute, Codec, Description, Direction, Media } from './sdp.ts'

/** What the display can use, as its assistant's documents say. */
export interface AnswerRules {
  /** Leave IPv6 candidates out (Echo). */
  readonly ipv4Only: boolean
  /** Keep ICE-TCP candidates (RFC 6544). */
  readonly tcpCandidates: boolean
  /** Let the display's sound through to the camera; false makes an audio section at most `sendonly`. */
  readonly talkBack: boolean
  /** The display waits for sound before it shows the picture (Google's player does); an answer without it is noted. */
  readonly needsSound?: boolean
}

/** A candidate as the camera trickled it (RFC 8840 section 4.3: section by mid, else by m-line index). */
export interface TrickledCandidate {
  readonly candidate: string
  readonly sdpMid?: string
  readonly sdpMLineIndex?: number
}

/** What H.264 is that says nothing of itself (RFC 6184: baseline), in the packetization mode that was asked for. */
const h264Plain = 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f'

/**
 * Folds a camera's answer and candidates into a complete answer to `offer` (RFC 3264, RFC 9429 section 5.3): the offer's
 * sections in the offer's order with the offer's mids and payload types, directions that fit, feedback and extensions
 * only as offered, every candidate inside its section, `end-of-candidates`, and no trickle option.
 * Throws `BridgeError`: `camera_garbled` when the answer cannot be one to this offer, `no_common_codec` when no section is left.
 */
export function composeAnswer(
  offer: Description,
  answerText: string,
  trickled: readonly TrickledCandidate[],
  rules: AnswerRules,
): string {
  const answer = parseSdp(answerText, 'camera_garbled')
  const sections = pairSections(offer, answer)
  const accepted = sections.filter((section) => section.kind === 'accepted')
  if (accepted.length === 0) throw new BridgeError('no_common_codec')
  const pools = candidatePools(answer, trickled)
  // One transport, one set of candidates: a C SDK camera trickles all of them for mid "0", whatever the mids are.
  const candidatesFor = ({ transport }: Accepted): readonly Candidate[] => {
    const sharing = accepted.filter((other) => isSame(other.transport, transport))
    return usableCandidates(
      sharing.flatMap(({ index }) => pools[index] ?? []),
      { ...rules, localNames: false },
    )
  }
  const bundled = accepted.filter(({ offered }) => offered.mid !== undefined && offer.bundle.includes(offered.mid))
  const shared = bundled.filter(({ transport }) => isSame(transport, bundled[0]!.transport))
  return describe(answer.origin, [
    ...bundleLine(offer.bundle.filter((mid) => shared.some(({ offered }) => offered.mid === mid))),
    ...iceLiteLine(answer),
    ...sections.flatMap((section) =>
      section.kind === 'accepted'
        ? acceptedLines(section, candidatesFor(section), rules)
        : rejectedLines(section.offered),
    ),
  ])
}

/** What a camera has told of its candidates so far. */
export interface KnownCandidates {
  /** Those of use to the display: in the answer and trickled, each once. */
  readonly candidates: readonly Candidate[]
  /** The answer itself says that no more will come (RFC 8840 section 4.2). */
  readonly isComplete: boolean
}

/** Throws `BridgeError('camera_garbled')` when the answer is no description. */
export function knownCandidates(
  answerText: string,
  trickled: readonly TrickledCandidate[],
  rules: AnswerRules,
): KnownCandidates {
  const answer = parseSdp(answerText, 'camera_garbled')
  return {
    candidates: usableCandidates(candidatePools(answer, trickled).flat(), { ...rules, localNames: false }),
    isComplete: [answer, ...answer.media].some(({ attributes }) => hasAttribute(attributes, 'end-of-candidates')),
  }
}

/** Whether a composed answer has a section in which the camera sends sound. */
export function sendsSound(answerText: string): boolean {
  const { media } = parseSdp(answerText, 'camera_garbled')
  return media.some(({ kind, port, direction }) => kind === 'audio' && port !== 0 && includesSending(direction))
}

/** Whether an offer has a section in which the display takes sound. */
export function wantsSound({ media }: Description): boolean {
  return media.some(({ kind, isLive, direction }) => kind === 'audio' && isLive && includesReceiving(direction))
}

interface Transport {
  readonly ufrag: string
  readonly pwd: string
  readonly fingerprints: readonly string[]
  readonly setup: 'active' | 'passive'
}

/** A section that camera and display share; `index` is the place of the camera's in its answer. */
interface Accepted {
  readonly kind: 'accepted'
  readonly offered: Media
  readonly answered: Media
  readonly index: number
  readonly codecs: readonly Codec[]
  readonly transport: Transport
}

type Section = Accepted | { readonly kind: 'rejected'; readonly offered: Media }

/** By mid; a camera that renamed the mids or left them out is matched by place. */
function pairSections(offer: Description, answer: Description): readonly Section[] {
  const byMid = offer.media.some(({ mid }) => mid !== undefined && answer.media.some((other) => other.mid === mid))
  return offer.media.map((offered, place): Section => {
    const index = byMid ? answer.media.findIndex(({ mid }) => mid === offered.mid) : place
    const answered = answer.media[index]
    const isWanted = offered.isLive && answered?.kind === offered.kind && answered.port !== 0
    const codecs = isWanted ? commonCodecs(offered, answered) : []
    if (!isWanted || (offered.isRtp && codecs.length === 0)) return { kind: 'rejected', offered }
    return { kind: 'accepted', offered, answered, index, codecs, transport: transportOf(offered, answered, answer) }
  })
}

/** The camera's codecs that were offered under the same payload type. An rtx goes when the codec it repairs went. */
function commonCodecs(offered: Media, answered: Media): readonly Codec[] {
  const common = answered.codecs.flatMap((codec) => {
    const wanted = offered.codecs.find((other) => other.payload === codec.payload && sameCodec(other, codec))
    if (wanted === undefined) return []
    const feedback = codec.feedback.filter((one) => wanted.feedback.includes(one))
    return { ...codec, feedback, parameters: isBareH264(codec) ? wanted.parameters || h264Plain : codec.parameters }
  })
  return withoutOrphans(common)
}

/** A bundled section may leave its transport to the first one (RFC 9143 section 7.3.3). */
function transportOf(offered: Media, answered: Media, answer: Description): Transport {
  const first = answer.media.find((media) => media.port !== 0 && media.transport.ufrag !== undefined)?.transport
  const ufrag = answered.transport.ufrag ?? first?.ufrag
  const pwd = answered.transport.pwd ?? first?.pwd
  const own = answered.transport.fingerprints
  const fingerprints = own.length > 0 ? own : (first?.fingerprints ?? [])
  if (ufrag === undefined || pwd === undefined)
    throw new BridgeError('camera_garbled', 'the answer has no ICE credentials')
  if (fingerprints.length === 0) throw new BridgeError('camera_garbled', 'the answer has no certificate fingerprint')
  const setup = answered.transport.setup ?? first?.setup
  // No answer may say `actpass` (RFC 8842 section 5.3); then the offer decides, and the answerer is `active` if it may be.
  const role = offered.transport.setup === 'active' ? 'passive' : 'active'
  return { ufrag, pwd, fingerprints, setup: setup === 'active' || setup === 'passive' ? setup : role }
}

function isSame(one: Transport, other: Transport): boolean {
  return one.ufrag === other.ufrag && one.pwd === other.pwd
}

/** Candidates by section of the camera's answer. The KVS C SDK repeats those of the answer as messages. */
function candidatePools(
  answer: Description,
  trickled: readonly TrickledCandidate[],
): readonly (readonly Candidate[])[] {
  const pools = answer.media.map((media) => [...candidatesOf(media)])
  for (const message of trickled) {
    const candidate = parseCandidate(message.candidate)
    const named = answer.media.findIndex((media) => media.mid !== undefined && media.mid === message.sdpMid)
    const pool = pools[named >= 0 ? named : (message.sdpMLineIndex ?? 0)] ?? pools[0]
    if (candidate !== undefined) pool?.push(candidate)
  }
  return pools
}

function acceptedLines(
  { offered, answered, codecs, transport }: Accepted,
  candidates: readonly Candidate[],
  rules: AnswerRules,
): readonly string[] {
  const direction = fitDirection(offered, answered, rules)
  const formats = offered.isRtp ? codecs.map((codec) => `${codec.payload}`) : offered.formats
  const place = defaultCandidate(candidates)
  return [
    `m=${offered.kind} ${place?.port ?? 9} ${offered.protocol} ${formats.join(' ')}`,
    `c=IN ${place === undefined || isIPv4(place.address) ? 'IP4' : 'IP6'} ${place?.address ?? '0.0.0.0'}`,
    ...answered.bandwidth.map((value) => `b=${value}`),
    ...midLine(offered),
    ...(offered.isRtp ? [`a=${direction}`] : []),
    `a=ice-ufrag:${transport.ufrag}`,
    `a=ice-pwd:${transport.pwd}`,
    ...transport.fingerprints.map((value) => `a=fingerprint:${value}`),
    `a=setup:${transport.setup}`,
    // A camera may leave it out of bundled sections; without it component 2 would be needed, which nobody listens to.
    ...(hasAttribute(offered.attributes, 'rtcp-mux') ? ['a=rtcp-mux'] : []),
    ...answered.attributes.filter(isKept(offered, includesSending(direction))).map(attributeLine),
    ...codecs.flatMap(codecLines),
    ...candidates.map(candidateLine),
    'a=end-of-candidates',
  ]
}

/** Which of the camera's attributes go on: what was offered as well, what names its streams if it sends, its data channel. */
function isKept(offered: Media, sends: boolean): (attribute: Attribute) => boolean {
  const extensions = new Map(valuesOf(offered.attributes, 'extmap').map((value) => [uriOf(value), idOf(value)]))
  return ({ name, value }) => {
    switch (name) {
      case 'rtcp-rsize':
        return hasAttribute(offered.attributes, name)
      case 'extmap':
        return extensions.get(uriOf(value)) === idOf(value)
      case 'msid':
      case 'ssrc':
      case 'ssrc-group':
        return sends
      default:
        return name === 'sctp-port' || name === 'max-message-size' || name === 'sctpmap'
    }
  }
}

/** `a=extmap:<id>[/<direction>] <uri> …` (RFC 8285 section 8). */
function idOf(extmap: string): string | undefined {
  return /^\d+/.exec(extmap)?.[0]
}

function uriOf(extmap: string): string | undefined {
  return extmap.split(' ')[1]
}

/** The camera sends what the display takes; it hears only sound, and only where talk-back is allowed: no display sends video. */
function fitDirection(offered: Media, answered: Media, rules: AnswerRules): Direction {
  const sends = includesSending(answered.direction) && includesReceiving(offered.direction)
  const isHeard = offered.kind === 'audio' && rules.talkBack
  const hears = includesReceiving(answered.direction) && includesSending(offered.direction) && isHeard
  if (sends) return hears ? 'sendrecv' : 'sendonly'
  return hears ? 'recvonly' : 'inactive'
}

function includesSending(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly'
}

function includesReceiving(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly'
}

/** RFC 8839 section 4.2.1.2: the default destination is the candidate most likely to work: relay, then reflexive, then host. */
function defaultCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  const udp = candidates.filter((candidate) => candidate.transport === 'udp')
  return udp.find(({ type }) => type === 'relay') ?? udp.find(({ type }) => type === 'srflx') ?? udp[0]
}
