/** Feeds one connected viewer: a key frame first, then what the source yields, skipping pictures while it cannot take them. */
import { RtcpPayloadSpecificFeedback, type RTCPeerConnection, type RTCRtpTransceiver } from 'werift'
import type { AudioPacket, VideoCodec, VideoUnit } from './media.ts'
import { createRtpTrack, type RtpTrack } from './rtp-track.ts'
import { createSeal } from './seal.ts'
import { sendReport } from './sender-report.ts'
import type { SharedSource } from './source.ts'

export interface Feed {
  video(unit: VideoUnit): void
  audio(packet: AudioPacket): void
  sent(): { videoPackets: number; audioPackets: number }
  /** Frees what it waits with; may be called again. */
  close(): void
}

/** Begins to feed the connection, which must be connected. */
export function createFeed(
  connection: RTCPeerConnection,
  source: Pick<SharedSource, 'requestKeyFrame' | 'recent'>,
  codec: VideoCodec = 'H264',
): Feed {
  const trackOf = (kind: 'video' | 'audio') => {
    const transceiver = connection.getTransceivers().find((each) => each.kind === kind && sends(each.currentDirection))
    return transceiver && openTrack(kind, transceiver, connection.cname)
  }
  const video = trackOf('video')
  const audio = trackOf('audio')
  /** A decoder can only begin at a key frame, and begins anew after a gap. */
  let needsKey = true

  const show = (unit: VideoUnit, at = unit.at) => {
    if (!video || (needsKey && !unit.isKey)) return
    needsKey = !video.send(unit.payloads, at)
    if (needsKey) source.requestKeyFrame(codec)
  }
  for (const transport of connection.dtlsTransports) {
    transport.onRtcp.subscribe((packet) => {
      if (packet instanceof RtcpPayloadSpecificFeedback && keyFrameRequests.includes(packet.feedback.count))
        source.requestKeyFrame(codec)
    })
  }
  if (!source.requestKeyFrame(codec)) {
    // None will come soon: begin with the pictures since the last one. Their times are pressed together, a millisecond each,
    // so that the viewer runs through them to the present instead of staying behind it.
    const recent = source.recent(codec)
    const lastAt = recent.at(-1)?.at ?? 0
    for (const [index, unit] of recent.entries()) show(unit, lastAt - (recent.length - 1 - index))
  }
  return {
    video: (unit) => show(unit),
    audio: (packet) => {
      audio?.send([packet.payload], packet.at)
    },
    sent: () => ({ videoPackets: video?.sent() ?? 0, audioPackets: audio?.sent() ?? 0 }),
    close() {
      video?.close()
      audio?.close()
    },
  }
}

/** The track by which this section of the answer is served; `undefined` when no codec was agreed for it. */
function openTrack(kind: 'video' | 'audio', transceiver: RTCRtpTransceiver, cname: string): RtpTrack | undefined {
  const { sender, codecs, mid, headerExtensions } = transceiver
  const { codec, dtlsTransport, ssrc } = sender
  if (!codec || mid === null) return undefined
  const { payloadType, clockRate } = codec
  const extension = headerExtensions.find(({ uri }) => uri === midUri)
  const named = extension && { mid: { id: extension.id, value: mid } }
  const repair = codecs.find(({ name, parameters }) => /^rtx$/i.test(name) && parameters === `apt=${payloadType}`)
  const track = createRtpTrack({
    kind,
    clockRate,
    stream: { ssrc, payloadType, ...named },
    ...(repair && { repair: { ssrc: sender.rtxSsrc, payloadType: repair.payloadType, ...named } }),
    seal: createSeal(dtlsTransport.srtp.localContext),
    transmit: dtlsTransport.iceTransport.connection.send,
    report: (info) => void sendReport(dtlsTransport, { ssrc, cname, ...info }),
  })
  sender.onGenericNack.subscribe(({ lost }) => track.repeat(lost))
  return track
}

const midUri = 'urn:ietf:params:rtp-hdrext:sdes:mid'

const sends = (direction: string | null): boolean => direction === 'sendrecv' || direction === 'sendonly'

/** Feedback message types: PLI (RFC 4585 section 6.3.1) and FIR (RFC 5104 section 4.3.1). */
const keyFrameRequests: readonly number[] = [1, 4]
