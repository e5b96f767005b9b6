/** The WebRTC of a WHEP session: what is offered, and the exchange with the endpoint. */
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
} from 'werift'
import type { IceServer } from 'transom-core/ports'
import type { Trust } from '../trust.ts'
import type { Endpoint } from './endpoint.ts'
import type { Inbox } from './inbox.ts'

/** What is wanted of a session. */
export interface Wants {
  /** Pictures and sound. */
  readonly media: boolean
  /** A way for our own sound, which WHEP has no word for, and go2rtc has. */
  readonly microphone: boolean
  /** Pictures in H.265 are of use, too. */
  readonly h265: boolean
}

/** The profiles of what cameras send: Constrained Baseline, Baseline, Main, High (ITU-T H.264 annex A). */
const profiles = ['42e01f', '42001f', '4d001f', '640034']
const rtcpFeedback = [useNACK(), usePLI()]

/** Offers what is wanted and takes the answer, or answers what the endpoint offers instead. Throws `SourceError`. */
export async function connect(
  endpoint: Endpoint,
  wants: Wants,
  trust: Trust,
  inbox: Inbox,
  signal: AbortSignal,
): Promise<RTCPeerConnection> {
  const offering = createConnection(endpoint.iceServers(), wants, trust, inbox)
  const said = await closingOnFailure(offering, async () => {
    if (wants.media) {
      offering.addTransceiver('video', { direction: 'recvonly' })
      offering.addTransceiver('audio', { direction: 'recvonly' })
    }
    // What is said is spoken in G.711, which every camera's loudspeaker or the server before it knows.
    if (wants.microphone)
      offering.addTransceiver('audio', { direction: 'sendonly' }).setCodecPreferences([usePCMU(), usePCMA()])
    await offering.setLocalDescription(await offering.createOffer())
    const reply = await endpoint.offer(offering.localDescription?.sdp ?? '', signal)
    if (reply.type === 'answer') await offering.setRemoteDescription(reply)
    return reply
  })
  if (said.type === 'answer') return offering
  await offering.close()
  const answering = createConnection(endpoint.iceServers(), wants, trust, inbox)
  await closingOnFailure(answering, async () => {
    await answering.setRemoteDescription(said)
    for (const transceiver of answering.getTransceivers()) transceiver.setDirection('recvonly')
    await answering.setLocalDescription(await answering.createAnswer())
    await endpoint.answer(answering.localDescription?.sdp ?? '', signal)
  })
  return answering
}

async function closingOnFailure<T>(connection: RTCPeerConnection, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await connection.close()
    throw error
  }
}

function createConnection(
  iceServers: readonly IceServer[],
  { h265 }: Wants,
  trust: Trust,
  inbox: Inbox,
): RTCPeerConnection {
  const h264 = profiles.map((profile, index) =>
    useH264({
      payloadType: 102 + index,
      rtcpFeedback,
      parameters: `packetization-mode=1;profile-level-id=${profile};level-asymmetry-allowed=1`,
    }),
  )
  const hevc = new RTCRtpCodecParameters({ mimeType: 'video/H265', clockRate: 90_000, payloadType: 107, rtcpFeedback })
  const connection = new RTCPeerConnection({
    codecs: {
      video: [...h264, ...(h265 ? [hevc] : [])],
      audio: [useOPUS({ payloadType: 111 }), usePCMU(), usePCMA()],
    },
    headerExtensions: { video: [useSdesMid()], audio: [useSdesMid()] },
    bundlePolicy: 'max-bundle',
    iceServers: [...allowedServers(iceServers, trust)],
    // An answer may name any address.
    iceFilterCandidatePair: ({ remoteCandidate }) => trust.mayReach(remoteCandidate.host),
    iceStunGatherTimeout: 2,
    iceTurnConnectTimeout: 2,
  })
  connection.onTrack.subscribe((track) => {
    track.onReceiveRtp.subscribe((packet) => inbox.take(track.kind, packet))
  })
  return connection
}

/** Those in the networks of cameras, as werift wants them; of names nobody knows where they lead. */
export const allowedServers = (iceServers: readonly IceServer[], trust: Trust) =>
  iceServers.flatMap(({ urls, username, credential }) =>
    urls
      .filter((url) => trust.mayReach(hostOf(url)))
      .map((url) => ({
        urls: url,
        ...(username === undefined ? {} : { username }),
        ...(credential === undefined ? {} : { credential }),
      })),
  )

/** Of `turn:host:port?transport=udp`. */
const hostOf = (url: string): string => /^[a-z]+:(\[[^\]]*\]|[^:?]*)/i.exec(url)?.[1]?.replace(/^\[|\]$/g, '') ?? ''
