/** H.265 out of RTP (RFC 7798): single NAL units, aggregation packets and fragmentation units, in decoding order. */
import { createNalDepacketizer, readParameterSets, type Depacketizer, type NalForm } from './nal-units.ts'

const nalType = (nal: Buffer): number => ((nal[0] ?? 0) >> 1) & 0x3f

const h265: NalForm = {
  headerBytes: 2,
  aggregation: 48,
  fragment: 49,
  typeOf: nalType,
  isPicture: (type) => type < 32,
  isParameterSet: (type) => type >= 32 && type <= 34,
  isPrefix: (type) => type === 35 || type === 39,
  // The type of the fragmented unit takes the place of that of the fragment (section 4.4.3).
  headerOf: (payload) =>
    Buffer.of((payload.readUInt8(0) & 0x81) | ((payload.readUInt8(2) & 0x3f) << 1), payload.readUInt8(1)),
}

export const createH265Depacketizer = (): Depacketizer => createNalDepacketizer(h265)

/** The parameter sets that an SDP gives (section 7.1): VPS, SPS and PPS. */
export function readH265Sets(parameters: ReadonlyMap<string, string>): Buffer[] {
  return ['sprop-vps', 'sprop-sps', 'sprop-pps'].flatMap((name) => readParameterSets(parameters.get(name), h265))
}

/** It holds a picture at which decoding can begin: IDR, BLA or CRA (ITU-T H.265 table 7-1). */
export const startsH265 = (nals: readonly Buffer[]): boolean =>
  nals.some((nal) => nalType(nal) >= 16 && nalType(nal) <= 21)
