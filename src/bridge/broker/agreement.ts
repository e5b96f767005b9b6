/** What a display's offer and a camera's answer have in common (RFC 3264): the one place where an answer is judged. */
import { BridgeError } from 'transom-core/errors'
import { agreedCodec, isNamed, namesOf, sameCodec, withoutOrphans, type Codec } from './formats.ts'
import { allowedDirection, toDirection, wants, type AnswerRules } from './rules.ts'
import { includesReceiving, includesSending, parseSdp, type Description, type Direction, type Media } from './sdp.ts'

/** What camera and display agreed on, as plain data: the answer to the offer, but for the candidates that may still come. */
export interface Agreement {
  readonly origin: string
  readonly isIceLite: boolean
  /** The camera promises candidates beside its answer. */
  readonly isTrickling: boolean
  /** The BUNDLE groups of the answer, in the display's mids. */
  readonly groups: Description['groups']
  /** One for each section of the offer, in its order. */
  readonly sections: readonly Section[]
  /** The mids of the camera's answer by place, for what it trickles. */
  readonly mids: readonly (string | undefined)[]
}

/** A section that camera and display share; `index` is the place of the camera's in its answer. */
export interface Accepted {
  readonly kind: 'accepted'
  readonly offered: Media
  readonly answered: Media
  readonly index: number
  readonly codecs: readonly Codec[]
  readonly direction: Direction
  readonly transport: Transport
}

type Section = Accepted | { readonly kind: 'rejected'; readonly offered: Media }

interface Transport {
  readonly ufrag: string
  readonly pwd: string
  readonly fingerprints: readonly string[]
  readonly setup: 'active' | 'passive'
}

/**
 * Reads a camera's answer to `offer` and finds what both can do (RFC 3264, RFC 9429 section 5.3): the offer's sections in the
 * offer's order with the offer's mids and payload types, directions that fit, feedback and extensions only as offered, and
 * the BUNDLE groups that the answer names (RFC 9143 section 7.3).
 * Throws `BridgeError`: `camera_garbled` when the answer cannot be one to this offer, `no_common_codec` when no section is
 * left or the picture is lost for want of a codec, `no_picture` when it is lost for another reason, `no_sound` when there is
 * none to lose and the camera neither sends nor takes sound.
 */
export function readAnswer(offer: Description, answerText: string, rules: AnswerRules): Agreement {
  const answer = parseSdp(answerText, 'camera_garbled')
  const sections = pairSections(offer, answer, rules)
  const agreement = {
    origin: answer.origin,
    isIceLite: answer.isIceLite,
    isTrickling: answer.isTrickling,
    groups: groupsOf(offer, answer, sections),
    sections,
    mids: answer.media.map(({ mid }) => mid),
  }
  if (rules.needsPicture === true && wants(offer.media, 'video') && !sends(agreement, 'video'))
    throw pictureLost(offer, answer)
  if (acceptedOf(agreement).length === 0)
    throw new BridgeError('no_common_codec', `${codecsOf(offer.media)} were offered, and the camera accepts none`)
  if (wants(offer.media, 'audio') && !flows(agreement))
    throw new BridgeError(
      'no_sound',
      'the camera answers that it neither sends sound nor takes any, and it sends no picture',
    )
  return agreement
}

/** Whether sound or a picture goes either way; a data channel shows nothing. */
function flows(agreement: Agreement): boolean {
  return acceptedOf(agreement).some(({ offered, direction }) => offered.isRtp && direction !== 'inactive')
}

/** Whether the camera sends sound, or a picture, to the display. */
export function sends(agreement: Agreement, kind: 'audio' | 'video'): boolean {
  return acceptedOf(agreement).some(({ offered, direction }) => offered.kind === kind && includesSending(direction))
}

/** The sections that both sides use. */
export function acceptedOf({ sections }: Pick<Agreement, 'sections'>): readonly Accepted[] {
  return sections.filter((section) => section.kind === 'accepted')
}

function codecsOf(media: readonly Media[]): string {
  return namesOf(media.flatMap(({ isLive, codecs }) => (isLive ? codecs : []))) || 'unnamed codecs'
}

/** Why there is no picture in the answer, as far as the answer says it. */
function pictureLost(offer: Description, answer: Description): BridgeError {
  const offered = offer.media.filter(({ kind, isLive }) => kind === 'video' && isLive)
  const answered = answer.media.filter(({ kind, isLive }) => kind === 'video' && isLive)
  const asked = codecsOf(offered)
  if (answered.length > 0) {
    const isShared = answered.some((one) => offered.some((other) => commonCodecs(other, one).length > 0))
    if (isShared) return new BridgeError('no_picture', 'the camera answers that it sends no picture')
    const said = `the display takes ${asked}, the camera answers ${codecsOf(answered)}`
    return new BridgeError('no_common_codec', `${said}: ${differenceOf(offered, answered)}`)
  }
  // Every camera for these displays has H.264; one that rejects it has another reason, which SDP has no words for.
  const hasUsual = offered.some(({ codecs }) => codecs.some((codec) => isNamed(codec, 'h264')))
  return hasUsual
    ? new BridgeError('no_picture', `the camera rejects the video section (${asked})`)
    : new BridgeError('no_common_codec', `the display takes ${asked}, and the camera rejects that`)
}

/** What keeps the camera's codecs from being an answer to the display's. */
function differenceOf(offered: readonly Media[], answered: readonly Media[]): string {
  const asked = offered.flatMap(({ codecs }) => codecs).filter((codec) => !isNamed(codec, 'rtx'))
  const alike = answered.flatMap(({ codecs }) => codecs.filter((one) => asked.some((other) => sameCodec(one, other))))
  if (alike.length === 0) return 'other codecs'
  const isThere = alike.some((one) => asked.some((other) => sameCodec(one, other) && one.payload === other.payload))
  return isThere ? 'other parameters, such as the profile' : 'payload types that the display did not offer for it'
}

function pairSections(offer: Description, answer: Description, rules: AnswerRules): readonly Section[] {
  const places = placesOf(offer, answer)
  return offer.media.map((offered, place): Section => {
    const index = places[place] ?? -1
    const answered = answer.media[index]
    if (!offered.isLive || answered?.kind !== offered.kind || !answered.isLive) return { kind: 'rejected', offered }
    const codecs = commonCodecs(offered, answered)
    if (offered.isRtp && codecs.length === 0) return { kind: 'rejected', offered }
    const direction = fitDirection(allowedDirection(offered, rules), answered.direction)
    return { kind: 'accepted', offered, answered, index, codecs, direction, transport: transportOf(offered, answered) }
  })
}

/**
 * For each section of the offer the place of the camera's; -1 where there is none. By kind and mid; those whose mid the
 * camera renamed, left out or confused with one of another kind by their place, and where it left sections out, too, or has
 * them in another order, the first of the kind with a codec of this one.
 */
function placesOf(offer: Description, answer: Description): readonly number[] {
  const isShort = answer.media.length < offer.media.length
  const ways: readonly ((offered: Media, answered: Media, isThere: boolean) => boolean)[] = [
    isNamesake,
    (offered, answered, isThere) => isThere && !isShort && answered.kind === offered.kind,
    (offered, answered) =>
      answered.kind === offered.kind && (!offered.isRtp || commonCodecs(offered, answered).length > 0),
  ]
  const places = offer.media.map(() => -1)
  for (const isPair of ways)
    offer.media.forEach((offered, place) => {
      if (places[place] !== -1) return
      places[place] = answer.media.findIndex(
        (answered, at) => !places.includes(at) && isPair(offered, answered, at === place),
      )
    })
  return places
}

function isNamesake(one: Media, other: Media): boolean {
  return one.mid !== undefined && one.mid === other.mid && one.kind === other.kind
}

/** The camera's codecs that were offered under the same payload type. An rtx goes when the codec it repairs went. */
function commonCodecs(offered: Media, answered: Media): readonly Codec[] {
  const common = answered.codecs.flatMap((codec) => {
    const wanted = offered.codecs.find(({ payload }) => payload === codec.payload)
    const agreed = wanted && agreedCodec(codec, wanted)
    return agreed ? { ...agreed, feedback: codec.feedback.filter((one) => wanted.feedback.includes(one)) } : []
  })
  return withoutOrphans(common)
}

/** What the camera does in a section in which the display does `offered` at most. */
function fitDirection(offered: Direction, answered: Direction): Direction {
  return toDirection(
    includesSending(answered) && includesReceiving(offered),
    includesReceiving(answered) && includesSending(offered),
  )
}

function transportOf(offered: Media, { transport: { ufrag, pwd, fingerprints, setup } }: Media): Transport {
  if (ufrag === undefined || pwd === undefined)
    throw new BridgeError('camera_garbled', 'the answer has no ICE credentials')
  if (fingerprints.length === 0) throw new BridgeError('camera_garbled', 'the answer has no certificate fingerprint')
  // RFC 8842 section 5.3: where the offer leaves the choice the answerer is `active`; `actpass` and nothing are no choice.
  const isForced = offered.transport.setup === 'active' || offered.transport.setup === 'passive'
  const other = offered.transport.setup === 'active' ? 'passive' : 'active'
  const role = setup === 'active' || setup === 'passive' ? setup : other
  if (isForced && role !== other)
    throw new BridgeError('camera_garbled', `the answer takes the DTLS role of the offer, which is ${role}`)
  return { ufrag, pwd, fingerprints, setup: role }
}

/** The groups that the answer names, as far as they were offered, in the display's mids (RFC 9143 section 7.3). */
function groupsOf(offer: Description, answer: Description, sections: readonly Section[]): Description['groups'] {
  const accepted = acceptedOf({ sections })
  const toOffered = (mid: string): readonly string[] =>
    accepted.flatMap(({ offered, answered }) => ((answered.mid ?? offered.mid) === mid ? (offered.mid ?? []) : []))
  const answered = answer.groups.map((mids) => mids.flatMap(toOffered))
  return offer.groups.flatMap((group) =>
    answered.map((mids) => mids.filter((mid) => group.includes(mid))).filter((mids) => mids.length > 0),
  )
}
