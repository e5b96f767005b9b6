/** RTP and RTCP as far as a receiver needs them (RFC 3550 sections 5.1, 6.4). */
export interface Packet {
  readonly payloadType: number
  readonly marker: boolean
  readonly sequenceNumber: number
  readonly timestamp: number
  readonly ssrc: number
  readonly payload: Buffer
}

/** `undefined` for what is no RTP packet. */
export function readPacket(data: Buffer): Packet | undefined {
  if (data.length < 12) return undefined
  const first = data.readUInt8(0)
  if (first >> 6 !== 2) return undefined
  let start = 12 + (first & 0x0f) * 4
  if (first & 0x10) {
    if (data.length < start + 4) return undefined
    start += 4 + data.readUInt16BE(start + 2) * 4
  }
  const padding = first & 0x20 ? data.readUInt8(data.length - 1) : 0
  if (start + padding > data.length) return undefined
  const second = data.readUInt8(1)
  return {
    payloadType: second & 0x7f,
    marker: (second & 0x80) !== 0,
    sequenceNumber: data.readUInt16BE(2),
    timestamp: data.readUInt32BE(4),
    ssrc: data.readUInt32BE(8),
    payload: data.subarray(start, data.length - padding),
  }
}

/** A sender report's word on when its media of `timestamp` was captured, by the sender's clock. */
export interface SenderReport {
  readonly ssrc: number
  /** Milliseconds since the NTP epoch. */
  readonly ntpMs: number
  readonly timestamp: number
  /** The middle 32 bits of its NTP time, to be repeated in a receiver report. */
  readonly compact: number
}

/** The first sender report of a compound packet. */
export function readSenderReport(data: Buffer): SenderReport | undefined {
  for (let at = 0; at + 4 <= data.length; at += 4 + data.readUInt16BE(at + 2) * 4) {
    if (data.readUInt8(at) >> 6 !== 2) return undefined
    if (data.readUInt8(at + 1) === 200 && at + 28 <= data.length) {
      const seconds = data.readUInt32BE(at + 8)
      const fraction = data.readUInt32BE(at + 12)
      return {
        ssrc: data.readUInt32BE(at + 4),
        ntpMs: seconds * 1_000 + (fraction * 1_000) / 2 ** 32,
        timestamp: data.readUInt32BE(at + 16),
        compact: data.readUInt32BE(at + 10),
      }
    }
  }
  return undefined
}

export interface Reception {
  readonly ssrc: number
  /** Share of packets lost since the last report, 0 to 255. */
  readonly fractionLost: number
  readonly lost: number
  readonly highestSequence: number
  /** Of the last sender report; 0 without one. */
  readonly lastReport: number
  /** Since the last sender report, in units of 1/65536 s. */
  readonly sinceReport: number
}

/** A receiver report with our name in an SDES (RFC 3550 sections 6.4.2 and 6.5: a compound packet begins with a report). */
export function writeReceiverReport(ssrc: number, { lost, ...reception }: Reception): Buffer {
  const report = Buffer.alloc(32)
  report.writeUInt32BE(0x81c90007, 0)
  report.writeUInt32BE(ssrc, 4)
  report.writeUInt32BE(reception.ssrc, 8)
  report.writeUInt32BE(((reception.fractionLost << 24) | (Math.min(lost, 0x7fffff) & 0xffffff)) >>> 0, 12)
  report.writeUInt32BE(reception.highestSequence >>> 0, 16)
  report.writeUInt32BE(reception.lastReport, 24)
  report.writeUInt32BE(reception.sinceReport >>> 0, 28)
  const description = Buffer.alloc(20)
  description.writeUInt32BE(0x81ca0004, 0)
  description.writeUInt32BE(ssrc, 4)
  description.write('\u0001\u0007transom', 8, 'latin1')
  return Buffer.concat([report, description])
}

export interface OutgoingPacket {
  readonly payloadType: number
  readonly marker: boolean
  readonly sequenceNumber: number
  readonly timestamp: number
  readonly ssrc: number
}

export function writePacket(packet: OutgoingPacket, payload: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt8(0x80, 0)
  head.writeUInt8((packet.marker ? 0x80 : 0) | packet.payloadType, 1)
  head.writeUInt16BE(packet.sequenceNumber & 0xffff, 2)
  head.writeUInt32BE(packet.timestamp >>> 0, 4)
  head.writeUInt32BE(packet.ssrc >>> 0, 8)
  return Buffer.concat([head, payload])
}

/** How far one number of `bits` bits is after another, with its wrap: negative when it is before. */
export function distance(from: number, to: number, bits: 16 | 32): number {
  const size = 2 ** bits
  const ahead = (((to - from) % size) + size) % size
  return ahead >= size / 2 ? ahead - size : ahead
}
