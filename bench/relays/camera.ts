/** One engine of Node in this process: RTP comes in by UDP and goes out to each viewer. Spoken to by `process.send`. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type * as Werift from 'werift'
import { createConnection } from '../../src/gateway/answer.ts'
import { createFeed } from '../../src/gateway/feed.ts'
import { narrowOffer } from '../../src/gateway/offer.ts'

/** Takes each packet as it came; the marker ends a picture. */
type Send = (packet: Buffer) => void

interface Engine {
  /** Answers a viewer's complete offer with a complete answer. */
  answer(offer: string): Promise<string>
  send: Send
}

const [name = '', port = '0'] = process.argv.slice(2)
const openEngine = async (): Promise<Engine> => {
  if (name === 'transom') return openGateway()
  return name === 'libdatachannel' ? await openLibdatachannel() : await openPublished(name)
}
const engine = await openEngine()
const socket = createSocket('udp4').on('message', (packet) => engine.send(packet))
socket.bind(Number(port), '127.0.0.1')
await once(socket, 'listening')
process.on('disconnect', () => process.exit())
process.on('message', (offer: string) => {
  if (offer === 'gc') globalThis.gc?.()
  engine.answer(offer).then(
    (answer) => process.send?.(answer),
    () => process.send?.(''),
  )
})
process.send?.('ready')

/** The gateway's own way from an access unit to a viewer. */
function openGateway(): Engine {
  const feeds = new Map<Werift.RTCPeerConnection, ReturnType<typeof createFeed>>()
  const source = { requestKeyFrame: () => true, recent: () => [] }
  let payloads: Buffer[] = []
  return {
    async answer(sdp) {
      const offer = narrowOffer(sdp, '42e01f')
      const connection = createConnection([], 'opus')
      connection.connectionStateChange.subscribe((state) => {
        if (state === 'connected') feeds.set(connection, createFeed(connection, source))
        else if (feeds.delete(connection)) void connection.close()
      })
      return await answerWith(connection, offer.sdp)
    },
    send(packet) {
      payloads.push(packet.subarray(12))
      if ((packet[1] ?? 0) < 0x80) return
      for (const feed of feeds.values()) feed.video({ at: Date.now(), isKey: true, payloads })
      payloads = []
    },
  }
}

/** werift as it is published, used as its examples use it. */
async function openPublished(path: string): Promise<Engine> {
  const { RTCPeerConnection, RtpPacket, useH264, useSdesMid }: typeof Werift = await import(path)
  const senders = new Map<Werift.RTCPeerConnection, Werift.RTCRtpSender>()
  return {
    async answer(sdp) {
      const connection = new RTCPeerConnection({
        codecs: { video: [useH264()], audio: [] },
        headerExtensions: { video: [useSdesMid()] },
        iceServers: [{ urls: 'stun:127.0.0.1:9' }],
        iceStunGatherTimeout: 0.001,
      })
      const transceiver = connection.addTransceiver('video', { direction: 'sendonly' })
      connection.connectionStateChange.subscribe((state) => {
        if (state === 'connected') senders.set(connection, transceiver.sender)
        else if (senders.delete(connection)) void connection.close()
      })
      return await answerWith(connection, sdp)
    },
    send(data) {
      const packet = RtpPacket.deSerialize(data)
      for (const sender of senders.values()) void sender.sendRtp(packet)
    },
  }
}

async function answerWith(connection: Werift.RTCPeerConnection, sdp: string): Promise<string> {
  await connection.setRemoteDescription({ type: 'offer', sdp })
  for (const transceiver of connection.getTransceivers()) transceiver.setDirection('sendonly')
  await connection.setLocalDescription(await connection.createAnswer())
  return connection.localDescription?.sdp ?? ''
}

async function openLibdatachannel(): Promise<Engine> {
  const { PeerConnection, Video } = await import('node-datachannel')
  // A connection that nobody holds is closed with its garbage.
  const held: object[] = []
  const tracks = new Map<object, { readonly head: Buffer; send(packet: Buffer): boolean }>()
  return {
    async answer(sdp) {
      const connection = new PeerConnection('camera', { iceServers: [], forceMediaTransport: true })
      held.push(connection)
      const gathered = Promise.withResolvers<void>()
      connection.onGatheringStateChange((state) => state === 'complete' && gathered.resolve())
      const [, mid = 'video'] = /^a=mid:(\S+)/m.exec(sdp) ?? []
      const video = new Video(mid, 'SendOnly')
      video.addH264Codec(96, 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1')
      const ssrc = 1_000 + tracks.size
      video.addSSRC(ssrc, 'peer', 'stream', 'picture')
      const track = connection.addTrack(video)
      const head = Buffer.alloc(4)
      head.writeUInt32BE(ssrc)
      connection.onStateChange((state) => {
        if (state === 'connected')
          tracks.set(track, { head, send: (packet) => track.isOpen() && track.sendMessageBinary(packet) })
        else tracks.delete(track)
      })
      connection.setRemoteDescription(sdp, 'offer')
      await gathered.promise
      return connection.localDescription()?.sdp ?? ''
    },
    send(packet) {
      for (const { head, send } of tracks.values()) {
        const own = Buffer.from(packet)
        head.copy(own, 8)
        try {
          send(own)
        } catch {
          // It refuses packets on their way to a viewer that is leaving: one that is lost, as with the other engines.
        }
      }
    },
  }
}
