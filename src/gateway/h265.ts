/** H.265 for displays that play it: what its parameter sets say, and access units cut to payloads (RFC 7798). */
import { createBitReader, withoutEscapes, type BitReader } from './sps.ts'

/** Octets of a payload, as of H.264. */
const maxPayload = 1_160

/** NAL unit types (ITU-T H.265 table 7-1, RFC 7798 section 4.4). */
const types = { vps: 32, pps: 34, delimiter: 35, aggregation: 48, fragment: 49 } as const

/** What an SDP names of a stream (RFC 7798 section 7.1). */
export interface H265Format {
  /** 1 is Main, 2 is Main 10. */
  readonly profileId: number
  readonly tierFlag: number
  /** 30 times the level: 93 is 3.1. */
  readonly levelId: number
}

export const h265Type = (nal: Buffer): number => ((nal[0] ?? 0) >> 1) & 0x3f

export const isH265Set = (nal: Buffer): boolean => h265Type(nal) >= types.vps && h265Type(nal) <= types.pps

/**
 * What a stream with this SPS can be offered as: Main or Main 10 in 4:2:0, sent in the order in which it is shown. `undefined` for
 * any other, which no display plays, and for what cannot be read.
 */
export function readH265Format(sps: Buffer): H265Format | undefined {
  try {
    return read(createBitReader(withoutEscapes(sps.subarray(2, 512))))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** ITU-T H.265 section 7.3.2.2.1. */
function read(bits: BitReader): H265Format | undefined {
  bits.u(4) // sps_video_parameter_set_id
  const subLayers = bits.u(3)
  bits.u(1)
  const profileSpace = bits.u(2)
  const tierFlag = bits.u(1)
  const profileId = bits.u(5)
  bits.u(32) // general_profile_compatibility_flag
  bits.u(48) // source, constraint and reserved flags
  const levelId = bits.u(8)
  skipSubLayers(bits, subLayers)
  bits.ue() // sps_seq_parameter_set_id
  const chromaFormat = bits.ue()
  if (chromaFormat === 3) bits.u(1)
  bits.ue() // width
  bits.ue() // height
  if (bits.u(1)) for (let side = 0; side < 4; side += 1) bits.ue()
  bits.ue() // bit depths: bounded by the profile
  bits.ue()
  bits.ue() // log2_max_pic_order_cnt_lsb_minus4
  let reordered = 0
  for (let layer = bits.u(1) ? 0 : subLayers; layer <= subLayers; layer += 1) {
    bits.ue() // sps_max_dec_pic_buffering_minus1
    reordered = bits.ue()
    bits.ue() // sps_max_latency_increase_plus1
  }
  const isPlayed = profileSpace === 0 && (profileId === 1 || profileId === 2) && chromaFormat === 1 && reordered === 0
  return isPlayed ? { profileId, tierFlag, levelId } : undefined
}

/** Profiles and levels of the sub-layers (section 7.3.3). */
function skipSubLayers(bits: BitReader, count: number): void {
  const present = Array.from({ length: count }, () => [bits.u(1), bits.u(1)] as const)
  if (count > 0) for (let layer = count; layer < 8; layer += 1) bits.u(2)
  for (const [hasProfile, hasLevel] of present) {
    if (hasProfile) bits.u(88)
    if (hasLevel) bits.u(8)
  }
}

/** The payloads of one access unit, in order: its parameter sets together, if they fit, and each other unit by itself. */
export function packetizeH265(nals: readonly Buffer[]): readonly Buffer[] {
  const sets = nals.filter(isH265Set)
  const others = nals.filter((nal) => !isH265Set(nal) && h265Type(nal) !== types.delimiter)
  const together = aggregate(sets)
  return [
    ...(sets.length > 1 && together.length <= maxPayload ? [together] : sets.flatMap(cut)),
    ...others.flatMap(cut),
  ]
}

/** Section 4.4.2; parameter sets are of layer 0 and sub-layer 0. */
function aggregate(nals: readonly Buffer[]): Buffer {
  const parts = nals.flatMap((nal) => [Buffer.of(nal.length >> 8, nal.length & 0xff), nal])
  return Buffer.concat([Buffer.of(types.aggregation << 1, 1), ...parts])
}

/** Section 4.4.3: each fragment repeats the header with another type, and says where it belongs. */
function cut(nal: Buffer): readonly Buffer[] {
  if (nal.length <= maxPayload) return [nal]
  const head = [((nal[0] ?? 0) & 0x81) | (types.fragment << 1), nal[1] ?? 0]
  const size = maxPayload - 3
  const pieces: Buffer[] = []
  for (let at = 2; at < nal.length; at += size) {
    const place = (at === 2 ? 0x80 : 0) | (at + size >= nal.length ? 0x40 : 0)
    pieces.push(Buffer.concat([Buffer.of(...head, place | h265Type(nal)), nal.subarray(at, at + size)]))
  }
  return pieces
}
