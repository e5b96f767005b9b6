/** One outgoing RTP stream to one viewer: numbers and stamps the payloads that all viewers share. */
import { randomInt } from 'node:crypto'
import { RtpHeader, RtpPacket, type RTCRtpSender } from 'werift'

/** Packets that may wait in a viewer's transport; more, and it is not taking them. */
const maxWaiting = 400
/** Between 1 January 1900, where NTP begins, and the Unix epoch (RFC 5905 figure 4). */
const ntpOffsetSeconds = 2_208_988_800

export interface RtpTrack {
  /** Sends one access unit or one audio packet of the instant `at` (epoch milliseconds). False when it was dropped. */
  send(payloads: readonly Buffer[], at: number): boolean
  sent(): number
}

export function createRtpTrack(sender: RTCRtpSender, clockRate: number, kind: 'video' | 'audio'): RtpTrack {
  // RFC 3550 section 5.1: both begin anywhere.
  let sequenceNumber = randomInt(0x1_0000)
  const firstTimestamp = randomInt(0x1_0000_0000)
  let firstAt: number | undefined
  let lastAt = 0
  let sent = 0
  let waiting = 0

  // werift 0.25 writes the milliseconds of its sender reports as if they were NTP's binary fraction, up to a second wrong.
  // The report is to say when the media of `rtpTimestamp` was captured, and that is known here.
  Object.defineProperty(sender, 'ntpTimestamp', { get: () => toNtp(lastAt), set() {} })

  return {
    send(payloads, at) {
      if (waiting > maxWaiting) return false
      firstAt ??= at
      lastAt = at
      const timestamp = (firstTimestamp + Math.round(((at - firstAt) * clockRate) / 1_000)) >>> 0
      for (const [index, payload] of payloads.entries()) {
        // The marker ends an access unit (RFC 6184 section 5.1); in audio it would begin a talkspurt (RFC 3551 section 4.1).
        const marker = kind === 'video' ? index === payloads.length - 1 : sent === 0
        const packet = new RtpPacket(new RtpHeader({ sequenceNumber, timestamp, marker }), payload)
        sequenceNumber = (sequenceNumber + 1) & 0xffff
        sent += 1
        waiting += 1
        const settled = () => {
          waiting -= 1
        }
        // A packet that cannot be sent is a lost packet; the connection's state tells the rest.
        sender.sendRtp(packet).then(settled, settled)
      }
      return true
    },
    sent: () => sent,
  }
}

function toNtp(epochMs: number): bigint {
  const seconds = Math.floor(epochMs / 1_000)
  const fraction = Math.floor(((epochMs - seconds * 1_000) / 1_000) * 2 ** 32)
  return (BigInt(seconds + ntpOffsetSeconds) << 32n) | BigInt(fraction)
}
