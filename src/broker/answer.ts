/** The camera's answer and its trickled candidates, folded into the one complete answer that the display gets. */
import { isIPv4 } from 'node:net'
import { BridgeError } from '../errors.ts'
import { candidateLine, parseCandidate, usableCandidates, type Candidate } from './candidate.ts'
import { attributeLine, candidatesOf } from './offer.ts'
import {
  codecLines,
  hasAttribute,
  parseSdp,
  sameCodec,
  valuesOf,
  withoutOrphans,
  type Codec,
  type Description,
  type Direction,
  type Media,
  type Transport,
} from './sdp.ts'

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
  const pairs = pairSections(offer, answer)
  if (pairs.every((pair) => pair.answered === undefined)) throw new BridgeError('no_common_codec')
  const bundle = offer.bundle.filter((mid) => pairs.some((pair) => pair.offered.mid === mid && isBundled(pair, answer)))
  const pools = candidatePools(answer, trickled)
  const sections = pairs.flatMap((pair) => {
    if (pair.answered === undefined) return rejectedLines(pair.offered)
    // What is bundled shares one transport, so each candidate of the bundle belongs to all its sections.
    const shared = pairs.filter(
      (other) => other === pair || [other, pair].every((one) => bundle.includes(one.offered.mid ?? '')),
    )
    const pool = shared.flatMap((other) => pools[other.index] ?? [])
    return acceptedLines(pair.offered, pair.answered, {
      codecs: pair.codecs,
      candidates: usableCandidates(pool, { ...rules, localNames: false }),
      transport: transportOf(pair.answered, answer),
      rules,
    })
  })
  const lines = [
    'v=0',
    `o=- ${answer.origin} IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    ...(bundle.length === 0 ? [] : [`a=group:BUNDLE ${bundle.join(' ')}`]),
    ...sections,
  ]
  return `${lines.join('\r\n')}\r\n`
}

/** The candidates that are known so far and of use to the display: those in the answer, and the trickled ones. */
export function knownCandidates(
  answerText: string,
  trickled: readonly TrickledCandidate[],
  rules: AnswerRules,
): readonly Candidate[] {
  const answer = parseSdp(answerText, 'camera_garbled')
  return usableCandidates(candidatePools(answer, trickled).flat(), { ...rules, localNames: false })
}

/** Whether a composed answer has a section in which the camera sends sound. */
export function sendsSound(answerText: string): boolean {
  const { media } = parseSdp(answerText, 'camera_garbled')
  return media.some(({ kind, port, direction }) => kind === 'audio' && port !== 0 && includesSending(direction))
}

interface Pair {
  readonly offered: Media
  /** The camera's section for it; undefined when the camera rejected it, left it out, or shares no codec. */
  readonly answered: Media | undefined
  /** The place of the camera's section in its answer; -1 without one. */
  readonly index: number
  readonly codecs: readonly Codec[]
}

/** By mid; a camera that renamed the mids or left them out is matched by place. */
function pairSections(offer: Description, answer: Description): readonly Pair[] {
  const byMid = offer.media.some(
    (media) => media.mid !== undefined && answer.media.some((other) => other.mid === media.mid),
  )
  return offer.media.map((offered, place) => {
    const index = byMid ? answer.media.findIndex((media) => media.mid === offered.mid) : place
    const answered = answer.media[index]
    const rejected = { offered, answered: undefined, index, codecs: [] }
    if (answered === undefined || answered.kind !== offered.kind || answered.port === 0 || !offered.isLive)
      return rejected
    const codecs = commonCodecs(offered, answered)
    return offered.codecs.length > 0 && codecs.length === 0 ? rejected : { offered, answered, index, codecs }
  })
}

function isBundled({ offered, answered }: Pair, answer: Description): boolean {
  return answered !== undefined && answer.bundle.includes(answered.mid ?? offered.mid ?? '')
}

/** Candidates by section of the camera's answer. The KVS C SDK repeats those of the answer as messages, all with mid "0". */
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

/** The camera's codecs that were offered under the same payload type. An rtx goes when the codec it repairs went. */
function commonCodecs(offered: Media, answered: Media): readonly Codec[] {
  const common = answered.codecs.flatMap((codec) => {
    const wanted = offered.codecs.find((other) => other.payload === codec.payload && sameCodec(other, codec))
    return wanted === undefined
      ? []
      : { ...codec, feedback: codec.feedback.filter((feedback) => wanted.feedback.includes(feedback)) }
  })
  return withoutOrphans(common)
}

/** A bundled section may leave its transport to the first one. `actpass` is no answer (RFC 8842): the answerer is `active`. */
function transportOf(
  answered: Media,
  answer: Description,
): Required<Transport> & { ufrag: string; pwd: string; setup: string } {
  const first = answer.media.find((media) => media.port !== 0 && media.transport.ufrag !== undefined)?.transport
  const ufrag = answered.transport.ufrag ?? first?.ufrag
  const pwd = answered.transport.pwd ?? first?.pwd
  const fingerprints =
    answered.transport.fingerprints.length > 0 ? answered.transport.fingerprints : (first?.fingerprints ?? [])
  const setup = answered.transport.setup ?? first?.setup
  if (ufrag === undefined || pwd === undefined)
    throw new BridgeError('camera_garbled', 'the answer has no ICE credentials')
  if (fingerprints.length === 0) throw new BridgeError('camera_garbled', 'the answer has no certificate fingerprint')
  return { ufrag, pwd, fingerprints, setup: setup === 'passive' ? 'passive' : 'active' }
}

interface Accepted {
  readonly codecs: readonly Codec[]
  readonly candidates: readonly Candidate[]
  readonly transport: ReturnType<typeof transportOf>
  readonly rules: AnswerRules
}

function acceptedLines(
  offered: Media,
  answered: Media,
  { codecs, candidates, transport, rules }: Accepted,
): readonly string[] {
  const formats = offered.codecs.length === 0 ? offered.formats : codecs.map((codec) => `${codec.payload}`)
  const direction = fitDirection(offered, answered, rules)
  const sends = direction === 'sendrecv' || direction === 'sendonly'
  const isOffered = (name: string): boolean =>
    hasAttribute(offered.attributes, name) && hasAttribute(answered.attributes, name)
  const extensions = valuesOf(offered.attributes, 'extmap')
  const place = defaultCandidate(candidates)
  return [
    `m=${offered.kind} ${place?.port ?? 9} ${offered.protocol} ${formats.join(' ')}`,
    `c=IN ${place === undefined || isIPv4(place.address) ? 'IP4' : 'IP6'} ${place?.address ?? '0.0.0.0'}`,
    ...answered.bandwidth.map((value) => `b=${value}`),
    ...(offered.mid === undefined ? [] : [`a=mid:${offered.mid}`]),
    ...(offered.codecs.length === 0 ? [] : [`a=${direction}`]),
    `a=ice-ufrag:${transport.ufrag}`,
    `a=ice-pwd:${transport.pwd}`,
    ...transport.fingerprints.map((value) => `a=fingerprint:${value}`),
    `a=setup:${transport.setup}`,
    ...(isOffered('rtcp-mux') ? ['a=rtcp-mux'] : []),
    ...(isOffered('rtcp-rsize') ? ['a=rtcp-rsize'] : []),
    ...answered.attributes
      .filter(({ name, value }) => name === 'extmap' && extensions.some((other) => sameExtension(other, value)))
      .map(attributeLine),
    ...answered.attributes
      .filter(({ name }) => ['sctp-port', 'max-message-size', 'sctpmap'].includes(name))
      .map(attributeLine),
    ...(sends
      ? answered.attributes
          .filter(({ name }) => name === 'msid' || name === 'ssrc' || name === 'ssrc-group')
          .map(attributeLine)
      : []),
    ...codecs.flatMap(codecLines),
    ...candidates.map(candidateLine),
    'a=end-of-candidates',
  ]
}

/** RFC 3264 section 6: port 0 keeps the section's place. */
function rejectedLines(offered: Media): readonly string[] {
  return [
    `m=${offered.kind} 0 ${offered.protocol} ${offered.formats.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    ...(offered.mid === undefined ? [] : [`a=mid:${offered.mid}`]),
    'a=inactive',
  ]
}

/** The camera sends what the display takes; it hears only sound, and only where talk-back is allowed: no display sends video. */
function fitDirection(offered: Media, answered: Media, rules: AnswerRules): Direction {
  const sends = includesSending(answered.direction) && includesReceiving(offered.direction)
  const hears =
    includesReceiving(answered.direction) &&
    includesSending(offered.direction) &&
    offered.kind === 'audio' &&
    rules.talkBack
  if (sends) return hears ? 'sendrecv' : 'sendonly'
  return hears ? 'recvonly' : 'inactive'
}

function includesSending(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly'
}

function includesReceiving(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly'
}

function sameExtension(offered: string, answered: string): boolean {
  const [offeredId, offeredUri] = offered.split(' ')
  const [answeredId, answeredUri] = answered.split(' ')
  return offeredUri === answeredUri && offeredId?.split('/')[0] === answeredId?.split('/')[0]
}

/** RFC 8839 section 4.2.1.2: the default destination is the candidate most likely to work: relay, then reflexive, then host. */
function defaultCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  const udp = candidates.filter((candidate) => candidate.transport === 'udp')
  return udp.find(({ type }) => type === 'relay') ?? udp.find(({ type }) => type === 'srflx') ?? udp[0]
}
