/** One viewer of the camera: its peer connection from the offer to the end, what it is sent and what it says. */
import { setTimeout as wait } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { RTCDataChannel, RTCPeerConnection, RTCRtpTransceiver } from 'werift'
import type { Outgoing } from 'transom-kvs/message'
import type { Clock, IceServer, Log } from 'transom-core/ports'
import type { CameraEvent } from 'transom-core/wire/camera-event'
import { answerOffer, createConnection, OfferError } from './answer.ts'
import type { Ear } from './ear.ts'
import { createFeed, type Feed } from './feed.ts'
import type { ServerMemory, ServerWatch } from './ice-servers.ts'
import type { MediaInfo, MediaSink, SoundCodec, VideoCodec } from './media.ts'
import { narrowOffer, type NarrowedOffer } from './offer.ts'
import type { RelayAtHand } from './relay-at-hand.ts'
import type { SharedSource } from './source.ts'
import {
  beginViewing,
  causeOf,
  stepViewing,
  type Cause,
  type Ending,
  type ViewerState,
  type ViewingEffect,
} from './viewing.ts'
import { openVoice, originOf, playable, type Voice } from './voice.ts'

/** How often a viewer is looked after. */
const lookEachMs = 1_000

/** What goes wrong with one viewer, and ends nothing else. */
type ViewerWarning =
  `gateway.${'sound-garbled' | 'sound-missing' | 'talk-back-garbled' | 'talk-back-missing' | 'viewer-refused' | 'viewer-close-failed' | 'candidate-ignored'}`

/** What a viewer needs of its source: that of the camera, or a recording. */
export type ViewedSource = Pick<SharedSource, 'state' | 'fault' | 'join' | 'requestKeyFrame' | 'recent' | 'createEar'>

export interface ViewerOptions {
  readonly viewerId: string
  readonly offer: string
  readonly source: ViewedSource
  /** What the source yields, and whether it plays what the viewer says. */
  readonly media: MediaInfo
  /** FFmpeg is there. */
  readonly hasDecoder: boolean
  readonly iceServers: readonly IceServer[]
  /** What the camera knows of them. */
  readonly memory: ServerMemory
  /** Where it keeps a relay at hand. */
  readonly relay: RelayAtHand | undefined
  /** Called with each data channel that the viewer opens; without it an offer of any is rejected. */
  readonly onChannel?: (channel: RTCDataChannel) => void
  /** Sends a message to this viewer. */
  readonly send: (message: Outgoing) => void
  /** Resolves to true when the bridge says that this viewer's session is over. Never rejects. */
  readonly report: (event: CameraEvent) => Promise<boolean>
  /** So often the bridge is told, and asked, while the viewer is connected. */
  readonly reportEachMs: number
  /** Called once, when the viewer has come to its end, by itself or by `close`. */
  readonly onGone: () => void
  readonly clock: Clock
  readonly log: Log
}

export interface Viewer {
  addCandidate(candidate: string, sdpMid: string | undefined, sdpMLineIndex: number | undefined): void
  /** For how long nothing has come from it, milliseconds; it is looked at once a second. */
  quietMs(): number
  /** It will never connect, for this cause; does nothing once it has. */
  fail(this: void, cause: Cause): void
  /** Hangs up and frees everything; may be called again. `silent`: because nothing has come from it for long. */
  close(reason: string, how?: 'silent'): Promise<void>
}

/** What the offer comes to: the codec of the answer for sound, and of which of the camera's it is made. */
interface Plan {
  readonly offer: NarrowedOffer
  readonly codec: SoundCodec
  readonly origin: SoundCodec | undefined
  /** Why it gets no sound, and all else. */
  readonly withoutSound: Cause | undefined
}

/** What a viewer holds, as far as it is there by now. */
interface Parts {
  feed?: Feed
  ear?: Ear
  voice?: Voice
  servers?: ServerWatch
}

/** Answers the offer at once and serves the viewer until it goes. */
export function openViewer(options: ViewerOptions): Viewer {
  const { viewerId, source, reportEachMs, log } = options
  const plan = planView(options)
  const picture = plan.offer.video === 'h265' ? 'H265' : 'H264'
  const connection = createConnection(options.iceServers, plan.codec, picture)
  const life = new AbortController()
  const { signal } = life
  const parts: Parts = {}
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>()
  let viewing = beginViewing(performance.now(), reportEachMs)

  const warn = (event: ViewerWarning) => (error: unknown) =>
    log('warn', event, { viewerId, error: error instanceof Error ? error.message : String(error) })
  const step = (happened: { kind: 'connected' } | { kind: 'looked' } | ({ kind: 'ended' } & Ending)) => {
    const seen = {
      at: performance.now(),
      received: packetsFrom(connection),
      heard: parts.ear?.heard(),
      fault: source.fault()?.code,
      failures: parts.servers?.failures() ?? [],
    }
    const [next, effects] = stepViewing(viewing, { ...happened, ...seen })
    viewing = next
    effects.forEach(carryOut)
  }
  const hangUp = (reason: string, how?: 'silent') => step({ kind: 'ended', reason, how })

  function carryOut(effect: ViewingEffect): void {
    switch (effect.kind) {
      case 'feed':
        parts.feed = createFeed(connection, source, picture)
        // The alert `close_notify` (RFC 5246 section 7.2.1): what a browser sends when its page closes the connection.
        for (const transport of connection.dtlsTransports)
          transport.onStateChange.subscribe((dtls) => dtls === 'closed' && hangUp('it said goodbye'))
        log('info', 'gateway.viewer-connected', { viewerId })
        return
      case 'report':
        return report(effect.state)
      case 'release':
        void release(effect.reason)
    }
  }
  function report(state: ViewerState): void {
    const cause = source.fault() ?? (viewing.phase === 'gone' ? viewing.cause : undefined) ?? plan.withoutSound
    const told = options.report({
      kind: 'viewer',
      viewerId,
      state,
      ...(options.media.hasSpeaker && { heard: viewing.heard }),
      ...(cause && { cause }),
      sent: parts.feed?.sent() ?? { videoPackets: 0, audioPackets: 0 },
      at: Math.round(options.clock()),
    })
    // The display may look on although nobody lets it any more: KVS has no word for that, so the bridge is asked.
    void told.then((isOver) => {
      if (isOver && state === 'connected') hangUp('the bridge says that its session is over')
    })
  }
  async function release(reason: string): Promise<void> {
    life.abort()
    leaveSource()
    const { feed, ear, voice } = parts
    for (const part of [ear, voice, feed]) part?.close()
    log('info', 'gateway.viewer-gone', { viewerId, reason, ...feed?.sent(), heardPackets: viewing.heard.packets })
    options.onGone()
    await connection.close().catch(warn('gateway.viewer-close-failed'))
    onClosed()
  }
  const look = () => {
    if (picture === 'H265' && !isStill(source, options.media.h265))
      return hangUp('the camera sends another H.265, or none')
    step({ kind: 'looked' })
    later(Math.min(lookEachMs, reportEachMs), look)
  }
  /** After `ms`, unless the viewer is gone before; the rejection says only that it is. */
  const later = (ms: number, action: () => void) => void wait(ms, undefined, { signal }).then(action, () => undefined)

  // The source starts with the offer, so that it is warm when the connection is up.
  const leaveSource = joinSource(source, parts, picture)
  if (options.onChannel) connection.onDataChannel.subscribe(options.onChannel)
  listen(connection, parts, () => step({ kind: 'connected' }), hangUp)
  later(Math.min(lookEachMs, reportEachMs), look)
  const onSecured = () => step({ kind: 'connected' })
  serve(options, plan, { connection, parts, onSecured, warn, signal }).catch((error: unknown) => {
    if (signal.aborted) return
    warn('gateway.viewer-refused')(error)
    step({ kind: 'ended', reason: 'its offer could not be answered', cause: reasonOf(error) })
  })

  return {
    addCandidate(candidate, sdpMid, sdpMLineIndex) {
      connection
        .addIceCandidate({ candidate, sdpMid: sdpMid ?? null, sdpMLineIndex: sdpMLineIndex ?? null })
        .catch(warn('gateway.candidate-ignored'))
    },
    quietMs: () => performance.now() - viewing.receivedAt,
    fail(cause) {
      if (viewing.phase === 'connecting') step({ kind: 'ended', reason: cause.message, cause })
    },
    close(reason, how) {
      hangUp(reason, how)
      return closed
    },
  }
}

function planView({ offer: sdp, media, hasDecoder, onChannel }: ViewerOptions): Plan {
  const offer = narrowOffer(sdp, media.profileLevelId, playable(media.sound, hasDecoder), media.h265, {
    hasChannel: onChannel !== undefined,
  })
  const codec = offer.audio === 'unsupported' || offer.audio === 'none' ? 'opus' : offer.audio
  const origin = originOf(codec, media.sound, hasDecoder)
  return { offer, codec, origin, withoutSound: noSound(offer, media, origin !== undefined) }
}

/** Hands what the source yields to the viewer, once it is connected; the returned function ends it. */
function joinSource(source: ViewedSource, parts: Readonly<Parts>, picture: VideoCodec): () => void {
  const sink: MediaSink = {
    video: (unit) => parts.feed?.video(unit),
    audio(packet) {
      const { feed, voice } = parts
      if (!feed || !voice) return
      for (const converted of voice.convert(packet)) feed.audio(converted)
    },
  }
  return source.join(sink, picture)
}

/** What was answered holds: the display has no other decoder for it. While the source is faulty nobody knows better. */
function isStill(source: ViewedSource, h265: MediaInfo['h265']): boolean {
  const state = source.state()
  return state?.kind !== 'good' || isDeepStrictEqual(state.info.h265, h265)
}

/** Follows the connection, and hands the sound of the display to the ear. */
function listen(
  connection: RTCPeerConnection,
  parts: Readonly<Parts>,
  onConnected: () => void,
  onEnd: (reason: string, how?: 'silent') => void,
): void {
  connection.connectionStateChange.subscribe((state) => {
    if (state === 'connected') onConnected()
    else if (state === 'closed') onEnd('its connection is closed')
    // After consent has run out (RFC 7675): nobody hung up.
    else if (state === 'failed') onEnd('its connection is failed', 'silent')
  })
  connection.onTrack.subscribe((track) => {
    if (track.kind === 'audio') track.onReceiveRtp.subscribe((packet) => parts.ear?.hear(packet.payload))
  })
}

interface Serving {
  readonly connection: RTCPeerConnection
  /** Filled as things come to be. */
  readonly parts: Parts
  /** Media may flow, whatever becomes of a data channel. */
  readonly onSecured: () => void
  readonly warn: (event: ViewerWarning) => (error: unknown) => void
  readonly signal: AbortSignal
}

/** Answers, then opens what the sound needs in each direction. Throws `OfferError`. */
async function serve(options: ViewerOptions, plan: Plan, serving: Serving): Promise<void> {
  const { connection, parts, onSecured, warn, signal } = serving
  const { viewerId, media, source, iceServers, memory, relay, send, log } = options
  const { offer, codec, origin, withoutSound } = plan
  if (offer.video === 'unsupported') {
    const message = 'the display takes no H.264 with packetization-mode 1, and this camera sends nothing else'
    throw new OfferError('no_common_codec', message)
  }
  if (offer.video === 'h264' && media.h265 !== undefined && media.reencoding === undefined) {
    const message = 'the display takes no H.265 that the camera sends, and FFmpeg is not installed to convert it'
    throw new OfferError('no_common_codec', message)
  }
  if (offer.video === 'h264' && offer.profileLevelId !== media.profileLevelId) {
    const profiles = { source: media.profileLevelId, offered: offer.profileLevelId }
    log('warn', 'gateway.profile-not-offered', { viewerId, ...profiles })
  }
  if (withoutSound) log('warn', 'gateway.viewer-without-sound', { viewerId, error: withoutSound.message })
  const audioDirection = directionOf(origin !== undefined, media.hasSpeaker)
  parts.servers = await answerOffer(connection, offer, { send, audioDirection, iceServers, memory, relay, signal })
  // werift calls a connection with a data channel one only when that is there, too; some displays offer one and never open it.
  for (const transport of options.onChannel ? connection.dtlsTransports : [])
    transport.onStateChange.subscribe((state) => state === 'connected' && onSecured())
  if (origin) {
    const voice = await openVoice(origin, codec, warn('gateway.sound-garbled')).catch(warn('gateway.sound-missing'))
    if (signal.aborted) voice?.close()
    else if (voice) parts.voice = voice
  }
  // What may come in is what the answer says, not what the display sends.
  if (!connection.getTransceivers().some(receivesAudio)) return
  // Whoever cannot be heard may still look on.
  const ear = await source.createEar(codec, warn('gateway.talk-back-garbled')).catch(warn('gateway.talk-back-missing'))
  if (signal.aborted) ear?.close()
  else if (ear) parts.ear = ear
}

/** By the answer: the gateway plays the sound of no section that may not receive. */
const receivesAudio = ({ kind, currentDirection }: RTCRtpTransceiver): boolean =>
  kind === 'audio' && (currentDirection === 'sendrecv' || currentDirection === 'recvonly')

/** Sound is sent where it can be had, and taken only where it is played. */
function directionOf(sends: boolean, receives: boolean): 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive' {
  if (sends) return receives ? 'sendrecv' : 'sendonly'
  return receives ? 'recvonly' : 'inactive'
}

function noSound(
  { audio, wantsSound }: NarrowedOffer,
  { soundFault }: MediaInfo,
  isPlayable: boolean,
): Cause | undefined {
  if (!wantsSound) return undefined
  const message =
    audio === 'unsupported'
      ? 'the display accepts neither Opus nor G.711, and this camera sends nothing else'
      : isPlayable
        ? soundFault
        : 'the display accepts other codecs than the camera sends, and FFmpeg is not installed to convert the sound'
  return message === undefined ? undefined : causeOf('no_sound', message)
}

function reasonOf(error: unknown): Cause {
  const message = error instanceof Error ? error.message : String(error)
  return error instanceof OfferError
    ? causeOf(error.code, message)
    : causeOf('internal', `the camera could not answer: ${message}`)
}

/** Everything that came in so far: media, reports, checks and answers to ours; on any pair, since a display may change its way. */
function packetsFrom(connection: RTCPeerConnection): number {
  const pairs = connection.iceTransports.flatMap(({ connection: { candidatePairs } }) => candidatePairs)
  return pairs.reduce((sum, pair) => sum + pair.packetsReceived + pair.requestsReceived + pair.responsesReceived, 0)
}
