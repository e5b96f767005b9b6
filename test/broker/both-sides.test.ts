/** What is forgiven and what is refused: the same of an offer and of an answer, for one reader reads both. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parse } from 'sdp-transform'
import { readAnswer } from '../../src/bridge/broker/agreement.ts'
import { composeAnswer, readTrickled, type TrickledCandidate } from '../../src/bridge/broker/answer.ts'
import { offerForCamera, readOffer } from '../../src/bridge/broker/offer.ts'
import type { AnswerRules } from '../../src/bridge/broker/rules.ts'
import { parseSdp } from '../../src/bridge/broker/sdp.ts'
import { BridgeError } from '../../src/core/errors.ts'
import {
  descriptionOf,
  fingerprint,
  h264Usual,
  hostLine,
  plainAnswer,
  plainOffer,
  transport,
  type SectionOf,
} from './descriptions.ts'
import { chromiumAnswer, chromiumOffer, cSdkAnswer, echoOffer, hubRules } from './fixtures.ts'

const rules: AnswerRules = { ...hubRules, needsPicture: true }

/** As the camera gets the offer, and as the display gets the answer. */
const toCamera = (offer: string) => parse(offerForCamera(readOffer(offer), rules))
const toDisplay = (answer: string, offer = plainOffer(), trickled: readonly TrickledCandidate[] = []) =>
  parse(
    composeAnswer(
      readAnswer(readOffer(offer), answer, rules),
      trickled.flatMap((one) => readTrickled(one) ?? []),
      rules,
    ),
  )

const errorOf = (act: () => unknown): string => {
  try {
    act()
  } catch (thrown) {
    if (thrown instanceof BridgeError) return `${thrown.code}: ${thrown.message}`
    throw thrown
  }
  return 'nothing thrown'
}

type Change = (text: string) => string

const bare: Change = (text) =>
  text.replace(/m=video[^]*$/, (video) => video.replaceAll(/a=(ice-|fing|setup|rtcp-mux|cand).*\r\n/g, ''))

describe.each<[name: string, change: Change]>([
  ['as they are', (text) => text],
  ['a byte order mark', (text) => `\uFEFF${text}`],
  ['a blank line before it', (text) => `\r\n${text}`],
  ['bare LF', (text) => text.replaceAll('\r\n', '\n')],
  ['blanks at the ends of lines', (text) => text.replaceAll('\r\n', ' \r\n')],
  ['kinds in upper case', (text) => text.replaceAll('m=audio', 'm=AUDIO').replaceAll('m=video', 'm=Video')],
  [
    'attributes in upper case',
    (text) => text.replaceAll(/a=[a-z-]+/g, (name) => name.toUpperCase().replace('A=', 'a=')),
  ],
  [
    'a DTLS role in upper case',
    (text) => text.replaceAll(/setup:\w+/g, (role) => role.toUpperCase().replace('SETUP', 'setup')),
  ],
  ['a group in lower case', (text) => text.replaceAll('BUNDLE', 'bundle')],
  ['a fingerprint in lower case', (text) => text.replaceAll(fingerprint, fingerprint.toLowerCase())],
  ['a fingerprint whose hash is in upper case', (text) => text.replaceAll('sha-256', 'SHA-256')],
  ['codec names in other case', (text) => text.replaceAll('opus', 'OPUS').replaceAll('H264', 'h264')],
  ['Opus withoutMids its channels', (text) => text.replaceAll('opus/48000/2', 'opus/48000')],
  ['the transport in the tagged section only', bare],
  [
    'a section that is only to be bundled',
    (text) => bare(text).replace('m=video 9', 'm=video 0').replace('a=mid:1\r\n', 'a=mid:1\r\na=bundle-only\r\n'),
  ],
  [
    'the transport for the whole session',
    (text) =>
      text.replaceAll(/a=(ice-|fing|setup).*\r\n/g, '').replace(
        'a=group',
        `${transport(/setup:\w+/.exec(text)![0].slice(6))
          .slice(0, 4)
          .join('\r\n')}\r\na=group`,
      ),
  ],
  ['candidates in the last section only', (text) => text.replace(/a=candidate.*\r\n/, '')],
  [
    'candidates for the whole session',
    (text) => text.replaceAll(/a=candidate.*\r\n/g, '').replace('a=group', `${hostLine()}\r\na=group`),
  ],
  ['a password with =', (text) => text.replaceAll('uHgJ', 'uHgJ=')],
  ['a password with -, _ and #', (text) => text.replaceAll('uHgJ', 'uHgJ-_#').replaceAll('Qx7e', 'Qx7e_-')],
  ['a missing foundation', (text) => text.replaceAll('candidate:1 1', 'candidate: 1')],
  ['an odd foundation', (text) => text.replaceAll('candidate:1 1', 'candidate:-1{x} 1')],
  ['candidates in upper case', (text) => text.replaceAll('udp', 'UDP').replaceAll('typ host', 'TYP HOST')],
  ['two kinds of rtcp-mux', (text) => text.replaceAll('a=rtcp-mux\r\n', 'a=rtcp-mux\r\na=rtcp-mux-only\r\n')],
])('%s', (_, change) => {
  test.each<[side: string, read: () => ReturnType<typeof parse>, directions: readonly string[]]>([
    ['offer', () => toCamera(change(plainOffer())), ['sendrecv', 'recvonly']],
    ['answer', () => toDisplay(change(plainAnswer())), ['sendrecv', 'sendonly']],
  ])('in an %s', (_side, read, directions) => {
    const { media, groups } = read()
    expect(media.map(({ type, mid, direction }) => [type, `${mid}`, direction])).toEqual([
      ['audio', '0', directions[0]],
      ['video', '1', directions[1]],
    ])
    expect(groups).toEqual([{ type: 'BUNDLE', mids: '0 1' }])
    for (const section of media) {
      expect(section.iceUfrag).toMatch(/^Qx7e/)
      expect(section.icePwd).toMatch(/^Zr3mT0pYkVb1sWc8nLd5uHgJ/)
      expect(section.fingerprint).toEqual({ type: 'sha-256', hash: fingerprint.slice(8) })
      expect(section.port).not.toBe(0)
      expect(section.candidates?.map(({ ip, type }) => [ip, type])).toEqual([['192.0.2.10', 'host']])
      expect(section.rtcpMux).toBe('rtcp-mux')
    }
  })
})

const odd: Change = (text) =>
  text.replaceAll('BUNDLE 0 1', 'BUNDLE {a}! b~1').replace('mid:0', 'mid:{a}!').replace('mid:1', 'mid:b~1')
const separate: Change = (text) => text.replace(/a=group.*\r\n/, '').replaceAll(/a=candidate.*\r\n/g, '')
const withoutMids: Change = (text) => text.replaceAll(/a=(mid|group).*\r\n/g, '')

test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('%s is a word like any other', (word) => {
  const lines = [`a=${word}:x`, `a=fingerprint:${word} AA`, `a=fmtp:102 ${word}=1`, `a=rtpmap:96 ${word}/90000`]
  const strange: Change = (text) =>
    `${text.replace('SAVPF 102', 'SAVPF 102 96')}${lines.join('\r\n')}\r\nm=${word} 9 UDP/TLS/RTP/SAVPF 96\r\n`
  expect(toCamera(strange(plainOffer())).media.map(({ port }) => port)).toEqual([9, 9, 0])
  expect(toDisplay(strange(plainAnswer()), strange(plainOffer())).media.map(({ port }) => port)).toEqual([
    50_000, 50_000, 0,
  ])
})

describe('mids', () => {
  test('of any token are kept', () => {
    expect(toCamera(odd(plainOffer())).groups).toEqual([{ type: 'BUNDLE', mids: '{a}! b~1' }])
    expect(toDisplay(odd(plainAnswer()), odd(plainOffer())).groups).toEqual([{ type: 'BUNDLE', mids: '{a}! b~1' }])
  })

  test('that a display does not have are made for the camera, and stay out of the answer', () => {
    const offer = withoutMids(plainOffer())
    expect(toCamera(offer).media.map(({ mid }) => `${mid}`)).toEqual(['0', '1'])
    expect(toCamera(offer).groups).toEqual([{ type: 'BUNDLE', mids: '0 1' }])
    for (const two of [offer.replace('50000', '50002'), offer.replace(/ice-ufrag:.*/, 'ice-ufrag:abcd')])
      expect(toCamera(two).groups).toBeUndefined()
    expect(
      toCamera(plainOffer().replace('a=mid:0\r\n', '').replace('mid:1', 'mid:0')).media.map(({ mid }) => `${mid}`),
    ).toEqual(['section-0', '0'])
    for (const answer of [plainAnswer(), withoutMids(plainAnswer())])
      expect(toDisplay(answer, offer).media.map(({ mid, port }) => [mid, port])).toEqual([
        [undefined, 50_000],
        [undefined, 50_000],
      ])
  })

  test.each<[name: string, change: Change]>([
    ['all', (text) => text.replaceAll(/a=mid.*\r\n/g, '')],
    ['the first', (text) => text.replace(/a=mid:0\r\n/, '')],
    ['the last', (text) => text.replace(/a=mid:1\r\n/, '')],
    [
      'all by other names',
      (text) =>
        text
          .replaceAll('mid:0', 'mid:audio')
          .replaceAll('mid:1', 'mid:video')
          .replace('BUNDLE 0 1', 'BUNDLE audio video'),
    ],
  ])('that a camera leaves out, %s, are found by their place', (_, change) => {
    const { media, groups } = toDisplay(change(plainAnswer()))
    expect(media.map(({ mid, port }) => [`${mid}`, port])).toEqual([
      ['0', 50_000],
      ['1', 50_000],
    ])
    expect(groups).toEqual([{ type: 'BUNDLE', mids: '0 1' }])
  })
})

const answerWithoutMids = (...sections: readonly SectionOf[]) => withoutMids(descriptionOf('active', sections))

describe('an answer that drops a section, without mids', () => {
  const audio: SectionOf = { kind: 'audio', direction: 'sendrecv', more: [hostLine(50_010)] }
  const video: SectionOf = { kind: 'video', direction: 'sendonly', more: [h264Usual, hostLine(50_011)] }
  const other: SectionOf = { ...video, codecs: { 96: 'VP8/90000' }, more: [hostLine(50_012)] }
  const three = descriptionOf('actpass', [
    { ...audio, mid: '0' },
    { ...video, mid: '1', direction: 'recvonly' },
    { ...other, mid: '2', direction: 'recvonly' },
  ])

  test.each<[name: string, offer: string, answer: string, ports: readonly number[]]>([
    ['the first', plainOffer(), answerWithoutMids(video), [0, 50_011]],
    ['the last', three, answerWithoutMids(audio, video), [50_010, 50_011, 0]],
    ['the first of three', three, answerWithoutMids(video, other), [0, 50_011, 50_012]],
    ['the second of three', three, answerWithoutMids(audio, other), [50_010, 0, 50_012]],
    ['none, and has them in another order', plainOffer(), answerWithoutMids(video, audio), [50_010, 50_011]],
  ])('keeps those that it has: %s', (_, offer, answer, ports) => {
    expect(toDisplay(answer, offer).media.map(({ port }) => port)).toEqual(ports)
  })

  test('has its trickled candidates by the mid of the offer', () => {
    const bareAnswer = answerWithoutMids({ ...video, more: [h264Usual] })
    const { media } = toDisplay(bareAnswer, plainOffer(), [{ candidate: hostLine(50_020), sdpMid: '1' }])
    expect(media.map(({ port }) => port)).toEqual([0, 50_020])
  })
})

test.each<[side: string, read: (text: string) => ReturnType<typeof parse>]>([
  ['an offer', (text) => toCamera(text.replace('sendonly', 'recvonly'))],
  ['an answer', (text) => toDisplay(text)],
])('the parameters of a format may stand in several lines of %s; of one said twice the last counts', (_, read) => {
  const more = [
    'a=fmtp:102 packetization-mode=0;level-asymmetry-allowed=1',
    'a=fmtp:102 profile-level-id=42e01f;',
    'a=fmtp:102 packetization-mode=1',
    hostLine(),
  ]
  const video = { direction: 'sendonly', more }
  expect(read(plainAnswer({ video })).media[1]?.fmtp).toEqual([
    { payload: 102, config: 'packetization-mode=1;level-asymmetry-allowed=1;profile-level-id=42e01f' },
  ])
})

test.each<[name: string, change: Change]>([
  ['left its mids out', withoutMids],
  ['renamed them', (text) => text.replace('mid:0', 'mid:audio').replace('mid:1', 'mid:video')],
])('what a camera trickles by the mid of the offer finds its section, although its answer %s', (_, change) => {
  const offer = separate(plainOffer())
  const answer = change(separate(plainAnswer()))
  const trickled = [50_010, 50_011].map((port, index) => ({ candidate: hostLine(port), sdpMid: `${index}` }))
  const found = trickled.flatMap((message) => readTrickled(message) ?? [])
  const { media } = parse(composeAnswer(readAnswer(readOffer(offer), answer, rules), found, rules))
  expect(media.map(({ candidates }) => candidates?.map(({ port }) => port))).toEqual([[50_010], [50_011]])
})

const offeredRole = (setup: string) => plainOffer().replaceAll('actpass', setup)
const answeredRole = (setup: string) => plainAnswer().replaceAll('setup:active', `setup:${setup}`)

describe('DTLS roles (RFC 8842)', () => {
  test.each([
    ['actpass', 'active', 'active'],
    ['actpass', 'passive', 'passive'],
    ['actpass', 'actpass', 'active'],
    ['actpass', 'holdconn', 'active'],
    ['active', 'passive', 'passive'],
    ['active', 'actpass', 'passive'],
    ['passive', 'active', 'active'],
    ['passive', 'actpass', 'active'],
  ])('%s offeredRole, %s answered: %s', (offer, answer, role) => {
    for (const { setup } of toDisplay(answeredRole(answer), offeredRole(offer)).media) expect(setup).toBe(role)
  })

  test.each(['active', 'passive'])('both %s is no answer', (role) => {
    expect(errorOf(() => toDisplay(answeredRole(role), offeredRole(role)))).toBe(
      `camera_garbled: the answer takes the DTLS role of the offer, which is ${role}`,
    )
  })

  test('no role, or none that there is, leaves the choice to the camera', () => {
    for (const setup of ['holdconn', 'nonsense'])
      for (const section of toCamera(offeredRole(setup)).media) expect(section.setup).toBe('actpass')
  })
})

describe('what is refused, with the true reason', () => {
  test.each<[name: string, offer: string, error: string]>([
    [
      'no rtcp-mux',
      plainOffer().replaceAll('a=rtcp-mux\r\n', ''),
      'invalid_request: the offer has no rtcp-mux for its audio section',
    ],
    [
      'no rtcp-mux in one section outside the bundle',
      plainOffer({}, []).replace(/(m=video[^]*)a=rtcp-mux\r\n/, '$1'),
      'invalid_request: the offer has no rtcp-mux for its video section',
    ],
    [
      'no ICE password',
      plainOffer().replaceAll(/a=ice-pwd.*\r\n/g, ''),
      'invalid_request: the offer has no ice-ufrag or ice-pwd for its audio section',
    ],
    [
      'a password with a character that no browser takes',
      plainOffer().replaceAll('uHgJ', 'uH:J'),
      'invalid_request: the offer has no ice-ufrag or ice-pwd for its audio section',
    ],
    [
      'no fingerprint',
      plainOffer().replaceAll(/a=fingerprint.*\r\n/g, ''),
      'invalid_request: the offer has no fingerprint for its audio section',
    ],
  ])('an offer with %s', (_, offer, error) => {
    expect(errorOf(() => readOffer(offer))).toBe(error)
  })

  test('a section that no camera can use needs nothing', () => {
    const text = 'm=text 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:2\r\na=rtpmap:98 t140/1000\r\n'
    expect(toCamera(`${plainOffer()}${text}`).media.map(({ type, port }) => [type, port])).toEqual([
      ['audio', 9],
      ['video', 9],
      ['text', 0],
    ])
  })
})

describe('whatever comes in', () => {
  const texts = [plainOffer(), plainAnswer(), chromiumOffer, chromiumAnswer, cSdkAnswer, echoOffer]
  const lines = texts
    .flatMap((text) => text.split(/\r?\n/))
    .concat(
      h264Usual,
      hostLine(),
      'a=group:BUNDLE 0 1 1',
      'a=bundle-only',
      'a=constructor:x',
      'a=__proto__:1',
      'm=constructor 9 UDP/TLS/RTP/SAVPF 0',
      'a=rtpmap:102 constructor/90000',
      'a=fmtp:102 toString=1',
      'a=fingerprint:constructor AA',
    )
  const anyLine = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...lines) }, fc.string())
  const description = fc.array(anyLine, { maxLength: 60 }).map((all) => ['v=0', ...all].join('\n'))
  /** A real text of which a few lines are gone, doubled or others. */
  const mutant = fc
    .tuple(fc.constantFrom(...texts), fc.array(fc.tuple(fc.nat(250), fc.option(anyLine)), { maxLength: 6 }))
    .map(([text, changes]) => {
      const all = text.split('\n')
      for (const [at, line] of changes)
        all.splice(at % all.length, line === null ? 1 : 0, ...(line === null ? [] : [line]))
      return all.join('\n')
    })

  test('is read, or refused with the code of its side; what is written can be read again and comes out the same', () => {
    fc.assert(
      fc.property(fc.oneof(description, mutant), (text) => {
        const error = errorOf(() => {
          const once = offerForCamera(readOffer(text), rules)
          expect(offerForCamera(readOffer(once), rules)).toBe(once)
        })
        expect(error).toMatch(/^(nothing thrown|invalid_request|no_common_codec|offer_too_large)/)
      }),
      { numRuns: 500 },
    )
  })

  test('an answer is one to its offer, or refused with a cause of the camera; and every line of it is SDP', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(plainOffer(), chromiumOffer, echoOffer),
        fc.oneof(description, mutant),
        (offer, text) => {
          const read = readOffer(offer)
          const error = errorOf(() => {
            const answer = composeAnswer(readAnswer(read, text, rules), [], rules)
            const again = parseSdp(answer, 'camera_garbled')
            expect(again.media.map(({ kind, mid }) => [kind, mid])).toEqual(
              read.media.map(({ kind, mid }) => [kind, mid]),
            )
            expect(answer.split('\r\n').every((line) => line === '' || /^[a-z]=\S/.test(line))).toBe(true)
          })
          expect(error).toMatch(/^(nothing thrown|camera_garbled|no_common_codec|no_picture|no_sound)/)
        },
      ),
      { numRuns: 500 },
    )
  })
})
