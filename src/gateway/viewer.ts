/** One viewer of the camera: its peer connection from the offer to the end, what it is sent and what it says. */
import { setTimeout as wait } from 'node:timers/promises'
import type { RTCPeerConnection, RTCRtpTransceiver } from 'werift'
import type { Outgoing } from 'transom-kvs/message'
import type { Clock, IceServer, Log } from 'transom-core/ports'
import type { CameraEvent } from 'transom-core/wire/camera-event'
import { answerOffer, createConnection, OfferError } from './answer.ts'
import { createFeed, type Feed } from './feed.ts'
import type { ServerMemory, ServerWatch } from './ice-servers.ts'
import { narrowOffer, type NarrowedOffer } from './offer.ts'
import type { MediaInfo } from './media.ts'
import type { SharedSource } from './source.ts'
import type { Ear } from './talk-back.ts'
import { openVoice, originOf, playable, type Voice } from './voice.ts'

/** A viewer that is not connected by then is given up. */
const connectMs = 15_000
/**
 * A viewer from whom nothing at all came for so long is gone: KVS has no word for leaving, and not every display says goodbye
 * by DTLS. One that is there sends consent checks (RFC 7675) and receiver reports every few seconds.
 */
const quietLimitMs = 10_000
const tickMs = 1_000

type ViewerEvent = Extract<CameraEvent, { readonly kind: 'viewer' }>
type ViewerState = ViewerEvent['state']
type Cause = NonNullable<ViewerEvent['cause']>

/** As much of a message as an event may carry. */
const longestMessage = 200

/** What goes wrong with one viewer, and ends nothing else. */
type ViewerWarning =
  `gateway.${'sound-garbled' | 'sound-missing' | 'talk-back-garbled' | 'talk-back-missing' | 'viewer-refused' | 'viewer-close-failed' | 'candidate-ignored'}`

export interface ViewerOptions {
  readonly viewerId: string
  readonly offer: string
  readonly source: SharedSource
  /** What the source yields, and whether it plays what the viewer says. */
  readonly media: MediaInfo
  /** FFmpeg is there. */
  readonly hasDecoder: boolean
  readonly iceServers: readonly IceServer[]
  /** What the camera knows of them. */
  readonly memory: ServerMemory
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
  /** For how long nothing has come from it, milliseconds. */
  quietMs(): number
  /** Hangs up and frees everything; may be called again. `silent`: because nothing has come from it for long. */
  close(reason: string, how?: 'silent'): Promise<void>
}

/** Answers the offer at once and serves the viewer until it goes. */
export function openViewer(options: ViewerOptions): Viewer {
  const { viewerId, source, media, hasDecoder, iceServers, memory, reportEachMs, clock, log } = options
  const offer = narrowOffer(options.offer, media.profileLevelId, playable(media.sound, hasDecoder))
  const codec = offer.audio === 'unsupported' || offer.audio === 'none' ? 'opus' : offer.audio
  const origin = originOf(codec, media.sound, hasDecoder)
  const connection = createConnection(iceServers, codec)
  const life = new AbortController()
  const { signal } = life
  let feed: Feed | undefined
  let ear: Ear | undefined
  let voice: Voice | undefined
  let servers: ServerWatch | undefined
  let heard: ReturnType<Ear['heard']> = { packets: 0, level: 0 }
  let closing: Promise<void> | undefined
  /** Why it gets nothing, once that is known. */
  let cause: Cause | undefined
  /** Why it gets no sound, and all else. */
  const withoutSound = noSound(offer, media, origin !== undefined)

  const warn = (event: ViewerWarning) => (error: unknown) =>
    log('warn', event, { viewerId, error: error instanceof Error ? error.message : String(error) })
  const report = (state: ViewerState) => {
    const fault = source.fault() ?? cause ?? withoutSound
    return options.report({
      kind: 'viewer',
      viewerId,
      state,
      ...(media.hasSpeaker && { heard }),
      ...(fault && { cause: fault }),
      sent: feed?.sent() ?? { videoPackets: 0, audioPackets: 0 },
      at: Math.round(clock()),
    })
  }
  const close = (reason: string, how?: 'silent'): Promise<void> => (closing ??= end(reason, how))
  const hangUp = (reason: string, how?: 'silent') => {
    // `end` catches what may go wrong in it.
    if (!signal.aborted) void close(reason, how)
  }
  /** The first reason is the one. */
  const blame = (code: Cause['code'], message: string) => {
    cause ??= { code, message: message.slice(0, longestMessage) }
  }
  /** The display may look on although nobody lets it any more: KVS has no word for that, so the bridge is asked. */
  const reportConnected = () =>
    void report('connected').then((isOver) => {
      if (isOver) hangUp('the bridge says that its session is over')
    })
  const keepReporting = () => {
    reportConnected()
    later(reportEachMs, keepReporting)
  }
  /** After `ms`, unless the viewer is gone before; the rejection says only that it is. */
  const later = (ms: number, action: () => void) => void wait(ms, undefined, { signal }).then(action, () => undefined)

  async function end(reason: string, how: 'left' | 'silent' = 'left'): Promise<void> {
    life.abort()
    leaveSource()
    if (ear) heard = { ...ear.heard(), ...(heard.level !== undefined && { level: heard.level }) }
    ear?.close()
    voice?.close()
    feed?.close()
    if (!feed) blame('media_failed', [reason, ...(servers?.failures() ?? [])].join('; '))
    void report(feed ? how : 'failed')
    log('info', 'gateway.viewer-gone', { viewerId, reason, ...feed?.sent(), heardPackets: heard.packets })
    options.onGone()
    await connection.close().catch(warn('gateway.viewer-close-failed'))
  }

  // The source starts with the offer, so that it is warm when the connection is up.
  const leaveSource = source.join({
    video: (unit) => feed?.video(unit),
    audio(packet) {
      if (!feed || !voice) return
      for (const converted of voice.convert(packet)) feed.audio(converted)
    },
  })

  connection.connectionStateChange.subscribe((state) => {
    if (signal.aborted) return
    if (state === 'connected' && !feed) {
      feed = createFeed(connection, source)
      // The alert `close_notify` (RFC 5246 section 7.2.1): what a browser sends when its page closes the connection.
      for (const transport of connection.dtlsTransports) {
        transport.onStateChange.subscribe((dtls) => dtls === 'closed' && hangUp('it said goodbye'))
      }
      log('info', 'gateway.viewer-connected', { viewerId })
      keepReporting()
    } else if (state === 'closed') hangUp('its connection is closed')
    // After consent has run out (RFC 7675): nobody hung up.
    else if (state === 'failed') hangUp('its connection is failed', 'silent')
  })
  connection.onTrack.subscribe((track) => {
    if (track.kind === 'audio') track.onReceiveRtp.subscribe((packet) => ear?.hear(packet.payload))
  })
  later(connectMs, () => {
    if (!feed) hangUp(`it did not connect within ${connectMs} ms`)
  })
  let faultSaid: string | undefined
  let received = 0
  let receivedAt = performance.now()
  const quietMs = () => performance.now() - receivedAt
  const tick = () => {
    const now = ear?.heard()
    const isTalking = now !== undefined && (now.packets > heard.packets || now.isWaiting !== heard.isWaiting)
    if (isTalking) heard = now
    const faultNow = source.fault()?.code
    if (isTalking || (feed && faultNow !== faultSaid)) reportConnected()
    faultSaid = faultNow
    const total = packetsFrom(connection)
    if (total !== received) receivedAt = performance.now()
    received = total
    if (feed && quietMs() > quietLimitMs) hangUp('nothing came from it any more', 'silent')
    else later(tickMs, tick)
  }
  later(tickMs, tick)

  async function start(): Promise<void> {
    if (offer.video === 'unsupported') {
      const message = 'the display takes no H.264 with packetization-mode 1, and this camera sends nothing else'
      throw new OfferError('no_common_codec', message)
    }
    if (offer.video === 'h264' && offer.profileLevelId !== media.profileLevelId) {
      log('warn', 'gateway.profile-not-offered', {
        viewerId,
        source: media.profileLevelId,
        offered: offer.profileLevelId,
      })
    }
    if (withoutSound) log('warn', 'gateway.viewer-without-sound', { viewerId, error: withoutSound.message })
    const audioDirection = directionOf(origin !== undefined, media.hasSpeaker)
    servers = await answerOffer(connection, offer, { send: options.send, audioDirection, iceServers, memory, signal })
    if (origin) {
      const opened = await openVoice(origin, codec, warn('gateway.sound-garbled')).catch(warn('gateway.sound-missing'))
      if (signal.aborted) opened?.close()
      else if (opened) voice = opened
    }
    // What may come in is what the answer says, not what the display sends.
    if (!connection.getTransceivers().some(receivesAudio)) return
    // Whoever cannot be heard may still look on.
    const created = await source
      .createEar(codec, warn('gateway.talk-back-garbled'))
      .catch(warn('gateway.talk-back-missing'))
    if (signal.aborted) created?.close()
    else if (created) ear = created
  }
  start().catch((error: unknown) => {
    if (signal.aborted) return
    warn('gateway.viewer-refused')(error)
    blame(...reasonOf(error))
    hangUp('its offer could not be answered')
  })

  return {
    addCandidate(candidate, sdpMid, sdpMLineIndex) {
      connection
        .addIceCandidate({ candidate, sdpMid: sdpMid ?? null, sdpMLineIndex: sdpMLineIndex ?? null })
        .catch(warn('gateway.candidate-ignored'))
    },
    quietMs,
    close,
  }
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
  return message === undefined ? undefined : { code: 'no_sound', message: message.slice(0, longestMessage) }
}

function reasonOf(error: unknown): [code: Cause['code'], message: string] {
  const message = error instanceof Error ? error.message : String(error)
  return error instanceof OfferError ? [error.code, message] : ['internal', `the camera could not answer: ${message}`]
}

/** Everything that came in on the connection so far: media, reports, checks and answers to ours. */
function packetsFrom(connection: RTCPeerConnection): number {
  return connection.iceTransports.reduce((sum, { connection: { nominated } }) => {
    return sum + (nominated ? nominated.packetsReceived + nominated.requestsReceived + nominated.responsesReceived : 0)
  }, 0)
}
