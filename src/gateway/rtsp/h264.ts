/** H.264 out of RTP (RFC 6184): single NAL units, STAP-A and FU-A, as packetization-mode 1 has them. */
import { createNalDepacketizer, readParameterSets, type Depacketizer, type NalForm } from './nal-units.ts'

export const nalType = (nal: Buffer): number => (nal[0] ?? 0) & 0x1f

export const h264: NalForm = {
  headerBytes: 1,
  aggregation: 24,
  fragment: 28,
  typeOf: nalType,
  isPicture: (type) => type >= 1 && type <= 5,
  isParameterSet: (type) => type === 7 || type === 8,
  isPrefix: (type) => type === 6 || type === 9,
  headerOf: (payload) => Buffer.of((payload.readUInt8(0) & 0xe0) | (payload.readUInt8(1) & 0x1f)),
}

export const createH264Depacketizer = (): Depacketizer => createNalDepacketizer(h264)

/** The parameter sets that an SDP gives (RFC 6184 section 8.1). */
export const readSprop = (sprop: string | undefined): Buffer[] => readParameterSets(sprop, h264)
