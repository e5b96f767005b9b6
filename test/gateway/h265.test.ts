/** H.265 is cut by the letter of RFC 7798, known by its parameter sets, and chosen only where the offer has room for it. */
import { beforeAll, describe, expect, test } from '@jest/globals'
import { h265Type, packetizeH265, readH265Format, type H265Format } from '../../src/gateway/h265.ts'
import { narrowOffer } from '../../src/gateway/offer.ts'
import { createH265Depacketizer } from '../../src/gateway/rtsp/h265.ts'
import { recordMoving, type Kind } from './rtsp/moving.ts'

/** The NAL units of each picture, as FFmpeg encoded them. */
async function nalsOf(kind: Kind): Promise<Buffer[][]> {
  const depacketize = createH265Depacketizer()
  const { pictures } = await recordMoving(kind, 3)
  return pictures.flatMap(({ timestamp, payloads }) =>
    payloads.flatMap((payload, index) =>
      depacketize(packetOf(payload, timestamp, index === payloads.length - 1), false).map(({ nals }) => [...nals]),
    ),
  )
}
const packetOf = (payload: Buffer, timestamp: number, marker: boolean) => ({
  payload,
  timestamp,
  marker,
  payloadType: 96,
  sequenceNumber: 0,
  ssrc: 1,
})

const spsOf = (pictures: Buffer[][]) => pictures.flat().find((nal) => h265Type(nal) === 33)!

const offer = (...formats: readonly string[]) =>
  [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=video 9 UDP/TLS/RTP/SAVPF 96 97 49 50',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=recvonly',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96',
    'a=rtpmap:49 H265/90000',
    ...formats.map((format) => `a=fmtp:49 ${format}`),
    'a=rtpmap:50 rtx/90000',
    'a=fmtp:50 apt=49',
    '',
  ].join('\r\n')
const main: H265Format = { profileId: 1, tierFlag: 0, levelId: 120 }
const chosen = (sdp: string, h265?: H265Format) => {
  const { video, sdp: narrowed } = narrowOffer(sdp, '42e01f', ['opus'], h265)
  return [video, /^m=video .*$/m.exec(narrowed)?.[0].split(' ').slice(3).join(' ')]
}

let plain: Buffer[][]
beforeAll(async () => {
  plain = await nalsOf('H.265')
})

describe('payloads', () => {
  test('carry the parameter sets together, and give the same units again', () => {
    const [key = []] = plain
    const payloads = packetizeH265(key)
    expect(h265Type(payloads[0]!)).toBe(48)
    expect(payloads[0]!.subarray(0, 2)).toEqual(Buffer.of(0x60, 1))
    const depacketize = createH265Depacketizer()
    const units = payloads.flatMap((payload, index) =>
      depacketize(packetOf(payload, 0, index === payloads.length - 1), false),
    )
    expect(units.map(({ nals }) => nals)).toEqual([key])
  })

  test('of a large unit are fragments that fit, whose header keeps layer and sub-layer', () => {
    const large = Buffer.concat([Buffer.of(0x26, 0x02), Buffer.alloc(5_000, 0xab)])
    const payloads = packetizeH265([large])
    expect(payloads.every(({ length }) => length <= 1_160)).toBe(true)
    expect(payloads.map((payload) => payload.subarray(0, 2))).toEqual(payloads.map(() => Buffer.of(0x62, 0x02)))
    expect(payloads.map((payload) => payload[2]! >> 6)).toEqual([2, 0, 0, 0, 1])
    expect(Buffer.concat(payloads.map((payload) => payload.subarray(3)))).toEqual(large.subarray(2))
    expect(payloads.every((payload) => (payload[2]! & 0x3f) === 19)).toBe(true)
  })

  test('leave out what only parts pictures, and large parameter sets are cut like other units', () => {
    const delimiter = Buffer.of(0x46, 1, 0x50)
    const sets = [0x40, 0x42, 0x44].map((head) => Buffer.concat([Buffer.of(head, 1), Buffer.alloc(600)]))
    const payloads = packetizeH265([delimiter, ...sets])
    expect(payloads.map(h265Type)).toEqual([32, 33, 34])
  })
})

describe('parameter sets', () => {
  test('of real pictures say profile, tier and level', () => {
    // Level 2 is what x265 names for 320 by 240.
    expect(readH265Format(spsOf(plain))).toEqual({ profileId: 1, tierFlag: 0, levelId: 60 })
  })

  test('of pictures with B-frames are of none that displays are sent', async () => {
    expect(readH265Format(spsOf(await nalsOf('H.265 with B-frames')))).toBeUndefined()
  })

  test('that end early are of none', () => {
    const sps = spsOf(plain)
    for (let length = 0; length < 24; length += 1) expect(readH265Format(sps.subarray(0, length))).toBeUndefined()
  })
})

describe('an offer', () => {
  test.each<[string, H265Format, readonly string[], 'h264' | 'h265']>([
    ['of a browser with a hardware decoder', main, ['level-id=180;profile-id=1;tier-flag=0;tx-mode=SRST'], 'h265'],
    ['of this very level', main, ['level-id=120;profile-id=1'], 'h265'],
    ['of a lower level that may be exceeded', main, ['level-id=93;max-recv-level-id=120'], 'h265'],
    ['of a lower level', main, ['level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST'], 'h264'],
    ['without parameters: Main at level 3.1', { ...main, levelId: 93 }, [], 'h265'],
    ['without parameters, for a higher level', main, [], 'h264'],
    ['of another profile', main, ['level-id=180;profile-id=2'], 'h264'],
    ['of Main alone, for Main 10', { ...main, profileId: 2 }, ['level-id=180;profile-id=1'], 'h264'],
    ['of Main 10, for that', { ...main, profileId: 2 }, ['level-id=180;profile-id=2'], 'h265'],
    ['of the main tier, for the high one', { ...main, tierFlag: 1 }, ['level-id=180;tier-flag=0'], 'h264'],
    ['of several streams', main, ['level-id=180;tx-mode=MRST'], 'h264'],
    ['of which the parameters stand in two lines', main, ['level-id=180', 'profile-id=1'], 'h265'],
  ])('%s', (_name, h265, formats, video) => {
    expect(chosen(offer(...formats), h265)).toEqual([video, video === 'h265' ? '49 50' : '96 97'])
  })

  test('is answered with the camera’s own level, and the tier that was offered', () => {
    const { sdp } = narrowOffer(offer('level-id=180;profile-id=1;tier-flag=1'), '42e01f', ['opus'], main)
    expect(sdp.match(/^a=fmtp:49 .*$/gm)).toEqual(['a=fmtp:49 level-id=120;profile-id=1;tier-flag=1;tx-mode=SRST'])
  })

  test('is answered with H.264 where the camera sends it, wherever the offer has H.265', () => {
    const h265First = offer('level-id=180').replace('SAVPF 96 97 49 50', 'SAVPF 49 50 96 97')
    for (const sdp of [offer('level-id=180'), h265First]) expect(chosen(sdp)).toEqual(['h264', '96 97'])
  })
})
