/** The header of outgoing RTP packets (RFC 3550 section 5.1): what changes from packet to packet is written into the rest. */

export interface HeaderOptions {
  readonly ssrc: number
  readonly payloadType: number
  /** `urn:ietf:params:rtp-hdrext:sdes:mid` (RFC 9143 section 15): the section of the SDP, under the id that was negotiated. */
  readonly mid?: { readonly id: number; readonly value: string }
}

/** Returns always the same Buffer, to be used before the next call. `sequenceNumber` is cut to 16 bits. */
export type Header = (sequenceNumber: number, timestamp: number, marker: boolean) => Buffer

export function createHeader({ ssrc, payloadType, mid }: HeaderOptions): Header {
  const extension = mid ? writeExtension(mid.id, Buffer.from(mid.value)) : Buffer.alloc(0)
  const header = Buffer.concat([Buffer.alloc(12), extension])
  header[0] = 0x80 | (mid ? 0x10 : 0)
  header.writeUInt32BE(ssrc, 8)
  return (sequenceNumber, timestamp, marker) => {
    header[1] = payloadType | (marker ? 0x80 : 0)
    header.writeUInt16BE(sequenceNumber & 0xffff, 2)
    header.writeUInt32BE(timestamp, 4)
    return header
  }
}

/** One element in the one-byte form where it fits there, otherwise in the two-byte form (RFC 8285 sections 4.2 and 4.3). */
function writeExtension(id: number, value: Buffer): Buffer {
  const isShort = id < 15 && value.length > 0 && value.length <= 16
  const element = isShort ? [(id << 4) | (value.length - 1)] : [id, value.length]
  const words = Math.ceil((element.length + value.length) / 4)
  const extension = Buffer.alloc(4 + words * 4)
  extension.writeUInt16BE(isShort ? 0xbede : 0x1000)
  extension.writeUInt16BE(words, 2)
  extension.set([...element, ...value], 4)
  return extension
}
