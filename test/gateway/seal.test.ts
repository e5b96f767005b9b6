/** Sealed packets: the RFC's own, those of werift's slower way, and what a receiver reads. */
import { describe, expect, test } from '@jest/globals'
import { RtpHeader, RtpPacket, SrtpSession } from 'werift'
import { createSeal } from '../../src/gateway/seal.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const bytes = (length: number, first: number) => Buffer.from(Array.from({ length }, (_, index) => first + index))
const headerOf = (index: number) =>
  new RtpHeader({ sequenceNumber: index & 0xffff, timestamp: 0xf000_0000, ssrc: 0xfedc_ba98, payloadType: 102 })

test('AEAD_AES_128_GCM seals the packet of RFC 7714 section 16.1.1', () => {
  const seal = createSeal({
    profile: 7,
    srtpSessionKey: hex('000102030405060708090a0b0c0d0e0f'),
    srtpSessionSalt: hex('517569642070726f2071756f'),
    srtpSessionAuthTag: Buffer.alloc(0),
  })
  const header = hex('8040f17b 8041f8d3 5501a0b2')
  const payload = hex('47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573')
  expect(seal(header, payload, 0xf17b).toString('hex')).toBe(
    hex(
      '8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf' +
        '8833899d 7f27beb1 6a9152cf 765ee439 0cce',
    ).toString('hex'),
  )
})

describe.each([
  ['AEAD_AES_128_GCM', 7, 12],
  ['AES128_CM_HMAC_SHA1_80', 1, 14],
] as const)('%s', (_name, profile, saltLength) => {
  const [key, salt] = [bytes(16, 1), bytes(saltLength, 200)]
  const keys = { localMasterKey: key, localMasterSalt: salt, remoteMasterKey: key, remoteMasterSalt: salt }

  test('seals as werift does, and it reads it, also after the numbers began again', () => {
    const session = new SrtpSession({ keys, profile })
    const seal = createSeal(session.localContext)
    for (let index = 30_000; index < 3 * 0x1_0000; index += 9_973) {
      const header = headerOf(index)
      const payload = bytes(index % 50, index % 100)
      const sealed = seal(header.serialize(header.serializeSize), payload, index)
      expect(sealed).toEqual(session.encrypt(payload, header))
      expect(RtpPacket.deSerialize(session.decrypt(sealed)).payload).toEqual(payload)
    }
  })

  test('a packet that is sent again is the same, and one of another stream is another', () => {
    const seal = createSeal(new SrtpSession({ keys, profile }).localContext)
    const header = headerOf(7).serialize(12)
    const other = Buffer.from(header)
    other.writeUInt32BE(1, 8)
    const sealed = [header, other, header].map((each) => seal(each, Buffer.from('media'), 7))
    expect(sealed[2]).toEqual(sealed[0])
    expect(sealed[1]!.subarray(12)).not.toEqual(sealed[0]!.subarray(12))
  })
})
