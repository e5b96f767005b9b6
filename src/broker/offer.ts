/** The display's offer: what it must have, and how it is written for the camera. */
import { BridgeError } from '../errors.ts'
import { candidateLine, candidatesOf, usableCandidates } from './candidate.ts'
import { attributeLine, bundleLine, codecLines, describe, iceLiteLine, midLine, rejectedLines } from './sdp-lines.ts'
import {
  hasAttribute,
  parseSdp,
  withoutOrphans,
  type Attribute,
  type Codec,
  type Description,
  type Media,
} from './sdp.ts'

/**
 * Codecs that a KVS camera master may send, by the C SDK's list and the displays' wishes; `rtx` is kept for those. All
 * else is pruned: a Chromium's full offer would use 9,360 of the 10,000 base64 characters that KVS carries.
 */
const cameraCodecs: Readonly<Record<string, readonly string[]>> = {
  audio: ['opus', 'pcmu', 'pcma'],
  video: ['h264', 'vp8', 'rtx'],
}

/** Header extensions that help a camera: demultiplexing (RFC 9143) and congestion control. */
const cameraExtensions: readonly string[] = [
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
]

/** Section attributes that are passed on as they are; what is not here is either written anew or of no use to a camera. */
const passedAttributes: readonly string[] = [
  'rtcp-mux',
  'rtcp-rsize',
  'ssrc',
  'msid',
  'sctp-port',
  'max-message-size',
  'sctpmap',
]

/**
 * An Echo offers H.264 without fmtp. By RFC 6184 that is packetization mode 0 and baseline; what it takes is mode 1 in any
 * profile, so the camera is told the mode, and names its own profile.
 */
const h264Open = 'level-asymmetry-allowed=1;packetization-mode=1'

/**
 * Reads a display's offer. Throws `BridgeError('invalid_request')` when it is not SDP, or lacks what a WebRTC session
 * cannot do without: an audio or video section, ICE credentials (RFC 8839) and a certificate fingerprint (RFC 8122).
 */
export function readOffer(text: string): Description {
  const offer = parseSdp(text, 'invalid_request')
  const live = offer.media.filter((media) => media.isLive)
  if (!live.some((media) => media.kind === 'audio' || media.kind === 'video')) {
    throw new BridgeError('invalid_request', 'the offer has neither an audio nor a video section')
  }
  for (const media of live) {
    const { ufrag, pwd, fingerprints } = media.transport
    const missing =
      ufrag === undefined || pwd === undefined
        ? 'ice-ufrag or ice-pwd'
        : fingerprints.length === 0
          ? 'fingerprint'
          : undefined
    if (missing !== undefined)
      throw new BridgeError('invalid_request', `the offer has no ${missing} for its ${media.kind} section`)
  }
  return offer
}

/**
 * The offer as the camera gets it: the same sections, mids and payload types, every transport attribute in its section,
 * static payload types spelled out, what a camera cannot use left out, and `a=ice-options:trickle`, which makes a KVS
 * C SDK camera answer in milliseconds instead of after ten seconds of gathering.
 */
export function offerForCamera(offer: Description): string {
  const live = offer.media.filter(isForCamera)
  return describe(offer.origin, [
    ...bundleLine(offer.bundle.filter((mid) => live.some((media) => media.mid === mid))),
    'a=ice-options:trickle',
    ...iceLiteLine(offer),
    'a=msid-semantic: WMS *',
    ...offer.media.flatMap((media) => (live.includes(media) ? sectionLines(media) : rejectedLines(media))),
  ])
}

function isForCamera(media: Media): boolean {
  return media.isLive && (!media.isRtp || codecsForCamera(media).length > 0)
}

function sectionLines(media: Media): readonly string[] {
  const codecs = codecsForCamera(media)
  const formats = media.isRtp ? codecs.map((codec) => `${codec.payload}`) : media.formats
  const { ufrag, pwd, fingerprints, setup } = media.transport
  const candidates = usableCandidates(candidatesOf(media), { ipv4Only: false, tcpCandidates: false, localNames: true })
  return [
    `m=${media.kind} 9 ${media.protocol} ${formats.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    ...media.bandwidth.map((value) => `b=${value}`),
    ...midLine(media),
    `a=${media.direction}`,
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    ...fingerprints.map((value) => `a=fingerprint:${value}`),
    `a=setup:${setup ?? 'actpass'}`,
    ...media.attributes.filter(isPassed).map(attributeLine),
    ...codecs.flatMap(codecLines),
    ...candidates.map(candidateLine),
    ...(hasAttribute(media.attributes, 'end-of-candidates') ? ['a=end-of-candidates'] : []),
  ]
}

function codecsForCamera(media: Media): readonly Codec[] {
  const known = media.codecs.filter((codec) => cameraCodecs[media.kind]?.includes(codec.name.toLowerCase()) === true)
  return withoutOrphans(known).map((codec) => (isBareH264(codec) ? { ...codec, parameters: h264Open } : codec))
}

/** True for H.264 of which nothing is said. */
export function isBareH264(codec: Codec): boolean {
  return codec.name.toUpperCase() === 'H264' && codec.parameters === ''
}

function isPassed(attribute: Attribute): boolean {
  if (attribute.name === 'extmap') return cameraExtensions.includes(attribute.value.split(' ')[1] ?? '')
  return passedAttributes.includes(attribute.name)
}
