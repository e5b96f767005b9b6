import { expect, test } from '@jest/globals'
import { createVp8Receiver } from '../../src/simulator/vp8.ts'

const packet = (sequenceNumber: number, timestamp: number, marker: boolean, ...payload: readonly number[]) => ({
  sequenceNumber,
  timestamp,
  marker,
  payload: Buffer.from(payload),
})
/** Payload headers (RFC 7741 section 4.3): a key frame, and one that needs others. */
const [KEY, INTER] = [0x10, 0x11]

test.each([
  ['without an extension', [0x10]],
  ['with a short picture id', [0x90, 0x80, 0x12]],
  ['with a long picture id', [0x90, 0x80, 0x92, 0x34]],
  ['with picture id, TL0PICIDX and TID', [0x90, 0xe0, 0x92, 0x34, 0x01, 0x20]],
  ['with KEYIDX alone', [0x90, 0x10, 0x05]],
])('a key frame is where decoding starts, its descriptor %s', (_case, descriptor) => {
  const receiver = createVp8Receiver()
  const pictures = [INTER, KEY].flatMap((header, at) =>
    receiver.push(packet(at + 1, 90 * (at + 1), true, ...descriptor, header)),
  )
  expect(pictures).toEqual([
    { data: Buffer.from([INTER]), isStart: false, isBidirectional: false },
    { data: Buffer.from([KEY]), isStart: true, isBidirectional: false },
  ])
  expect([receiver.frames(), receiver.lost()]).toEqual([2, 0])
})

test('a picture is complete from its first packet to its marker, in any order', () => {
  const receiver = createVp8Receiver()
  const parts = [
    packet(65_535, 90, false, 0x10, KEY),
    packet(0, 90, false, 0x00, 1, 2),
    packet(1, 90, true, 0x01, 3, 4),
  ]
  const [whole, ...more] = [parts[2]!, parts[0]!, parts[1]!].flatMap((part) => receiver.push(part))
  expect([whole?.data.toString('hex'), more]).toEqual([Buffer.from([KEY, 1, 2, 3, 4]).toString('hex'), []])
  // Its first packet is missing: nothing that follows makes it whole.
  expect(receiver.push(packet(3, 180, true, 0x00, 1))).toEqual([])
  for (let later = 0; later < 4; later += 1) receiver.push(packet(10 + later, 270 + later * 90, false, 0x10, INTER))
  expect([receiver.frames(), receiver.lost()]).toEqual([1, 1])
})
