/** Access units out of RTP packets that carry NAL units: H.264 (RFC 6184) and H.265 (RFC 7798) differ in their headers only. */
import type { Packet } from './rtp.ts'

/** A picture larger than this is none; what is put together is forgotten. */
const maxUnitBytes = 8 * 1_024 * 1_024
const maxUnits = 1_024
/** Also where each holds next to nothing: what is kept of a packet is larger than its payload. */
const maxFragments = 16_384

export interface AccessUnit {
  /** Without start codes. */
  readonly nals: readonly Buffer[]
  /** RTP's, of the picture. */
  readonly timestamp: number
}

/** What the header of a codec's NAL units says. */
export interface NalForm {
  /** Octets of the header: of a NAL unit, of an aggregation packet, and of a fragment before its own octet. */
  readonly headerBytes: 1 | 2
  readonly aggregation: number
  readonly fragment: number
  typeOf(nal: Buffer): number
  /** Slices, coded in one way or the other. */
  isPicture(type: number): boolean
  isParameterSet(type: number): boolean
  /** Other types that may stand before the first slice of an access unit. */
  isPrefix(type: number): boolean
  /** The header of the NAL unit of which this payload is the first fragment. */
  headerOf(payload: Buffer): Buffer
}

/** Takes packets in order and gives the access units that are complete. `isAfterGap`: packets before it are lost. */
export type Depacketizer = (packet: Packet, isAfterGap: boolean) => readonly AccessUnit[]

/**
 * Access units are complete at the marker, or when another timestamp comes. Units that lost a packet are left out; parameter
 * sets that come alone are put before the next picture.
 */
export function createNalDepacketizer(form: NalForm): Depacketizer {
  const { headerBytes, aggregation, fragment, typeOf } = form
  let nals: Buffer[] = []
  let fragments: Buffer[] | undefined
  let size = 0
  let timestamp: number | undefined
  let isDamaged = false

  const add = (nal: Buffer) => {
    if (nal.length < headerBytes || (headerBytes === 1 && typeOf(nal) === 0)) return
    // The forbidden bit: an error, or another codec.
    if ((nal[0] ?? 0) & 0x80) return void (isDamaged = true)
    size += nal.length
    nals.push(nal)
  }

  function take(payload: Buffer): void {
    if (payload.length < headerBytes) return
    const type = typeOf(payload)
    if (type === aggregation) {
      fragments = undefined
      for (let at: number = headerBytes; at + 2 <= payload.length;) {
        const length = payload.readUInt16BE(at)
        if (at + 2 + length > payload.length) return void (isDamaged = true)
        add(payload.subarray(at + 2, at + 2 + length))
        at += 2 + length
      }
    } else if (type === fragment) takeFragment(payload)
    else if (type < aggregation) {
      fragments = undefined
      add(payload)
    }
    if (size > maxUnitBytes || nals.length > maxUnits) {
      isDamaged = true
      nals = []
      fragments = undefined
      size = 0
    }
  }

  function takeFragment(payload: Buffer): void {
    const body = payload.subarray(headerBytes + 1)
    if (body.length === 0) return void (isDamaged = true)
    const place = payload.readUInt8(headerBytes)
    if (place & 0x80) fragments = [form.headerOf(payload)]
    else if (!fragments) return void (isDamaged = true)
    size += body.length
    if (fragments.length >= maxFragments) size = Infinity
    fragments.push(body)
    if ((place & 0x40) === 0) return
    const nal = Buffer.concat(fragments)
    fragments = undefined
    size -= nal.length
    add(nal)
  }

  function finish(): AccessUnit[] {
    const unit = nals
    const isWhole = !isDamaged && fragments === undefined
    const at = timestamp ?? 0
    isDamaged = false
    fragments = undefined
    const hasPicture = unit.some((nal) => form.isPicture(typeOf(nal)))
    // Sets of their own, or with nothing but SEI and delimiters, belong to what comes next.
    nals = hasPicture || !isWhole ? [] : unit.filter((nal) => form.isParameterSet(typeOf(nal))).slice(-16)
    size = nals.reduce((sum, nal) => sum + nal.length, 0)
    return hasPicture && isWhole ? [{ nals: unit, timestamp: at }] : []
  }

  /** Nothing of its access unit can be missing before it: it is no slice, or the one that begins with the first macroblock. */
  function startsUnit(payload: Buffer): boolean {
    const type = typeOf(payload)
    const beginsPicture = (at: number) => ((payload[at] ?? 0) & 0x80) !== 0
    if (type === fragment) return beginsPicture(headerBytes) && beginsPicture(headerBytes + 1)
    return type === aggregation || form.isPrefix(type) || form.isParameterSet(type) || beginsPicture(headerBytes)
  }

  return (packet, isAfterGap) => {
    const found: AccessUnit[] = []
    // Without a marker the next timestamp says that the picture is complete.
    if (timestamp !== undefined && packet.timestamp !== timestamp && (nals.length > 0 || fragments)) {
      if (isAfterGap) isDamaged = true
      found.push(...finish())
    }
    timestamp = packet.timestamp
    // The packets before it are lost: of this picture, if it has not begun.
    if (isAfterGap) isDamaged = !startsUnit(packet.payload)
    take(packet.payload)
    if (packet.marker) found.push(...finish())
    return found
  }
}

/** The parameter sets that an SDP gives in base64, parted by commas; what is no parameter set of this codec is left out. */
export function readParameterSets(sprop: string | undefined, { typeOf, isParameterSet }: NalForm): Buffer[] {
  return (sprop ?? '')
    .split(',')
    .slice(0, 16)
    .map((each) => Buffer.from(each.trim(), 'base64'))
    .filter((nal) => nal.length >= 4 && isParameterSet(typeOf(nal)))
}

/** NAL units behind start codes (ITU-T H.264 and H.265, annex B), as decoders take them. */
export function annexB(nals: readonly Buffer[]): Buffer {
  return Buffer.concat(nals.flatMap((nal) => [startCode, nal]))
}

const startCode = Buffer.from([0, 0, 0, 1])
