/** A camera for the tests: answers an offer with werift's own peer connection, sends a short film and Opus, counts what it hears. */

import {
  MediaStreamTrack,
  PictureLossIndication,
  RtcpPayloadSpecificFeedback,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RtpHeader,
  RtpPacket,
  useH264,
  useOPUS,
} from 'werift'
import { black, encode, moving, payloadsOf, spoil } from './film.ts'

export interface FakeCameraOptions {
  /** Leaves out a medium, or every key frame. */
  readonly without?: 'video' | 'audio' | 'key-frames'
  /** SPS bytes 1 to 3, as in an answer. */
  readonly profileLevelId?: string
  /** What its pictures show; the wandering bars when left out. */
  readonly shows?: keyof typeof films
  /** Direction of the audio section. */
  readonly audio?: 'sendrecv' | 'sendonly'
}

export interface FakeCamera {
  /** One complete answer, as a bridge would write it: nothing trickles. */
  answer(offer: string): Promise<string>
  heardPackets(): number
  /** Resolves when the display has said goodbye. */
  readonly left: Promise<void>
  close(): Promise<void>
}

export function createFakeCamera(options: FakeCameraOptions = {}): FakeCamera {
  const profile = options.profileLevelId ?? '42e01f'
  const left = Promise.withResolvers<void>()
  const timers: NodeJS.Timeout[] = []
  let heard = 0
  let peer: RTCPeerConnection | undefined

  function send(pc: RTCPeerConnection, video: MediaStreamTrack, audio: MediaStreamTrack, film: Film): void {
    let picture = 0
    let sequence = 65_500 // soon wraps, as any camera's will
    let wantsKeyFrame = false
    // werift hands feedback to whoever owns its sender's SSRC, so it is taken where it arrives.
    pc.dtlsTransports[0]?.onRtcp.subscribe((packet) => {
      if (packet instanceof RtcpPayloadSpecificFeedback && packet.feedback instanceof PictureLossIndication)
        wantsKeyFrame = true
    })
    const started = performance.now()
    let frames = 0
    timers.push(
      setInterval(() => {
        picture = wantsKeyFrame ? 0 : (picture + 1) % film.length
        wantsKeyFrame = false
        const payloads = film[picture] ?? []
        frames += 1
        const timestamp = frames * 1800
        payloads.forEach((payload, index) => {
          sequence = (sequence + 1) & 0xffff
          const header = new RtpHeader({
            sequenceNumber: sequence,
            timestamp,
            marker: index === payloads.length - 1,
            payloadType: 99,
          })
          if (options.without !== 'video') video.writeRtp(new RtpPacket(header, payload))
        })
        const due = Math.floor((performance.now() - started) / 20)
        const header = new RtpHeader({ sequenceNumber: due & 0xffff, timestamp: due * 960, payloadType: 96 })
        if (options.without !== 'audio') audio.writeRtp(new RtpPacket(header, Buffer.from([0xf8, 0xff, 0xfe])))
      }, 20),
    )
  }

  return {
    left: left.promise,
    heardPackets: () => heard,
    async answer(offer) {
      const echo = offer.includes('a=mid:audio0')
      const h264 = useH264({
        payloadType: echo ? 99 : 106,
        parameters: `level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profile}`,
      })
      const opus = useOPUS({ payloadType: echo ? 96 : 111 })
      const pc = new RTCPeerConnection({
        codecs: { video: [new RTCRtpCodecParameters(h264)], audio: [new RTCRtpCodecParameters(opus)] },
        bundlePolicy: 'max-bundle',
        iceServers: [],
        iceUseIpv6: false,
        iceAdditionalHostAddresses: ['127.0.0.1'],
        pendingRtp: true,
      })
      peer = pc
      const video = new MediaStreamTrack({ kind: 'video' })
      const audio = new MediaStreamTrack({ kind: 'audio' })
      pc.onTrack.subscribe((track) => track.onReceiveRtp.subscribe(() => (heard += 1)))
      await pc.setRemoteDescription({ type: 'offer', sdp: offer })
      for (const transceiver of pc.getTransceivers()) {
        await transceiver.sender.replaceTrack(transceiver.kind === 'video' ? video : audio)
        transceiver.setDirection(transceiver.kind === 'video' ? 'sendonly' : (options.audio ?? 'sendrecv'))
      }
      const film = await filmOf(options.shows ?? 'bars', profile)
      pc.connectionStateChange.subscribe((state) => {
        if (state === 'connected') send(pc, video, audio, options.without === 'key-frames' ? film.slice(1) : film)
        if (state === 'closed') left.resolve()
      })
      await pc.setLocalDescription(await pc.createAnswer())
      return complete(pc.localDescription?.sdp ?? '', offer)
    },
    async close() {
      for (const timer of timers) clearInterval(timer)
      await peer?.close()
    },
  }
}

/** What a bridge does with a camera's answer: no trickle option, no feedback or extension that was not offered. */
function complete(sdp: string, offer: string): string {
  const offered = new Set(offer.split('\r\n'))
  const lines = sdp.split('\r\n').filter((line) => {
    if (line.startsWith('a=ice-options') || line === '') return false
    return /^a=(rtcp-fb|extmap):/.test(line) ? offered.has(line) : true
  })
  return `${lines.join('\r\n')}\r\n`
}

type Film = readonly (readonly Buffer[])[]

const films = {
  bars: (): Promise<readonly Buffer[]> => encode(moving, { pictures: 25, options: { profile: 'baseline' } }),
  'b-frames': () => encode(moving, { pictures: 25, bFrames: 2 }),
  black: () => encode(black, { pictures: 25, options: { profile: 'baseline' } }),
  /** Its slices hold what no encoder writes. */
  nothing: async () => (await encode(moving, { pictures: 25, options: { profile: 'baseline' } })).map(spoil),
  /** One key frame, again and again. */
  still: () => encode(moving, { pictures: 1, options: { profile: 'baseline' } }),
}

/** The payloads of each picture; the SPS says what the answer does. */
async function filmOf(name: keyof typeof films, profileLevelId: string): Promise<Film> {
  const coded = await films[name]()
  for (const unit of coded) {
    const sps = unit.indexOf(Buffer.from([0, 0, 1, 0x67]))
    if (sps >= 0) unit.write(profileLevelId, sps + 4, 'hex')
  }
  return coded.map(payloadsOf)
}
