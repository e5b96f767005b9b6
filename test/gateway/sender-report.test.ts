/** What a display reads in a sender report. */
import { expect, test } from '@jest/globals'
import { RtcpSourceDescriptionPacket, RtcpSrPacket, type RTCDtlsTransport, type RtcpPacket } from 'werift'
import { sendReport } from '../../src/gateway/sender-report.ts'

const report = {
  ssrc: 7,
  cname: 'front-door',
  at: 1_795_000_000_250,
  rtpTimestamp: 90_000,
  packetCount: 2 ** 32 + 3,
  octetCount: 2 ** 32 + 300,
}

test('is the time of the media in NTP to the millisecond, and whose it is', async () => {
  const sent: RtcpPacket[] = []
  const transport: Pick<RTCDtlsTransport, 'sendRtcp'> = {
    sendRtcp: async (packets) => void sent.push(...packets),
  }
  await sendReport(transport, report)
  const [said, described] = sent
  if (!(said instanceof RtcpSrPacket) || !(described instanceof RtcpSourceDescriptionPacket)) throw new Error('others')
  expect(said).toMatchObject({ ssrc: 7, senderInfo: { rtpTimestamp: 90_000, packetCount: 3, octetCount: 300 } })
  const { ntpTimestamp } = said.senderInfo
  expect(ntpTimestamp >> 32n).toBe(BigInt(1_795_000_000 + 2_208_988_800))
  expect(Number(ntpTimestamp & 0xffff_ffffn) / 2 ** 32).toBeCloseTo(0.25, 6)
  expect(described.chunks).toMatchObject([{ source: 7, items: [{ type: 1, text: 'front-door' }] }])
})

test('that cannot be sent is a lost one', async () => {
  await sendReport({ sendRtcp: () => Promise.reject(new Error('closed')) }, report)
})
