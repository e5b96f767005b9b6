/** H.264 out of RTP (RFC 6184): NAL units from single, STAP-A and FU-A packets, put together to access units. */
import type { Packet } from './rtp.ts'

/** A picture larger than this is none; what is put together is forgotten. */
const maxUnitBytes = 8 * 1_024 * 1_024
const maxUnits = 1_024
/** Also where each holds next to nothing: what is kept of a packet is larger than its payload. */
const maxFragments = 16_384

const types = { idr: 5, sps: 7, pps: 8, stapA: 24, fuA: 28 } as const

export interface AccessUnit {
  readonly nals: readonly Buffer[]
  /** RTP's, of the picture. */
  readonly timestamp: number
}

export const nalType = (nal: Buffer): number => (nal[0] ?? 0) & 0x1f

/** Slices, coded in one way or the other. */
const isPicture = (nal: Buffer): boolean => nalType(nal) >= 1 && nalType(nal) <= types.idr
const isParameterSet = (nal: Buffer): boolean => nalType(nal) === types.sps || nalType(nal) === types.pps

/**
 * Takes packets in order and gives the access units that are complete: at the marker, or when another timestamp comes. Units
 * that lost a packet are left out; parameter sets that come alone are put before the next picture.
 */
export function createH264Depacketizer(): (packet: Packet, isAfterGap: boolean) => readonly AccessUnit[] {
  let nals: Buffer[] = []
  let fragments: Buffer[] | undefined
  let size = 0
  let timestamp: number | undefined
  let isDamaged = false

  const add = (nal: Buffer) => {
    if (nal.length === 0 || nalType(nal) === 0) return
    // The forbidden bit: an error, or no H.264 at all.
    if ((nal[0] ?? 0) & 0x80) return void (isDamaged = true)
    size += nal.length
    nals.push(nal)
  }

  function take(payload: Buffer): void {
    const type = nalType(payload)
    if (type === types.stapA) {
      fragments = undefined
      for (let at = 1; at + 2 <= payload.length;) {
        const length = payload.readUInt16BE(at)
        if (at + 2 + length > payload.length) return void (isDamaged = true)
        add(payload.subarray(at + 2, at + 2 + length))
        at += 2 + length
      }
    } else if (type === types.fuA) takeFragment(payload)
    else if (type < types.stapA) {
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
    if (payload.length < 3) return void (isDamaged = true)
    const indicator = payload.readUInt8(0)
    const header = payload.readUInt8(1)
    const body = payload.subarray(2)
    if (header & 0x80) fragments = [Buffer.from([(indicator & 0xe0) | (header & 0x1f)])]
    else if (!fragments) return void (isDamaged = true)
    size += body.length
    if (fragments.length >= maxFragments) size = Infinity
    fragments.push(body)
    if ((header & 0x40) === 0) return
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
    const hasPicture = unit.some(isPicture)
    // Sets of their own, or with nothing but SEI and delimiters, belong to what comes next.
    nals = hasPicture || !isWhole ? [] : unit.filter(isParameterSet).slice(-16)
    size = nals.reduce((sum, nal) => sum + nal.length, 0)
    return hasPicture && isWhole ? [{ nals: unit, timestamp: at }] : []
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

/** Nothing of its access unit can be missing before it: it is no slice, or the one that begins with the first macroblock. */
function startsUnit(payload: Buffer): boolean {
  const type = nalType(payload)
  if (type === types.fuA) return ((payload[1] ?? 0) & 0x80) !== 0 && ((payload[2] ?? 0) & 0x80) !== 0
  return type === types.stapA || (type >= 6 && type <= 9) || ((payload[1] ?? 0) & 0x80) !== 0
}

/** The parameter sets that an SDP gives (RFC 6184 section 8.1); what is no parameter set is left out. */
export function readSprop(sprop: string | undefined): Buffer[] {
  return (sprop ?? '')
    .split(',')
    .slice(0, 16)
    .map((each) => Buffer.from(each.trim(), 'base64'))
    .filter((nal) => nal.length >= 4 && isParameterSet(nal))
}
