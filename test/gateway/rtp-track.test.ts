/** Numbers, times and markers of an outgoing stream, and the sender report that keeps sound and picture together. */
import { expect, test } from '@jest/globals'
import { RTCRtpSender, type RtpPacket } from 'werift'
import { createRtpTrack } from '../../src/gateway/rtp-track.ts'

function createSender() {
  const sender = new RTCRtpSender('video')
  const packets: RtpPacket[] = []
  const taken = Promise.withResolvers<void>()
  sender.sendRtp = (packet) => {
    packets.push(packet as RtpPacket)
    return taken.promise
  }
  return { sender, packets, settle: taken.resolve }
}

test('a picture is one timestamp, its last packet marked, and numbers go on', () => {
  const { sender, packets } = createSender()
  const track = createRtpTrack(sender, 90_000, 'video')
  track.send([Buffer.from('a'), Buffer.from('b')], 1_000)
  track.send([Buffer.from('c')], 1_050)
  const [first, second, third] = packets.map(({ header }) => header)
  expect([first!.marker, second!.marker, third!.marker]).toEqual([false, true, true])
  expect((third!.sequenceNumber - first!.sequenceNumber) & 0xffff).toBe(2)
  expect(second!.timestamp).toBe(first!.timestamp)
  expect((third!.timestamp - first!.timestamp) >>> 0).toBe(4_500)
  expect(track.sent()).toBe(3)
})

test('the sender report says in NTP when the last picture was taken, to the millisecond', () => {
  const { sender } = createSender()
  createRtpTrack(sender, 90_000, 'video').send([Buffer.from('a')], 1_795_000_000_250)
  // What werift itself would write there is without effect.
  Reflect.set(sender, 'ntpTimestamp', 1n)
  const ntp = BigInt(String(Reflect.get(sender, 'ntpTimestamp')))
  expect(ntp >> 32n).toBe(BigInt(1_795_000_000 + 2_208_988_800))
  expect(Number(ntp & 0xffff_ffffn) / 2 ** 32).toBeCloseTo(0.25, 6)
})

test('a viewer that takes nothing is sent nothing more until it does', async () => {
  const { sender, packets, settle } = createSender()
  const track = createRtpTrack(sender, 90_000, 'video')
  const picture = Array.from({ length: 401 }, () => Buffer.from('a'))
  expect(track.send(picture, 0)).toBe(true)
  expect(track.send([Buffer.from('b')], 50)).toBe(false)
  expect(packets).toHaveLength(401)
  settle()
  await Promise.resolve()
  await Promise.resolve()
  expect(track.send([Buffer.from('c')], 100)).toBe(true)
})
