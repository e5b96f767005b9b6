/** Two ends of one engine in this process, connected over loopback. */
import { setImmediate } from 'node:timers/promises'
import type * as Werift from 'werift'

export interface Pair {
  /** From the offer at the camera to its connection. */
  readonly ms: number
  /** Seals and sends so many RTP packets of 1,100 bytes to the display. */
  send(count: number): Promise<void>
  close(): Promise<void>
}

const payload = Buffer.alloc(1_100)
const ssrc = 7
const payloadType = 96

/** Makes pairs of the werift at this path. */
export async function openWerift(path: string): Promise<() => Promise<Pair>> {
  const { RTCPeerConnection, RtpHeader, useH264, useOPUS }: typeof Werift = await import(path)
  const options = () => ({
    codecs: { video: [useH264()], audio: [useOPUS()] },
    bundlePolicy: 'max-bundle' as const,
    // A server of nobody, or the published one asks a public one.
    iceServers: [{ urls: 'stun:127.0.0.1:9' }],
    iceUseIpv6: false,
    iceStunGatherTimeout: 0.001,
  })
  return async () => {
    const [display, camera] = [new RTCPeerConnection(options()), new RTCPeerConnection(options())]
    display.addTransceiver('video', { direction: 'recvonly' })
    await display.setLocalDescription(await display.createOffer())
    const startedAt = performance.now()
    await camera.setRemoteDescription(display.localDescription ?? { type: 'offer', sdp: '' })
    await camera.setLocalDescription(await camera.createAnswer())
    await display.setRemoteDescription(camera.localDescription ?? { type: 'answer', sdp: '' })
    await camera.connectionStateChange.watch((state) => state === 'connected', 10_000)
    return {
      ms: performance.now() - startedAt,
      async send(count) {
        const [dtls] = camera.dtlsTransports
        // What arrives is somebody else's work.
        display.iceTransports[0]?.connection.onData.allUnsubscribe()
        for (let index = 0; index < count; index += 1)
          await dtls?.sendRtp(payload, new RtpHeader({ sequenceNumber: index, timestamp: index, ssrc, payloadType }))
      },
      close: async () => void (await Promise.all([display.close(), camera.close()])),
    }
  }
}

/** Makes pairs of libdatachannel. Its display opens the packets too: nothing can keep it from that. */
export async function openLibdatachannel(): Promise<() => Promise<Pair>> {
  const { PeerConnection, Video } = await import('node-datachannel')
  const options = { iceServers: [], forceMediaTransport: true, bindAddress: '127.0.0.1' }
  const videoOf = (direction: 'RecvOnly' | 'SendOnly') => {
    const video = new Video('video', direction)
    video.addH264Codec(payloadType, 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1')
    return video
  }
  return async () => {
    const [display, camera] = [new PeerConnection('display', options), new PeerConnection('camera', options)]
    const offered = Promise.withResolvers<void>()
    const connected = Promise.withResolvers<void>()
    display.onGatheringStateChange((state) => state === 'complete' && offered.resolve())
    camera.onStateChange((state) => state === 'connected' && connected.resolve())
    camera.onLocalDescription((sdp, type) => display.setRemoteDescription(sdp, type))
    camera.onLocalCandidate((candidate, mid) => display.addRemoteCandidate(candidate, mid))
    // Held until the close: a track that nobody holds is closed with its garbage.
    const seen = display.addTrack(videoOf('RecvOnly'))
    display.setLocalDescription('offer')
    await offered.promise
    const startedAt = performance.now()
    const video = videoOf('SendOnly')
    video.addSSRC(ssrc, 'peer', 'stream', 'picture')
    const track = camera.addTrack(video)
    // A track opens after its connection does.
    const opened = Promise.withResolvers<void>()
    track.onOpen(opened.resolve)
    track.onClosed(() => opened.reject(new Error('libdatachannel closed the track')))
    opened.promise.catch(() => {})
    camera.setRemoteDescription(display.localDescription()?.sdp ?? '', 'offer')
    await connected.promise
    return {
      ms: performance.now() - startedAt,
      async send(count) {
        await opened.promise
        for (let index = 0; index < count; index += 1) {
          const head = Buffer.alloc(12)
          head.writeUInt16BE(0x80_00 | payloadType)
          head.writeUInt16BE(index & 0xff_ff, 2)
          head.writeUInt32BE(index, 4)
          head.writeUInt32BE(ssrc, 8)
          const packet = Buffer.concat([head, payload])
          // A socket that is full for a moment takes it in the next.
          for (let tries = 0; !track.sendMessageBinary(packet); tries += 1) {
            if (tries > 1_000) throw new Error('the packet was not sent')
            await setImmediate()
          }
        }
      },
      async close() {
        for (const end of [track, seen, display, camera]) end.close()
      },
    }
  }
}
