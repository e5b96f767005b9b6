/** Puts the packets of a picture together again, in whatever order they come (RFC 3550): what all video formats have in common. */

/** The fields of an RTP packet that matter here. */
export interface VideoPacket {
  readonly sequenceNumber: number
  readonly timestamp: number
  readonly marker: boolean
  readonly payload: Buffer
}

/** A whole picture as the camera coded it. */
export interface CodedPicture {
  /** As a decoder wants it: an access unit of H.264 in Annex B, or a frame of VP8. */
  readonly data: Buffer
  /** Decoding can start here. */
  readonly isStart: boolean
  /** It has B slices: it may need a picture that is shown after it. */
  readonly isBidirectional: boolean
}

export interface VideoReceiver {
  /** Takes the next packet, in any order. Returns the pictures that are whole by now, in decoding order, each once. */
  push(packet: VideoPacket): readonly CodedPicture[]
  /** Complete pictures so far. */
  frames(): number
  /** Pictures given up because packets of them never came. */
  lost(): number
  /** Of H.264: six hexadecimal digits out of the last SPS; undefined before the first. */
  profileLevelId(): string | undefined
}

/** Pictures that may be open at once, and whole ones that may wait for an earlier one: reordering over more counts as loss. */
const MAX_OPEN = 4

/**
 * `startsPicture` says whether a payload can be the first of a picture; `finish` makes a picture of the payloads of a whole
 * one, or gives `undefined` when they do not fit together.
 */
export function createReassembly(
  startsPicture: (payload: Buffer) => boolean,
  finish: (packets: readonly VideoPacket[]) => CodedPicture | undefined,
): Omit<VideoReceiver, 'profileLevelId'> {
  const open = new Map<number, VideoPacket[]>()
  const done: number[] = []
  const queue = createQueue()
  let frames = 0
  let lost = 0

  /** The packets of the picture that this one completes, in order. */
  function collect(packet: VideoPacket): readonly VideoPacket[] | undefined {
    const packets = open.get(packet.timestamp) ?? []
    if (packets.some(({ sequenceNumber }) => sequenceNumber === packet.sequenceNumber)) return undefined
    packets.push(packet)
    open.set(packet.timestamp, packets)
    for (const [timestamp, oldest] of open) {
      if (open.size <= MAX_OPEN || oldest === packets) break
      open.delete(timestamp)
      lost += 1
    }
    return completed(packets, startsPicture)
  }

  return {
    push(packet) {
      // Empty packets are padding for bandwidth probes; packets of a finished picture are duplicates.
      if (packet.payload.length === 0) return queue.skip(packet.sequenceNumber)
      const ordered = done.includes(packet.timestamp) ? undefined : collect(packet)
      const [first, last] = [ordered?.[0], ordered?.at(-1)]
      if (ordered === undefined || first === undefined || last === undefined) return []
      open.delete(packet.timestamp)
      done.push(packet.timestamp)
      if (done.length > 2 * MAX_OPEN) done.shift()
      const picture = finish(ordered)
      if (picture === undefined) lost += 1
      else frames += 1
      return queue.add({ from: first.sequenceNumber, to: last.sequenceNumber, picture })
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
  const back = (packet: VideoPacket): number => behind(packet.sequenceNumber, last.sequenceNumber)
  const ordered = [...packets].sort((a, b) => back(b) - back(a))
  const first = ordered[0]
  if (first === undefined || back(first) !== packets.length - 1) return undefined
  return startsPicture(first.payload) ? ordered : undefined
}

/** What the packets `from` to `to` hold; `picture` is missing where they do not fit together, and of padding. */
interface Stretch {
  readonly from: number
  readonly to: number
  readonly picture?: CodedPicture | undefined
}

/** Holds whole pictures back until those before them are there, or are not to be expected any more. */
function createQueue() {
  let waiting: Stretch[] = []
  let next: number | undefined

  function take(): Stretch | undefined {
    const earliest = [...waiting].sort((a, b) => (behind(a.from, b.from) < 0x8000 ? -1 : 1))[0]
    const isDue = next === undefined || earliest?.from === next || waiting.length > MAX_OPEN
    if (earliest === undefined || !isDue) return undefined
    waiting = waiting.filter((each) => each !== earliest)
    next = (earliest.to + 1) & 0xffff
    return earliest
  }

  function add(stretch: Stretch): readonly CodedPicture[] {
    // It comes after it was given up: a decoder has no use for it any more.
    if (next !== undefined && behind(next, stretch.from) >= 0x8000) return []
    waiting.push(stretch)
    const ready: CodedPicture[] = []
    for (let taken = take(); taken !== undefined; taken = take()) if (taken.picture) ready.push(taken.picture)
    return ready
  }

  return { add, skip: (at: number) => (next === undefined ? [] : add({ from: at, to: at })) }
}

/** How many numbers the first one lies before the second, also over the wrap of the sequence number; those ahead are large. */
const behind = (earlier: number, later: number): number => (later - earlier) & 0xffff
