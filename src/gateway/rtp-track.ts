/** One outgoing RTP stream to one viewer: numbers, stamps and seals the payloads that all viewers share. */
import { randomInt } from 'node:crypto'
import { createPacer } from './pacer.ts'
import { createHeader, type HeaderOptions } from './rtp-header.ts'
import type { Seal } from './seal.ts'
import type { SenderReport } from './sender-report.ts'

/** How far a stream is. */
export type StreamInfo = Omit<SenderReport, 'ssrc' | 'cname'>

/** Packets that may wait in a viewer's transport; more, and it is not taking them. */
const maxWaiting = 400
/** What a viewer may ask for again: a second of a good picture. */
const kept = 512
/** One that was repeated is on its way for so long. */
const repeatMs = 20
const reportEachMs = 1_000

export interface RtpTrackOptions {
  readonly kind: 'video' | 'audio'
  readonly clockRate: number
  readonly stream: HeaderOptions
  /** The stream on which packets are repeated (RFC 4588); without it they are repeated as they were. */
  readonly repair?: HeaderOptions
  readonly seal: Seal
  /** Resolves when the transport has taken the packet, or rejects: then it is a lost packet. */
  readonly transmit: (packet: Buffer) => Promise<void>
  /** Called with the first packet and then each second, while packets are sent. */
  readonly report: (info: StreamInfo) => void
}

export interface RtpTrack {
  /** Sends one access unit or one audio packet of the instant `at` (epoch milliseconds). False when it was dropped. */
  send(payloads: readonly Buffer[], at: number): boolean
  /** Sends the packets with these sequence numbers again, as far as they are still kept. */
  repeat(sequenceNumbers: readonly number[]): void
  /** How many packets were sent, each counted once. */
  sent(): number
  /** Forgets what has not left yet; may be called again. */
  close(): void
}

interface Packet {
  /** The sequence number, and before it how often they began again (RFC 3711 section 3.3.1). */
  readonly index: number
  readonly timestamp: number
  readonly marker: boolean
  readonly payload: Buffer
  repeatedAt: number
}

/** A track of one connection, which must be established. */
export function createRtpTrack(options: RtpTrackOptions): RtpTrack {
  const { kind, clockRate, stream, repair, seal, transmit, report } = options
  const pacer = createPacer()
  const header = createHeader(stream)
  // RFC 3550 section 5.1: all begin anywhere. Sequence numbers do so in the lower half, or a viewer that misses the first
  // packets could take those after number 65,535 for its first, and would count the rounds from there.
  let nextIndex = randomInt(0x8000)
  const firstTimestamp = randomInt(0x1_0000_0000)
  let firstAt: number | undefined
  let reportedAt = -Infinity
  let packetCount = 0
  let octetCount = 0
  let waiting = 0
  const history: (Packet | undefined)[] = []

  const settled = () => {
    waiting -= 1
  }
  const emit = (sealed: Buffer) => {
    waiting += 1
    // A packet that cannot be sent is a lost packet; the connection's state tells the rest.
    transmit(sealed).then(settled, settled)
  }
  const sealAs = ({ index, timestamp, marker, payload }: Packet) =>
    seal(header(index, timestamp, marker), payload, index)
  const sendFirst = (packet: Packet, at: number) => {
    history[packet.index % kept] = packet
    packetCount += 1
    octetCount += packet.payload.length
    emit(sealAs(packet))
    if (Math.abs(at - reportedAt) < reportEachMs) return
    reportedAt = at
    report({ at, rtpTimestamp: packet.timestamp, packetCount, octetCount })
  }
  const sendAgain = repair ? createRepair(repair, seal, emit) : (packet: Packet) => emit(sealAs(packet))

  return {
    send(payloads, at) {
      if (waiting > maxWaiting) return false
      // The marker ends an access unit (RFC 6184 section 5.1); in audio it begins a talkspurt (RFC 3551 section 4.1).
      const marked = kind === 'video' ? payloads.length - 1 : firstAt === undefined ? 0 : -1
      firstAt ??= at
      const timestamp = (firstTimestamp + Math.round(((at - firstAt) * clockRate) / 1_000)) >>> 0
      pacer.add(
        payloads.map((payload, position) => {
          const packet = { index: nextIndex, timestamp, marker: position === marked, payload, repeatedAt: -Infinity }
          nextIndex += 1
          return () => sendFirst(packet, at)
        }),
      )
      return true
    },
    repeat(sequenceNumbers) {
      const now = performance.now()
      const lost = sequenceNumbers.flatMap((sequenceNumber) => {
        const packet = history[sequenceNumber % kept]
        if (!packet || (packet.index & 0xffff) !== sequenceNumber || now - packet.repeatedAt < repeatMs) return []
        packet.repeatedAt = now
        return [() => sendAgain(packet)]
      })
      pacer.add(lost, true)
    },
    sent: () => packetCount,
    close: pacer.close,
  }
}

/** Sends a packet on a stream of its own, behind the number that it had (RFC 4588 section 4). */
function createRepair(stream: HeaderOptions, seal: Seal, emit: (sealed: Buffer) => void): (packet: Packet) => void {
  const header = createHeader(stream)
  let nextIndex = randomInt(0x8000)
  return ({ index, timestamp, marker, payload }) => {
    const numbered = Buffer.allocUnsafe(2 + payload.length)
    numbered.writeUInt16BE(index & 0xffff)
    numbered.set(payload, 2)
    emit(seal(header(nextIndex, timestamp, marker), numbered, nextIndex))
    nextIndex += 1
  }
}
