/** H.264 out of RTP: complete pictures, loss, order, and what the SPS says. */

import { describe, expect, test } from '@jest/globals'
import { createH264Receiver } from '../../src/simulator/h264.ts'
import type { VideoPacket } from '../../src/simulator/reassembly.ts'
import { fragments, keyFrame } from './fake-camera.ts'

const slice = Buffer.from([0x41, 0x88, 1, 2, 3])

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
  const starts = packets.map((packet) => receiver.push(packet))
  return { receiver, starts }
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
