/** H.264 as RTP wants it: access units cut to packetization-mode 1 payloads, and the profile read from the SPS. */
import { H264Packetizer, H264RtpPayload, parseAvcDecoderConfigurationRecord, splitH264NalUnits } from 'werift'
import type { VideoUnit } from './media.ts'

/** Octets of a payload: with the RTP header, the SRTP tag and a TURN channel's header a packet stays at 1200. */
const maxPayload = 1_160

const nalTypes = { idr: 5, sps: 7, pps: 8, fuA: 28 } as const

/** The codec's configuration as a container or an SDP hands it over. */
export interface ParameterSets {
  /** Absent for Annex B. */
  readonly lengthSize?: number
  /** SPS and PPS without start codes; empty when the stream carries them itself. */
  readonly sets: readonly Buffer[]
}

/** Reads FFmpeg's `extradata`: an `avcC` record (ISO 14496-15), Annex B, or nothing. */
export function readParameterSets(extradata: Buffer | null): ParameterSets {
  if (!extradata || extradata.length < 7) return { sets: [] }
  if (extradata[0] === 1) {
    const record = parseAvcDecoderConfigurationRecord(extradata)
    return { lengthSize: record.naluLengthSize, sets: record.parameterSets }
  }
  const sets = splitH264NalUnits(extradata, undefined, 'annexb')
  return { sets: sets.filter((nal) => isType(nal, nalTypes.sps) || isType(nal, nalTypes.pps)) }
}

/** `profile-level-id` of the first SPS among the NAL units: profile_idc, the constraint flags, level_idc (RFC 6184 section 8.1). */
export function profileLevelId(nals: readonly Buffer[]): string | undefined {
  const sps = nals.find((nal) => isType(nal, nalTypes.sps))
  return sps && sps.length >= 4 ? sps.toString('hex', 1, 4) : undefined
}

/** Cuts access units; puts SPS and PPS before an IDR picture that comes without them. */
export function createPacketizer({ lengthSize, sets }: ParameterSets): (sample: Buffer, at: number) => VideoUnit {
  const packetizer = new H264Packetizer({
    maxPayloadSize: maxPayload,
    inputFormat: lengthSize === undefined ? 'annexb' : 'length-prefixed',
    ...(lengthSize === undefined ? {} : { naluLengthSize: lengthSize }),
    parameterSets: [...sets],
  })
  return (sample, at) => {
    // Only the payloads are kept: each viewer numbers and stamps its own packets.
    const payloads = packetizer.packetize(sample, 0).map((packet) => packet.payload)
    return { at, payloads, isKey: payloads.some(startsIdr) }
  }
}

/** The access unit as a decoder wants it: NAL units behind start codes. */
export function annexB({ payloads }: VideoUnit): Buffer {
  const units: Buffer[] = []
  let fragment: Buffer | undefined
  for (const payload of payloads) {
    const read = H264RtpPayload.deSerialize(payload, fragment)
    fragment = read.fragment
    if (read.payload !== undefined) units.push(read.payload)
  }
  return Buffer.concat(units)
}

const isType = (nal: Buffer, type: number): boolean => ((nal[0] ?? 0) & 0x1f) === type

/** Whether a payload holds an IDR slice or its first fragment. */
function startsIdr(payload: Buffer): boolean {
  return isType(payload, nalTypes.idr) || (isType(payload, nalTypes.fuA) && ((payload[1] ?? 0) & 0x1f) === nalTypes.idr)
}
