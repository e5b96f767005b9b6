/** What patches/werift changes in SRTP: replayed packets, and the rollover count of packets that are repeated or late. */
import { describe, expect, test } from '@jest/globals'
import { RtcpPacketConverter, RtcpRrPacket, RtpHeader, RtpPacket, SrtcpSession, SrtpSession } from 'werift'

const profiles = [
  ['AEAD_AES_128_GCM', 7, 12],
  ['AES128_CM_HMAC_SHA1_80', 1, 14],
] as const

const bytes = (length: number, first: number) => Buffer.from(Array.from({ length }, (_, index) => first + index))

function sessions(profile: 1 | 7, saltLength: number) {
  const keys = {
    localMasterKey: bytes(16, 1),
    localMasterSalt: bytes(saltLength, 40),
    remoteMasterKey: bytes(16, 80),
    remoteMasterSalt: bytes(saltLength, 120),
  }
  const turned = {
    localMasterKey: keys.remoteMasterKey,
    localMasterSalt: keys.remoteMasterSalt,
    remoteMasterKey: keys.localMasterKey,
    remoteMasterSalt: keys.localMasterSalt,
  }
  const sender = new SrtpSession({ keys, profile })
  const receiver = new SrtpSession({ keys: turned, profile })
  return {
    seal: (sequenceNumber: number, ssrc = 7) =>
      sender.encrypt(
        Buffer.from(`packet ${sequenceNumber}`),
        new RtpHeader({ sequenceNumber: sequenceNumber & 0xffff, ssrc }),
      ),
    open: (packet: Buffer) => RtpPacket.deSerialize(receiver.decrypt(packet)).payload.toString(),
    reports: { sender: new SrtcpSession({ keys, profile }), receiver: new SrtcpSession({ keys: turned, profile }) },
  }
}

describe.each(profiles)('%s', (_name, profile, saltLength) => {
  test('a packet counts once, in whatever order they come', () => {
    const { seal, open } = sessions(profile, saltLength)
    const packets = Array.from({ length: 60 }, (_, index) => seal(1_000 + index))
    const shuffled = packets.toSorted((one, other) => one.at(-1)! - other.at(-1)!)
    expect(shuffled.map(open).toSorted()).toEqual(packets.map((_, index) => `packet ${1_000 + index}`).toSorted())
    for (const packet of packets) expect(() => open(packet)).toThrow('replayed packet')
  })

  test('one that is too old to say is refused, and one of another stream is not', () => {
    const { seal, open } = sessions(profile, saltLength)
    const old = seal(10)
    for (let index = 11; index < 1_200; index += 1) open(seal(index))
    expect(() => open(old)).toThrow('replayed packet')
    expect(open(seal(10, 8))).toBe('packet 10')
  })

  test('a forged one does not move the window', () => {
    const { seal, open } = sessions(profile, saltLength)
    open(seal(100))
    const forged = Buffer.from(seal(30_000, 9))
    forged.writeUInt32BE(7, 8)
    expect(() => open(forged)).toThrow('authenticate')
    expect(open(seal(101))).toBe('packet 101')
  })

  test('the numbers begin again and again, also where packets are repeated or late', () => {
    const { seal, open } = sessions(profile, saltLength)
    let late: Buffer | undefined
    for (let number = 65_000; number < 3 * 65_536; number += 97) {
      const packet = seal(number)
      // Each fifth comes after the next one, and is sealed a second time, as for a display that asked for it.
      if (number % 5 === 0) {
        late = seal(number)
        expect(late.equals(packet)).toBe(true)
        continue
      }
      expect(open(packet)).toBe(`packet ${number}`)
      if (late) expect(open(late)).toBe(`packet ${number - 97}`)
      late = undefined
    }
  })

  test('a report counts once', () => {
    const { reports } = sessions(profile, saltLength)
    const report = new RtcpRrPacket({ ssrc: 7 }).serialize()
    const sealed = [reports.sender.encrypt(report), reports.sender.encrypt(report)]
    for (const packet of sealed.toReversed()) {
      expect(RtcpPacketConverter.deSerialize(reports.receiver.decrypt(packet))).toHaveLength(1)
    }
    for (const packet of sealed) expect(() => reports.receiver.decrypt(packet)).toThrow('replayed packet')
  })
})
