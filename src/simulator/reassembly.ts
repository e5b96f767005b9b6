/** Puts the packets of a picture together again, in whatever order they come (RFC 3550): what all video formats have in common. */

/** The fields of an RTP packet that matter here. */
export interface VideoPacket {
  readonly sequenceNumber: number
  readonly timestamp: number
  readonly marker: boolean
  readonly payload: Buffer
}

export interface VideoReceiver {
  /** Takes the next packet, in any order. Returns true when it completed a picture that decoding can start with. */
  push(packet: VideoPacket): boolean
  /** Complete pictures so far. */
  frames(): number
  /** Pictures given up because packets of them never came. */
  lost(): number
  /** Of H.264: six hexadecimal digits out of the last SPS; undefined before the first. */
  profileLevelId(): string | undefined
}

/** Pictures that may be open at once: reordering over more than this counts as loss. */
const MAX_OPEN = 4

/**
 * `startsPicture` says whether a payload can be the first of a picture; `finish` what the payloads of a whole one are worth:
 * they do not fit together, they are a picture, or one that decoding can start with.
 */
export function createReassembly(
  startsPicture: (payload: Buffer) => boolean,
  finish: (packets: readonly VideoPacket[]) => 'broken' | 'whole' | 'start',
): Omit<VideoReceiver, 'profileLevelId'> {
  const open = new Map<number, VideoPacket[]>()
  const done: number[] = []
  let frames = 0
  let lost = 0

  return {
    push(packet) {
      // Empty packets are padding for bandwidth probes; packets of a finished picture are duplicates.
      if (packet.payload.length === 0 || done.includes(packet.timestamp)) return false
      const packets = open.get(packet.timestamp) ?? []
      if (packets.some(({ sequenceNumber }) => sequenceNumber === packet.sequenceNumber)) return false
      packets.push(packet)
      open.set(packet.timestamp, packets)
      for (const [timestamp, oldest] of open) {
        if (open.size <= MAX_OPEN || oldest === packets) break
        open.delete(timestamp)
        lost += 1
      }
      const ordered = completed(packets, startsPicture)
      if (ordered === undefined) return false
      open.delete(packet.timestamp)
      done.push(packet.timestamp)
      if (done.length > 2 * MAX_OPEN) done.shift()
      const worth = finish(ordered)
      if (worth === 'broken') lost += 1
      else frames += 1
      return worth === 'start'
    },
    frames: () => frames,
    lost: () => lost,
  }
}

/** The packets in order if they are a picture from its first packet to its marker without a gap. */
function completed(
  packets: readonly VideoPacket[],
  startsPicture: (payload: Buffer) => boolean,
): readonly VideoPacket[] | undefined {
  const last = packets.find(({ marker }) => marker)
  if (last === undefined) return undefined
  // Distances back from the marker survive the wrap of the sequence number.
  const back = (packet: VideoPacket): number => (last.sequenceNumber - packet.sequenceNumber) & 0xffff
  const ordered = [...packets].sort((a, b) => back(b) - back(a))
  const first = ordered[0]
  if (first === undefined || back(first) !== packets.length - 1) return undefined
  return startsPicture(first.payload) ? ordered : undefined
}
