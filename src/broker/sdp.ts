/** Session descriptions (RFC 8866) by media section: a tolerant reader for what displays and cameras send. The writers are offer.ts and answer.ts. */
import { BridgeError, type ErrorCode } from '../errors.ts'

/** Whose fault a bad description is: a display's offer is refused, a camera's answer is named as the cause. */
export type Blame = Extract<ErrorCode, 'invalid_request' | 'camera_garbled'>

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** One `a=` line: `name` or `name:value`. */
export interface Attribute {
  readonly name: string
  readonly value: string
}

/** A payload type with all that the section says about it. */
export interface Codec {
  readonly payload: number
  /** Encoding name as written, e.g. `H264`; compare with `sameCodec`. */
  readonly name: string
  readonly clockRate: number
  readonly channels: number
  /** Format parameters (`a=fmtp`), or '' when there are none. */
  readonly parameters: string
  /** RTCP feedback (`a=rtcp-fb`, RFC 4585), those for `*` included. */
  readonly feedback: readonly string[]
}

/** What a transport needs (RFC 8839, RFC 8122); what is absent or malformed in section and session is missing here. */
export interface Transport {
  readonly ufrag: string | undefined
  readonly pwd: string | undefined
  /** `sha-256 AB:CD:…`, as written; only those of a known hash and its length. */
  readonly fingerprints: readonly string[]
  readonly setup: string | undefined
}

export interface Media {
  readonly kind: string
  readonly port: number
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
  /** Values of `b=` lines. */
  readonly bandwidth: readonly string[]
  /** The section's own `a=` lines, in order. */
  readonly attributes: readonly Attribute[]
}

export interface Description {
  /** `sess-id sess-version` of the origin line when both are numbers, else '0 0'. */
  readonly origin: string
  /** The mids of the first BUNDLE group (RFC 9143), in order; empty without one. */
  readonly bundle: readonly string[]
  readonly attributes: readonly Attribute[]
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
  sections: 8,
  attributes: 600,
  formats: 64,
  feedback: 16,
} as const

/** The grammar of what is passed on (RFC 8866, 5576, 8830, 8841): a line that misses it is as good as absent. */
const grammar: Readonly<Record<string, RegExp>> = {
  'ice-ufrag': /^[A-Za-z0-9+/]{4,256}$/,
  'ice-pwd': /^[A-Za-z0-9+/]{22,256}$/,
  setup: /^(active|passive|actpass|holdconn)$/,
  mid: /^[\w.+-]{1,64}$/,
  ssrc: /^\d{1,10} \S.*$/,
  'ssrc-group': /^[A-Z-]{1,16}( \d{1,10})+$/,
  msid: /^\S{1,64}( \S{1,64})?$/,
  extmap: /^\d{1,3}(\/\w+)? \S+( \S+)*$/,
  'sctp-port': /^\d{1,5}$/,
  'max-message-size': /^\d{1,16}$/,
  sctpmap: /^\d{1,5} \S+( \d{1,5})?$/,
}
const bandwidthGrammar = /^[A-Z][\w-]{0,15}:\d{1,10}$/

/** RFC 8122: lengths of the hashes in bytes. */
const fingerprintBytes: Readonly<Record<string, number>> = {
  'sha-1': 20,
  'sha-224': 28,
  'sha-256': 32,
  'sha-384': 48,
  'sha-512': 64,
}

/** Payload types that need no `a=rtpmap` (RFC 3551 section 6); an Echo sends 0 and 8 without. */
const staticCodecs: Readonly<Record<number, readonly [name: string, clockRate: number]>> = {
  0: ['PCMU', 8_000],
  8: ['PCMA', 8_000],
  9: ['G722', 8_000],
}

const directions: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] satisfies Direction[]

/**
 * Reads a description. Tolerates bare-LF line ends, lines it does not know, static payload types without rtpmap, codecs
 * without fmtp, and transport attributes at session level (they are copied into every section).
 * Throws `BridgeError` with the code `blame` when it is not SDP or beyond `sdpLimits`. Takes time linear in its size.
 */
export function parseSdp(text: string, blame: Blame): Description {
  const fail = (problem: string): never => {
    throw new BridgeError(blame, `the SDP ${problem}`)
  }
  if (text.length > sdpLimits.characters) fail(`has ${text.length} characters; ${sdpLimits.characters} are allowed`)
  const lines = text.split('\n')
  if (lines.length > sdpLimits.lines) fail(`has ${lines.length} lines; ${sdpLimits.lines} are allowed`)

  const sections: Section[] = [{ mLine: '', attributes: [], bandwidth: [] }]
  let section = sections[0]!
  let origin = ''
  let begun = false
  for (const [index, raw] of lines.entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (line === '') continue
    if (line.length > sdpLimits.lineLength) fail(`has a line of ${line.length} characters (line ${index + 1})`)
    if (line[1] !== '=' || hasControlCharacter(line)) fail(`is malformed in line ${index + 1}`)
    if (!begun && line !== 'v=0') fail('does not begin with v=0')
    begun = true
    const value = line.slice(2)
    if (line[0] === 'm') {
      if (sections.length > sdpLimits.sections) fail(`has more than ${sdpLimits.sections} media sections`)
      section = { mLine: value, attributes: [], bandwidth: [] }
      sections.push(section)
    } else if (line[0] === 'a') {
      if (section.attributes.length >= sdpLimits.attributes)
        fail(`has more than ${sdpLimits.attributes} attributes in a section`)
      const attribute = toAttribute(value)
      if (grammar[attribute.name]?.test(attribute.value) !== false) section.attributes.push(attribute)
    } else if (line[0] === 'b' && bandwidthGrammar.test(value)) section.bandwidth.push(value)
    else if (line[0] === 'o') origin = value
  }
  const [session, ...media] = sections as [Section, ...Section[]]
  if (media.length === 0) fail('has no media section')
  const read = media.map(
    (own, index) => toMedia(own, session.attributes) ?? fail(`has a malformed m-line (section ${index + 1})`),
  )
  const mids = read.flatMap(({ mid }) => mid ?? [])
  if (new Set(mids).size < mids.length) fail('has the same mid twice')
  return {
    origin: /^\S+ (\d{1,20} \d{1,20}) /.exec(origin)?.[1] ?? '0 0',
    bundle: bundleOf(session.attributes),
    attributes: session.attributes,
    media: read,
  }
}

/** True when both name the same encoding: name without regard to case (RFC 4855), clock rate, and channels. */
export function sameCodec(a: Codec, b: Codec): boolean {
  return a.name.toLowerCase() === b.name.toLowerCase() && a.clockRate === b.clockRate && a.channels === b.channels
}

/** The values of all attributes of that name. */
export function valuesOf(attributes: readonly Attribute[], name: string): readonly string[] {
  return attributes.filter((attribute) => attribute.name === name).map((attribute) => attribute.value)
}

/** True when there is an attribute of that name, with or without a value. */
export function hasAttribute(attributes: readonly Attribute[], name: string): boolean {
  return attributes.some((attribute) => attribute.name === name)
}

/** The payload type that a retransmission codec repairs (RFC 4588); undefined for any other codec. */
function repairedBy(codec: Codec): number | undefined {
  const apt = codec.name.toLowerCase() === 'rtx' ? /^apt=(\d{1,3})/.exec(codec.parameters)?.[1] : undefined
  return apt === undefined ? undefined : Number(apt)
}

/** Without the retransmission codecs whose repaired codec is not in the list. */
export function withoutOrphans(codecs: readonly Codec[]): readonly Codec[] {
  return codecs.filter(
    (codec) => codec.name.toLowerCase() !== 'rtx' || codecs.some((other) => other.payload === repairedBy(codec)),
  )
}

interface Section {
  readonly mLine: string
  readonly attributes: Attribute[]
  readonly bandwidth: string[]
}

function toAttribute(value: string): Attribute {
  const colon = value.indexOf(':')
  return colon < 0 ? { name: value, value: '' } : { name: value.slice(0, colon), value: value.slice(colon + 1) }
}

function hasControlCharacter(line: string): boolean {
  for (let index = 0; index < line.length; index++) {
    const code = line.charCodeAt(index)
    if (code < 0x20 && code !== 0x09) return true
  }
  return false
}

function bundleOf(attributes: readonly Attribute[]): readonly string[] {
  const group = valuesOf(attributes, 'group').find((value) => value.startsWith('BUNDLE ') || value === 'BUNDLE')
  return (
    group
      ?.split(' ')
      .filter((mid) => mid !== '')
      .slice(1) ?? []
  )
}

function toMedia(own: Section, session: readonly Attribute[]): Media | undefined {
  const [kind, port, protocol, ...formats] = own.mLine.split(' ').filter((part) => part !== '')
  if (kind === undefined || protocol === undefined || !/^\d{1,5}(\/\d+)?$/.test(port ?? '')) return undefined
  if (formats.length === 0 || formats.length > sdpLimits.formats) return undefined
  const inherited = (name: string): readonly string[] => {
    const values = valuesOf(own.attributes, name)
    return values.length > 0 ? values : valuesOf(session, name)
  }
  const direction = [...own.attributes, ...session].find((attribute) => directions.includes(attribute.name))?.name
  const isRtp = protocol.includes('RTP/')
  return {
    kind,
    port: Number.parseInt(port!, 10),
    isLive: Number.parseInt(port!, 10) !== 0 || hasAttribute(own.attributes, 'bundle-only'),
    protocol,
    isRtp,
    formats,
    mid: valuesOf(own.attributes, 'mid')[0],
    direction: (direction ?? 'sendrecv') as Direction,
    transport: {
      ufrag: inherited('ice-ufrag')[0],
      pwd: inherited('ice-pwd')[0],
      fingerprints: inherited('fingerprint').filter(isFingerprint),
      setup: inherited('setup')[0],
    },
    codecs: isRtp ? codecsOf(formats, own.attributes) : [],
    bandwidth: own.bandwidth,
    attributes: own.attributes,
  }
}

function isFingerprint(value: string): boolean {
  const [hash, bytes] = value.split(' ')
  const length = fingerprintBytes[hash?.toLowerCase() ?? '']
  return length !== undefined && bytes?.length === length * 3 - 1 && /^[0-9A-F]{2}(:[0-9A-F]{2})*$/i.test(bytes)
}

function codecsOf(formats: readonly string[], attributes: readonly Attribute[]): readonly Codec[] {
  const maps = byPayload(attributes, 'rtpmap')
  const parameters = byPayload(attributes, 'fmtp')
  const feedback = byPayload(attributes, 'rtcp-fb')
  return [...new Set(formats)].flatMap((format) => {
    const payload = Number(format)
    if (!/^(0|[1-9]\d{0,2})$/.test(format) || payload > 127) return []
    const mapped = /^([^\s/]+)\/(\d{1,9})(?:\/(\d{1,2}))?$/.exec(maps.get(format)?.[0] ?? '')
    const fixed = staticCodecs[payload]
    if (mapped === null && fixed === undefined) return []
    return {
      payload,
      name: mapped?.[1] ?? fixed![0],
      clockRate: mapped === null ? fixed![1] : Number.parseInt(mapped[2]!, 10),
      channels: Number.parseInt(mapped?.[3] ?? '1', 10),
      parameters: parameters.get(format)?.[0] ?? '',
      feedback: [...(feedback.get(format) ?? []), ...(feedback.get('*') ?? [])].slice(0, sdpLimits.feedback),
    }
  })
}

/** The attributes `name:<payload> <rest>` as a map from payload to the rests. */
function byPayload(attributes: readonly Attribute[], name: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const value of valuesOf(attributes, name)) {
    const space = value.indexOf(' ')
    if (space < 0) continue
    const rests = found.get(value.slice(0, space))
    if (rests === undefined) found.set(value.slice(0, space), [value.slice(space + 1).trim()])
    else rests.push(value.slice(space + 1).trim())
  }
  return found
}
