/** H.264 out of RTP (RFC 6184, non-interleaved): complete access units, and what can be told of them without decoding. */

import { createReassembly, type CodedPicture, type VideoPacket, type VideoReceiver } from './reassembly.ts'

const SLICE = 1
const PARTITION_A = 2
const IDR = 5
const SPS = 7
const PPS = 8
const STAP_A = 24
const FU_A = 28
/** Annex B. */
const startCode = Buffer.from([0, 0, 0, 1])
/** Octets that hold the two numbers at the head of any slice. */
const MAX_HEAD = 6

export function createH264Receiver(): VideoReceiver {
  let hasSps = false
  let hasPps = false
  let profile: string | undefined

  /** Decoding can start with an IDR picture whose parameter sets came with it or before. */
  function finish(packets: readonly VideoPacket[]): CodedPicture | undefined {
    const units = unitsOf(packets)
    if (units === undefined) return undefined
    for (const unit of units) {
      const type = typeOf(unit)
      if (type === PPS) hasPps = true
      if (type !== SPS || unit.length < 4) continue
      hasSps = true
      profile = unit.subarray(1, 4).toString('hex')
    }
    return {
      data: Buffer.concat(units.flatMap((unit) => [startCode, unit])),
      isStart: hasSps && hasPps && units.some((unit) => typeOf(unit) === IDR),
      isBidirectional: units.some(isBSlice),
    }
  }

  return { ...createReassembly(startsUnit, finish), profileLevelId: () => profile }
}

/**
 * Whether a NAL unit is a slice of the kind B (H.264 section 7.4.3: `slice_type` 1 or 6), which stands behind
 * `first_mb_in_slice`. Partition A of a slice begins as a whole one.
 */
function isBSlice(unit: Buffer): boolean {
  const type = typeOf(unit)
  if (type !== SLICE && type !== PARTITION_A) return false
  // No byte that keeps start codes out can stand so early: there are too few macroblocks for so many zeros.
  const bits = [...unit.subarray(1, 1 + MAX_HEAD)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const [, behindFirst] = readNumber(bits, 0)
  const [sliceType] = readNumber(bits, behindFirst)
  return sliceType % 5 === 1
}

/** An Exp-Golomb number (section 9.1) and where it ends; NaN where there is none. */
function readNumber(bits: string, at: number): readonly [value: number, end: number] {
  const one = bits.indexOf('1', at)
  if (one < 0) return [NaN, bits.length]
  const end = 2 * one - at + 1
  return [Number.parseInt(bits.slice(one, end), 2) - 1, end]
}

/** True when this payload can be the first of an access unit: RFC 6184 marks only the end, so the start is read from the NAL unit. */
function startsUnit(payload: Buffer): boolean {
  const first = firstNal(payload)
  if (first === undefined) return false
  const type = typeOf(first)
  // A slice begins a picture when its first field, first_mb_in_slice, is 0: a single 1 bit (H.264 section 7.3.3).
  if (type >= SLICE && type <= IDR) return ((first[1] ?? 0) & 0x80) !== 0
  return type >= 6 && type <= 9
}

function firstNal(payload: Buffer): Buffer | undefined {
  const type = typeOf(payload)
  if (type === STAP_A) return payload.subarray(3)
  if (type !== FU_A) return payload
  const header = payload[1] ?? 0
  if ((header & 0x80) === 0) return undefined
  return Buffer.concat([Buffer.from([header & 0x1f]), payload.subarray(2, 4)])
}

/** The NAL units of an access unit, fragments joined; undefined when the payloads do not fit together. */
function unitsOf(packets: readonly VideoPacket[]): readonly Buffer[] | undefined {
  const units: Buffer[] = []
  let fragments: Buffer[] | undefined
  for (const { payload } of packets) {
    const type = typeOf(payload)
    if (type === FU_A) {
      const header = payload[1] ?? 0
      if ((header & 0x80) !== 0) fragments = [Buffer.from([((payload[0] ?? 0) & 0xe0) | (header & 0x1f)])]
      if (fragments === undefined) return undefined
      fragments.push(payload.subarray(2))
      if ((header & 0x40) === 0) continue
      units.push(Buffer.concat(fragments))
      fragments = undefined
      continue
    }
    if (fragments !== undefined) return undefined
    if (type !== STAP_A) {
      units.push(payload)
      continue
    }
    for (let at = 1; at < payload.length;) {
      const size = at + 2 <= payload.length ? payload.readUInt16BE(at) : 0
      if (size === 0 || at + 2 + size > payload.length) return undefined
      units.push(payload.subarray(at + 2, at + 2 + size))
      at += 2 + size
    }
  }
  return fragments === undefined ? units : undefined
}

const typeOf = (unit: Buffer): number => (unit[0] ?? 0) & 0x1f
