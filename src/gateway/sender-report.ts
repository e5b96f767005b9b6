/** RTCP sender reports, by which a viewer keeps sound and picture together (RFC 3550 section 6.4.1). */
import {
  RtcpSenderInfo,
  RtcpSourceDescriptionPacket,
  RtcpSrPacket,
  SourceDescriptionChunk,
  SourceDescriptionItem,
  type RTCDtlsTransport,
} from 'werift'

/** What is said of one stream. */
export interface SenderReport {
  readonly ssrc: number
  /** The name that the streams of one source share. */
  readonly cname: string
  /** When the media of `rtpTimestamp` was captured, epoch milliseconds. */
  readonly at: number
  readonly rtpTimestamp: number
  /** Packets and bytes of payload so far; they wrap around. */
  readonly packetCount: number
  readonly octetCount: number
}

/** Between 1 January 1900, where NTP begins, and the Unix epoch (RFC 5905 figure 4). */
const ntpOffsetSeconds = 2_208_988_800
/** The item CNAME (RFC 3550 section 6.5). */
const cnameType = 1

/** Sends a report with its source description. Never rejects: a report that cannot be sent is a lost one. */
export async function sendReport(transport: Pick<RTCDtlsTransport, 'sendRtcp'>, report: SenderReport): Promise<void> {
  const { ssrc, cname, at, rtpTimestamp, packetCount, octetCount } = report
  const senderInfo = new RtcpSenderInfo({
    ntpTimestamp: toNtp(at),
    rtpTimestamp,
    packetCount: packetCount >>> 0,
    octetCount: octetCount >>> 0,
  })
  const items = [new SourceDescriptionItem({ type: cnameType, text: cname })]
  const packets = [
    new RtcpSrPacket({ ssrc, senderInfo }),
    new RtcpSourceDescriptionPacket({ chunks: [new SourceDescriptionChunk({ source: ssrc, items })] }),
  ]
  await transport.sendRtcp(packets).catch(() => undefined)
}

function toNtp(epochMs: number): bigint {
  const seconds = Math.floor(epochMs / 1_000)
  const fraction = Math.floor(((epochMs - seconds * 1_000) / 1_000) * 2 ** 32)
  return (BigInt(seconds + ntpOffsetSeconds) << 32n) | BigInt(fraction)
}
