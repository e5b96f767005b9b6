/**
 * Keys reach node:crypto as KeyObjects: of a Buffer Node makes one for each packet, which costs more than sealing it (Node 24.18).
 * So it is looked at what arrives there, not at the time it takes.
 */
import * as crypto from 'node:crypto'
import { expect, jest, test } from '@jest/globals'

const seen: { readonly name: string; readonly key: unknown }[] = []
const watched = (name: 'createCipheriv' | 'createDecipheriv' | 'createHmac') =>
  new Proxy<Function>(crypto[name], {
    apply(target, self, values: readonly unknown[]) {
      seen.push({ name, key: values[1] })
      return Reflect.apply(target, self, values)
    },
  })
jest.unstable_mockModule('crypto', () => ({
  ...crypto,
  createCipheriv: watched('createCipheriv'),
  createDecipheriv: watched('createDecipheriv'),
  createHmac: watched('createHmac'),
}))
const { RtcpRrPacket, RtpHeader, SrtcpSession, SrtpSession } = await import('werift')

const bytes = (length: number, first: number) => Buffer.from(Array.from({ length }, (_, index) => first + index))

test.each([
  ['AEAD_AES_128_GCM', 7, 12, ['createCipheriv', 'createDecipheriv']],
  ['AES128_CM_HMAC_SHA1_80', 1, 14, ['createCipheriv', 'createDecipheriv', 'createHmac']],
] as const)('%s gives each packet a key that is ready', (_name, profile, saltLength, used) => {
  const keys = {
    localMasterKey: bytes(16, 1),
    localMasterSalt: bytes(saltLength, 40),
    remoteMasterKey: bytes(16, 1),
    remoteMasterSalt: bytes(saltLength, 40),
  }
  const [rtp, rtcp] = [new SrtpSession({ keys, profile }), new SrtcpSession({ keys, profile })]
  const report = new RtcpRrPacket({ ssrc: 7 }).serialize()
  // What the session keys are made with, once for each session, is not looked at.
  seen.length = 0
  for (let sequenceNumber = 1; sequenceNumber <= 3; sequenceNumber += 1) {
    const sealed = rtp.encrypt(Buffer.from('media'), new RtpHeader({ sequenceNumber, ssrc: 7 }))
    expect(rtp.decrypt(sealed).subarray(12).toString()).toBe('media')
    expect(rtcp.decrypt(rtcp.encrypt(report))).toEqual(report)
  }
  expect([...new Set(seen.map(({ name }) => name))].toSorted()).toEqual(used)
  expect(seen.filter(({ key }) => !(key instanceof crypto.KeyObject))).toEqual([])
})
