/** Feeds one connected viewer: a key frame first, then what the source yields, skipping pictures while it cannot take them. */
import { RtcpPayloadSpecificFeedback, type RTCPeerConnection } from 'werift'
import type { AudioPacket, VideoUnit } from './media.ts'
import { createRtpTrack } from './rtp-track.ts'
import type { SharedSource } from './source.ts'

export interface Feed {
  video(unit: VideoUnit): void
  audio(packet: AudioPacket): void
  sent(): { videoPackets: number; audioPackets: number }
}

/** Begins to feed the connection, which must be connected. */
export function createFeed(connection: RTCPeerConnection, source: SharedSource): Feed {
  const senderOf = (kind: 'video' | 'audio') =>
    connection.getTransceivers().find((transceiver) => transceiver.kind === kind && sends(transceiver.currentDirection))
      ?.sender
  const videoSender = senderOf('video')
  const audioSender = senderOf('audio')
  const video = videoSender && createRtpTrack(videoSender, 90_000, 'video')
  const audio = audioSender && createRtpTrack(audioSender, audioSender.codec?.clockRate ?? 48_000, 'audio')
  /** A decoder can only begin at a key frame, and begins anew after a gap. */
  let needsKey = true

  const show = (unit: VideoUnit, at = unit.at) => {
    if (!video || (needsKey && !unit.isKey)) return
    needsKey = !video.send(unit.payloads, at)
    if (needsKey) source.requestKeyFrame()
  }
  for (const transport of connection.dtlsTransports) {
    transport.onRtcp.subscribe((packet) => {
      if (packet instanceof RtcpPayloadSpecificFeedback && keyFrameRequests.includes(packet.feedback.count))
        source.requestKeyFrame()
    })
  }
  if (!source.requestKeyFrame()) {
    // None will come soon: begin with the pictures since the last one. Their times are pressed together, a millisecond each,
    // so that the viewer runs through them to the present instead of staying behind it.
    const recent = source.recent()
    const lastAt = recent.at(-1)?.at ?? 0
    for (const [index, unit] of recent.entries()) show(unit, lastAt - (recent.length - 1 - index))
  }
  return {
    video: (unit) => show(unit),
    audio: (packet) => {
      audio?.send([packet.payload], packet.at)
    },
    sent: () => ({ videoPackets: video?.sent() ?? 0, audioPackets: audio?.sent() ?? 0 }),
  }
}

const sends = (direction: string | null): boolean => direction === 'sendrecv' || direction === 'sendonly'

/** Feedback message types: PLI (RFC 4585 section 6.3.1) and FIR (RFC 5104 section 4.3.1). */
const keyFrameRequests: readonly number[] = [1, 4]
