/** The strict reader of answers: a good one passes, and each blemish is named. */

import { describe, expect, test } from '@jest/globals'
import { readAnswer } from '../../src/simulator/answer.ts'
import { echoOffer, hubOffer } from '../../src/simulator/offer.ts'

const end = {
  ufrag: 'gxfV',
  password: 'KepKrlQ1+LD+RGTAFaqVck',
  fingerprint: Array.from({ length: 32 }, () => 'A2').join(':'),
  candidates: [
    { address: '198.51.100.7', port: 60_128, type: 'host', priority: 2_130_706_431 },
    {
      address: '203.0.113.9',
      port: 60_129,
      type: 'srflx',
      priority: 1_694_498_815,
      relatedAddress: '198.51.100.7',
      relatedPort: 60_128,
    },
  ],
  audioSsrc: 3_573_704_076,
  videoSsrc: 3_778_078_295,
  cname: 'user3856789923@host-9dd1dd33',
}
const echo = echoOffer(end)
const hub = hubOffer(end)

function answer(audio: string, video: string, mids: readonly [string, string], direction = 'sendrecv'): string {
  const transport = [
    'c=IN IP4 0.0.0.0',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:0123456789abcdefghijkl',
    `a=fingerprint:sha-256 ${end.fingerprint}`,
    'a=setup:active',
    'a=candidate:1 1 udp 2130706431 192.0.2.10 5000 typ host',
    'a=candidate:2 1 udp 1694498815 198.51.100.9 5001 typ srflx raddr 192.0.2.10 rport 5000',
    'a=rtcp-mux',
  ]
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${mids.join(' ')}`,
    `m=audio 9 UDP/TLS/RTP/SAVPF ${audio}`,
    ...transport,
    `a=mid:${mids[0]}`,
    `a=${direction}`,
    `a=rtpmap:${audio} opus/48000/2`,
    `m=video 9 UDP/TLS/RTP/SAVPF ${video}`,
    ...transport,
    `a=mid:${mids[1]}`,
    'a=sendonly',
    `a=rtpmap:${video} H264/90000`,
    `a=rtcp-fb:${video} nack pli`,
    `a=fmtp:${video} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f`,
  ]
  return `${lines.join('\r\n')}\r\n`
}

const good = answer('96', '99', ['audio0', 'video0'])
const goodForHub = answer('111', '106', ['0', '1'])

const problemOf = (offer: string, sdp: string, ipv4Only = true): string => {
  try {
    readAnswer(offer, sdp, { ipv4Only })
    return ''
  } catch (error) {
    return String(error)
  }
}

const plain = (sdp: string) =>
  sdp.replace(/RTP\/SAVPF 96( 0 8)?/, 'RTP/SAVPF 0').replace('96 opus/48000/2', '0 PCMU/8000')
const channel = (sdp: string, port: number, answered = '') =>
  `${sdp.replace('video0', 'video0 data')}m=application ${port} UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:data\r\n${answered}`
const soundOnly = (sdp: string) => sdp.replace(/m=video[^]*/, '').replace(' video0', '')
/** With its picture once more, at this port. */
const second = (sdp: string, port: number) =>
  `${sdp}${/m=video[^]*/
    .exec(sdp)![0]
    .replace(/m=video \d+/, `m=video ${port}`)
    .replace('video0', 'video1')}`

describe('a good answer', () => {
  test('to an Echo is read', () => {
    expect(readAnswer(echo, good, { ipv4Only: true })).toMatchObject({
      ufrag: 'abcd',
      setup: 'active',
      candidates: [expect.stringContaining('192.0.2.10'), expect.stringContaining('srflx')],
      audio: { payloadType: 96, codec: 'opus', takes: true },
      video: { payloadType: 99, codec: 'H264', takes: false, profileLevelId: '42e01f' },
    })
  })

  test('to a Nest Hub is read', () => {
    expect(problemOf(hub, goodForHub, false)).toBe('')
  })

  test('may hold IPv6 candidates for a Nest Hub', () => {
    const sdp = goodForHub.replaceAll('192.0.2.10 5000', '2001:db8::1 5000')
    expect(problemOf(hub, sdp, false)).toBe('')
    expect(problemOf(hub, sdp, true)).toMatch(/no IPv4 address/)
  })

  test('to an offer of sound only has no picture', () => {
    expect(readAnswer(soundOnly(echo), soundOnly(good), { ipv4Only: true })).toMatchObject({
      audio: { payloadType: 96 },
      video: undefined,
    })
  })

  test('may reject a second picture, and must not reject the only one', () => {
    expect(problemOf(second(echo, 1), second(good, 0))).toBe('')
    expect(problemOf(second(echo, 1), second(good.replace('m=video 9', 'm=video 0'), 0))).toMatch(/rejected/)
  })

  test('has G.711 for a display that offers no Opus, and for no other', () => {
    expect(readAnswer(plain(echo), plain(good), { ipv4Only: true }).audio).toEqual({
      payloadType: 0,
      codec: 'PCMU',
      takes: true,
    })
    expect(problemOf(echo, plain(good))).toMatch(/first format is PCMU\/8000/)
  })

  test('may accept a data channel, or reject it', () => {
    const transport = /a=ice-ufrag[^]*?(?=a=rtcp-mux)/.exec(good)?.[0] ?? ''
    expect(problemOf(channel(echo, 9), channel(good, 9, transport))).toBe('')
    expect(problemOf(channel(echo, 9), channel(good, 9))).toMatch(/application.*ice-ufrag/)
    expect(problemOf(channel(echo, 9), channel(good, 0).replace('video0 data', 'video0'))).toBe('')
  })

  test('may be one-way', () => {
    expect(readAnswer(echo, answer('96', '99', ['audio0', 'video0'], 'sendonly'), { ipv4Only: true }).audio.takes).toBe(
      false,
    )
  })
})

test.each<[string, (sdp: string) => string, RegExp]>([
  ['bare line feeds', (sdp) => sdp.replaceAll('\r\n', '\n'), /CRLF/],
  ['no last line end', (sdp) => sdp.slice(0, -2), /last line/],
  ['an empty line', (sdp) => sdp.replace('t=0 0\r\n', 't=0 0\r\n\r\n'), /empty line/],
  ['session lines out of order', (sdp) => sdp.replace('s=-\r\nt=0 0', 't=0 0\r\ns=-'), /order/],
  ['the trickle option', (sdp) => sdp.replace('a=setup', 'a=ice-options:trickle\r\na=setup'), /trickle/],
  [
    'a candidate above the sections',
    (sdp) => sdp.replace('t=0 0', 't=0 0\r\na=candidate:1 1 udp 1 192.0.2.1 5 typ host'),
    /outside/,
  ],
  ['a section too few', (sdp) => sdp.slice(0, sdp.indexOf('m=video')), /sections are audio, offered/],
  [
    'sections in another order',
    (sdp) => sdp.replace('m=audio', 'm=x').replace('m=video', 'm=audio').replace('m=x', 'm=video'),
    /sections are video, audio/,
  ],
  ['a rejected video section', (sdp) => sdp.replace('m=video 9', 'm=video 0'), /rejected/],
  ['no bundle', (sdp) => sdp.replace(/a=group.*\r\n/, ''), /BUNDLE/],
  ['another mid', (sdp) => sdp.replaceAll('video0', '1'), /mid "1"/],
  ['a payload type of its own', (sdp) => sdp.replaceAll('99', '100'), /payload types 100/],
  ['PCMU instead of Opus', (sdp) => sdp.replace('SAVPF 96', 'SAVPF 0'), /first format/],
  ['another protocol', (sdp) => sdp.replaceAll('UDP/TLS/RTP/SAVPF', 'RTP/AVP'), /protocol/],
  ['a missing fingerprint', (sdp) => sdp.replaceAll(/a=fingerprint.*\r\n/g, ''), /fingerprint/],
  ['a short ICE password', (sdp) => sdp.replaceAll(/a=ice-pwd.*/g, 'a=ice-pwd:short'), /ice-pwd/],
  ['setup actpass', (sdp) => sdp.replaceAll('setup:active', 'setup:actpass'), /setup/],
  [
    'credentials that differ between the sections',
    (sdp) => sdp.replace('a=ice-ufrag:abcd', 'a=ice-ufrag:efgh'),
    /differ/,
  ],
  ['no rtcp-mux', (sdp) => sdp.replaceAll('a=rtcp-mux\r\n', ''), /rtcp-mux/],
  ['a camera that only receives', (sdp) => sdp.replace('a=sendonly', 'a=recvonly'), /sends nothing/],
  ['no candidates', (sdp) => sdp.replaceAll(/a=candidate.*\r\n/g, ''), /no UDP candidate/],
  [
    'candidates in one section only',
    (sdp) => sdp.slice(0, 500) + sdp.slice(500).replaceAll(/a=candidate.*\r\n/g, ''),
    /no UDP candidate/,
  ],
  ['a candidate of component 2', (sdp) => sdp.replaceAll(':1 1 udp', ':1 2 udp'), /component 2/],
  ['an mDNS candidate', (sdp) => sdp.replaceAll('192.0.2.10 5000 typ', '0f2a.local 5000 typ'), /\.local/],
  ['a candidate twice', (sdp) => sdp.replace(/(a=candidate:1.*\r\n)/, '$1$1'), /twice/],
  ['a broken candidate', (sdp) => sdp.replaceAll('5000 typ host', '5000 host'), /malformed/],
  [
    'an extension that was not offered',
    (sdp) => sdp.replace('a=sendonly', 'a=extmap:9 urn:x\r\na=sendonly'),
    /extension/,
  ],
  ['feedback that was not offered', (sdp) => sdp.replace('nack pli', 'transport-cc'), /feedback/],
  ['nothing at all', () => '', /v=0/],
])('an answer with %s is refused', (_, spoil, problem) => {
  expect(problemOf(echo, spoil(good))).toMatch(problem)
})

test.each<[string, (sdp: string) => string, RegExp]>([
  ['another profile than its payload type has', (sdp) => sdp.replace('42e01f', '64001f'), /profile 64001f/],
  ['Baseline for Constrained Baseline', (sdp) => sdp.replace('42e01f', '42001f'), /profile 42001f, offered was 42e01f/],
  [
    'another packetization mode',
    (sdp) => sdp.replace('packetization-mode=1', 'packetization-mode=0'),
    /packetization-mode 0/,
  ],
  ['video both ways', (sdp) => sdp.replace('a=sendonly', 'a=sendrecv'), /sendrecv does not fit recvonly/],
])('an answer to a Nest Hub with %s is refused', (_, spoil, problem) => {
  expect(problemOf(hub, spoil(goodForHub), false)).toMatch(problem)
})

describe('the offers', () => {
  test('of an Echo has the form that was captured from one', () => {
    const forms = echo.split('\r\n').map((line) => line.replace(/\d{10} \d{10}/, 'NTP').replace(/ 6012[89] /, ' PORT '))
    expect(forms.slice(0, 27)).toEqual([
      'v=0',
      'o=- NTP IN IP4 0.0.0.0',
      's=a 2 z',
      'c=IN IP4 0.0.0.0',
      't=0 0',
      'a=group:BUNDLE audio0 video0',
      'm=audio 1 UDP/TLS/RTP/SAVPF 96 0 8',
      'a=candidate:1 1 UDP 2013266431 198.51.100.7 PORT typ host',
      'a=candidate:2 1 TCP 1015021823 198.51.100.7 9 typ host tcptype active',
      'a=candidate:3 1 TCP 1010827519 198.51.100.7 PORT typ host tcptype passive',
      'a=candidate:1 2 UDP 2013266430 198.51.100.7 PORT typ host',
      'a=candidate:2 2 TCP 1015021822 198.51.100.7 9 typ host tcptype active',
      'a=candidate:3 2 TCP 1010827518 198.51.100.7 PORT typ host tcptype passive',
      'a=setup:actpass',
      'a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
      'a=rtpmap:96 opus/48000/2',
      'a=rtcp:9 IN IP4 0.0.0.0',
      'a=rtcp-mux',
      'a=sendrecv',
      'a=mid:audio0',
      'a=ssrc:3573704076 cname:user3856789923@host-9dd1dd33',
      'a=ice-ufrag:gxfV',
      'a=ice-pwd:KepKrlQ1+LD+RGTAFaqVck',
      `a=fingerprint:sha-256 ${end.fingerprint}`,
      'm=video 1 UDP/TLS/RTP/SAVPF 99',
      'a=candidate:1 1 UDP 2013266431 198.51.100.7 PORT typ host',
      'a=candidate:1 2 UDP 2013266430 198.51.100.7 PORT typ host',
    ])
    expect(echo).not.toMatch(/fmtp|trickle|rtpmap:0 |srflx/)
  })

  test('of a Nest Hub holds every candidate in each section', () => {
    expect(hub.match(/typ srflx raddr 198\.51\.100\.7 rport 60128/g)).toHaveLength(2)
    expect(hub.match(/a=recvonly/g)).toHaveLength(1)
  })
})
