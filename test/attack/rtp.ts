/** Attacks on what a camera or a viewer sends as media: RTP, RTCP, SRTP, the packets of each codec, and parameter sets. */
import { RtcpPacketConverter, RtpHeader, SrtcpSession, SrtpSession } from 'werift'
import { readH265Format } from '../../src/gateway/h265.ts'
import { createAacDepacketizer } from '../../src/gateway/rtsp/aac.ts'
import { createH264Depacketizer } from '../../src/gateway/rtsp/h264.ts'
import { createH265Depacketizer } from '../../src/gateway/rtsp/h265.ts'
import { createJpegDepacketizer } from '../../src/gateway/rtsp/jpeg.ts'
import { createReceiver } from '../../src/gateway/rtsp/receiver.ts'
import { readSenderReport, writePacket, writeReceiverReport, type Packet } from '../../src/gateway/rtsp/rtp.ts'
import { isBSlice, readSps } from '../../src/gateway/sps.ts'
import type { Parser } from './parsers.ts'

const octets = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex').toString('latin1')
const bytes = (input: string) => Buffer.from(input, 'latin1')

/** Payloads of one picture or frame, in order, each with its depacketizer. */
const codecs: readonly {
  readonly name: string
  readonly create: () => (packet: Packet, isAfterGap: boolean) => readonly unknown[]
  /** The last one stands for itself: whatever came before, it is a whole picture. */
  readonly payloads: readonly string[]
}[] = [
  {
    name: 'H.264',
    create: createH264Depacketizer,
    payloads: ['6742c01e', '7800046742c01e000468ce3c80', '7c85 8884aabb', '7c05 ccdd', '7c45 eeff', '65888400aabbcc'],
  },
  {
    name: 'H.265',
    create: createH265Depacketizer,
    payloads: [
      '42010101600000',
      '60010004420101010003440177',
      '6201 93 afaa',
      '6201 13 bb',
      '6201 53 cc',
      '2601afaabbcc',
    ],
  },
  {
    name: 'JPEG',
    create: createJpegDepacketizer,
    payloads: [
      `00000000 01ff0201 00000080 ${'10'.repeat(128)} aabb`,
      '00000002 01320201 ccdd',
      '00000000 41320201 0004ffff aa',
      '00000000 01320201 aabbccdd',
    ],
  },
  {
    name: 'AAC',
    create: () => createAacDepacketizer({ sizeLength: 13, indexLength: 3, indexDeltaLength: 3, config: undefined }),
    payloads: ['0020 0010 0018 aabb ccddee', '0010 1000 aabbccdd', '0010 0018 aabbcc'],
  },
]

const packetOf = (payload: string, sequenceNumber: number, ssrc: number) =>
  writePacket(
    { payloadType: 96, marker: true, sequenceNumber, timestamp: sequenceNumber * 3_000, ssrc },
    bytes(octets(payload)),
  )

/** Packets of a sender that has begun anew are read after whatever came before. */
const depacketizers: readonly Parser[] = codecs.map(({ name, create, payloads }) => ({
  name: `${name} in RTP`,
  isBinary: true,
  samples: payloads.map((payload, index) => packetOf(payload, 10 + index, 7).toString('latin1')),
  read(input) {
    const receiver = createReceiver(96)
    const depacketize = create()
    const take = (data: Buffer) =>
      receiver.receive(data).flatMap(({ packet, isAfterGap }) => depacketize(packet, isAfterGap))
    for (const [index, payload] of payloads.slice(0, -1).entries()) take(packetOf(payload, 9 + index, 7))
    take(bytes(input))
    receiver.report(1_000)
    const last = payloads.at(-1) ?? ''
    take(packetOf(last, 40_000, 8))
    if (take(packetOf(last, 40_001, 8)).length !== 1) throw new TypeError('a whole picture after it is not read')
  },
}))

const keys = {
  localMasterKey: Buffer.alloc(16, 1),
  localMasterSalt: Buffer.alloc(12, 2),
  remoteMasterKey: Buffer.alloc(16, 1),
  remoteMasterSalt: Buffer.alloc(12, 2),
}
const rtp = new SrtpSession({ keys, profile: 7 })
const rtcp = new SrtcpSession({ keys, profile: 7 })
let sequenceNumber = 0

/** Refuses with an error of its own, which whoever calls it expects. */
function refusable(read: () => unknown): void {
  try {
    read()
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError) throw error
  }
}

const report = writeReceiverReport(9, {
  ssrc: 7,
  fractionLost: 1,
  lost: 1,
  highestSequence: 5,
  lastReport: 1,
  sinceReport: 1,
})

export const rtpParsers: readonly Parser[] = [
  ...depacketizers,
  {
    name: 'RTCP',
    isBinary: true,
    samples: [
      report.toString('latin1'),
      // A sender report, a NACK, a PLI, an FIR, a REMB, transport-wide feedback, a BYE.
      octets('80c80006 00000007 e9000000 80000000 00000001 00000002 00000003'),
      octets('81cd0003 00000001 00000007 00050003'),
      octets('81ce0002 00000001 00000007'),
      octets('84ce0004 00000001 00000000 00000007 01000000'),
      octets('8fce0005 00000001 00000000 52454d42 01040000 00000007'),
      octets('8fcd0005 00000001 00000007 00010003 00000101 2003 040404 000000'),
      octets('81cb0001 00000007'),
    ],
    read(input) {
      readSenderReport(bytes(input))
      RtcpPacketConverter.deSerialize(Buffer.concat([bytes(input), Buffer.alloc(-input.length & 3)]))
    },
  },
  {
    name: 'SRTP',
    isBinary: true,
    samples: [
      rtp.encrypt(Buffer.from('media'), new RtpHeader({ ssrc: 7 })).toString('latin1'),
      octets(`90600001 00000001 00000007 bede0002 10aa21bbcc000000 ${'ab'.repeat(30)}`),
      octets(`90600001 00000001 00000007 10000002 0101aa0202bbcc00 ${'ab'.repeat(30)}`),
      octets(`83600001 00000001 00000007 000000010000000200000003 ${'ab'.repeat(30)}`),
      rtcp.encrypt(report).toString('latin1'),
    ],
    read(input) {
      refusable(() => rtp.decrypt(bytes(input)))
      refusable(() => rtcp.decrypt(bytes(input)))
      sequenceNumber = (sequenceNumber + 1) & 0xffff
      rtp.decrypt(rtp.encrypt(Buffer.from('after'), new RtpHeader({ ssrc: 9, sequenceNumber })))
    },
  },
  {
    name: 'parameter set',
    isBinary: true,
    samples: [
      octets('6742c01eda0280bfe5c05a8080'),
      octets('67640028acd940780227e5c05a808080a0000003002000000781e30632c0'),
      octets('42010101600000030090000003000003005da00280802d1f'),
      octets('01e0'),
    ],
    read(input) {
      const sps = readSps(bytes(input))
      if (sps && !(sps.width > 0 && sps.height > 0)) throw new TypeError('a picture without a size')
      readH265Format(bytes(input))
      isBSlice(bytes(input))
    },
  },
]
