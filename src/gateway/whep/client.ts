/** One WHEP session with a server, seen as a session with a camera: what it sends, a way to its loudspeaker, and the goodbye. */
import type { RTCPeerConnection, RTCRtpCodecParameters, RTCRtpTransceiver } from 'werift'
import { bounded, pause, untilAborted } from 'transom-core/deadline'
import { SourceError } from '../media.ts'
import type { Channel, Client, Listener } from '../rtsp/client.ts'
import { readParameters, type Track } from '../rtsp/description.ts'
import { writePacket } from '../rtsp/rtp.ts'
import type { Trust } from '../trust.ts'
import { connect, type Wants } from './connection.ts'
import type { Endpoint } from './endpoint.ts'
import { createInbox, type Inbox, type Kind } from './inbox.ts'

/** From the answer to the first picture; the camera behind the server may have to be opened first. */
const firstMs = 8_000
/** Sound that is announced in several codecs is waited for so long after the first picture, to learn which one comes. */
const soundMs = 1_000
const keyFrameEveryMs = 500
/** Packets that wait for one that is asked for again (NACK). */
const mostWaiting = 64
/** A session that is just being made when nobody wants it any more is finished, so that it can be ended by name. */
const finishMs = 2_000
const pingMs = 5_000

/**
 * Makes a session; resolves when it is connected and the codecs of what comes are known. Throws `SourceError`. The signal ends
 * the attempt; what was opened is its owner's to close.
 */
export async function openWhepClient(
  endpoint: Endpoint,
  wants: Wants,
  trust: Trust,
  signal: AbortSignal,
): Promise<Client> {
  const inbox = createInbox()
  let connection: RTCPeerConnection | undefined
  let closing: Promise<unknown> | undefined
  const close = async () => {
    closing ??= Promise.allSettled([endpoint.end(), connection?.close()])
    await closing
  }
  try {
    const made = (connection = await connect(endpoint, wants, trust, inbox, outlasting(signal)))
    const { connected, ended } = watch(made, endpoint.label)
    const tracks = await bounded(
      signal,
      firstMs,
      () => silent(endpoint.label),
      (bounds) => {
        const found = connected.then(() => tracksOf(made.getTransceivers(), inbox, bounds))
        const failed = ended.then((reason) => Promise.reject(reason))
        return untilAborted(Promise.race([found, failed]), bounds)
      },
    )
    return createClient(made, tracks, inbox, { endpoint, ended, close })
  } catch (error) {
    await close()
    signal.throwIfAborted()
    throw error
  }
}

/** Aborts a while after the signal does. */
function outlasting(signal: AbortSignal): AbortSignal {
  const later = new AbortController()
  const onAbort = () => void setTimeout(() => later.abort(), finishMs).unref()
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  return later.signal
}

const silent = (label: string): SourceError =>
  new SourceError('source_stopped', `${label} has answered and sends nothing: is its UDP port open, and its camera on?`)

/** When media can come, and why it cannot any more. */
function watch(connection: RTCPeerConnection, label: string) {
  const { promise: connected, resolve: onConnected } = Promise.withResolvers<void>()
  const { promise: ended, resolve: onEnded } = Promise.withResolvers<SourceError>()
  const look = (state: RTCPeerConnection['connectionState']) => {
    if (state === 'connected') onConnected()
    else if (state === 'closed') onEnded(new SourceError('source_stopped', `${label} has ended the session`))
    else if (state === 'failed') onEnded(new SourceError('source_unreachable', `no media comes through from ${label}`))
  }
  connection.connectionStateChange.subscribe(look)
  look(connection.connectionState)
  // Its `close_notify`, of whoever ends a session and does not wait for consent to run out.
  for (const transport of connection.dtlsTransports)
    transport.onStateChange.subscribe((state) => state === 'closed' && look('closed'))
  return { connected, ended }
}

/** What comes and what may be sent, as a camera would describe it. */
async function tracksOf(
  transceivers: readonly RTCRtpTransceiver[],
  inbox: Inbox,
  signal: AbortSignal,
): Promise<readonly Track[]> {
  const incoming = (kind: Kind) =>
    transceivers.find((each) => each.kind === kind && each.currentDirection === 'recvonly')?.codecs ?? []
  const [videos, sounds] = [incoming('video'), incoming('audio')]
  // An answer often allows more than what comes, and names no profile but ours.
  const video = videos.length === 0 ? undefined : codecOf(videos, await inbox.firstType('video'))
  const late = sounds.length > 1 ? pause(soundMs, signal).then(() => undefined) : undefined
  const sound = late ? codecOf(sounds, await Promise.race([inbox.firstType('audio'), late])) : sounds[0]
  const spoken = transceivers.find(({ currentDirection }) => currentDirection === 'sendonly')?.codecs[0]
  return [
    ...(video ? [toTrack('video', video)] : []),
    ...(sound ? [toTrack('audio', sound)] : []),
    ...(spoken ? [{ ...toTrack('audio', spoken), isBackChannel: true }] : []),
  ]
}

const codecOf = (codecs: readonly RTCRtpCodecParameters[], type: number | undefined) =>
  codecs.find(({ payloadType }) => payloadType === type)

function toTrack(
  kind: Kind,
  { payloadType, name, clockRate, channels, parameters = '' }: RTCRtpCodecParameters,
): Track {
  const given = readParameters([`${payloadType} ${parameters}`])
  return {
    kind,
    payloadType,
    encoding: name.toUpperCase(),
    clockRate,
    channels: channels === 2 ? 2 : 1,
    parameters: new Map([...given].filter(([key]) => key !== 'profile-level-id')),
    url: '',
    isBackChannel: false,
  }
}

function createClient(
  connection: RTCPeerConnection,
  tracks: readonly Track[],
  inbox: Inbox,
  { endpoint, ended, close }: Pick<Client, 'ended' | 'close'> & { readonly endpoint: Endpoint },
): Client {
  const transceivers = connection.getTransceivers()
  const pictures = transceivers.find(({ kind }) => kind === 'video')?.receiver
  let wantsKey = false
  let askedAt = -Infinity

  /** Asks when it may: with what comes next, where it has just been asked. */
  function askForKey(ssrc: number): void {
    if (!wantsKey || performance.now() - askedAt < keyFrameEveryMs) return
    wantsKey = false
    askedAt = performance.now()
    void pictures?.sendRtcpPLI(ssrc)
  }
  function receive(wanted: readonly Track[], { rtp, rtcp }: Listener): void {
    for (const { kind, receiver } of transceivers) {
      const track = wanted.find((each) => each.kind === kind && !each.isBackChannel)
      if (track) receiver.onRtcp.subscribe((packet) => rtcp(track, packet.serialize()))
    }
    inbox.deliver((kind, { header, payload }) => {
      if (kind === 'video') askForKey(header.ssrc)
      const track = wanted.find((each) => each.kind === kind && !each.isBackChannel)
      if (track) rtp(track, writePacket(header, payload))
    })
  }
  /** What is received is reported on by the connection itself. */
  const channelOf = ({ isBackChannel }: Track): Channel => ({
    sendRtp(data) {
      const sender = transceivers.find(({ currentDirection }) => currentDirection === 'sendonly')?.sender
      if (!isBackChannel || !sender || connection.connectionState !== 'connected') return false
      sender.sendRtp(data).catch(() => undefined)
      return true
    },
    sendRtcp: () => false,
  })

  return {
    description: { tracks, url: '' },
    isOpen: () => connection.connectionState === 'connected',
    ping: () => endpoint.ask(AbortSignal.timeout(pingMs)),
    async play(wanted, listener) {
      receive(wanted, listener)
      return new Map(wanted.map((track) => [track, channelOf(track)]))
    },
    requestKeyFrame: () => void (wantsKey = true),
    mostWaiting,
    ended,
    close,
  }
}
