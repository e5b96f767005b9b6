/** Answers a viewer's offer at once and trickles the candidates after it, whatever state the STUN and TURN servers are in. */
import {
  RTCPeerConnection,
  RTCRtpCodecParameters,
  useH264,
  useNACK,
  useOPUS,
  usePCMA,
  usePCMU,
  usePLI,
  useSdesMid,
  type RTCIceCandidate,
  type RTCIceTransport,
} from 'werift'
import type { Outgoing } from 'transom-kvs/message'
import type { IceServer } from 'transom-core/ports'
import type { ServerMemory, ServerWatch } from './ice-servers.ts'
import type { SoundCodec, VideoCodec } from './media.ts'
import { withoutMids } from './mids.ts'
import type { NarrowedOffer } from './offer.ts'
import type { RelayAtHand } from './relay-at-hand.ts'
import { placeAmongAll, withUnserved } from './unserved.ts'

const soundCodecs: Readonly<Record<SoundCodec, () => RTCRtpCodecParameters>> = {
  opus: () => useOPUS({ payloadType: 111 }),
  PCMU: usePCMU,
  PCMA: usePCMA,
}

/** A peer connection as this camera makes them, with one codec for each kind: werift rejects the sections that lack it. */
export function createConnection(
  iceServers: readonly IceServer[],
  sound: SoundCodec,
  picture: VideoCodec = 'H264',
): RTCPeerConnection {
  const rtcpFeedback = [useNACK(), usePLI()]
  return new RTCPeerConnection({
    codecs: {
      // The parameters and payload types of the answer are those of the narrowed offer.
      video: [
        picture === 'H264'
          ? useH264({ payloadType: 102, rtcpFeedback })
          : new RTCRtpCodecParameters({ mimeType: 'video/H265', clockRate: 90_000, payloadType: 102, rtcpFeedback }),
        new RTCRtpCodecParameters({
          mimeType: 'video/rtx',
          clockRate: 90_000,
          payloadType: 103,
          rtcpFeedback: [],
          parameters: 'apt=102',
        }),
      ],
      audio: [soundCodecs[sound]()],
    },
    headerExtensions: { video: [useSdesMid()], audio: [useSdesMid()] },
    // Any other policy leaks the sockets of the transports that bundling makes needless (werift 0.25.2).
    bundlePolicy: 'max-bundle',
    iceServers: iceServers.flatMap(({ urls, username, credential }) =>
      urls.map((url) => ({
        urls: url,
        ...(username === undefined ? {} : { username }),
        ...(credential === undefined ? {} : { credential }),
      })),
    ),
    // Seconds. They hold nobody up: see `answerOffer`.
    iceStunGatherTimeout: 2,
    iceTurnConnectTimeout: 2,
  })
}

/** An offer that gets no answer, for a reason that is not the camera's. */
export class OfferError extends Error {
  override readonly name = 'OfferError'
  readonly code: 'invalid_request' | 'no_common_codec'

  constructor(code: OfferError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export interface AnswerContext {
  readonly send: (message: Outgoing) => void
  /** What audio sections are answered with, as far as the display wants it. */
  readonly audioDirection: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'
  readonly iceServers: readonly IceServer[]
  readonly memory: ServerMemory
  /** Where the camera keeps one. */
  readonly relay: RelayAtHand | undefined
  /** Aborting it ends what goes on after the answer. */
  readonly signal: AbortSignal
}

/**
 * Sends the answer, then each candidate as it is found, then the end of them: when all are found that are worth waiting for,
 * since a server that never replies must hold nobody up. Resolves when the answer is sent, with the watch on the servers.
 */
export async function answerOffer(
  connection: RTCPeerConnection,
  offer: NarrowedOffer,
  { send, audioDirection, iceServers, memory, relay, signal }: AnswerContext,
): Promise<ServerWatch> {
  let answer = ''
  let hasEnded = false
  const early: RTCIceCandidate[] = []
  const tell = (found: RTCIceCandidate) => {
    // Those in the answer are not said again.
    if (hasEnded || signal.aborted || answer.includes(found.candidate)) return
    send({
      kind: 'candidate',
      candidate: found.candidate.startsWith('candidate:') ? found.candidate : `candidate:${found.candidate}`,
      ...(found.sdpMid === undefined || offer.givenMids.includes(found.sdpMid) ? {} : { sdpMid: found.sdpMid }),
      ...(found.sdpMLineIndex === undefined
        ? {}
        : { sdpMLineIndex: placeAmongAll(found.sdpMLineIndex, offer.unserved) }),
    })
  }
  const end = () => {
    if (hasEnded || signal.aborted) return
    hasEnded = true
    send({ kind: 'end-of-candidates' })
  }
  connection.onIceCandidate.subscribe((found) => {
    if (!found) return
    if (answer === '') early.push(found)
    else tell(found)
  })

  await connection.setRemoteDescription({ type: 'offer', sdp: offer.sdp }).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error)
    throw new OfferError('invalid_request', `the offer cannot be read: ${message}`, { cause: error })
  })
  for (const transceiver of connection.getTransceivers()) {
    transceiver.setDirection(transceiver.kind === 'audio' ? audioDirection : 'sendonly')
  }
  const description = await connection.createAnswer()
  // `setLocalDescription` waits for all candidates and only then begins to connect. It does not wait for a gathering that
  // goes on already, so that is begun here.
  const transports = connection.iceTransports
  const servers = memory.watch(transports, iceServers, signal)
  handOver(relay, transports)
  const gathered = Promise.all(transports.map((transport) => transport.gather()))
  const hosts = transports.map((transport) => transport.connection.hostsGathered)
  await connection.setLocalDescription(description)
  const whole = withUnserved(withTrickle(connection.localDescription?.sdp ?? description.sdp), offer.unserved)
  answer = withoutMids(whole, offer.givenMids)
  send({ kind: 'answer', sdp: answer })
  for (const found of early) tell(found)
  void Promise.race([gathered, Promise.all([...hosts, servers.settled])]).then(end, end)
  return servers
}

/** The relay at hand becomes the connection's own. One of a server that the connection does not know is given back. */
function handOver(relay: RelayAtHand | undefined, [transport]: readonly RTCIceTransport[]): void {
  const taken = relay?.take()
  const server = transport?.connection.turnServers.find(({ url }) => url === taken?.url)
  if (server && taken) server.kept = taken.allocation
  else void taken?.allocation.close().catch(() => undefined)
}

/** The answer with the trickle option (RFC 8838 section 4) and without a claim that its candidates are all. */
function withTrickle(sdp: string): string {
  const lines = sdp.split('\r\n').filter((line) => line !== 'a=end-of-candidates' && !line.startsWith('a=ice-options:'))
  const firstMedia = lines.findIndex((line) => line.startsWith('m='))
  return lines.toSpliced(firstMedia < 0 ? lines.length : firstMedia, 0, 'a=ice-options:trickle').join('\r\n')
}
