/** JPEG pictures out of RTP (RFC 2435): the headers that a payload leaves out are written anew. */
import type { Packet } from './rtp.ts'

const maxPictureBytes = 8 * 1_024 * 1_024
const maxFragments = 16_384

/** RFC 2435 appendix A: the tables of ITU-T T.81 annex K, in zigzag order. */
const lumaTable = [
  16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61,
  60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121,
  112, 100, 120, 92, 101, 103, 99,
]
const chromaTable = [17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, ...Array.from({ length: 50 }, () => 99)]

export interface Jpeg {
  /** A whole file but for its Huffman tables: those of annex K, which a decoder of moving pictures knows. */
  readonly data: Buffer
  readonly timestamp: number
}

interface Head {
  readonly type: number
  readonly width: number
  readonly height: number
  readonly restartInterval: number
  readonly tables: Buffer
}

/**
 * Takes packets in order and gives the pictures that are complete at the marker; those that lost a packet are left out.
 * Quantisation tables that come with one picture hold for later ones of the same Q (section 4.2).
 */
export function createJpegDepacketizer(): (packet: Packet, isAfterGap: boolean) => readonly Jpeg[] {
  const kept = new Map<number, Buffer>()
  let head: Head | undefined
  let pieces: Buffer[] = []
  let size = 0

  function forget(): void {
    head = undefined
    pieces = []
    size = 0
  }

  return ({ payload, marker, timestamp }, isAfterGap) => {
    if (isAfterGap) forget()
    const read = readPayload(payload, kept)
    if (!read) {
      forget()
      return []
    }
    if (read.offset === 0) {
      forget()
      head = read.head
    }
    // A piece of nothing brings no picture nearer to its end.
    if (!head || read.offset !== size || read.data.length === 0) {
      forget()
      return []
    }
    pieces.push(read.data)
    size += read.data.length
    if (size > maxPictureBytes || pieces.length > maxFragments) forget()
    if (!marker || !head) return []
    const data = Buffer.concat([writeHead(head), ...pieces, Buffer.of(0xff, 0xd9)])
    forget()
    return [{ data, timestamp }]
  }
}

/** The headers of section 3.1; the tables of the first fragment are put into `kept`. `undefined` for what cannot be read. */
function readPayload(
  payload: Buffer,
  kept: Map<number, Buffer>,
): { offset: number; head: Head | undefined; data: Buffer } | undefined {
  if (payload.length < 8) return undefined
  const offset = payload.readUIntBE(1, 3)
  const type = payload.readUInt8(4)
  const q = payload.readUInt8(5)
  const [width, height] = [payload.readUInt8(6) * 8, payload.readUInt8(7) * 8]
  const hasRestarts = type >= 64 && type <= 127
  // 4:2:2 and 4:2:0, progressive scan and whole frames (section 4.1); 0: too wide or too high to be described.
  if ((type & 0x3f) > 1 || type > 127 || q === 0 || width === 0 || height === 0) return undefined
  let at = hasRestarts ? 12 : 8
  if (payload.length < at) return undefined
  if (offset > 0) return { offset, head: undefined, data: payload.subarray(at) }
  if (q >= 128) {
    if (payload.length < at + 4) return undefined
    const length = payload.readUInt16BE(at + 2)
    const tables = payload.subarray(at + 4, at + 4 + length)
    // Two of 64 octets; those of 16 bits (the precision) no camera sends.
    if (length !== 0 && (length !== 128 || tables.length !== 128 || payload.readUInt8(at + 1) !== 0)) return undefined
    if (length > 0) kept.set(q, Buffer.from(tables))
    at += 4 + length
  }
  const tables = q < 128 ? scaledTables(q) : kept.get(q)
  if (!tables) return undefined
  const restartInterval = hasRestarts ? payload.readUInt16BE(8) : 0
  return { offset, head: { type: type & 0x3f, width, height, restartInterval, tables }, data: payload.subarray(at) }
}

/** Section 4.2 with appendix A: `q` from 1, worst, to 99. */
function scaledTables(q: number): Buffer {
  const bounded = Math.min(99, q)
  const factor = bounded < 50 ? Math.floor(5_000 / bounded) : 200 - bounded * 2
  const scaled = [...lumaTable, ...chromaTable].map((value) => Math.floor((value * factor + 50) / 100))
  return Buffer.from(scaled.map((value) => Math.max(1, Math.min(255, value))))
}

/** From the start of the image to that of its scan (ITU-T T.81 annex B). */
function writeHead({ type, width, height, restartInterval, tables }: Head): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt16BE(height, 0)
  size.writeUInt16BE(width, 2)
  const interval = Buffer.of(0xff, 0xdd, 0, 4, restartInterval >> 8, restartInterval & 0xff)
  return Buffer.concat([
    Buffer.of(0xff, 0xd8),
    Buffer.of(0xff, 0xdb, 0, 67, 0),
    tables.subarray(0, 64),
    Buffer.of(0xff, 0xdb, 0, 67, 1),
    tables.subarray(64),
    ...(restartInterval > 0 ? [interval] : []),
    Buffer.of(0xff, 0xc0, 0, 17, 8),
    size,
    Buffer.of(3, 1, type === 0 ? 0x21 : 0x22, 0, 2, 0x11, 1, 3, 0x11, 1),
    Buffer.of(0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0),
  ])
}
