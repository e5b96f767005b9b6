/** What patches/werift changes for packets that are made to hurt: they are dropped, and what comes after them is read as before. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  RTCDataChannel,
  RTCDataChannelParameters,
  RTCSctpTransport,
  RtcpPacketConverter,
  RtcpSourceDescriptionPacket,
  RtpPacket,
  SrtpSession,
  crc32c,
  type RTCDtlsTransport,
} from 'werift'
import { createPair, type Pair } from './wire.ts'

/** 12 octets of header with the X bit, then what follows. */
const rtp = (rest: string) => Buffer.concat([Buffer.from('906000010000000100000007', 'hex'), Buffer.from(rest, 'hex')])

describe('the header extension of an RTP packet', () => {
  test.each([
    ['in the one-byte form', `bedeffff${'11'.repeat(40)}`],
    ['in the two-byte form', `1000ffff${'0101'.repeat(20)}`],
    ['of any other kind', `abcdffff${'00'.repeat(40)}`],
  ])('%s that says it is longer than the packet is refused before any of it is read', (_name, rest) => {
    expect(() => RtpPacket.deSerialize(rtp(rest))).toThrow('does not end within the packet')
    const keys = {
      localMasterKey: Buffer.alloc(16),
      localMasterSalt: Buffer.alloc(12),
      remoteMasterKey: Buffer.alloc(16),
      remoteMasterSalt: Buffer.alloc(12),
    }
    const session = new SrtpSession({ keys, profile: 7 })
    expect(() => session.decrypt(rtp(rest))).toThrow('Failed to authenticate')
  })

  test.each([
    ['ends its elements with id 15', 'bede0001f0000000', []],
    ['has an element that says it is longer than the extension', 'bede00011faabbcc', ['aabbcc']],
    ['has such an element in the two-byte form', '1000000101ffaabb', ['aabb']],
  ])('one that %s ends where it says', (_name, extension, elements) => {
    const { header, payload } = RtpPacket.deSerialize(rtp(`${extension}70617964`))
    expect(header.extensions.map((each) => each.payload.toString('hex'))).toEqual(elements)
    expect(payload.toString()).toBe('payd')
  })
})

test('each packet of a compound RTCP packet ends where it says', () => {
  const compound = Buffer.from('81ca00020000000101016100 81ca00020000000201016200'.replace(' ', ''), 'hex')
  const sources = RtcpPacketConverter.deSerialize(compound).map((packet) =>
    packet instanceof RtcpSourceDescriptionPacket ? packet.chunks.map(({ source }) => source) : undefined,
  )
  expect(sources).toEqual([[1], [2]])
})

describe('DTLS', () => {
  test.each([
    ['bytes that are no record', Buffer.from('1603')],
    ['a record that lacks its last byte', Buffer.from('16fefd0000000000000063000200', 'hex')],
    [
      'a fragment that lacks what it says it has',
      Buffer.from('16fefd0000000000000063000e0b000020000100000000002000aa', 'hex'),
    ],
  ])('good records are read in spite of %s behind them', async (_name, bad) => {
    const pair = await createPair((_from, datagram) => [Buffer.concat([datagram, bad])])
    await pair.connect()
    expect([pair.client.state, pair.server.state]).toEqual(['connected', 'connected'])
    await pair.close()
  })
})

/** A packet with the right checksum. */
function sctp(tag: number, chunks: string): Buffer {
  const packet = Buffer.concat([Buffer.from('1388138800000000', 'hex'), Buffer.alloc(4), Buffer.from(chunks, 'hex')])
  packet.writeUInt32BE(tag, 4)
  packet.writeUInt32LE(crc32c(packet), 8)
  return packet
}

function openSctp(dtls: RTCDtlsTransport): RTCSctpTransport {
  const made = new RTCSctpTransport()
  made.setDtlsTransport(dtls)
  return made
}

describe('SCTP', () => {
  let pair: Pair
  let far: RTCSctpTransport
  let channel: RTCDataChannel
  /** What each packet to the far end begins with, but for the first one (RFC 9260 section 3.1). */
  let tag = 0
  let deliver: (packet: Buffer) => void

  beforeAll(async () => {
    pair = await createPair()
    await pair.connect()
    const { connection } = pair.client.iceTransport
    Object.assign(connection, { iceControlling: true, remoteUsername: 'far', remotePassword: 'password' })
    const near = openSctp(pair.client)
    far = openSctp(pair.server)
    deliver = pair.server.dataReceiver
    pair.server.dataReceiver = (packet) => {
      tag = packet.readUInt32BE(4)
      deliver(packet)
    }
    await far.start(5_000)
    channel = new RTCDataChannel(near, new RTCDataChannelParameters({ label: 'transom-playback' }))
    const opened = far.onDataChannel.asPromise()
    await near.start(5_000)
    await opened
  })
  afterAll(() => pair.close())

  test.each<[string, (tag: number) => Buffer]>([
    ['a packet without a header', () => Buffer.alloc(3)],
    ['a wrong checksum', (tag) => sctp(tag, '00000010').fill(7, 8)],
    ['a chunk of the length 0', (tag) => sctp(tag, '06000000'.repeat(3))],
    ['a chunk that ends behind the packet', (tag) => sctp(tag, '0003ffff00000001')],
    ['a parameter of the length 0', (tag) => sctp(tag, '0400000c0001000000010000')],
    ['an unknown chunk', (tag) => sctp(tag, '3f000004')],
    [
      'acknowledgements of all that could be sent',
      (tag) => sctp(tag, `0300fa0c${'00'.repeat(8)}3e7f0000${'0001ffff'.repeat(15_999)}`),
    ],
    ['a channel that is opened with nothing', (tag) => sctp(tag, '00030011ffffffff0000000000000032030000')],
  ])('%s is dropped, and a message after it is heard', async (_name, make) => {
    deliver(make(tag))
    const [there] = Object.values(far.dataChannels)
    const heard = there?.onMessage.asPromise()
    channel.send('after')
    expect(await heard).toEqual(['after'])
  })
})
