/** Session descriptions (RFC 8866) by media section: one tolerant reader for displays and cameras. The writers are offer.ts and answer.ts. */
import { BridgeError, type ErrorCode } from 'transom-core/errors'
import { everyCandidate, parseCandidate, usableCandidates, type Candidate } from './candidate.ts'
import { readCodecs, type Codec } from './formats.ts'
import { isBandwidth, isWellFormed, mendFingerprint } from './grammar.ts'

/** Whose fault a bad description is: a display's offer is refused, a camera's answer is named as the cause. */
export type Blame = Extract<ErrorCode, 'invalid_request' | 'camera_garbled'>

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** One `a=` line: `name` or `name:value`, the name in lower case. */
export interface Attribute {
  readonly name: string
  readonly value: string
}

/** What a transport needs (RFC 8839, RFC 8122); what is nowhere said, or malformed, is missing here. */
export interface Transport {
  readonly ufrag: string | undefined
  readonly pwd: string | undefined
  /** `sha-256 AB:CD:…`; only those of a known hash and its length. */
  readonly fingerprints: readonly string[]
  readonly setup: string | undefined
  /** RTP and RTCP share its port (RFC 5761). */
  readonly hasMux: boolean
}

export interface Media {
  /** `audio`, `video`, `application`, …, in lower case. */
  readonly kind: string
  /** False for a section that is rejected or withdrawn: port 0, and not one that is only to be bundled (RFC 9143). */
  readonly isLive: boolean
  readonly protocol: string
  /** True for RTP profiles; a data channel has no codecs and no direction. */
  readonly isRtp: boolean
  /** The format list of the m-line, in its order. */
  readonly formats: readonly string[]
  readonly mid: string | undefined
  readonly direction: Direction
  readonly transport: Transport
  readonly codecs: readonly Codec[]
  /** Those that can be of use to anybody, in order; a bundled section without any has those of its group. */
  readonly candidates: readonly Candidate[]
  /** It says that no more candidates will come (RFC 8840 section 4.2). */
  readonly isComplete: boolean
  /** Values of `b=` lines. */
  readonly bandwidth: readonly string[]
  /** The section's own `a=` lines, in order. */
  readonly attributes: readonly Attribute[]
}

/** A description, as plain data. */
export interface Description {
  /** `sess-id sess-version` of the origin line when both are numbers, else '0 0'. */
  readonly origin: string
  /** The BUNDLE groups (RFC 9143): their mids, in order. */
  readonly groups: readonly (readonly string[])[]
  /** An ICE-lite side never nominates (RFC 8445 section 6.1.1). */
  readonly isIceLite: boolean
  /** It has the trickle option (RFC 8840 section 4.1), for the whole session or in a section. */
  readonly isTrickling: boolean
  readonly media: readonly Media[]
}

/**
 * Limits that keep a hostile description cheap. A full Chromium offer has 7,000 characters, 200 lines, 3 sections, and in its
 * largest section 170 attributes and 35 formats.
 */
export const sdpLimits = {
  characters: 65_536,
  lines: 2_000,
  lineLength: 4_096,
  sections: 32,
  attributes: 600,
  formats: 64,
  feedback: 16,
} as const

/** Any but the tab. */
const controlCharacter = /[^\P{Cc}\t]/u

const directions: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] satisfies Direction[]

/**
 * Reads a description of either side. Forgives a byte order mark, bare-LF line ends, lines it does not know, names in upper case, static payload
 * types without rtpmap, codecs without fmtp, and attributes of the transport that stand for the whole session or in one
 * section of a BUNDLE group only (RFC 9143 section 7.1.3).
 * Throws `BridgeError` with the code `blame` when it is not SDP or beyond `sdpLimits`. Takes time linear in its size.
 */
export function parseSdp(text: string, blame: Blame): Description {
  const fail = (problem: string): never => {
    throw new BridgeError(blame, `the SDP ${problem}`)
  }
  const [session, ...sections] = readLines(text, fail)
  if (session === undefined || sections.length === 0) return fail('has no media section')
  const groups = groupsOf(session)
  const read = sections.map(
    (own, index) => toMedia(own, session) ?? fail(`has a malformed m-line (section ${index + 1})`),
  )
  const mids = read.flatMap(({ mid }) => mid ?? [])
  if (new Set(mids).size < mids.length) fail('has the same mid twice')
  return {
    origin: /^\S+ (\d{1,20} \d{1,20}) /.exec(session.origin)?.[1] ?? '0 0',
    groups,
    isIceLite: session.values.has('ice-lite'),
    isTrickling: [session, ...sections].some(hasTrickleOption),
    media: read.map((media) => inherit(media, read, groups)),
  }
}

/** The values of all attributes of that name. */
export function valuesOf(attributes: readonly Attribute[], name: string): readonly string[] {
  return attributes.filter((attribute) => attribute.name === name).map((attribute) => attribute.value)
}

/** True when the direction lets its side send. */
export function includesSending(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly'
}

/** True when the direction lets its side receive. */
export function includesReceiving(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly'
}

/** The session part, or one media section, as it stands. */
interface Section {
  readonly mLine: string
  readonly attributes: Attribute[]
  /** The values of its attributes, by name. */
  readonly values: Map<string, string[]>
  readonly bandwidth: string[]
  origin: string
}

function newSection(mLine: string): Section {
  return { mLine, attributes: [], values: new Map(), bandwidth: [], origin: '' }
}

/** The session part first. */
function readLines(text: string, fail: (problem: string) => never): readonly Section[] {
  if (text.length > sdpLimits.characters) fail(`has ${text.length} characters; ${sdpLimits.characters} are allowed`)
  // The blanks before it: a byte order mark is one.
  const lines = text.trimStart().split('\n')
  if (lines.length > sdpLimits.lines) fail(`has ${lines.length} lines; ${sdpLimits.lines} are allowed`)
  let section = newSection('')
  const sections = [section]
  let hasBegun = false
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] ?? '').trimEnd()
    if (line === '') continue
    if (line.length > sdpLimits.lineLength) fail(`has a line of ${line.length} characters (line ${index + 1})`)
    if (line[1] !== '=' || controlCharacter.test(line)) fail(`is malformed in line ${index + 1}`)
    if (!hasBegun && line !== 'v=0') fail('does not begin with v=0')
    hasBegun = true
    const value = line.slice(2)
    if (line[0] === 'm') {
      if (sections.length > sdpLimits.sections) fail(`has more than ${sdpLimits.sections} media sections`)
      section = newSection(value)
      sections.push(section)
    } else if (line[0] === 'a') {
      if (section.attributes.length >= sdpLimits.attributes)
        fail(`has more than ${sdpLimits.attributes} attributes in a section`)
      addAttribute(section, value)
    } else if (line[0] === 'b' && isBandwidth(value)) section.bandwidth.push(value)
    else if (line[0] === 'o') section.origin = value
  }
  return sections
}

function addAttribute({ attributes, values }: Section, text: string): void {
  const colon = text.indexOf(':')
  const name = (colon < 0 ? text : text.slice(0, colon)).toLowerCase()
  const value = colon < 0 ? '' : text.slice(colon + 1).trimStart()
  if (!isWellFormed(name, value)) return
  attributes.push({ name, value })
  const before = values.get(name)
  if (before === undefined) values.set(name, [value])
  else before.push(value)
}

/** A mid that two groups name belongs to the first of them (RFC 9143 section 7: a section is in one group only). */
function groupsOf({ values }: Section): Description['groups'] {
  const taken = new Set<string>()
  return (values.get('group') ?? []).flatMap((value) => {
    const [semantics, ...mids] = value.split(/ +/)
    if (semantics?.toUpperCase() !== 'BUNDLE') return []
    const group = mids.filter((mid) => mid !== '' && !taken.has(mid) && taken.add(mid))
    return group.length > 0 ? [group] : []
  })
}

function toMedia(own: Section, session: Section): Media | undefined {
  const [kind, port = '', protocol, ...formats] = own.mLine.split(' ').filter((part) => part !== '')
  if (kind === undefined || protocol === undefined || !/^\d{1,5}(\/\d+)?$/.test(port)) return undefined
  if (formats.length === 0 || formats.length > sdpLimits.formats) return undefined
  const all = (name: string): readonly string[] => own.values.get(name) ?? session.values.get(name) ?? []
  const isRtp = /RTP\//i.test(protocol)
  return {
    kind: kind.toLowerCase(),
    isLive: Number.parseInt(port, 10) !== 0 || own.values.has('bundle-only'),
    protocol,
    isRtp,
    formats,
    mid: own.values.get('mid')?.[0],
    direction: directionOf(own) ?? directionOf(session) ?? 'sendrecv',
    transport: {
      ufrag: all('ice-ufrag')[0],
      pwd: all('ice-pwd')[0],
      fingerprints: all('fingerprint').flatMap((value) => mendFingerprint(value) ?? []),
      setup: all('setup')[0]?.toLowerCase(),
      hasMux: all('rtcp-mux').length > 0 || all('rtcp-mux-only').length > 0,
    },
    codecs: isRtp ? readCodecs(formats, own.values, sdpLimits.feedback) : [],
    candidates: usableCandidates(
      all('candidate').flatMap((value) => parseCandidate(value) ?? []),
      everyCandidate,
    ),
    isComplete: all('end-of-candidates').length > 0,
    bandwidth: own.bandwidth,
    attributes: own.attributes,
  }
}

/** Options stand apart by blanks (RFC 8839 section 5.6); libdatachannel writes commas. */
function hasTrickleOption({ values }: Section): boolean {
  const options = (values.get('ice-options') ?? []).flatMap((value) => value.toLowerCase().split(/[ ,]+/))
  return options.includes('trickle')
}

function directionOf({ attributes }: Section): Direction | undefined {
  for (const { name } of attributes) if (isDirection(name)) return name
  return undefined
}

function isDirection(name: string): name is Direction {
  return directions.includes(name)
}

/**
 * What a section does not say of its transport, the tagged section of its BUNDLE group says (RFC 9143 section 7.1.3); without
 * a group that does, the first section that says it, as far as credentials go.
 */
function inherit(media: Media, all: readonly Media[], groups: Description['groups']): Media {
  const { mid, transport } = media
  const group = groups.find((mids) => mid !== undefined && mids.includes(mid)) ?? []
  const bundled = group.flatMap((other) => all.find((one) => one.mid === other && one.isLive) ?? [])
  const tagged = bundled.find(isWhole)
  const { ufrag, pwd, fingerprints, setup } = (tagged ?? all.find(isWhole) ?? media).transport
  const hasOwn = transport.ufrag !== undefined && transport.pwd !== undefined
  const given = media.candidates.length > 0 ? media : bundled.find((one) => one.candidates.length > 0)
  return {
    ...media,
    transport: {
      ...(hasOwn ? { ufrag: transport.ufrag, pwd: transport.pwd } : { ufrag, pwd }),
      setup: transport.setup ?? setup,
      fingerprints: transport.fingerprints.length > 0 ? transport.fingerprints : fingerprints,
      hasMux: transport.hasMux || tagged?.transport.hasMux === true,
    },
    candidates: given?.candidates ?? [],
  }
}

function isWhole({ isLive, transport: { ufrag, pwd, fingerprints } }: Media): boolean {
  return isLive && ufrag !== undefined && pwd !== undefined && fingerprints.length > 0
}
