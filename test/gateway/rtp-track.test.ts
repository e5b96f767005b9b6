/** Numbers, times and markers of an outgoing stream, what is repeated of it, and what its reports say. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { RtpPacket } from 'werift'
import { createRtpTrack, type RtpTrackOptions, type StreamInfo } from '../../src/gateway/rtp-track.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

const stream = { ssrc: 0xfedc_ba98, payloadType: 102, mid: { id: 4, value: 'video0' } }
const repair = { ...stream, ssrc: 7, payloadType: 103 }

/** A track whose packets are not sealed, but keep their index. */
function createTrack(options: Partial<RtpTrackOptions> = {}) {
  const sent: { readonly packet: RtpPacket; readonly index: number }[] = []
  const reports: StreamInfo[] = []
  const taken = Promise.withResolvers<void>()
  let index = 0
  const track = createRtpTrack({
    kind: 'video',
    clockRate: 90_000,
    stream,
    seal: (header, payload, given) => {
      index = given
      return Buffer.concat([header, payload])
    },
    transmit(packet) {
      sent.push({ packet: RtpPacket.deSerialize(packet), index })
      return taken.promise
    },
    report: (info) => void reports.push(info),
    ...options,
  })
  return { track, sent, reports, settle: taken.resolve, headers: () => sent.map(({ packet }) => packet.header) }
}

const named = (count: number, name = 'a') => Array.from({ length: count }, (_, index) => Buffer.from(`${name}${index}`))

test('a picture is one timestamp, its last packet marked, and numbers go on', () => {
  const { track, headers } = createTrack()
  track.send(named(2), 1_000)
  track.send(named(1), 1_050)
  const [first, second, third] = headers()
  expect([first!.marker, second!.marker, third!.marker]).toEqual([false, true, true])
  expect(third!.sequenceNumber - first!.sequenceNumber).toBe(2)
  expect(second!.timestamp).toBe(first!.timestamp)
  expect((third!.timestamp - first!.timestamp) >>> 0).toBe(4_500)
  expect(headers().every(({ ssrc, payloadType }) => ssrc === stream.ssrc && payloadType === 102)).toBe(true)
  expect(track.sent()).toBe(3)
})

test('of sound the first packet is marked, and no other', () => {
  const { track, headers } = createTrack({ kind: 'audio', clockRate: 48_000 })
  for (const at of [0, 20, 40]) track.send(named(1), at)
  expect(headers().map(({ marker }) => marker)).toEqual([true, false, false])
  expect((headers()[2]!.timestamp - headers()[0]!.timestamp) >>> 0).toBe(1_920)
})

test.each([
  ['one byte', { id: 4, value: 'video0' }],
  ['one byte, the longest', { id: 14, value: 'a-name-of-16-let' }],
  ['two bytes for the id', { id: 15, value: '0' }],
  ['two bytes for the length', { id: 1, value: 'a-name-of-seventeen' }],
])('each packet names its section of the SDP, with an element head of %s', (_name, mid) => {
  const { track, headers, sent } = createTrack({ stream: { ...stream, mid } })
  track.send([Buffer.from('media')], 0)
  expect(headers()[0]!.extensions).toEqual([{ id: mid.id, payload: Buffer.from(mid.value) }])
  expect(sent[0]!.packet.payload.toString()).toBe('media')
})

test('without the extension the payload follows the fixed header', () => {
  const { track, headers, sent } = createTrack({ stream: { ssrc: 1, payloadType: 0 } })
  track.send([Buffer.from('media')], 0)
  expect(headers()[0]).toMatchObject({ extension: false, payloadType: 0 })
  expect(sent[0]!.packet.payload.toString()).toBe('media')
})

test('the index that a packet is sealed with counts on when its number begins again', async () => {
  const { track, sent, settle } = createTrack()
  settle()
  while (track.sent() < 70_000) {
    track.send(named(16), track.sent())
    jest.advanceTimersByTime(5)
    await Promise.resolve()
  }
  const indices = sent.map(({ index }) => index)
  expect(indices[0]).toBeLessThan(0x8000)
  expect(indices).toEqual(indices.map((_, position) => indices[0]! + position))
  expect(sent.filter(({ packet, index }) => packet.header.sequenceNumber !== (index & 0xffff))).toEqual([])
})

test('reports come with the first packet and each second, and say what was sent until then', () => {
  const { track, reports, headers } = createTrack()
  for (const at of [5_000, 5_500, 5_999, 6_000, 6_500]) track.send(named(2), at)
  expect(reports.map(({ at, packetCount, octetCount }) => [at, packetCount, octetCount])).toEqual([
    [5_000, 1, 2],
    [6_000, 7, 14],
  ])
  expect(reports[1]!.rtpTimestamp).toBe(headers()[6]!.timestamp)
})

test('a lost packet is repeated on the stream for that, behind its number', () => {
  const { track, sent, headers } = createTrack({ repair })
  track.send(named(3), 0)
  const lost = headers()[1]!
  track.repeat([lost.sequenceNumber])
  track.send(named(1), 0)
  track.repeat([headers()[2]!.sequenceNumber])
  const [again, more] = [sent[3]!.packet, sent[5]!.packet]
  expect(again.header).toMatchObject({ ssrc: 7, payloadType: 103, marker: false, timestamp: lost.timestamp })
  expect(again.payload.readUInt16BE()).toBe(lost.sequenceNumber)
  expect(again.payload.subarray(2).toString()).toBe('a1')
  expect(again.header.extensions).toEqual([{ id: 4, payload: Buffer.from('video0') }])
  expect(more.header.sequenceNumber - again.header.sequenceNumber).toBe(1)
  expect(track.sent()).toBe(4)
})

test('where there is no such stream it is sent as it was', () => {
  const { track, sent } = createTrack()
  track.send(named(3), 0)
  track.repeat([sent[1]!.packet.header.sequenceNumber])
  expect(sent[3]).toEqual(sent[1])
  expect(track.sent()).toBe(3)
})

test('one that is asked for again while it is on its way is not sent a third time, and later it is', () => {
  const { track, sent } = createTrack()
  track.send(named(1), 0)
  const { sequenceNumber } = sent[0]!.packet.header
  track.repeat([sequenceNumber, sequenceNumber])
  jest.advanceTimersByTime(10)
  track.repeat([sequenceNumber])
  expect(sent).toHaveLength(2)
  jest.advanceTimersByTime(10)
  track.repeat([sequenceNumber])
  expect(sent).toHaveLength(3)
})

test('what was never sent, or is too old, is not repeated', async () => {
  const { track, sent, settle } = createTrack()
  settle()
  for (let count = 0; count < 600; count += 1) {
    track.send(named(1), count)
    jest.advanceTimersByTime(5)
    await Promise.resolve()
  }
  const first = sent[0]!.packet.header.sequenceNumber
  track.repeat([first, (first + 600) & 0xffff, (first + 0x8000) & 0xffff, 0])
  expect(sent).toHaveLength(600)
  track.repeat([first + 599])
  expect(sent).toHaveLength(601)
})

test('a viewer that takes nothing is sent nothing more until it does', async () => {
  const { track, sent, settle } = createTrack()
  expect(track.send(named(401), 0)).toBe(true)
  jest.advanceTimersByTime(200)
  expect(track.send(named(1), 50)).toBe(false)
  expect(sent).toHaveLength(401)
  settle()
  await Promise.resolve()
  await Promise.resolve()
  expect(track.send(named(1), 100)).toBe(true)
  expect(sent).toHaveLength(402)
})
