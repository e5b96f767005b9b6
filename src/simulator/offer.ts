/** The SDP offers of the two displays, written line by line as the real devices write them. */

/** What a display's own end of the media connection looks like. */
export interface LocalEnd {
  readonly ufrag: string
  readonly password: string
  /** SHA-256 of the certificate, in the form of `a=fingerprint`. */
  readonly fingerprint: string
  readonly candidates: readonly LocalCandidate[]
  readonly audioSsrc: number
  readonly videoSsrc: number
  readonly cname: string
}

export interface LocalCandidate {
  readonly address: string
  readonly port: number
  readonly type: string
  readonly priority: number
  readonly relatedAddress?: string | undefined
  readonly relatedPort?: number | undefined
}

/**
 * An offer as the media server behind an Echo sends it: static payload types without rtpmap, H.264 without fmtp, mids
 * `audio0` and `video0`, everything `sendrecv`, host candidates only, for TCP and for component 2 too, no trickle.
 */
export function echoOffer(end: LocalEnd): string {
  const now = Math.floor(Date.now() / 1000) + 2_208_988_800 // NTP seconds, as the Echo's own origin line
  const hosts = end.candidates.filter(({ type }) => type === 'host')
  const security = [`a=ice-ufrag:${end.ufrag}`, `a=ice-pwd:${end.password}`, `a=fingerprint:sha-256 ${end.fingerprint}`]
  const section = ['a=setup:actpass', 'a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time']
  const lines = [
    'v=0',
    `o=- ${now} ${now} IN IP4 0.0.0.0`,
    's=a 2 z',
    'c=IN IP4 0.0.0.0',
    't=0 0',
    'a=group:BUNDLE audio0 video0',
    'm=audio 1 UDP/TLS/RTP/SAVPF 96 0 8',
    ...echoCandidates(hosts, [0, 1, 2, 3, 4, 5]),
    ...section,
    'a=rtpmap:96 opus/48000/2',
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=rtcp-mux',
    'a=sendrecv',
    'a=mid:audio0',
    `a=ssrc:${end.audioSsrc} cname:${end.cname}`,
    ...security,
    'm=video 1 UDP/TLS/RTP/SAVPF 99',
    ...echoCandidates(hosts, [0, 3, 1, 2, 5, 4]),
    'b=AS:2500',
    ...section,
    'a=rtpmap:99 H264/90000',
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=rtcp-mux',
    'a=sendrecv',
    'a=mid:video0',
    'a=rtcp-fb:99 nack',
    'a=rtcp-fb:99 nack pli',
    'a=rtcp-fb:99 ccm fir',
    `a=ssrc:${end.videoSsrc} cname:${end.cname}`,
    ...security,
  ]
  return text(lines)
}

/** Six candidates for each address, of which only the first leads anywhere; the Echo lists them in another order in each section. */
function echoCandidates(hosts: readonly LocalCandidate[], order: readonly number[]): string[] {
  return hosts.flatMap(({ address, port }, index) => {
    const first = 3 * index + 1
    const six = [
      `a=candidate:${first} 1 UDP 2013266431 ${address} ${port} typ host`,
      `a=candidate:${first + 1} 1 TCP 1015021823 ${address} 9 typ host tcptype active`,
      `a=candidate:${first + 2} 1 TCP 1010827519 ${address} ${port} typ host tcptype passive`,
      `a=candidate:${first} 2 UDP 2013266430 ${address} ${neighbour(port)} typ host`,
      `a=candidate:${first + 1} 2 TCP 1015021822 ${address} 9 typ host tcptype active`,
      `a=candidate:${first + 2} 2 TCP 1010827518 ${address} ${neighbour(port)} typ host tcptype passive`,
    ]
    return order.flatMap((at) => six[at] ?? [])
  })
}

const neighbour = (port: number): number => (port === 65_535 ? port - 1 : port + 1)

const hubAudio = [
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=rtpmap:63 red/48000/2',
  'a=fmtp:63 111/111',
  'a=rtpmap:9 G722/8000',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:13 CN/8000',
  'a=rtpmap:110 telephone-event/48000',
  'a=rtpmap:126 telephone-event/8000',
]

/** Payload type, its retransmission's payload type, name and format of what a Chromium with H.264 decodes. */
const hubVideo = [
  [96, 97, 'VP8', undefined],
  [102, 103, 'H264', 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f'],
  [104, 105, 'H264', 'level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f'],
  [106, 107, 'H264', 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f'],
  [108, 109, 'H264', 'level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f'],
  [127, 125, 'H264', 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f'],
  [39, 40, 'H264', 'level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=4d001f'],
  [112, 113, 'H264', 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f'],
] as const

/**
 * An offer as the player page in a Nest Hub's Chromium sends it: complete candidates, and yet `ice-options:trickle`, which
 * Chromium writes whatever happens. It asks for no transport-cc, because the
 * simulator sends no such feedback.
 */
export function hubOffer(end: LocalEnd): string {
  const id = `${end.audioSsrc}${end.ufrag.length}71400`
  const stream = `${id.slice(0, 8)}-4c1e-4d44-9a1f-${id.padEnd(12, '0').slice(0, 12)}`
  const section = (mid: string): string[] => [
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    ...hubCandidates(end.candidates),
    `a=ice-ufrag:${end.ufrag}`,
    `a=ice-pwd:${end.password}`,
    'a=ice-options:trickle',
    `a=fingerprint:sha-256 ${end.fingerprint}`,
    'a=setup:actpass',
    `a=mid:${mid}`,
  ]
  const videoTypes = hubVideo.flatMap(([type, repair]) => [type, repair])
  const lines = [
    'v=0',
    `o=- ${id.padStart(19, '4')} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'a=group:BUNDLE 0 1',
    'a=extmap-allow-mixed',
    `a=msid-semantic: WMS ${stream}`,
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126',
    ...section('0'),
    'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
    'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    'a=sendrecv',
    `a=msid:${stream} ${stream}`,
    'a=rtcp-mux',
    ...hubAudio,
    `a=ssrc:${end.audioSsrc} cname:${end.cname}`,
    `a=ssrc:${end.audioSsrc} msid:${stream} ${stream}`,
    `m=video 9 UDP/TLS/RTP/SAVPF ${videoTypes.join(' ')}`,
    ...section('1'),
    'a=extmap:14 urn:ietf:params:rtp-hdrext:toffset',
    'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    'a=extmap:13 urn:3gpp:video-orientation',
    'a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    'a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
    'a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
    'a=recvonly',
    'a=rtcp-mux',
    'a=rtcp-rsize',
    ...hubVideo.flatMap(([type, repair, name, format]) => [
      `a=rtpmap:${type} ${name}/90000`,
      ...['goog-remb', 'ccm fir', 'nack', 'nack pli'].map((feedback) => `a=rtcp-fb:${type} ${feedback}`),
      ...(format === undefined ? [] : [`a=fmtp:${type} ${format}`]),
      `a=rtpmap:${repair} rtx/90000`,
      `a=fmtp:${repair} apt=${type}`,
    ]),
  ]
  return text(lines)
}

function hubCandidates(candidates: readonly LocalCandidate[]): string[] {
  const udp = candidates.map(({ address, port, type, priority, relatedAddress, relatedPort }, index) => {
    const related = relatedAddress === undefined ? '' : ` raddr ${relatedAddress} rport ${relatedPort ?? 9}`
    return `a=candidate:${1_510_613_869 + index} 1 udp ${priority} ${address} ${port} typ ${type}${related} generation 0 network-id ${index + 1}`
  })
  const hosts = candidates.filter(({ type }) => type === 'host')
  const tcp = hosts.map(
    ({ address }, index) =>
      `a=candidate:${344_579_997 + index} 1 tcp ${1_518_280_447 - index} ${address} 9 typ host tcptype active generation 0 network-id ${index + 1}`,
  )
  return [...udp, ...tcp]
}

const text = (lines: readonly string[]): string => `${lines.join('\r\n')}\r\n`
