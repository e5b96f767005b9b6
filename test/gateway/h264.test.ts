/** Access units become RTP payloads (RFC 6184), and the profile is read from the SPS. */
import { describe, expect, test } from '@jest/globals'
import { createPacketizer, profileLevelId, readParameterSets } from '../../src/gateway/h264.ts'

const sps = Buffer.from('6742e01fda014016', 'hex')
const pps = Buffer.from('68ce3c80', 'hex')
const idr = (length: number) => Buffer.concat([Buffer.from([0x65]), Buffer.alloc(length - 1, 0xab)])
const slice = Buffer.from([0x41, 1, 2, 3])
const start = Buffer.from([0, 0, 0, 1])
const annexB = (...nals: Buffer[]) => Buffer.concat(nals.flatMap((nal) => [start, nal]))
const avcc = (...nals: Buffer[]) =>
  Buffer.concat(
    nals.flatMap((nal) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(nal.length)
      return [length, nal]
    }),
  )
const record = Buffer.concat([
  Buffer.from([1, 0x42, 0xe0, 0x1f, 0xff, 0xe1, 0, sps.length]),
  sps,
  Buffer.from([1, 0, pps.length]),
  pps,
])

/** What a receiver makes of the payloads. */
function assemble(payloads: readonly Buffer[]): Buffer[] {
  const nals: Buffer[] = []
  for (const payload of payloads) {
    const type = payload[0]! & 0x1f
    if (type === 24) {
      for (let at = 1; at < payload.length; at += 2 + payload.readUInt16BE(at)) {
        nals.push(payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at)))
      }
    } else if (type === 28) {
      const header = payload[1]!
      if (header & 0x80) nals.push(Buffer.from([(payload[0]! & 0xe0) | (header & 0x1f)]))
      nals.push(Buffer.concat([nals.pop()!, payload.subarray(2)]))
    } else nals.push(payload)
  }
  return nals
}

describe('an access unit', () => {
  test('of a key frame goes out as SPS, PPS and fragments that fit', () => {
    const unit = createPacketizer({ sets: [] })(annexB(sps, pps, idr(5_000)), 7)
    expect(unit).toMatchObject({ at: 7, isKey: true })
    expect(unit.payloads.every((payload) => payload.length <= 1_160)).toBe(true)
    expect(unit.payloads[0]![0]! & 0x1f).toBe(24)
    expect(assemble(unit.payloads)).toEqual([sps, pps, idr(5_000)])
  })

  test('of a few bytes goes out as it is, and is no key frame', () => {
    expect(createPacketizer({ sets: [sps, pps] })(annexB(slice), 0)).toEqual({ at: 0, isKey: false, payloads: [slice] })
  })

  test('of a key frame that lacks its parameters gets them, from AVCC too', () => {
    const unit = createPacketizer(readParameterSets(record))(avcc(idr(40)), 0)
    expect(assemble(unit.payloads)).toEqual([sps, pps, idr(40)])
  })
})

describe('the parameters', () => {
  test.each([
    ['an avcC record', record, { lengthSize: 4, sets: [sps, pps] }],
    ['Annex B', annexB(sps, pps), { sets: [sps, pps] }],
    ['nothing', null, { sets: [] }],
  ])('are read from %s', (_name, extradata, expected) => {
    expect(readParameterSets(extradata)).toEqual(expected)
  })

  test('name the profile', () => {
    expect(profileLevelId([pps, sps])).toBe('42e01f')
    expect(profileLevelId([pps])).toBeUndefined()
  })
})
