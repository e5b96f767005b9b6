/** How an offer is narrowed to one H.264 and one Opus. */
import { describe, expect, test } from '@jest/globals'
import { narrowOffer } from '../../src/gateway/offer.ts'
import { chromiumOffer, echoOffer } from './offers.ts'

const mediaLines = (sdp: string) => sdp.split('\r\n').filter((line) => line.startsWith('m='))

describe('of a browser’s many kinds of H.264', () => {
  test.each([
    ['42e01f', '108', '42e01f', 'the same'],
    ['42c01f', '108', '42c01f', 'the same profile spelled without constraint_set2'],
    ['4d401f', '127', '4d401f', 'the same profile_idc'],
    ['640028', '125', '640028', 'High, at the level of the source'],
    ['42001f', '102', '42001f', 'plain Baseline'],
    ['6e001f', '108', '42e01f', 'Constrained Baseline for want of the source’s own'],
  ])('a source of %s takes %s and answers %s: %s', (source, payloadType, answered) => {
    const narrowed = narrowOffer(chromiumOffer, source)
    expect(mediaLines(narrowed.sdp)[1]).toMatch(new RegExp(`^m=video 9 UDP/TLS/RTP/SAVPF ${payloadType}( \\d+)?$`))
    expect(narrowed.profileLevelId).toBe(answered)
    expect(narrowed.sdp).toContain(
      `a=fmtp:${payloadType} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${answered}\r\n`,
    )
  })

  test('of which the parameters may stand in several lines', () => {
    const split = chromiumOffer.replaceAll(/^(a=fmtp:\d+ )([^;\r\n]+);(.*)$/gm, '$1$2\r\n$1$3')
    expect(split).not.toBe(chromiumOffer)
    expect(narrowOffer(split, '42e01f').sdp).toBe(narrowOffer(chromiumOffer, '42e01f').sdp)
  })

  test('its retransmission stays with it, and feedback that is not understood goes', () => {
    const { sdp } = narrowOffer(chromiumOffer, '42e01f')
    expect(mediaLines(sdp)).toEqual(['m=audio 9 UDP/TLS/RTP/SAVPF 111', 'm=video 9 UDP/TLS/RTP/SAVPF 108 109'])
    expect(sdp).toContain('a=fmtp:109 apt=108\r\n')
    expect(sdp).not.toMatch(/transport-cc|goog-remb|abs-send-time|VP8|PCMU|red\//)
    expect(sdp).toContain('a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n')
  })
})

test('a section that lives only in its bundle is offered as the others are, and one with port 0 alone is rejected', () => {
  const [session, audio = '', video = ''] = chromiumOffer.split(/^(?=m=)/m)
  const closed = video.replace('m=video 9 ', 'm=video 0 ')
  const { sdp, video: answered } = narrowOffer([session, audio, `${closed}a=bundle-only\r\n`].join(''), '42e01f')
  expect([answered, mediaLines(sdp)[1]]).toEqual(['h264', 'm=video 9 UDP/TLS/RTP/SAVPF 108 109'])
  expect(sdp).not.toContain('bundle-only')
  expect(mediaLines(narrowOffer([session, audio, closed].join(''), '42e01f').sdp)[1]).toMatch(/^m=video 0 /)
})

test.each(['toString', '__proto__', 'constructor'])('a payload type %s is none, and costs nothing', (word) => {
  const narrowed = narrowOffer(echoOffer.replace(/(m=audio \S+ \S+) /, `$1 ${word} `), '42e01f')
  expect(mediaLines(narrowed.sdp)[0]).toBe('m=audio 50001 UDP/TLS/RTP/SAVPF 96')
})

test('an Echo’s H264 without parameters is taken, with those of the source', () => {
  const narrowed = narrowOffer(echoOffer, '4d401f')
  expect(narrowed).toMatchObject({ video: 'h264', profileLevelId: '4d401f' })
  expect(mediaLines(narrowed.sdp)).toEqual(['m=audio 50001 UDP/TLS/RTP/SAVPF 96', 'm=video 50001 UDP/TLS/RTP/SAVPF 99'])
  expect(narrowed.sdp).toContain('a=fmtp:99 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d401f\r\n')
  expect(narrowed.sdp).toContain('a=mid:video0\r\n')
})

test('bare line feeds become proper line ends', () => {
  expect(narrowOffer(echoOffer.replaceAll('\r\n', '\n'), '42e01f')).toEqual(narrowOffer(echoOffer, '42e01f'))
})

test('H.264 of packetization-mode 0 only, and none at all, is no video', () => {
  const single = chromiumOffer.replaceAll('packetization-mode=1', 'packetization-mode=0')
  expect(narrowOffer(single, '42e01f').video).toBe('unsupported')
  expect(narrowOffer(echoOffer.replaceAll('H264', 'VP8'), '42e01f').video).toBe('unsupported')
})

test('an offer without a picture is not one whose picture cannot be sent', () => {
  const audioOnly = echoOffer.slice(0, echoOffer.indexOf('m=video'))
  expect(narrowOffer(audioOnly, '42e01f').video).toBe('none')
  const [video = ''] = /m=video.*/s.exec(echoOffer.replaceAll('H264', 'VP8')) ?? []
  const withVideo = (section: string) => narrowOffer(audioOnly + section, '42e01f').video
  expect(withVideo(video.replace(/^m=video \d+/, 'm=video 0'))).toBe('none')
  expect(withVideo(video.replace(/^m=video \d+/, 'm=video 0') + 'a=bundle-only\r\n')).toBe('unsupported')
  expect(withVideo(video.replace('a=recvonly', 'a=inactive').replace('a=sendrecv', 'a=inactive'))).toBe('none')
})

test('Opus parameters are the display’s own and are not echoed', () => {
  expect(chromiumOffer).toContain('a=fmtp:111 ')
  expect(narrowOffer(chromiumOffer, '42e01f').sdp).not.toContain('a=fmtp:111 ')
})

test.each([
  '',
  'v=0',
  'm=',
  'm=video\r\na=rtpmap:\r\na=fmtp:x',
  'm=video 9 x 1\r\na=rtpmap:1 H264/90000\r\na=fmtp:1 ;;=;a',
])('of %j something is made without a crash', (sdp) => {
  expect(() => narrowOffer(sdp, '42e01f')).not.toThrow()
})

const withAudio = (mLine: string, ...lines: readonly string[]) => `v=0\r\n${[mLine, ...lines].join('\r\n')}\r\n`

describe('sound', () => {
  const all = ['opus', 'PCMU', 'PCMA'] as const

  test.each([
    ['the first of the display', 'm=audio 9 X 8 0 111', all, 'PCMA', '8'],
    ['the first that can be sent', 'm=audio 9 X 8 0 111', ['opus', 'PCMU'] as const, 'PCMU', '0'],
    ['the only one that can be sent', 'm=audio 9 X 0 8 111', ['opus'] as const, 'opus', '111'],
    ['one for talking, where none can be sent', 'm=audio 9 X 8 0', ['opus'] as const, 'PCMA', '8'],
  ])('is %s', (_what, mLine, playable, audio, payloadType) => {
    const narrowed = narrowOffer(withAudio(mLine, 'a=rtpmap:111 opus/48000/2'), '42e01f', playable)
    expect(narrowed).toMatchObject({ audio, wantsSound: true })
    expect(mediaLines(narrowed.sdp)).toEqual([`m=audio 9 X ${payloadType}`])
    expect(narrowed.sdp.match(/a=rtpmap:.*/g)).toHaveLength(1)
  })

  test('of a static payload type is spelled out, and of another number is found by its name', () => {
    expect(narrowOffer(withAudio('m=audio 9 X 0'), '42e01f', all).sdp).toContain('a=rtpmap:0 PCMU/8000\r\n')
    const dynamic = withAudio('m=audio 9 X 0 97', 'a=rtpmap:0 L16/44100', 'a=rtpmap:97 pcma/8000/1', 'a=fmtp:97 x=1')
    const { audio, sdp } = narrowOffer(dynamic, '42e01f', all)
    expect(audio).toBe('PCMA')
    expect(mediaLines(sdp)).toEqual(['m=audio 9 X 97'])
    expect(sdp).toMatch(/a=rtpmap:97 pcma\/8000\/1\r\n$/)
    expect(sdp).not.toContain('fmtp')
  })

  test.each([
    ['m=audio 9 X 9', 'unsupported', true],
    ['m=audio 9 X 97\r\na=rtpmap:97 PCMU/16000', 'unsupported', true],
    ['m=audio 0 X 0', 'none', false],
    ['m=audio 9 X 0\r\na=inactive', 'none', false],
    ['m=audio 9 X 0\r\na=sendonly', 'PCMU', false],
    ['m=video 9 X 96', 'none', false],
  ])('of %j is %s', (section, audio, wantsSound) => {
    expect(narrowOffer(withAudio(section), '42e01f', all)).toMatchObject({ audio, wantsSound })
  })

  test('has one codec in all sections, that of the first that is in use', () => {
    const { audio, sdp } = narrowOffer(
      withAudio('m=audio 9 X 8', 'a=inactive', 'm=audio 9 X 0 8', 'm=audio 9 X 8 0'),
      '42e01f',
      all,
    )
    expect(audio).toBe('PCMU')
    expect(mediaLines(sdp)).toEqual(['m=audio 9 X 8', 'm=audio 9 X 0', 'm=audio 9 X 0'])
  })
})

const bare = (sdp: string) => sdp.replaceAll(/^a=(mid|group):.*\r\n/gm, '')
const named = (sdp: string) => sdp.split('\r\n').filter((line) => /^a=(mid|group):/.test(line))

describe('an offer without mids', () => {
  test('gets them by place, in one bundle where all sections are one transport', () => {
    const { sdp, givenMids } = narrowOffer(bare(echoOffer), '42e01f')
    expect(givenMids).toEqual(['0', '1'])
    expect(named(sdp)).toEqual(['a=group:BUNDLE 0 1', 'a=mid:0', 'a=mid:1'])
  })

  test.each([
    ['credentials', (sdp: string) => sdp.replace(/(m=video[^]*a=ice-ufrag:)/, '$1other')],
    ['addresses', (sdp: string) => `${sdp}a=candidate:9 1 udp 2130706431 192.0.2.99 50099 typ host\r\n`],
  ])('gets no bundle where a section has %s of its own', (_what, change) => {
    const offer = bare(echoOffer)
    expect(change(offer)).not.toBe(offer)
    expect(named(narrowOffer(change(offer), '42e01f').sdp)).toEqual(['a=mid:0', 'a=mid:1'])
  })

  test('has credentials for the whole session, and keeps the place of what is not served', () => {
    const [ufrag, pwd] = ['a=ice-ufrag:abcd\r\n', 'a=ice-pwd:0123456789012345678901\r\n']
    const offer = bare(echoOffer)
      .replaceAll(/^a=(ice-ufrag|ice-pwd):.*\r\n/gm, '')
      .replace('m=audio', `${ufrag}${pwd}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nm=audio`)
    const { sdp, unserved } = narrowOffer(offer, '42e01f')
    expect(named(sdp)).toEqual(['a=group:BUNDLE 1 2', 'a=mid:1', 'a=mid:2'])
    expect(unserved.map(({ place }) => place)).toEqual([0])
  })

  test('in some sections gets the others by names that are free, and none of them joins the bundle', () => {
    const offer = echoOffer
      .replace('a=group:BUNDLE audio0 video0', 'a=group:BUNDLE 1')
      .replace('a=mid:audio0', 'a=mid:1')
    const { sdp, givenMids } = narrowOffer(offer.replace('a=mid:video0', 'a=mid:'), '42e01f')
    expect(givenMids).toEqual(['section-1'])
    expect(named(sdp)).toEqual(['a=group:BUNDLE 1', 'a=mid:1', 'a=mid:section-1'])
  })

  test('that has all of them is left alone', () => {
    expect(narrowOffer(echoOffer, '42e01f').givenMids).toEqual([])
  })
})
