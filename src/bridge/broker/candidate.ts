/** ICE candidates (RFC 8839 section 5.1): read what displays and cameras really send, mend what can be mended, write them strictly. */
import { isIP, isIPv4 } from 'node:net'

export type CandidateType = 'host' | 'srflx' | 'prflx' | 'relay'

export interface Candidate {
  readonly foundation: string
  readonly component: number
  readonly transport: 'udp' | 'tcp'
  readonly priority: number
  readonly address: string
  readonly port: number
  readonly type: CandidateType
  readonly related: { readonly address: string; readonly port: number } | undefined
  /** RFC 6544: `active`, `passive` or `so`; only with transport `tcp`. */
  readonly tcpType: string | undefined
}

/** What the receiving side can use. */
export interface CandidateRules {
  readonly ipv4Only: boolean
  readonly tcpCandidates: boolean
  /** Names like `x.local` (RFC 8839 with mDNS), which only a peer on the same network can resolve. Default false. */
  readonly localNames?: boolean
}

/** Of a receiver that can use whatever there is. */
export const everyCandidate: CandidateRules = { ipv4Only: false, tcpCandidates: true, localNames: true }

const types: readonly CandidateType[] = ['host', 'srflx', 'prflx', 'relay']

/**
 * Reads a candidate with or without the leading `a=` and `candidate:`, words in any case; undefined when it cannot be mended:
 * a name or address that is none, port 0, a number out of range, TCP without its type. A missing or odd foundation is
 * replaced: it only groups checks. Extensions other than tcptype are dropped: the KVS C SDK adds `generation` and
 * `network-cost`, writes IPv6 in upper case and uncompressed, and gives every candidate a related address, host ones too,
 * some malformed (`raddr ::/0`).
 */
export function parseCandidate(line: string): Candidate | undefined {
  if (line.length > 512) return undefined
  const words = line
    .trim()
    .replace(/^a=/i, '')
    .replace(/^candidate:/i, '')
    .trim()
    .split(/\s+/)
  if (/^(udp|tcp)$/i.test(words[1] ?? '')) words.unshift('')
  const [foundation = '', component, transport, priority, address, port, typ, kind, ...extensions] = words
  const type = types.find((known) => known === kind?.toLowerCase())
  const protocol = transport?.toLowerCase()
  const where = mendAddress(address ?? '')
  const numbers = {
    component: toNumber(component, 256),
    priority: toNumber(priority, 2 ** 32 - 1),
    port: toNumber(port, 65_535),
  }
  if (protocol !== 'udp' && protocol !== 'tcp') return undefined
  if (where === undefined || type === undefined || typ?.toLowerCase() !== 'typ') return undefined
  if (numbers.component === undefined || numbers.priority === undefined || numbers.port === undefined) return undefined
  if (numbers.component === 0 || numbers.port === 0) return undefined
  const extension = (name: string): string | undefined => {
    const index = extensions.findIndex((word) => word.toLowerCase() === name)
    return index >= 0 && index % 2 === 0 ? extensions[index + 1] : undefined
  }
  const tcpType = protocol === 'tcp' ? extension('tcptype')?.toLowerCase() : undefined
  if (protocol === 'tcp' && !/^(active|passive|so)$/.test(tcpType ?? '')) return undefined
  return {
    foundation: mendFoundation(foundation, `${type} ${protocol}`),
    component: numbers.component,
    transport: protocol,
    priority: numbers.priority,
    address: where,
    port: numbers.port,
    type,
    related: type === 'host' ? undefined : relatedOf(extension('raddr'), extension('rport'), where),
    tcpType,
  }
}

/** The attribute line without line end: `a=candidate:…`. */
export function candidateLine(candidate: Candidate): string {
  const { foundation, component, transport, priority, address, port, type, related, tcpType } = candidate
  return (
    `a=candidate:${foundation} ${component} ${transport} ${priority} ${address} ${port} typ ${type}` +
    (related === undefined ? '' : ` raddr ${related.address} rport ${related.port}`) +
    (tcpType === undefined ? '' : ` tcptype ${tcpType}`)
  )
}

/** Those that the receiver can use, each once. Component 2 goes: with rtcp-mux nothing listens there. */
export function usableCandidates(candidates: readonly Candidate[], rules: CandidateRules): readonly Candidate[] {
  const seen = new Set<string>()
  return candidates.filter((candidate) => {
    if (candidate.component !== 1) return false
    if (candidate.transport === 'tcp' && !rules.tcpCandidates) return false
    if (isIP(candidate.address) === 0 && rules.localNames !== true) return false
    if (rules.ipv4Only && !isIPv4(candidate.address)) return false
    // A STUN server on the camera's own machine reflects loopback, which reaches nobody.
    if (candidate.type !== 'host' && isLoopback(candidate.address)) return false
    const key = `${candidate.transport} ${candidate.address} ${candidate.port} ${candidate.type} ${candidate.tcpType}`
    return !seen.has(key) && seen.add(key)
  })
}

/**
 * Whether one of the two has no address that the other has not: sections with equal credentials whose addresses are so may be
 * one transport.
 */
export function areNested(some: readonly Candidate[], others: readonly Candidate[]): boolean {
  const [here, there] = [some.map(placeOf), others.map(placeOf)]
  return here.every((place) => there.includes(place)) || there.every((place) => here.includes(place))
}

function placeOf({ transport, address, port, type }: Candidate): string {
  return `${transport} ${address} ${port} ${type}`
}

/**
 * True when a peer on the open Internet can reach it without a relay: reflexive, or a host address that is neither private
 * (RFC 1918, RFC 4193), shared (RFC 6598), link-local nor loopback.
 */
export function isReachable({ type, address }: Candidate): boolean {
  if (type !== 'host') return type !== 'relay'
  if (isIPv4(address))
    return !/^(10|127)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(
      address,
    )
  return isIP(address) === 6 && /^[23]/.test(address)
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}

function toNumber(text: string | undefined, most: number): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined
  const number = Number(text)
  return number <= most ? number : undefined
}

/** Characters of RFC 8839 section 5.1; equal ones stay equal, others stay others. */
function mendFoundation(text: string, usual: string): string {
  if (/^[A-Za-z0-9+/]{1,32}$/.test(text)) return text
  return Buffer.from(text === '' ? usual : text)
    .toString('base64')
    .replaceAll('=', '')
    .slice(0, 32)
}

/**
 * An IPv4 address, an IPv6 address in its canonical form (RFC 5952), or a `.local` name; undefined for anything else, and for
 * IPv6 addresses that no agent may use (RFC 8445 section 5.1.1.1: site-local, IPv4-compatible). An IPv4-mapped one is IPv4.
 */
function mendAddress(text: string): string | undefined {
  const plain = text.toLowerCase()
  if (isIPv4(plain)) return plain === '0.0.0.0' ? undefined : plain
  if (isIP(plain) === 6) {
    if (plain.includes('%')) return undefined
    const canonical = new URL(`http://[${plain}]`).hostname.slice(1, -1)
    const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? []
    if (high !== undefined && low !== undefined) return mendAddress(dotted(high, low))
    if (canonical === '::1') return canonical
    return /^::([0-9a-f]{1,4}(:[0-9a-f]{1,4})?)?$|^fe[cdef]/.test(canonical) ? undefined : canonical
  }
  return /^[a-z0-9-]{1,63}\.local$/.test(plain) ? plain : undefined
}

/** The 32 bits of two groups of an IPv6 address as an IPv4 address. */
function dotted(high: string, low: string): string {
  const bytes = [high, low].flatMap((group) => {
    const bits = Number.parseInt(group, 16)
    return [bits >> 8, bits & 0xff]
  })
  return bytes.join('.')
}

/** RFC 8839 demands a related address for srflx and relay; where the camera's is unusable, the wildcard stands in. */
function relatedOf(address: string | undefined, port: string | undefined, where: string): Candidate['related'] {
  const mended = address === undefined ? undefined : mendAddress(address)
  if (mended !== undefined) return { address: mended, port: toNumber(port, 65_535) ?? 0 }
  return isIPv4(where) ? { address: '0.0.0.0', port: 0 } : { address: '::', port: 0 }
}
