/** The display's offer: what it must have, and how it is written for the camera. */
import { BridgeError } from 'transom-core/errors'
import { maxPayload } from 'transom-core/ports'
import { areNested, candidateLine } from './candidate.ts'
import { h264Open, isBareH264, isNamed, namesOf, parametersOf, withoutOrphans, type Codec } from './formats.ts'
import { allowedDirection, wants, type AnswerRules } from './rules.ts'
import { attributeLine, bundleLines, codecLines, describe, midLine, rejectedLines } from './sdp-lines.ts'
import { includesReceiving, includesSending, parseSdp, type Attribute, type Description, type Media } from './sdp.ts'

/**
 * Codecs that a KVS camera master may send, by the C SDK's list and the displays' wishes; `rtx` is kept for those. All
 * else is pruned: a Chromium's full offer would use 9,360 of the 10,000 base64 characters that KVS carries.
 */
const cameraCodecs: ReadonlyMap<string, readonly string[]> = new Map([
  ['audio', ['opus', 'pcmu', 'pcma']],
  ['video', ['h264', 'h265', 'vp8', 'rtx']],
])

/** Header extensions that help a camera: demultiplexing (RFC 9143) and congestion control. */
const cameraExtensions: readonly string[] = [
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
]

/** Section attributes that are passed on as they are; what is not here is either written anew or of no use to a camera. */
const passedAttributes: readonly string[] = ['rtcp-rsize', 'sctp-port', 'max-message-size', 'sctpmap']

/** What names the display's own streams (RFC 5576, RFC 8830): for a section in which it sends. */
const streamAttributes: readonly string[] = ['ssrc-group', 'ssrc', 'msid']

/** What is given up, one after the other, when an offer is larger than signaling carries; what costs least comes first. */
const savings = ['repeated-candidates', 'surplus-sections', 'repair-and-extensions', 'alternatives'] as const
type Saving = (typeof savings)[number]

/** Feedback that any camera understands (RFC 4585, RFC 5104). */
const plainFeedback: readonly string[] = ['nack', 'nack pli', 'ccm fir']

/**
 * Reads a display's offer. Throws `BridgeError('invalid_request')` when it is not SDP, or lacks what a WebRTC session
 * cannot do without: an audio or video section and, for each section that a camera can use, ICE credentials (RFC 8839), a
 * certificate fingerprint (RFC 8122) and rtcp-mux (RFC 8834 section 4.5).
 */
export function readOffer(text: string): Description {
  const offer = parseSdp(text, 'invalid_request')
  if (!offer.media.some(({ kind, isLive }) => isLive && (kind === 'audio' || kind === 'video')))
    throw new BridgeError('invalid_request', 'the offer has neither an audio nor a video section')
  for (const { kind, isRtp, transport } of offer.media.filter(isForCamera)) {
    const { ufrag, pwd, fingerprints, hasMux } = transport
    const lack = (what: string) =>
      new BridgeError('invalid_request', `the offer has no ${what} for its ${kind} section`)
    if (ufrag === undefined || pwd === undefined) throw lack('ice-ufrag or ice-pwd')
    if (fingerprints.length === 0) throw lack('fingerprint')
    if (isRtp && !hasMux) throw lack('rtcp-mux')
  }
  return offer
}

/**
 * The offer as the camera gets it: the same sections, mids and payload types, directions as far as the display may go, every
 * transport attribute in its section, static payload types spelled out, what a camera cannot use left out, and
 * `a=ice-options:trickle`, which makes a KVS C SDK camera answer in milliseconds instead of after ten seconds of gathering.
 * Throws `BridgeError`: `no_common_codec` when no camera can send what the display takes, `offer_too_large` when it exceeds
 * what signaling carries although all was left out that a view can do without.
 */
export function offerForCamera(offer: Description, rules: AnswerRules): string {
  requireCommon(offer.media, rules)
  let length = 0
  for (let saved = 0; saved <= savings.length; saved++) {
    const text = write(offer, rules, savings.slice(0, saved))
    length = payloadLength(text)
    if (length <= maxPayload) return text
  }
  throw new BridgeError(
    'offer_too_large',
    `the offer takes ${length} base64 characters even when shortened, the signaling service carries ${maxPayload}`,
  )
}

/** Base64 characters of the offer in the form that signaling carries. */
function payloadLength(sdp: string): number {
  return 4 * Math.ceil(Buffer.byteLength(JSON.stringify({ type: 'offer', sdp })) / 3)
}

/** Without a picture, or without anything at all, there is nothing to ask the camera for. */
function requireCommon(media: readonly Media[], { needsPicture }: AnswerRules): void {
  const live = media.filter(isForCamera)
  const isEmpty = !live.some(({ isRtp }) => isRtp)
  if (!isEmpty && !(needsPicture === true && wants(media, 'video') && !wants(live, 'video'))) return
  const offered = media.flatMap(({ kind, isLive, codecs }) => (isLive && (isEmpty || kind === 'video') ? codecs : []))
  throw new BridgeError(
    'no_common_codec',
    `the display takes ${namesOf(offered) || 'no codec that has a name'}, and no camera sends that`,
  )
}

function write(offer: Description, rules: AnswerRules, saved: readonly Saving[]): string {
  const usable = offer.media.filter(isForCamera)
  const live = saved.includes('surplus-sections') ? oneOfEach(usable) : usable
  const groups = groupsForCamera(offer, live)
  const told = new Set(groups.flatMap((mids) => mids.slice(1)))
  return describe(offer.origin, [
    ...bundleLines(groups),
    'a=ice-options:trickle',
    ...(offer.isIceLite ? ['a=ice-lite'] : []),
    'a=msid-semantic: WMS *',
    ...offer.media.flatMap((media, place) => {
      const named = { ...media, mid: media.mid ?? freeMid(place, offer.media) }
      if (!live.includes(media)) return rejectedLines(named)
      // In a bundle, those of its first section are everybody's (RFC 9143 section 7.1.3).
      const isRepeated = saved.includes('repeated-candidates') && told.has(named.mid)
      return sectionLines(isRepeated ? { ...named, candidates: [] } : named, rules, saved)
    }),
  ])
}

/**
 * The groups of the sections that are left. A display without any mid cannot name a group; where all its sections have the same
 * credentials and addresses they are one transport all the same.
 */
function groupsForCamera(offer: Description, live: readonly Media[]): Description['groups'] {
  const [first] = live
  const isOne = ({ mid, transport: { ufrag, pwd }, candidates }: Media) =>
    mid === undefined &&
    ufrag === first?.transport.ufrag &&
    pwd === first?.transport.pwd &&
    areNested(candidates, first?.candidates ?? [])
  if (live.every(isOne)) return [live.map((media) => freeMid(offer.media.indexOf(media), offer.media))]
  return offer.groups.map((mids) => mids.filter((mid) => live.some((media) => media.mid === mid)))
}

/** For a section without one: cameras' stacks, werift's among them, refuse an offer without mids. */
function freeMid(place: number, media: readonly Media[]): string {
  const name = `${place}`
  return media.some(({ mid }) => mid === name) ? `section-${place}` : name
}

/**
 * For each kind one section in which the display takes what the camera sends, of those with the H.264 that cameras have if
 * there are, and the first in which its sound goes to the camera; or the first at all.
 */
function oneOfEach(media: readonly Media[]): readonly Media[] {
  return media.filter((one) => {
    const alike = media.filter(({ kind }) => kind === one.kind)
    const taken = alike.filter(({ direction }) => includesReceiving(direction))
    const best = taken.find(({ codecs }) => codecs.some((codec) => isNamed(codec, 'h264'))) ?? taken[0] ?? alike[0]
    const talk = alike.find(({ kind, direction }) => kind === 'audio' && includesSending(direction))
    const isHeard = best?.kind === 'audio' && includesSending(best.direction)
    return one === best || (one === talk && !isHeard)
  })
}

function isForCamera(media: Media): boolean {
  return media.isLive && (!media.isRtp || knownCodecs(media).some((codec) => !isNamed(codec, 'rtx')))
}

function sectionLines(media: Media, rules: AnswerRules, saved: readonly Saving[]): readonly string[] {
  const codecs = codecsForCamera(media, saved)
  const formats = media.isRtp ? codecs.map((codec) => `${codec.payload}`) : media.formats
  const { ufrag, pwd, fingerprints, setup } = media.transport
  const direction = allowedDirection(media, rules)
  return [
    `m=${media.kind} 9 ${media.protocol} ${formats.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    ...media.bandwidth.map((value) => `b=${value}`),
    ...midLine(media),
    ...(media.isRtp ? [`a=${direction}`, 'a=rtcp-mux'] : []),
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    ...fingerprints.map((value) => `a=fingerprint:${value}`),
    `a=setup:${setup ?? 'actpass'}`,
    ...media.attributes.filter(isPassed(includesSending(direction), saved)).map(attributeLine),
    ...codecs.flatMap(codecLines),
    ...media.candidates.map(candidateLine),
    ...(media.isComplete ? ['a=end-of-candidates'] : []),
  ]
}

function codecsForCamera(media: Media, saved: readonly Saving[] = []): readonly Codec[] {
  const known = knownCodecs(media)
  const kept = saved.includes('alternatives')
    ? plainest(known)
    : saved.includes('repair-and-extensions')
      ? known.filter((codec) => !isNamed(codec, 'rtx'))
      : known
  return withoutOrphans(kept).map((codec) => (isBareH264(codec) ? { ...codec, parameters: h264Open } : codec))
}

function knownCodecs({ kind, codecs }: Media): readonly Codec[] {
  const known = cameraCodecs.get(kind) ?? []
  return codecs.filter(({ name }) => known.includes(name.toLowerCase()))
}

/** Four formats of H.264 in the packetization mode that cameras send, else two of what there is, with feedback that all understand. */
function plainest(codecs: readonly Codec[]): readonly Codec[] {
  const media = codecs.filter((codec) => !isNamed(codec, 'rtx'))
  const usual = media.filter(isUsualH264)
  const best = usual.length > 0 ? usual.slice(0, 4) : media.slice(0, 2)
  return best.map((codec) => ({ ...codec, feedback: codec.feedback.filter((one) => plainFeedback.includes(one)) }))
}

function isUsualH264(codec: Codec): boolean {
  return isBareH264(codec) || (isNamed(codec, 'h264') && parametersOf(codec).get('packetization-mode') === '1')
}

function isPassed(sends: boolean, saved: readonly Saving[]): (attribute: Attribute) => boolean {
  const hasExtensions = !saved.includes('repair-and-extensions')
  return ({ name, value }) => {
    if (name === 'extmap') return hasExtensions && cameraExtensions.includes(value.split(' ')[1] ?? '')
    return passedAttributes.includes(name) || (sends && streamAttributes.includes(name))
  }
}
