/** VP8 out of RTP (RFC 7741): complete pictures, and the first one a decoder can start with. */
import { createReassembly, type CodedPicture, type VideoPacket, type VideoReceiver } from './reassembly.ts'

export function createVp8Receiver(): VideoReceiver {
  return { ...createReassembly(startsFrame, finish), profileLevelId: () => undefined }
}

function finish(packets: readonly VideoPacket[]): CodedPicture | undefined {
  const [first] = packets
  if (first === undefined) return undefined
  return {
    data: Buffer.concat(packets.map(({ payload }) => payload.subarray(descriptorLength(payload)))),
    isStart: isKeyFrame(first.payload),
    isBidirectional: false,
  }
}

/** Section 4.2: the S bit with partition 0. */
const startsFrame = (payload: Buffer): boolean => (payload[0]! & 0x17) === 0x10

/** Section 4.3: the P bit after the payload descriptor is 0. */
function isKeyFrame(payload: Buffer): boolean {
  const header = payload[descriptorLength(payload)]
  return header !== undefined && (header & 0x01) === 0
}

/** Section 4.2: X announces a second octet, and its I, L, T and K further ones; M makes the picture id one octet longer. */
function descriptorLength(payload: Buffer): number {
  const [first = 0, extension = 0, pictureId = 0] = payload
  if ((first & 0x80) === 0) return 1
  const idLength = (extension & 0x80) === 0 ? 0 : (pictureId & 0x80) === 0 ? 1 : 2
  return 2 + idLength + ((extension & 0x40) === 0 ? 0 : 1) + ((extension & 0x30) === 0 ? 0 : 1)
}
