/** Answers a viewer's offer at once and trickles the candidates after it, whatever state the STUN and TURN servers are in. */
import { setTimeout as wait } from 'node:timers/promises'
import {
  RTCPeerConnection,
  RTCRtpCodecParameters,
  useH264,
  useNACK,
  useOPUS,
  usePLI,
  useSdesMid,
  type RTCIceCandidate,
  type RTCIceTransport,
} from 'werift'
import type { Outgoing } from '../kvs/message.ts'
import type { IceServer } from '../ports.ts'
import type { NarrowedOffer } from './offer.ts'

/** A peer connection as this camera makes them. */
export function createConnection(iceServers: readonly IceServer[], iceGatherMs: number): RTCPeerConnection {
  return new RTCPeerConnection({
    codecs: {
      // The parameters and payload types of the answer are those of the narrowed offer.
      video: [
        useH264({ payloadType: 102, rtcpFeedback: [useNACK(), usePLI()] }),
        new RTCRtpCodecParameters({
          mimeType: 'video/rtx',
          clockRate: 90_000,
          payloadType: 103,
          rtcpFeedback: [],
          parameters: 'apt=102',
        }),
      ],
      audio: [useOPUS({ payloadType: 111 })],
    },
    headerExtensions: { video: [useSdesMid()], audio: [useSdesMid()] },
    // Any other policy leaks the sockets of the transports that bundling makes needless (werift 0.25.2).
    bundlePolicy: 'max-bundle',
    // An empty list is meant: without one werift asks a public STUN server.
    iceServers: iceServers.flatMap(({ urls, username, credential }) =>
      urls.map((url) => ({
        urls: url,
        ...(username === undefined ? {} : { username }),
        ...(credential === undefined ? {} : { credential }),
      })),
    ),
    iceStunGatherTimeout: iceGatherMs / 1_000,
    iceTurnConnectTimeout: 2,
  })
}

/**
 * Sends the answer, then each candidate as it is found, then the end of them: when all are found, or after `iceGatherMs`,
 * since a server that never replies must hold nobody up. Resolves when the answer is sent; aborting the signal ends the rest.
 */
export async function answerOffer(
  connection: RTCPeerConnection,
  offer: NarrowedOffer,
  {
    send,
    hasSpeaker,
    iceGatherMs,
    signal,
  }: { send: (message: Outgoing) => void; hasSpeaker: boolean; iceGatherMs: number; signal: AbortSignal },
): Promise<void> {
  let answer = ''
  let hasEnded = false
  const early: RTCIceCandidate[] = []
  const tell = (found: RTCIceCandidate) => {
    // Those in the answer are not said again.
    if (hasEnded || signal.aborted || answer.includes(found.candidate)) return
    send({
      kind: 'candidate',
      candidate: found.candidate.startsWith('candidate:') ? found.candidate : `candidate:${found.candidate}`,
      ...(found.sdpMid === undefined ? {} : { sdpMid: found.sdpMid }),
      ...(found.sdpMLineIndex === undefined ? {} : { sdpMLineIndex: found.sdpMLineIndex }),
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

  await connection.setRemoteDescription({ type: 'offer', sdp: offer.sdp })
  for (const transceiver of connection.getTransceivers()) {
    // Sound is taken only where it is played.
    transceiver.setDirection(transceiver.kind === 'audio' && hasSpeaker ? 'sendrecv' : 'sendonly')
  }
  const description = await connection.createAnswer()
  // `setLocalDescription` waits for all candidates and only then begins to connect. It does not wait for a gathering that
  // goes on already, so that is begun here.
  const gathered = Promise.all(connection.iceTransports.map((transport) => gather(transport, signal)))
  await connection.setLocalDescription(description)
  answer = withTrickle(connection.localDescription?.sdp ?? description.sdp)
  send({ kind: 'answer', sdp: answer })
  for (const found of early) tell(found)
  void Promise.race([gathered, wait(iceGatherMs, undefined, { signal })]).then(end, end)
}

/** Gathers candidates, and lets a relay that comes when the checks are running already take part in them. */
async function gather(transport: RTCIceTransport, signal: AbortSignal): Promise<void> {
  transport.onIceCandidate.subscribe((found) => {
    if (found?.type !== 'relay') return
    const { connection } = transport
    // werift pairs a host candidate with the remote ones when it is found, but forgets to for a relay candidate.
    // A copy, since what is added is added to this list.
    for (const remote of connection.remoteCandidates.slice()) void connection.addRemoteCandidate(remote)
  })
  await transport.gather()
  // Sockets that were being opened when the connection was closed have missed it.
  if (signal.aborted) await transport.connection.close()
}

/** The answer with the trickle option (RFC 8838 section 4) and without a claim that its candidates are all. */
function withTrickle(sdp: string): string {
  const lines = sdp.split('\r\n').filter((line) => line !== 'a=end-of-candidates' && !line.startsWith('a=ice-options:'))
  const firstMedia = lines.findIndex((line) => line.startsWith('m='))
  return lines.toSpliced(firstMedia < 0 ? lines.length : firstMedia, 0, 'a=ice-options:trickle').join('\r\n')
}
