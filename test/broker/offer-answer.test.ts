/** Offers as cameras get them and answers as displays get them. */
import { describe, expect, test } from '@jest/globals'
import { parse } from 'sdp-transform'
import { BridgeError } from '../../src/core/errors.ts'
import { readAnswer } from '../../src/bridge/broker/agreement.ts'
import { composeAnswer, readTrickled } from '../../src/bridge/broker/answer.ts'
import { offerForCamera, readOffer } from '../../src/bridge/broker/offer.ts'
import type { AnswerRules } from '../../src/bridge/broker/rules.ts'
import {
  chromiumAnswer,
  chromiumOffer,
  cSdkAnswer,
  echoOffer,
  echoRules,
  hostCandidate,
  hubRules,
  reflexiveCandidate,
  relayCandidate,
} from './fixtures.ts'

const answerTo = (offer: string, answer: string, candidates: readonly string[] = [], rules = echoRules): string =>
  composeAnswer(
    readAnswer(readOffer(offer), answer, rules),
    candidates.flatMap((candidate) => readTrickled({ candidate, sdpMid: '0', sdpMLineIndex: 0 }) ?? []),
    rules,
  )

const toCamera = (offer: string, rules: AnswerRules = hubRules): string => offerForCamera(readOffer(offer), rules)

/** What KVS carries, in base64 characters. */
const payload = (sdp: string): number => Buffer.from(JSON.stringify({ type: 'offer', sdp })).toString('base64').length

const codeOf = (act: () => unknown): string => {
  try {
    act()
  } catch (thrown) {
    if (thrown instanceof BridgeError) return thrown.code
    throw thrown
  }
  return 'nothing thrown'
}

describe('an offer, as the camera gets it', () => {
  const forCamera = toCamera(echoOffer)

  test('promises trickle, so that a C SDK camera answers at once', () => {
    expect(forCamera).toContain('\r\na=ice-options:trickle\r\n')
  })

  test('keeps sections, mids, payload types and credentials, and spells out static payload types and the H264 mode, not its profile', () => {
    const { media } = parse(forCamera)
    expect(media.map(({ type, mid, payloads }) => [type, mid, `${payloads}`])).toEqual([
      ['audio', 'audio0', '96 0 8'],
      ['video', 'video0', '99'],
    ])
    expect(forCamera).toContain('a=rtpmap:0 PCMU/8000\r\n')
    expect(forCamera).toContain('a=rtpmap:8 PCMA/8000\r\n')
    expect(forCamera).toContain('a=fmtp:99 level-asymmetry-allowed=1;packetization-mode=1\r\n')
    for (const section of media)
      expect([section.iceUfrag, section.icePwd, section.setup]).toEqual(['x9Qk', 'bHk3R0pZc1hLQm9xVnQwZA', 'actpass'])
  })

  test('has the candidates of component 1, each once for a section, those for TCP too: where UDP is blocked nothing else works', () => {
    for (const section of parse(forCamera).media) {
      const places = section.candidates?.map(({ component, transport, port }) => [component, transport, port].join(' '))
      expect(places).toEqual(expect.arrayContaining(['1 udp 54320', '1 tcp 54321']))
      expect(places?.every((place) => place.startsWith('1 '))).toBe(true)
      expect(new Set(places).size).toBe(places?.length)
    }
  })

  test('from Chromium is pruned to what a camera can use, well inside the 10,000 base64 characters of KVS', () => {
    const pruned = toCamera(chromiumOffer)
    expect(payload(chromiumOffer)).toBeGreaterThan(8_000)
    expect(payload(pruned)).toBeLessThan(6_000)
    const names = parse(pruned).media.flatMap(({ rtp }) => rtp.map(({ codec }) => codec.toUpperCase()))
    expect(new Set(names)).toEqual(new Set(['VP8', 'H264', 'RTX', 'OPUS', 'PCMU', 'PCMA']))
    expect(pruned).toContain('urn:ietf:params:rtp-hdrext:sdes:mid')
    expect(pruned).not.toContain('video-timing')
  })

  test('with every trick of amplification stays small', () => {
    const formats = Array.from({ length: 64 }, (_, payload) => 64 + (payload % 64)).join(' ')
    const maps = Array.from({ length: 64 }, (_, payload) => `a=rtpmap:${64 + payload} H264/90000\n`).join('')
    const feedback = Array.from({ length: 400 }, (_, index) => `a=rtcp-fb:* nack ${index}\n`).join('')
    const hostile = echoOffer.replace(
      /m=video[\s\S]*?a=mid:video0\n/,
      (video) => `${video.replace(' 99\n', ` ${formats}\n`)}${maps}${feedback}`,
    )
    expect(toCamera(hostile).length).toBeLessThan(80_000)
  })

  test('leaves what it prunes out of the bundle, and says when the display is ICE-lite', () => {
    const withText = `${chromiumOffer.replace('BUNDLE 0 1', 'BUNDLE 0 1 2').replace('a=msid-semantic', 'a=ice-lite\r\na=msid-semantic')}m=text 9 UDP/TLS/RTP/SAVPF 120\r\na=mid:2\r\na=ice-ufrag:uT94\r\na=ice-pwd:XEzeQMf46l2KBgUu0yMhy4yV\r\na=fingerprint:${/a=fingerprint:(.*)\r/.exec(chromiumOffer)![1]}\r\na=rtpmap:120 t140/1000\r\n`
    const pruned = toCamera(withText)
    expect(pruned).toContain('a=group:BUNDLE 0 1\r\n')
    expect(pruned).toContain('m=text 0 ')
    expect(pruned).toContain('\r\na=ice-lite\r\n')
  })

  test('can be read again and comes out the same', () => {
    expect(toCamera(forCamera)).toBe(forCamera)
    const pruned = toCamera(chromiumOffer)
    expect(toCamera(pruned)).toBe(pruned)
  })

  test.each([
    ['no ICE credentials', echoOffer.replaceAll(/a=ice-(ufrag|pwd).*\n/g, '')],
    ['no fingerprint', echoOffer.replaceAll(/a=fingerprint.*\n/g, '')],
    [
      'neither audio nor video',
      'v=0\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=ice-ufrag:u\na=ice-pwd:p\na=fingerprint:sha-256 A\n',
    ],
  ])('is refused with %s', (_, offer) => {
    expect(codeOf(() => readOffer(offer))).toBe('invalid_request')
  })
})

describe('an answer, as an Echo gets it', () => {
  const answer = answerTo(echoOffer, cSdkAnswer, [
    hostCandidate,
    reflexiveCandidate,
    relayCandidate,
    reflexiveCandidate,
  ])
  const { media, groups } = parse(answer)

  test('has the offer’s sections, mids and payload types in the offer’s order', () => {
    expect(groups).toEqual([{ type: 'BUNDLE', mids: 'audio0 video0' }])
    expect(media.map(({ type, mid, payloads, protocol }) => [type, mid, `${payloads}`, protocol])).toEqual([
      ['audio', 'audio0', '96', 'UDP/TLS/RTP/SAVPF'],
      ['video', 'video0', '99', 'UDP/TLS/RTP/SAVPF'],
    ])
  })

  test('sends video one way and sound both ways', () => {
    expect(media.map(({ direction }) => direction)).toEqual(['sendrecv', 'sendonly'])
    expect(
      parse(answerTo(echoOffer, cSdkAnswer, [], { ...echoRules, talkBack: false })).media.map(
        ({ direction }) => direction,
      ),
    ).toEqual(['sendonly', 'sendonly'])
  })

  test('has every IPv4 candidate in every section, once, and is complete', () => {
    for (const section of media) {
      expect(section.candidates?.map(({ ip, type }) => `${type} ${ip}`)).toEqual([
        'host 192.0.2.2',
        'host 192.0.2.9',
        'srflx 203.0.113.9',
        'relay 203.0.113.77',
      ])
      expect(section.endOfCandidates).toBe('end-of-candidates')
      expect([section.port, section.connection?.ip]).toEqual([50_002, '203.0.113.77'])
    }
    expect(answer).not.toContain('ice-options')
  })

  test('is active, with the camera’s fingerprint and credentials in every section', () => {
    for (const section of media) {
      expect([section.setup, section.iceUfrag, section.icePwd]).toEqual(['active', 'aBcD', '0123456789abcdefghijklmn'])
      expect(section.fingerprint?.hash).toMatch(/^AA:BB/)
    }
  })

  test('has only feedback that was offered', () => {
    expect(media[1]!.rtcpFb?.map(({ type, subtype }) => [type, subtype].join(' ').trim())).toEqual(['nack', 'nack pli'])
    expect(media[0]!.rtcpFb).toBeUndefined()
  })

  test('ends every line with CRLF', () => {
    expect(answer.endsWith('\r\n')).toBe(true)
    expect(answer.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  })
})

describe('an answer, as a Nest Hub gets it', () => {
  test('fits a receive-only offer and keeps IPv6', () => {
    const v6 = 'candidate:5 1 udp 99 2001:db8::5 5000 typ host'
    const { media } = parse(answerTo(chromiumOffer, chromiumAnswer, [hostCandidate, v6], hubRules))
    expect(media.map(({ type, direction, payloads }) => [type, direction, `${payloads}`])).toEqual([
      ['video', 'sendonly', '108'],
      ['audio', 'sendrecv', '111'],
    ])
    expect(media[0]!.candidates?.map(({ ip }) => ip)).toEqual(['192.0.2.9', '2001:db8::5'])
    expect(media[0]!.rtcpFb?.map(({ type }) => type)).toEqual(['nack'])
  })

  test('a camera without a speaker answers sendonly, and so do we', () => {
    const mute = chromiumAnswer.replace('a=sendrecv', 'a=sendonly')
    expect(parse(answerTo(chromiumOffer, mute, [], hubRules)).media[1]!.direction).toBe('sendonly')
  })
})

describe('mending what cameras answer', () => {
  test('a rejected or missing section keeps its place with port 0', () => {
    const videoOnly =
      cSdkAnswer.slice(0, cSdkAnswer.indexOf('m=audio')) + cSdkAnswer.slice(cSdkAnswer.indexOf('m=video'))
    const { media, groups } = parse(answerTo(echoOffer, videoOnly, [hostCandidate]))
    expect(media.map(({ type, port, direction }) => [type, port, direction])).toEqual([
      ['audio', 0, 'inactive'],
      ['video', 54_289, 'sendonly'],
    ])
    expect(groups).toEqual([{ type: 'BUNDLE', mids: 'video0' }])
  })

  test('sections without mids are matched by place', () => {
    const bare = cSdkAnswer.replaceAll(/a=mid:.*\n/g, '').replaceAll(/a=group.*\n/g, '')
    expect(parse(answerTo(echoOffer, bare)).media.map(({ mid, port }) => [mid, port !== 0])).toEqual([
      ['audio0', true],
      ['video0', true],
    ])
  })

  test('credentials that only the first section has serve them all', () => {
    const at = cSdkAnswer.indexOf('m=video')
    const lean =
      cSdkAnswer.slice(0, at) + cSdkAnswer.slice(at).replaceAll(/a=(ice-ufrag|ice-pwd|fingerprint|setup).*\n/g, '')
    for (const section of parse(answerTo(echoOffer, lean)).media)
      expect([section.iceUfrag, section.setup]).toEqual(['aBcD', 'active'])
  })

  test('a section outside the bundle gets the candidates of the transport it shares', () => {
    const offer = echoOffer.replace('BUNDLE audio0 video0', 'BUNDLE video0')
    const { media, groups } = parse(
      answerTo(offer, cSdkAnswer.replace('BUNDLE audio0 video0', 'BUNDLE video0'), [relayCandidate]),
    )
    for (const section of media) expect(section.candidates?.map(({ type }) => type)).toEqual(['host', 'relay'])
    expect(groups).toEqual([{ type: 'BUNDLE', mids: 'video0' }])
  })

  test('a camera that names no bundle has none, whatever its credentials look like', () => {
    const answer = chromiumAnswer.replace('a=group:BUNDLE 0 1\r\n', '')
    expect(parse(answerTo(chromiumOffer, answer, [hostCandidate], hubRules)).groups).toBeUndefined()
  })

  test('rtcp-mux stands in every section that was offered it', () => {
    for (const section of parse(answerTo(echoOffer, cSdkAnswer.replaceAll('a=rtcp-mux\n', ''))).media)
      expect(section.rtcpMux).toBe('rtcp-mux')
  })

  test('H.264 without parameters gets those it was offered with', () => {
    expect(answerTo(echoOffer, cSdkAnswer.replace(/a=fmtp:99.*\n/, ''))).toMatch(/a=fmtp:99 .*packetization-mode=1/)
  })

  test('setup actpass, which no answer may say, becomes active', () => {
    expect(answerTo(echoOffer, cSdkAnswer.replaceAll('setup:active', 'setup:actpass'))).not.toContain('actpass')
  })

  test.each([
    ['not SDP', 'nonsense', 'camera_garbled'],
    ['no ICE credentials', cSdkAnswer.replaceAll(/a=ice-.*\n/g, ''), 'camera_garbled'],
    ['no fingerprint', cSdkAnswer.replaceAll(/a=fingerprint.*\n/g, ''), 'camera_garbled'],
    ['other codecs', cSdkAnswer.replaceAll('opus/48000/2', 'L16/44100').replaceAll('H264', 'H265'), 'no_common_codec'],
    ['other payload types', cSdkAnswer.replaceAll(/\b99\b/g, '120').replaceAll(/\b96\b/g, '121'), 'no_common_codec'],
    ['everything rejected', cSdkAnswer.replaceAll(/^m=(\w+) 9/gm, 'm=$1 0'), 'no_common_codec'],
  ])('an answer with %s', (_, answer, code) => {
    expect(codeOf(() => answerTo(echoOffer, answer))).toBe(code)
  })
})
