/** Offers that are larger than signaling carries: what is given up, in which order, and when an offer is refused. */
import { expect, test } from '@jest/globals'
import { parse } from 'sdp-transform'
import { offerForCamera, readOffer } from '../../src/bridge/broker/offer.ts'
import { maxPayload } from '../../src/core/ports.ts'
import { descriptionOf, type SectionOf } from './descriptions.ts'
import { chromiumOffer, echoOffer, hubRules } from './fixtures.ts'

const feedback = ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli', 'rrtr', 'ack ccfb']
const profiles = ['42001f', '42e01f', '4d001f', '64001f', '640c1f']
const extensions = [
  'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
]

/** A video section as a browser with every H.264 writes it, with this many candidates. */
function fullVideo(mid: string, candidates: number): SectionOf {
  const h264 = profiles.flatMap((profile) => ['1', '0'].map((mode) => ({ profile, mode })))
  const codecs: Record<number, string> = { 96: 'VP8/90000', 97: 'rtx/90000' }
  const lines = ['a=fmtp:97 apt=96']
  for (const [index, { profile, mode }] of h264.entries()) {
    const payload = 98 + 2 * index
    Object.assign(codecs, { [payload]: 'H264/90000', [payload + 1]: 'rtx/90000' })
    lines.push(`a=fmtp:${payload} level-asymmetry-allowed=1;packetization-mode=${mode};profile-level-id=${profile}`)
    lines.push(`a=fmtp:${payload + 1} apt=${payload}`)
  }
  for (const payload of [96, ...h264.map((_, index) => 98 + 2 * index)])
    lines.push(...feedback.map((one) => `a=rtcp-fb:${payload} ${one}`))
  return { mid, direction: 'recvonly', codecs, more: [...extensions, ...lines, ...candidateLines(candidates)] }
}

const candidateLines = (count: number): readonly string[] =>
  Array.from(
    { length: count },
    (_, index) => `a=candidate:${index} 1 udp 2122260223 192.0.2.${index % 250} ${50_000 + index} typ host`,
  )

const offerOf = (videos: number, candidates: number): string =>
  descriptionOf('actpass', [
    { kind: 'audio', mid: '0', direction: 'recvonly', more: candidateLines(candidates) },
    ...Array.from({ length: videos }, (_, index) => fullVideo(`${index + 1}`, candidates)),
  ])

const payload = (sdp: string): number => Buffer.from(JSON.stringify({ type: 'offer', sdp })).toString('base64').length

const shorten = (offer: string) => {
  const text = offerForCamera(readOffer(offer), { ...hubRules, needsPicture: true })
  expect(payload(text)).toBeLessThanOrEqual(maxPayload)
  const { media, groups } = parse(text)
  const video = media.find(({ type }) => type === 'video')!
  return {
    bundle: groups?.[0]?.mids,
    ports: media.map(({ port }) => port),
    candidates: media.map((section) => section.candidates?.length ?? 0),
    hasRepair: video.rtp.some(({ codec }) => codec === 'rtx'),
    hasExtensions: video.ext !== undefined,
    codecs: new Set(video.rtp.map(({ codec }) => codec)),
    formats: video.fmtp.length,
  }
}

test('what fits is not touched', () => {
  expect(shorten(chromiumOffer)).toMatchObject({ hasRepair: true, hasExtensions: true, ports: [9, 9] })
  expect(shorten(echoOffer).candidates).toEqual([3, 2])
})

test('candidates that every section of the bundle repeats are the first to go', () => {
  expect(shorten(offerOf(1, 27))).toMatchObject({ candidates: [27, 0], ports: [9, 9], hasRepair: true })
})

test('of two pictures the one stays that has H.264, and of two sounds both if one is for talking back', () => {
  const offer = descriptionOf('actpass', [
    { kind: 'audio', mid: '0', direction: 'recvonly' },
    { kind: 'audio', mid: '1', direction: 'sendonly' },
    { kind: 'audio', mid: '2', direction: 'recvonly' },
    { mid: '3', direction: 'recvonly', codecs: { 96: 'VP8/90000' } },
    fullVideo('4', 30),
    fullVideo('5', 30),
  ])
  expect(shorten(offer)).toMatchObject({ bundle: '0 1 4', ports: [9, 9, 0, 0, 9, 0] })
})

test('a second picture is rejected, the first keeps all that it has', () => {
  expect(shorten(offerOf(2, 3))).toMatchObject({
    bundle: '0 1',
    ports: [9, 9, 0],
    hasRepair: true,
    hasExtensions: true,
  })
})

test('of two pictures the one that the display takes is kept', () => {
  const offer = offerOf(2, 3).replace('a=mid:1\r\na=recvonly', 'a=mid:1\r\na=sendonly')
  expect(shorten(offer)).toMatchObject({ bundle: '0 2', ports: [9, 0, 9] })
})

test('then retransmission and header extensions go', () => {
  expect(shorten(offerOf(2, 50))).toMatchObject({
    hasRepair: false,
    hasExtensions: false,
    codecs: new Set(['VP8', 'H264']),
  })
})

test('then all formats but those that cameras send', () => {
  expect(shorten(offerOf(1, 70))).toMatchObject({ codecs: new Set(['H264']), formats: 4, candidates: [70, 0] })
})

test('what is too large even then is refused with the numbers, and as no fault of the display', () => {
  expect(() => offerForCamera(readOffer(offerOf(1, 200)), hubRules)).toThrow(
    expect.objectContaining({
      code: 'offer_too_large',
      message: expect.stringMatching(/takes \d{5} base64 .* carries 10000$/),
    }),
  )
})
