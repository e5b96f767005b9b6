/** A WHEP server on loopback, for tests: strict with what it is asked, by draft-ietf-wish-whep-04; or a go2rtc. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RtcpPayloadSpecificFeedback,
  RtpHeader,
  RtpPacket,
  useH264,
  useNACK,
  useOPUS,
  usePCMA,
  usePCMU,
  usePLI,
  type RTCRtpTransceiver,
} from 'werift'
import type { SoundCodec } from '../../../src/gateway/media.ts'
import { idr, pps, sps } from '../rtsp/camera.ts'

export interface ServerHabits {
  /** As go2rtc: at `/api/webrtc?src=door`, without Location; the streams it has say this of their media. */
  readonly go2rtc?: { readonly medias: readonly string[] }
  /** It answers with an offer of its own, once it has refused ours. */
  readonly hasCounterOffer?: boolean
  /** Whom it lets in. */
  readonly authorization?: string
  readonly challenge?: string
  /** Where it sends on whoever asks at `/door/whep`. */
  readonly redirect?: { readonly status: number; readonly to: string }
  readonly link?: string
  /** What it replies to an offer instead of an answer. */
  readonly reply?: { readonly status: number; readonly body?: string }
  /** Its answer allows these; what it sends is in the last one of them. */
  readonly sound?: readonly SoundCodec[]
  /** `42e01f`, say: the profile that its answer names, whatever it sends. */
  readonly profile?: string
  /** It sends H.265. */
  readonly isH265?: boolean
  /** The key frame that comes at once, and to each PLI; default: of the fake RTSP camera. */
  readonly key?: readonly Buffer[]
}

export interface FakeWhepServer {
  readonly port: number
  /** What it was asked: method and path. */
  readonly asked: string[]
  readonly requests: IncomingMessage['headers'][]
  readonly offers: string[]
  /** RTP of somebody's microphone. */
  readonly heard: RtpPacket[]
  /** Key frames that were asked for. */
  keyFramesAsked(): number
  /** Sessions that nobody ended yet. */
  sessions(): number
  /** Sends one packet to everybody. */
  send(kind: 'video' | 'audio', packet: { payload: Buffer; timestamp: number; marker?: boolean; skip?: number }): void
  /** Ends all sessions, as a server does that is restarted. */
  restart(): Promise<void>
  close(): Promise<void>
}

const sounds = { opus: useOPUS, PCMU: usePCMU, PCMA: usePCMA }
/** Feedback message type (RFC 4585 section 6.3.1). */
const pli = 1
const rtcpFeedback = [useNACK(), usePLI()]

interface Session {
  readonly connection: RTCPeerConnection
  readonly sequence: { video: number; audio: number }
}

export async function startWhepServer(habits: ServerHabits = {}): Promise<FakeWhepServer> {
  const { sound = ['opus'], go2rtc, key = [sps, pps, idr] } = habits
  const endpoint = go2rtc ? '/api/webrtc?src=door' : '/door/whep'
  const asked: string[] = []
  const requests: FakeWhepServer['requests'] = []
  const offers: string[] = []
  const heard: RtpPacket[] = []
  const sessions = new Map<string, Session>()
  let count = 0
  let keyFramesAsked = 0

  function createConnection(): RTCPeerConnection {
    const parameters = `packetization-mode=1;profile-level-id=${habits.profile ?? '42e01f'}`
    const connection = new RTCPeerConnection({
      codecs: {
        video: habits.isH265
          ? [new RTCRtpCodecParameters({ mimeType: 'video/H265', clockRate: 90_000, payloadType: 107, rtcpFeedback })]
          : [useH264({ rtcpFeedback, ...(habits.profile !== undefined && { parameters }) })],
        audio: sound.map((codec) => sounds[codec]()),
      },
      bundlePolicy: 'max-bundle',
    })
    connection.onTrack.subscribe((track) => track.onReceiveRtp.subscribe((packet) => void heard.push(packet)))
    return connection
  }
  function serve(connection: RTCPeerConnection): string {
    count += 1
    const id = `session-${count}`
    const session: Session = { connection, sequence: { video: 65_530, audio: 65_530 } }
    sessions.set(id, session)
    const end = () => {
      sessions.delete(id)
      void connection.close()
    }
    connection.connectionStateChange.subscribe((state) => {
      if (state === 'connected') sendKey(session)
      if (state === 'failed') end()
    })
    for (const transport of connection.dtlsTransports) {
      transport.onStateChange.subscribe((state) => state === 'closed' && end())
      transport.onRtcp.subscribe((packet) => {
        if (!(packet instanceof RtcpPayloadSpecificFeedback && packet.feedback.count === pli)) return
        keyFramesAsked += 1
        sendKey(session)
      })
    }
    return id
  }
  function sendKey(session: Session): void {
    for (const [index, payload] of key.entries())
      sendTo(session, 'video', { payload, timestamp: 0, marker: index === key.length - 1 })
  }
  function sendTo(
    { connection, sequence }: Session,
    kind: 'video' | 'audio',
    { payload, timestamp, marker = false, skip = 0 }: Parameters<FakeWhepServer['send']>[1],
  ): void {
    const sending = connection.getTransceivers().find((each) => each.kind === kind && isSending(each))
    // Numbers wrap soon after the beginning.
    sequence[kind] = (sequence[kind] + 1 + skip) & 0xffff
    const codec =
      kind === 'audio'
        ? sending?.codecs.findLast(({ name }) => name.toLowerCase() === sound.at(-1)!.toLowerCase())
        : sending?.codecs[0]
    const header = new RtpHeader({
      sequenceNumber: sequence[kind],
      timestamp,
      marker,
      payloadType: codec?.payloadType ?? 0,
      ssrc: 1,
    })
    if (!codec || !sending) return
    sending.sender.codec = codec
    void sending.sender.sendRtp(new RtpPacket(header, payload))
  }

  async function answer(offer: string): Promise<{ readonly id: string; readonly sdp: string }> {
    const connection = createConnection()
    await connection.setRemoteDescription({ type: 'offer', sdp: offer })
    for (const transceiver of connection.getTransceivers()) transceiver.setDirection(transceiver.offerDirection)
    const id = serve(connection)
    await connection.setLocalDescription(await connection.createAnswer())
    return { id, sdp: connection.localDescription!.sdp }
  }
  async function counterOffer(): Promise<{ readonly id: string; readonly sdp: string }> {
    const connection = createConnection()
    connection.addTransceiver('video', { direction: 'sendonly' })
    connection.addTransceiver('audio', { direction: 'sendonly' })
    const id = serve(connection)
    await connection.setLocalDescription(await connection.createOffer())
    return { id, sdp: connection.localDescription!.sdp }
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    asked.push(`${method} ${url}`)
    requests.push(headers)
    const reply = (status: number, more: Record<string, string> = {}, text = '') =>
      void response.writeHead(status, { ...(habits.link !== undefined && { link: habits.link }), ...more }).end(text)
    const session = sessions.get(url.replace('/sessions/', ''))
    if (method === 'OPTIONS') return reply(204)
    if (habits.authorization !== undefined && headers.authorization !== habits.authorization)
      return reply(401, { 'www-authenticate': habits.challenge ?? 'Bearer' })
    if (go2rtc && url === '/api/streams?src=door')
      return reply(200, {}, JSON.stringify({ producers: [{ medias: go2rtc.medias }], consumers: [] }))
    if (method === 'DELETE' && session) {
      await session.connection.close()
      sessions.delete(url.replace('/sessions/', ''))
      return reply(200)
    }
    if (headers['content-type'] !== 'application/sdp') return reply(415)
    if (method === 'PATCH' && session) {
      // The answer to a counter-offer only receives.
      if (!/^a=recvonly/m.test(body) || /^a=(sendrecv|sendonly|inactive)/m.test(body)) return reply(422)
      await session.connection.setRemoteDescription({ type: 'answer', sdp: body })
      return reply(204)
    }
    if (method !== 'POST') return reply(405)
    if (habits.redirect && url === endpoint) return reply(habits.redirect.status, { location: habits.redirect.to })
    if (!habits.redirect && url !== endpoint) return reply(404)
    offers.push(body)
    if (habits.reply) return reply(habits.reply.status, {}, habits.reply.body)
    // A player receives (section 4.1); only go2rtc takes a microphone.
    if (!go2rtc && /^a=(sendonly|inactive)/m.test(body)) return reply(400)
    const { id, sdp } = habits.hasCounterOffer ? await counterOffer() : await answer(body)
    const type = { 'content-type': 'application/sdp' }
    reply(
      habits.hasCounterOffer ? 406 : 201,
      go2rtc ? type : { ...type, location: `/sessions/${id}`, etag: '"1"' },
      sdp,
    )
  }
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  async function restart(): Promise<void> {
    await Promise.all([...sessions.values()].map(({ connection }) => connection.close()))
    sessions.clear()
  }
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    requests,
    offers,
    heard,
    keyFramesAsked: () => keyFramesAsked,
    sessions: () => sessions.size,
    send(kind, packet) {
      for (const session of sessions.values()) sendTo(session, kind, packet)
    },
    restart,
    async close() {
      server.close()
      server.closeAllConnections()
      await restart()
    },
  }
}

const isSending = ({ currentDirection }: RTCRtpTransceiver): boolean => currentDirection === 'sendonly'
