/** The camera's answer and its trickled candidates, folded into the one complete answer that the display gets. */
import { isIPv4 } from 'node:net'
import { acceptedOf, type Accepted, type Agreement } from './agreement.ts'
import { areNested, candidateLine, parseCandidate, usableCandidates, type Candidate } from './candidate.ts'
import type { AnswerRules } from './rules.ts'
import { attributeLine, bundleLines, codecLines, describe, midLine, rejectedLines } from './sdp-lines.ts'
import { includesSending, valuesOf, type Attribute, type Media } from './sdp.ts'

/** A candidate as the camera trickled it (RFC 8840 section 4.3: section by mid, else by m-line index). */
export interface TrickledCandidate {
  readonly candidate: string
  readonly sdpMid?: string
  readonly sdpMLineIndex?: number
}

/** A trickled candidate that could be read, and for which section of the camera's answer it is. */
export interface FoundCandidate extends Omit<TrickledCandidate, 'candidate'> {
  readonly candidate: Candidate
}

/** The candidate in a message of the camera; undefined when it cannot be read. */
export function readTrickled({ candidate: line, ...place }: TrickledCandidate): FoundCandidate | undefined {
  const candidate = parseCandidate(line)
  return candidate && { candidate, ...place }
}

/**
 * The complete answer that the display gets: every candidate inside its section, `end-of-candidates`, and no trickle option.
 */
export function composeAnswer(agreement: Agreement, trickled: readonly FoundCandidate[], rules: AnswerRules): string {
  const pools = candidatePools(agreement, trickled)
  return describe(agreement.origin, [
    ...bundleLines(agreement.groups),
    ...(agreement.isIceLite ? ['a=ice-lite'] : []),
    ...agreement.sections.flatMap((section) =>
      section.kind === 'rejected'
        ? rejectedLines(section.offered)
        : acceptedLines(section, candidatesFor(section, agreement, pools, rules)),
    ),
  ])
}

/** The candidates of use to the display that the camera has told so far: in its answer and trickled, each once. */
export function knownCandidates(
  agreement: Agreement,
  trickled: readonly FoundCandidate[],
  rules: AnswerRules,
): readonly Candidate[] {
  const pools = candidatePools(agreement, trickled)
  return usableCandidates([...pools.values()].flat(), rules)
}

/** Whether the camera has told of a relay's address, of use to the display or not. */
export function hasRelay(agreement: Agreement, trickled: readonly FoundCandidate[]): boolean {
  const all = [
    ...acceptedOf(agreement).flatMap(({ answered }) => answered.candidates),
    ...trickled.map(({ candidate }) => candidate),
  ]
  return all.some(({ type }) => type === 'relay')
}

/** The answer itself says that no more candidates will come, for each of its transports (RFC 8840 section 4.2). */
export function isComplete(agreement: Agreement): boolean {
  const pools = candidatePools(agreement, [])
  return acceptedOf(agreement).every((section) =>
    sharing(section, agreement, pools).some(({ answered }) => answered.isComplete),
  )
}

type Pools = ReadonlyMap<number, readonly Candidate[]>

/** Candidates of the accepted sections, by their place in the camera's answer. The KVS C SDK repeats those of the answer as messages. */
function candidatePools(agreement: Agreement, trickled: readonly FoundCandidate[]): Pools {
  const accepted = acceptedOf(agreement)
  const pools = new Map(accepted.map(({ index, answered }) => [index, [...answered.candidates]]))
  for (const { candidate, sdpMid, sdpMLineIndex = 0 } of trickled) {
    const named = sdpMid === undefined ? -1 : placeNamed(sdpMid, agreement)
    // For a section that is not there it is for the first: a camera with one transport names any.
    const pool = pools.get(named >= 0 ? named : sdpMLineIndex) ?? pools.get(accepted[0]?.index ?? 0)
    pool?.push(candidate)
  }
  return pools
}

/** The camera's own mid comes first; one that left its mids out, or renamed them, may trickle by the display's. */
function placeNamed(mid: string, agreement: Agreement): number {
  const own = agreement.mids.indexOf(mid)
  return own >= 0 ? own : (acceptedOf(agreement).find(({ offered }) => offered.mid === mid)?.index ?? -1)
}

function candidatesFor(
  section: Accepted,
  agreement: Agreement,
  pools: Pools,
  rules: AnswerRules,
): readonly Candidate[] {
  const all = sharing(section, agreement, pools).flatMap(({ index }) => pools.get(index) ?? [])
  return usableCandidates(all, rules)
}

/**
 * The sections that share a transport with this one: those of its BUNDLE group. Outside of one, sections with equal
 * credentials may still have a port each; they share it only where one has no address that the other has not, as with a
 * C SDK camera, which has one transport whatever the groups are and trickles for mid "0" only.
 */
function sharing(section: Accepted, agreement: Agreement, pools: Pools): readonly Accepted[] {
  const group = agreement.groups.find((mids) => section.offered.mid !== undefined && mids.includes(section.offered.mid))
  return acceptedOf(agreement).filter((other) => {
    if (other === section) return true
    if (other.offered.mid !== undefined && group?.includes(other.offered.mid)) return true
    const [ours, theirs] = [section, other].map(({ transport: { ufrag, pwd } }) => `${ufrag} ${pwd}`)
    if (ours !== theirs) return false
    return areNested(pools.get(section.index) ?? [], pools.get(other.index) ?? [])
  })
}

function acceptedLines(
  { offered, answered, codecs, direction, transport }: Accepted,
  candidates: readonly Candidate[],
): readonly string[] {
  const formats = offered.isRtp ? codecs.map((codec) => `${codec.payload}`) : offered.formats
  const place = defaultCandidate(candidates)
  return [
    `m=${offered.kind} ${place?.port ?? 9} ${offered.protocol} ${formats.join(' ')}`,
    `c=IN ${place === undefined || isIPv4(place.address) ? 'IP4' : 'IP6'} ${place?.address ?? '0.0.0.0'}`,
    ...answered.bandwidth.map((value) => `b=${value}`),
    ...midLine(offered),
    // A camera may leave rtcp-mux out of bundled sections; without it component 2 would be needed, which nobody listens to.
    ...(offered.isRtp ? [`a=${direction}`, 'a=rtcp-mux'] : []),
    `a=ice-ufrag:${transport.ufrag}`,
    `a=ice-pwd:${transport.pwd}`,
    ...transport.fingerprints.map((value) => `a=fingerprint:${value}`),
    `a=setup:${transport.setup}`,
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
        return offered.attributes.some((attribute) => attribute.name === name)
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

/**
 * RFC 8839 section 4.2.1.2: the default destination is the candidate most likely to work: relay, then reflexive, then host; a
 * name is none.
 */
function defaultCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  const udp = candidates.filter(({ transport, address }) => transport === 'udp' && !address.endsWith('.local'))
  return udp.find(({ type }) => type === 'relay') ?? udp.find(({ type }) => type === 'srflx') ?? udp[0]
}
