/** What camera and display agree on: groups, formats by their parameters, the picture, talk-back. */
import { describe, expect, test } from '@jest/globals'
import { parse } from 'sdp-transform'
import { readAnswer, sends } from '../../src/bridge/broker/agreement.ts'
import { composeAnswer, isComplete, readTrickled, type TrickledCandidate } from '../../src/bridge/broker/answer.ts'
import { offerForCamera, readOffer } from '../../src/bridge/broker/offer.ts'
import type { AnswerRules } from '../../src/bridge/broker/rules.ts'
import { BridgeError } from '../../src/core/errors.ts'
import {
  descriptionOf,
  h264Usual,
  hostLine,
  plainAnswer,
  plainOffer,
  transport,
  type SectionOf,
} from './descriptions.ts'
import { cSdkAnswer, echoOffer, echoRules, hubRules } from './fixtures.ts'

const rules: AnswerRules = { ...hubRules, needsPicture: true }

const agree = (offer: string, answer: string, given = rules) => readAnswer(readOffer(offer), answer, given)
const answerTo = (offer: string, answer: string, trickled: readonly TrickledCandidate[] = [], given = rules): string =>
  composeAnswer(
    agree(offer, answer, given),
    trickled.flatMap((one) => readTrickled(one) ?? []),
    given,
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

const sections = (setup: string, port: (place: number) => number, count = 4): readonly SectionOf[] =>
  Array.from({ length: count }, (_, place) => ({
    kind: place % 2 === 0 ? ('audio' as const) : ('video' as const),
    mid: `${place}`,
    direction: setup === 'actpass' ? 'recvonly' : 'sendonly',
    transport: transport(setup),
    more: [...(place % 2 === 0 ? [] : [h264Usual]), hostLine(port(place))],
  }))
const offerWith = (...groups: readonly string[]) =>
  descriptionOf(
    'actpass',
    sections('actpass', () => 9_000),
    groups.map((mids) => `a=group:BUNDLE ${mids}`),
  )
const answerWith = (port: (place: number) => number, ...groups: readonly string[]) =>
  descriptionOf(
    'active',
    sections('active', port),
    groups.map((mids) => `a=group:BUNDLE ${mids}`),
  )

describe('BUNDLE groups (RFC 9143)', () => {
  test.each<[name: string, offered: readonly string[], answered: readonly string[], given: readonly string[]]>([
    ['one', ['0 1 2 3'], ['0 1 2 3'], ['0 1 2 3']],
    ['several', ['0 1', '2 3'], ['0 1', '2 3'], ['0 1', '2 3']],
    ['less than offered', ['0 1 2 3'], ['0 1'], ['0 1']],
    ['one offered, two answered', ['0 1 2 3'], ['0 1', '2 3'], ['0 1', '2 3']],
    ['none', ['0 1 2 3'], [], []],
    ['none offered', [], ['0 1'], []],
    ['one across two offered', ['0 1', '2 3'], ['0 1 2 3'], ['0 1', '2 3']],
    ['the camera’s tag', ['0 1'], ['1 0'], ['1 0']],
    ['mids that are not there', ['0 1 7'], ['0 1 7'], ['0 1']],
    ['a mid in two groups', ['0 1', '1 2'], ['0 1', '1 2'], ['0 1', '2']],
  ])('%s', (_, offered, answered, given) => {
    const { groups = [] } = parse(
      answerTo(
        offerWith(...offered),
        answerWith((place) => 5_000 + place, ...answered),
      ),
    )
    const named = groups.map((group) => [group.mids].join(''))
    expect(named).toEqual(given)
  })

  test('what is bundled has all candidates of its group, what is not has its own, equal credentials or not', () => {
    const { media } = parse(
      answerTo(
        offerWith('0 1', '2 3'),
        answerWith((place) => 5_000 + place, '0 1'),
      ),
    )
    expect(media.map(({ candidates = [] }) => candidates.map(({ port }) => port))).toEqual([
      [5_000, 5_001],
      [5_000, 5_001],
      [5_002],
      [5_003],
    ])
  })

  test('a C SDK camera has one transport whatever the groups are, and trickles for mid "0" only', () => {
    const offer = echoOffer.replace('BUNDLE audio0 video0', 'BUNDLE video0')
    const answer = cSdkAnswer.replace('BUNDLE audio0 video0', 'BUNDLE video0')
    const relay = 'candidate:9 1 udp 16777215 203.0.113.77 50002 typ relay raddr 0.0.0.0 rport 0'
    const { media } = parse(answerTo(offer, answer, [{ candidate: relay, sdpMid: '0', sdpMLineIndex: 0 }], echoRules))
    for (const section of media) expect(section.candidates?.map(({ type }) => type)).toEqual(['host', 'relay'])
  })

  test('a candidate for a section that the camera rejects is for the one that it takes', () => {
    const answer = plainAnswer({ audio: { port: 0, more: [] }, video: { more: [h264Usual] } })
    const candidate = 'candidate:1 1 udp 9 192.0.2.10 50001 typ host'
    const { media } = parse(answerTo(plainOffer(), answer, [{ candidate, sdpMid: '0', sdpMLineIndex: 0 }]))
    expect(media.map(({ candidates }) => candidates?.map(({ port }) => port))).toEqual([undefined, [50_001]])
  })

  test('a camera that numbers its sections its own way, under mids of sections of another kind, is matched by place', () => {
    const answer = plainAnswer({ audio: { mid: '1' }, video: { mid: '0' } }, ['a=group:BUNDLE 1 0'])
    const { media, groups } = parse(answerTo(plainOffer(), answer))
    expect(media.map(({ type, mid, port }) => [type, `${mid}`, port])).toEqual([
      ['audio', '0', 50_000],
      ['video', '1', 50_000],
    ])
    expect(groups).toEqual([{ type: 'BUNDLE', mids: '0 1' }])
  })

  test('an answer is complete when each of its transports says so', () => {
    const end = ['a=end-of-candidates']
    const both = plainAnswer({ audio: { more: [hostLine(1), ...end] } })
    const apart = plainAnswer({ audio: { more: [hostLine(1), ...end] } }, [])
    expect([isComplete(agree(plainOffer(), both)), isComplete(agree(plainOffer(), apart))]).toEqual([true, false])
    expect(isComplete(agree(plainOffer(), plainAnswer({}, end)))).toBe(true)
  })
})

const video = (name: string, parameters?: string): Partial<Record<'video', SectionOf>> => ({
  video: {
    codecs: { 102: name },
    more: [...(parameters === undefined ? [] : [`a=fmtp:102 ${parameters}`]), hostLine()],
  },
})
const h264Of = (mode: string | undefined, profile: string | undefined) =>
  [mode && `packetization-mode=${mode}`, profile && `profile-level-id=${profile}`].filter(Boolean).join(';')

const rtx = (apt: number): SectionOf => ({
  codecs: { 102: 'H264/90000', 104: 'H264/90000', 103: 'rtx/90000' },
  more: [h264Usual, h264Usual.replace('102', '104'), `a=fmtp:103 apt=${apt}`],
})

const keptOf = (apt: number) =>
  parse(answerTo(plainOffer({ video: rtx(102) }), plainAnswer({ video: rtx(apt) }))).media[1]!.payloads

describe('payload formats by their parameters', () => {
  test.each<
    [name: string, codec: string, offered: string | undefined, answered: string | undefined, isAgreed: boolean]
  >([
    ['the same', 'H264', h264Of('1', '42e01f'), h264Of('1', '42e01f'), true],
    ['another level', 'H264', h264Of('1', '42e01f'), h264Of('1', '42e034'), true],
    ['the other spelling of Constrained Baseline', 'H264', h264Of('1', '42e01f'), h264Of('1', '42C01F'), true],
    ['Constrained Baseline by profile_idc 77', 'H264', h264Of('1', '42e01f'), h264Of('1', '4d801f'), true],
    ['Main for Constrained Baseline', 'H264', h264Of('1', '42e01f'), h264Of('1', '4d001f'), false],
    ['High for Main', 'H264', h264Of('1', '4d001f'), h264Of('1', '64001f'), false],
    ['Constrained High for High', 'H264', h264Of('1', '64001f'), h264Of('1', '640c1f'), true],
    ['High for Constrained High', 'H264', h264Of('1', '640c1f'), h264Of('1', '64001f'), false],
    ['Main for Baseline', 'H264', h264Of('1', '42001f'), h264Of('1', '4d001f'), false],
    ['Extended for Constrained Baseline', 'H264', h264Of('1', '42e01f'), h264Of('1', '58001f'), false],
    ['a profile that is none', 'H264', h264Of('1', '42e01f'), h264Of('1', '42e0'), false],
    ['mode 0 for mode 1', 'H264', h264Of('1', '42e01f'), h264Of('0', '42e01f'), false],
    ['mode 1 for mode 0', 'H264', h264Of('0', '42e01f'), h264Of('1', '42e01f'), false],
    ['mode 1 where mode 0 is meant', 'H264', h264Of(undefined, '42e01f'), h264Of('1', '42e01f'), false],
    ['mode 0 where mode 0 is meant', 'H264', h264Of(undefined, '42e01f'), h264Of('0', '42e01f'), true],
    ['no mode', 'H264', h264Of('1', '42e01f'), h264Of(undefined, '42e01f'), true],
    ['no profile', 'H264', h264Of('1', '4d001f'), h264Of('1', undefined), true],
    ['nothing', 'H264', h264Of('1', '42e01f'), undefined, true],
    ['anything to an Echo, which says nothing', 'H264', undefined, h264Of('1', '64001f'), true],
    ['names in other case', 'H264', h264Of('1', '42e01f'), 'Packetization-Mode=1; Profile-Level-ID=42E01F', true],
    [
      'H.265 as offered',
      'H265',
      'level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST',
      'level-id=120;profile-id=1',
      true,
    ],
    ['H.265 in another profile', 'H265', 'profile-id=1', 'profile-id=2', false],
    ['H.265 in the other tier', 'H265', 'level-id=93', 'tier-flag=1', false],
    ['VP8, which has none to share', 'VP8', 'max-fr=30', 'max-fr=60;max-fs=100', true],
  ])('%s', (_, codec, offered, answered, isAgreed) => {
    const act = () =>
      answerTo(plainOffer(video(`${codec}/90000`, offered)), plainAnswer(video(`${codec}/90000`, answered)))
    if (isAgreed) expect(act()).toMatch(/^m=video \d+ \S+ 102\r$/m)
    else
      expect(errorOf(act)).toMatch(
        /^no_common_codec: the display takes (H264|H265), the camera answers \1: other parameters/,
      )
  })

  test.each<[name: string, offered: string, answered: string, told: string]>([
    ['Constrained Baseline for Baseline', '42001f', '42e01f', '42001f'],
    ['Constrained Baseline for Main, at its own level', '4D001F', '42c034', '4D0034'],
    ['Constrained Baseline for Constrained High', '640c1f', '42e01f', '640c1f'],
    ['Main for High', '64001f', '4d0028', '640028'],
    ['Progressive High for High', '64001f', '640828', '640028'],
    ['Constrained High for Progressive High', '64081f', '640c1f', '64081f'],
    ['Baseline for Extended', '58001f', '42001f', '58001f'],
    ['Baseline for Constrained Baseline', '42e01f', '420029', '42e029'],
    ['Baseline for Main', '4d001f', '42001f', '4d001f'],
    ['Baseline for High', '64001f', '42001f', '64001f'],
    ['Baseline for Constrained High', '640c1f', '428015', '640c15'],
    ['Constrained Baseline by another number', '42e01f', '4d801f', '4d801f'],
  ])('%s is decodable, and told as the profile that was offered', (_, offered, answered, told) => {
    const answer = answerTo(
      plainOffer(video('H264/90000', h264Of('1', offered))),
      plainAnswer(video('H264/90000', `${h264Of('1', answered)};sprop-parameter-sets=Z0LgH5ZUBQHogA==,aM4xsg==`)),
    )
    expect(/^a=fmtp:102 (.*)\r$/m.exec(answer)?.[1]).toBe(
      `packetization-mode=1;profile-level-id=${told};sprop-parameter-sets=Z0LgH5ZUBQHogA==,aM4xsg==`,
    )
  })

  test.each<[name: string, codec: string, offered: string | undefined, answered: string, told: string]>([
    [
      'the mode',
      'H264',
      h264Of('1', '42e01f'),
      h264Of(undefined, '42e01f'),
      'profile-level-id=42e01f;packetization-mode=1',
    ],
    ['the profile', 'H264', h264Of('1', '4d001f'), h264Of('1', undefined), h264Of('1', '4d001f')],
    [
      'the mode, to an Echo',
      'H264',
      undefined,
      h264Of(undefined, '640029'),
      'profile-level-id=640029;packetization-mode=1',
    ],
    [
      'the mode that nobody names',
      'H264',
      'profile-level-id=42e01f',
      'profile-level-id=42e01f',
      'profile-level-id=42e01f',
    ],
    ['the tier', 'H265', 'profile-id=2;tier-flag=1', 'profile-id=2', 'profile-id=2;tier-flag=1'],
  ])('what the camera leaves out is written out: %s', (_, codec, offered, answered, told) => {
    const answer = answerTo(
      plainOffer(video(`${codec}/90000`, offered)),
      plainAnswer(video(`${codec}/90000`, answered)),
    )
    expect(/^a=fmtp:102 (.*)\r$/m.exec(answer)?.[1]).toBe(told)
  })

  test('a retransmission that does not say of what is of the payload type that it was offered for', () => {
    const silent: SectionOf = { ...rtx(102), more: [h264Usual, h264Usual.replace('102', '104'), hostLine()] }
    const answer = answerTo(plainOffer({ video: rtx(102) }), plainAnswer({ video: silent }))
    expect(answer).toContain('a=fmtp:103 apt=102\r\n')
  })

  test('a retransmission is of the payload type that it was offered for', () => {
    expect([keptOf(102), keptOf(104)]).toEqual(['102 103 104', '102 104'])
  })

  test.each([
    ['its own', 'a=fmtp:111 stereo=1;maxaveragebitrate=20000'],
    ['none', undefined],
  ])('Opus has the parameters of the camera, %s, never the display’s (RFC 7587 section 7.1)', (_, line) => {
    const offered = { more: ['a=fmtp:111 minptime=10;useinbandfec=1', hostLine()] }
    const answered = { more: [...(line === undefined ? [] : [line]), hostLine()] }
    const answer = answerTo(plainOffer({ audio: offered }), plainAnswer({ audio: answered }))
    expect(/^a=fmtp:111 .*(?=\r)/m.exec(answer)?.[0]).toBe(line)
  })

  test('H.265 reaches the camera and comes back', () => {
    const both: SectionOf = {
      codecs: { 49: 'H265/90000', 96: 'VP8/90000' },
      more: ['a=fmtp:49 level-id=93;profile-id=1'],
    }
    const offer = plainOffer({ video: both })
    expect(parse(offerForCamera(readOffer(offer), rules)).media[1]!.payloads).toBe('49 96')
    const answer = plainAnswer({
      video: { codecs: { 49: 'H265/90000' }, more: ['a=fmtp:49 level-id=93;profile-id=1'] },
    })
    expect(parse(answerTo(offer, answer)).media[1]!.rtp).toEqual([{ payload: 49, codec: 'H265', rate: 90_000 }])
  })

  test('G.711 alone reaches the camera and comes back, also without rtpmap', () => {
    const offer = plainOffer({ audio: { codecs: { 0: 'PCMU/8000', 8: 'PCMA/8000' } } }).replaceAll(
      /a=rtpmap:[08] .*\r\n/g,
      '',
    )
    expect(parse(offerForCamera(readOffer(offer), rules)).media[0]!.payloads).toBe('0 8')
    const { media } = parse(answerTo(offer, plainAnswer({ audio: { codecs: { 8: 'PCMA/8000' } } })))
    expect([`${media[0]!.payloads}`, media[0]!.direction]).toEqual(['8', 'sendrecv'])
  })
})

describe('a lost picture', () => {
  const noH264: SectionOf = { codecs: { 49: 'H265/90000', 96: 'VP8/90000' }, more: [] }

  test.each<[name: string, offer: string, answer: string, error: string]>([
    [
      'is rejected',
      plainOffer(),
      plainAnswer({ video: { port: 0 } }),
      'no_picture: the camera rejects the video section (H264)',
    ],
    [
      'is left out',
      plainOffer(),
      plainAnswer().replace(/m=video[^]*/, ''),
      'no_picture: the camera rejects the video section (H264)',
    ],
    [
      'is off',
      plainOffer(),
      plainAnswer({ video: { direction: 'inactive' } }),
      'no_picture: the camera answers that it sends no picture',
    ],
    [
      'is awaited',
      plainOffer(),
      plainAnswer({ video: { direction: 'recvonly' } }),
      'no_picture: the camera answers that it sends no picture',
    ],
    [
      'has another codec',
      plainOffer(),
      plainAnswer({ video: { codecs: { 96: 'VP8/90000' } } }),
      'no_common_codec: the display takes H264, the camera answers VP8: other codecs',
    ],
    [
      'has the codec under another payload type',
      plainOffer(),
      plainAnswer({ video: { codecs: { 96: 'H264/90000' } } }),
      'no_common_codec: the display takes H264, the camera answers H264: payload types that the display did not offer for it',
    ],
    [
      'is rejected by a camera with H.264 only',
      plainOffer({ video: noH264 }),
      plainAnswer({ video: { ...noH264, port: 0 } }),
      'no_common_codec: the display takes H265, VP8, and the camera rejects that',
    ],
  ])('because it %s is refused at once', (_, offer, answer, error) => {
    expect(errorOf(() => agree(offer, answer))).toBe(error)
  })

  test.each<[name: string, offer: string]>([
    ['takes none', plainOffer({ video: { direction: 'inactive' } })],
    ['offers none', descriptionOf('actpass', [{ kind: 'audio', mid: '0', direction: 'sendrecv' }])],
    ['has rejected it', plainOffer({ video: { port: 0 } })],
  ])('is none to a display that %s', (_, offer) => {
    const answer = plainAnswer({ video: { port: 0 } })
    expect(sends(agree(offer, answer), 'audio')).toBe(true)
  })

  test('is none of a camera that has no picture', () => {
    expect(sends(agree(plainOffer(), plainAnswer({ video: { port: 0 } }), hubRules), 'audio')).toBe(true)
  })

  test.each<[name: string, section: SectionOf, error: string]>([
    [
      'VP9 and AV1',
      { codecs: { 98: 'VP9/90000', 45: 'AV1/90000' }, more: [] },
      'no_common_codec: the display takes AV1, VP9, and no camera sends that',
    ],
    [
      'a retransmission without what it repairs',
      { codecs: { 97: 'rtx/90000' }, more: ['a=fmtp:97 apt=96'] },
      'no_common_codec: the display takes no codec that has a name, and no camera sends that',
    ],
  ])('of a display that takes %s is refused before the camera is asked', (_, video, error) => {
    expect(errorOf(() => offerForCamera(readOffer(plainOffer({ video })), rules))).toBe(error)
  })

  test('sound that no camera sends is lost, and the picture comes', () => {
    const offer = plainOffer({ audio: { codecs: { 9: 'G722/8000' } } })
    expect(parse(offerForCamera(readOffer(offer), rules)).media.map(({ port }) => port)).toEqual([0, 9])
    const only = descriptionOf('actpass', [{ kind: 'audio', mid: '0', codecs: { 9: 'G722/8000' } }])
    expect(errorOf(() => offerForCamera(readOffer(only), rules))).toBe(
      'no_common_codec: the display takes G722, and no camera sends that',
    )
  })
})

describe('what the display may do is told to the camera, too', () => {
  test.each([
    ['sendrecv', true, 'sendrecv'],
    ['sendrecv', false, 'recvonly'],
    ['sendonly', false, 'inactive'],
    ['recvonly', false, 'recvonly'],
    ['inactive', true, 'inactive'],
  ])('sound %s, talk-back %s: %s', (direction, talkBack, told) => {
    const offer = plainOffer({ audio: { direction, more: ['a=ssrc:7 cname:x', 'a=msid:s t'] } })
    const text = offerForCamera(readOffer(offer), { ...rules, talkBack })
    expect(parse(text).media[0]!.direction).toBe(told)
    expect(text.includes('a=ssrc:7') || text.includes('a=msid:s')).toBe(told === 'sendrecv')
  })

  test.each([
    ['sendrecv', 'recvonly'],
    ['sendonly', 'inactive'],
  ])('a picture %s: %s, for no camera plays one', (direction, told) => {
    const offer = plainOffer({
      video: { direction, more: [h264Usual, 'a=ssrc-group:FID 1 2', 'a=ssrc:1 cname:x', 'a=ssrc:2 cname:x'] },
    })
    const text = offerForCamera(readOffer(offer), { ...rules, needsPicture: false })
    expect(parse(text).media[1]!.direction).toBe(told)
    expect(text).not.toContain('a=ssrc')
  })

  test('groups of sources stay with their sources (RFC 5576), in both directions', () => {
    const sources = ['a=ssrc-group:FID 1 2', 'a=ssrc:1 cname:x', 'a=ssrc:2 cname:x']
    const offer = plainOffer({ audio: { direction: 'sendrecv', more: sources } })
    const answer = plainAnswer({ video: { more: [h264Usual, hostLine(), ...sources] } })
    for (const text of [offerForCamera(readOffer(offer), rules), answerTo(plainOffer(), answer)])
      expect(text).toContain(sources.map((line) => `${line}\r\n`).join(''))
  })

  test('an answer that takes sound all the same does not get it', () => {
    expect(parse(answerTo(plainOffer(), plainAnswer(), [], { ...rules, talkBack: false })).media[0]!.direction).toBe(
      'sendonly',
    )
  })
})

describe('candidates pass to whom they are of use', () => {
  const local = 'candidate:1 1 udp 9 0f3c.local 50001 typ host'

  test.each([
    ['who can resolve it', true, ['0f3c.local']],
    ['who cannot', false, undefined],
  ])('a name ending in .local, to %s', (_, localNames, ips) => {
    const answer = plainAnswer({ audio: { more: [] }, video: { more: [h264Usual] } })
    const { media } = parse(
      answerTo(plainOffer(), answer, [{ candidate: local, sdpMid: '0' }], { ...rules, localNames }),
    )
    expect(media[0]!.candidates?.map(({ ip }) => ip)).toEqual(ips)
    // The default destination is an address, never a name.
    expect(media[0]!.connection?.ip).toBe('0.0.0.0')
  })

  test('the display’s names and TCP candidates reach the camera, mapped addresses as IPv4', () => {
    const more = [
      'a=candidate:1 1 udp 9 0f3c.local 5000 typ host',
      'a=candidate:2 1 tcp 8 192.0.2.7 5001 typ host tcptype passive',
      'a=candidate:3 1 udp 7 ::ffff:192.0.2.8 5002 typ host',
    ]
    const text = offerForCamera(readOffer(plainOffer({ audio: { more }, video: { more: [h264Usual] } })), rules)
    for (const { candidates = [] } of parse(text).media)
      expect(candidates.map(({ ip, tcptype }) => [ip, tcptype])).toEqual([
        ['0f3c.local', undefined],
        ['192.0.2.7', 'passive'],
        ['192.0.2.8', undefined],
      ])
  })
})
