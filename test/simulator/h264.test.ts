/** H.264 out of RTP: complete pictures, loss, order, and what the SPS says. */

import { describe, expect, test } from '@jest/globals'
import { createH264Receiver } from '../../src/simulator/h264.ts'
import type { VideoPacket } from '../../src/simulator/reassembly.ts'
import { fragments, together } from './film.ts'

const slice = Buffer.from([0x41, 0x88, 1, 2, 3])

/** SPS and PPS in one packet, then a slice of a key frame in three fragments. */
function keyFrame(profileLevelId: string): readonly Buffer[] {
  const sps = Buffer.from(`67${profileLevelId}da014016e8`, 'hex')
  const idr = Buffer.concat([Buffer.from([0x65, 0x88]), Buffer.alloc(2400, 0x5a)])
  return [together([sps, Buffer.from('68ce3c80', 'hex')]), ...fragments(idr, 1000)]
}

/** Packets of access units, numbered on from `first`. */
function stream(units: readonly (readonly Buffer[])[], first = 65_533): VideoPacket[] {
  return units
    .flatMap((payloads, unit) =>
      payloads.map((payload, at) => ({ payload, timestamp: unit * 3000, marker: at === payloads.length - 1 })),
    )
    .map((packet, at) => ({ ...packet, sequenceNumber: (first + at) & 0xffff }))
}

function receive(packets: readonly VideoPacket[]) {
  const receiver = createH264Receiver()
  const pictures = packets.map((packet) => receiver.push(packet))
  const starts = pictures.map((whole) => whole.some(({ isStart }) => isStart))
  return { receiver, starts, pictures: pictures.flat() }
}

describe('the H.264 receiver', () => {
  test('finds the first picture to start from, and counts all complete ones', () => {
    const { receiver, starts } = receive(stream([[slice], keyFrame('42e01f'), [slice]]))
    expect(starts).toEqual([false, false, false, false, true, false])
    expect(receiver.frames()).toBe(3)
    expect(receiver.profileLevelId()).toBe('42e01f')
  })

  test('takes SPS and PPS in packets of their own', () => {
    const sps = Buffer.from([0x67, 0x4d, 0x40, 0x28, 1])
    const { receiver, starts } = receive(stream([[sps, Buffer.from([0x68, 1]), Buffer.from([0x65, 0x88, 1])]]))
    expect(starts.at(-1)).toBe(true)
    expect(receiver.profileLevelId()).toBe('4d4028')
  })

  test('does not start from a key frame without its parameter sets', () => {
    const { starts } = receive(stream([[Buffer.from([0x65, 0x88, 1])]]))
    expect(starts).toEqual([false])
  })

  test('does not start from a key frame whose parameter sets were lost', () => {
    const { starts } = receive(stream([keyFrame('42e01f'), [slice]]).slice(1))
    expect(starts).not.toContain(true)
  })

  test.each([1, 2, 3])('does not count a picture whose packet %i is missing', (missing) => {
    const packets = stream([keyFrame('42e01f'), [slice], [slice]])
    const { receiver, starts } = receive(packets.filter((_, at) => at !== missing))
    expect(receiver.frames()).toBe(2)
    expect(starts).not.toContain(true)
  })

  test('puts packets in order, also over the wrap of the sequence number', () => {
    const packets = stream([keyFrame('42e01f'), [slice]])
    const { receiver } = receive([2, 0, 3, 4, 1].flatMap((at) => packets[at] ?? []))
    expect(receiver.frames()).toBe(2)
  })

  test('gives pictures out in decoding order, each as a decoder wants it', () => {
    const numbered = [1, 2, 3].map((number) => [Buffer.from([0x41, 0x88, number])])
    const packets = stream([[slice], ...numbered])
    // A packet of padding takes a number, and holds up nothing.
    const padded = [...packets, { ...packets[0]!, payload: Buffer.alloc(0), sequenceNumber: 1 }]
    const after = { ...packets[0]!, payload: Buffer.from([0x41, 0x88, 4]), timestamp: 15_000, sequenceNumber: 2 }
    const { pictures } = receive([0, 3, 2, 1, 4].map((at) => padded[at]!).concat(after))
    expect(pictures.map(({ data }) => data.toString('hex'))).toEqual(
      ['4188010203', '418801', '418802', '418803', '418804'].map((unit) => `00000001${unit}`),
    )
  })

  test('goes on after a picture that never became whole', () => {
    const packets = stream(Array.from({ length: 9 }, (_, number) => [Buffer.from([0x41, 0x88, number])]))
    const { pictures } = receive(packets.filter((_, at) => at !== 1))
    expect(pictures.map(({ data }) => data.at(-1))).toEqual([0, 2, 3, 4, 5, 6, 7, 8])
  })

  test.each([
    // nal_unit_type, then first_mb_in_slice and slice_type as Exp-Golomb numbers in the bits of what follows
    ['a P slice', '419a', false],
    ['a P slice, of which all are', '4198', false],
    ['a B slice', '019c', true],
    ['a B slice, of which all are', '019e', true],
    ['partition A of a B slice', '029e', true],
    ['a slice that ends in its head', '0180', false],
  ])('tells %s', (_name, hex, isBidirectional) => {
    const { pictures } = receive(stream([[Buffer.from(hex, 'hex')]]))
    expect(pictures.map((picture) => picture.isBidirectional)).toEqual([isBidirectional])
  })

  test('tells a B slice at the far end of the largest picture', () => {
    const { pictures } = receive(stream([[slice, Buffer.from('01000080001f', 'hex')]]))
    expect(pictures.map((picture) => picture.isBidirectional)).toEqual([true])
  })

  test('ignores duplicates', () => {
    const packets = stream([keyFrame('42e01f'), [slice]])
    const { receiver } = receive(packets.flatMap((packet) => [packet, packet]))
    expect(receiver.frames()).toBe(2)
  })

  test('gives up a picture when four newer ones have come', () => {
    const packets = stream([
      fragments(Buffer.concat([slice, Buffer.alloc(50)]), 20),
      [slice],
      [slice],
      [slice],
      [slice],
      [slice],
    ])
    const torn = packets.filter((_, at) => at !== 1)
    const { receiver } = receive([...torn.filter(({ timestamp }) => timestamp !== 0), ...torn])
    expect(receiver.frames()).toBe(5)
  })

  test.each(['', '18', '180005', '1800ff67', '1c', '1c85', '7c', '00'])('survives the payload %s', (hex) => {
    const { receiver } = receive([{ payload: Buffer.from(hex, 'hex'), sequenceNumber: 1, timestamp: 1, marker: true }])
    expect(receiver.profileLevelId()).toBeUndefined()
  })
})
