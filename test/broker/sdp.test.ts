/** The reader of session descriptions: what it tolerates, what it refuses, and that it agrees with an independent grammar. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parse as parseIndependently } from 'sdp-transform'
import { BridgeError } from '../../src/core/errors.ts'
import { parseSdp, sdpLimits } from '../../src/bridge/broker/sdp.ts'
import { chromiumAnswer, chromiumOffer, cSdkAnswer, echoOffer } from './fixtures.ts'

const codeOf = (act: () => unknown): string => {
  try {
    act()
  } catch (thrown) {
    if (thrown instanceof BridgeError) return thrown.code
    throw thrown
  }
  return 'nothing thrown'
}

describe('what is tolerated', () => {
  test('an Echo offer: bare LF, static payload types without rtpmap, H264 without fmtp', () => {
    const { media, groups } = parseSdp(echoOffer, 'invalid_request')
    expect(groups).toEqual([['audio0', 'video0']])
    expect(media.map(({ kind, mid, direction }) => ({ kind, mid, direction }))).toEqual([
      { kind: 'audio', mid: 'audio0', direction: 'sendrecv' },
      { kind: 'video', mid: 'video0', direction: 'sendrecv' },
    ])
    expect(
      media[0]!.codecs.map(({ payload, name, clockRate, channels }) => [payload, name, clockRate, channels]),
    ).toEqual([
      [96, 'opus', 48_000, 2],
      [0, 'PCMU', 8_000, 1],
      [8, 'PCMA', 8_000, 1],
    ])
    expect(media[1]!.codecs).toEqual([
      {
        payload: 99,
        name: 'H264',
        clockRate: 90_000,
        channels: 1,
        parameters: '',
        feedback: ['nack', 'nack pli', 'ccm fir'],
      },
    ])
    expect(media[1]!.bandwidth).toEqual(['AS:2500'])
  })

  test('CRLF and bare LF read the same', () => {
    expect(parseSdp(echoOffer.replaceAll('\n', '\r\n'), 'invalid_request')).toEqual(
      parseSdp(echoOffer, 'invalid_request'),
    )
  })

  test('transport attributes at session level reach every section', () => {
    const [ufrag, pwd] = ['abcd', '0123456789012345678901']
    const fingerprint = `sha-256 ${Array<string>(32).fill('AA').join(':')}`
    const session = `v=0\na=ice-ufrag:${ufrag}\na=ice-pwd:${pwd}\na=fingerprint:${fingerprint}\na=setup:actpass\n`
    for (const { transport } of parseSdp(`${session}m=audio 9 RTP/SAVPF 0\nm=video 9 RTP/SAVPF 99\n`, 'invalid_request')
      .media) {
      expect(transport).toEqual({ ufrag, pwd, fingerprints: [fingerprint], setup: 'actpass', hasMux: false })
    }
  })

  test.each([
    ['a fragment of an ICE name', 'a=ice-ufrag:a b'],
    ['a short ICE password', 'a=ice-pwd:short'],
    ['a fingerprint of no hash', 'a=fingerprint:nonsense'],
    ['a fingerprint of the wrong length', 'a=fingerprint:sha-256 AA:BB'],
    ['a bandwidth that is none', 'b=xx'],
    ['a source that is none', 'a=ssrc:xyz cname:x'],
    ['a stream with too many names', 'a=msid:a b c d'],
    ['a port that is none', 'a=sctp-port:abc'],
    ['a payload type beyond 127', 'a=rtpmap:128 H264/90000'],
  ])('%s is as good as absent', (_, line) => {
    const text = 'v=0\nm=video 9 UDP/TLS/RTP/SAVPF 99 128 099\na=rtpmap:99 H264/90000\n'
    const plain = parseSdp(text, 'invalid_request').media[0]!
    const { attributes: _own, ...read } = parseSdp(`${text}${line}\n`, 'invalid_request').media[0]!
    const { attributes: __, ...expected } = plain
    expect(read).toEqual(expected)
    expect(read.codecs.map(({ payload }) => payload)).toEqual([99])
  })

  test('a BUNDLE list that omits a section', () => {
    expect(parseSdp(echoOffer.replace('BUNDLE audio0 video0', 'BUNDLE video0'), 'invalid_request').groups).toEqual([
      ['video0'],
    ])
  })

  test('a section with port 0 is rejected unless it is only to be bundled (RFC 9143)', () => {
    const text = 'v=0\nm=audio 0 RTP/SAVPF 0\nm=video 0 RTP/SAVPF 99\na=bundle-only\n'
    expect(parseSdp(text, 'invalid_request').media.map(({ isLive }) => isLive)).toEqual([false, true])
  })
})

describe('what is refused', () => {
  test.each([
    ['empty', ''],
    ['not SDP', 'hello'],
    ['JSON', '{"type":"offer"}'],
    ['no version line', 'o=- 1 1 IN IP4 0.0.0.0\nm=audio 9 RTP/SAVPF 0\n'],
    ['no media', 'v=0\ns=-\n'],
    ['an m-line without formats', 'v=0\nm=audio 9 RTP/SAVPF\n'],
    ['an m-line with a wild port', 'v=0\nm=audio -1 RTP/SAVPF 0\n'],
    ['a control character', 'v=0\nm=audio 9 RTP/SAVPF 0\na=mid:\0\n'],
    ['a lone carriage return', 'v=0\nm=audio 9 RTP/SAVPF 0\na=x\ra=y\n'],
    ['too many characters', `v=0\nm=audio 9 RTP/SAVPF 0\n${'a=x\n'.repeat(sdpLimits.characters / 4)}`],
    ['too many lines', `v=0\nm=audio 9 RTP/SAVPF 0\n${'a=\n'.repeat(sdpLimits.lines)}`],
    ['a line that is too long', `v=0\nm=audio 9 RTP/SAVPF 0\na=${'x'.repeat(sdpLimits.lineLength)}\n`],
    ['the same mid twice', 'v=0\nm=audio 9 RTP/SAVPF 0\na=mid:0\nm=video 9 RTP/SAVPF 99\na=mid:0\n'],
    ['too many formats', `v=0\nm=audio 9 RTP/SAVPF ${Array.from({ length: 65 }, (_, payload) => payload).join(' ')}\n`],
    ['too many attributes in a section', `v=0\nm=audio 9 RTP/SAVPF 0\n${'a=x\n'.repeat(sdpLimits.attributes + 1)}`],
    ['too many sections', `v=0\n${'m=audio 9 RTP/SAVPF 0\n'.repeat(sdpLimits.sections + 1)}`],
  ])('%s', (_, text) => {
    expect(codeOf(() => parseSdp(text, 'invalid_request'))).toBe('invalid_request')
    expect(codeOf(() => parseSdp(text, 'camera_garbled'))).toBe('camera_garbled')
  })

  test('hostile text is either read or refused, never a crash', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'v=0',
        'm=video 9 UDP/TLS/RTP/SAVPF 99',
        'a=rtpmap:99 H264/90000',
        'a=group:BUNDLE',
        'a=candidate:',
        'a=mid:',
        'm=',
      ),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        expect(['nothing thrown', 'invalid_request']).toContain(
          codeOf(() => parseSdp(`v=0\n${lines.join('\n')}`, 'invalid_request')),
        )
      }),
    )
  })
})

test.each([
  ['Echo offer', echoOffer],
  ['Chromium offer', chromiumOffer],
  ['C SDK answer', cSdkAnswer],
  ['werift answer', chromiumAnswer],
])('agrees with an independent grammar on the %s', (_, text) => {
  const ours = parseSdp(text, 'invalid_request')
  const theirs = parseIndependently(text)
  expect(
    ours.media.map(({ kind, isLive, protocol, mid, direction, formats }) => [
      kind,
      isLive,
      protocol,
      mid,
      direction,
      formats.join(' '),
    ]),
  ).toEqual(
    theirs.media.map(({ type, port, protocol, mid, direction, payloads }) => [
      type,
      port > 0,
      protocol,
      `${mid}`,
      direction,
      `${payloads}`,
    ]),
  )
  for (const [index, media] of ours.media.entries()) {
    const rtp = theirs.media[index]!.rtp
    const mapped = media.codecs.filter(({ payload }) => rtp.some((one) => one.payload === payload))
    expect(mapped.map(({ payload, name, clockRate }) => [payload, name, clockRate])).toEqual(
      rtp.map((one) => [one.payload, one.codec, one.rate]),
    )
    for (const { payload, parameters } of media.codecs) {
      expect(parameters).toBe(theirs.media[index]!.fmtp.find((one) => one.payload === payload)?.config ?? '')
    }
    expect(media.transport.ufrag).toBe(theirs.media[index]!.iceUfrag)
  }
})
