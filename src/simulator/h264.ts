/** H.264 out of RTP (RFC 6184, non-interleaved): counts complete access units and finds the first one a decoder can start with. */

/** The fields of an RTP packet that matter here. */
export interface VideoPacket {
  readonly sequenceNumber: number
  readonly timestamp: number
  readonly marker: boolean
  readonly payload: Buffer
}

export interface H264Receiver {
  /** Takes the next packet, in any order. Returns true when it completed an access unit that decoding can start with. */
  push(packet: VideoPacket): boolean
  /** Complete access units so far. */
  frames(): number
  /** Access units given up because packets of them never came. */
  lost(): number
  /** Six hexadecimal digits out of the last SPS; undefined before the first. */
  profileLevelId(): string | undefined
}

/** Access units that may be open at once: reordering over more than this counts as loss. */
const MAX_OPEN = 4

const SLICE = 1
const IDR = 5
const SPS = 7
const PPS = 8
const STAP_A = 24
const FU_A = 28

export function createH264Receiver(): H264Receiver {
  const open = new Map<number, VideoPacket[]>()
  const done: number[] = []
  let frames = 0
  let lost = 0
  let hasSps = false
  let hasPps = false
  let profile: string | undefined

  function finish(packets: readonly VideoPacket[]): boolean {
    const units = unitsOf(packets)
    if (units === undefined) {
      lost += 1
      return false
    }
    frames += 1
    for (const unit of units) {
      const type = typeOf(unit)
      if (type === PPS) hasPps = true
      if (type !== SPS || unit.length < 4) continue
      hasSps = true
      profile = unit.subarray(1, 4).toString('hex')
    }
    return hasSps && hasPps && units.some((unit) => typeOf(unit) === IDR)
  }

  return {
    push(packet) {
      // Empty packets are padding for bandwidth probes; packets of a finished unit are duplicates.
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
      const ordered = completed(packets)
      if (ordered === undefined) return false
      open.delete(packet.timestamp)
      done.push(packet.timestamp)
      if (done.length > 2 * MAX_OPEN) done.shift()
      return finish(ordered)
    },
    frames: () => frames,
    lost: () => lost,
    profileLevelId: () => profile,
  }
}

/** The packets in order if they are an access unit from its first packet to its marker without a gap. */
function completed(packets: readonly VideoPacket[]): readonly VideoPacket[] | undefined {
  const last = packets.find(({ marker }) => marker)
  if (last === undefined) return undefined
  // Distances back from the marker survive the wrap of the sequence number.
  const back = (packet: VideoPacket): number => (last.sequenceNumber - packet.sequenceNumber) & 0xffff
  const ordered = [...packets].sort((a, b) => back(b) - back(a))
  const first = ordered[0]
  if (first === undefined || back(first) !== packets.length - 1) return undefined
  return startsUnit(first.payload) ? ordered : undefined
}

/** True when this payload can be the first of an access unit: RFC 6184 marks only the end, so the start is read from the NAL unit. */
function startsUnit(payload: Buffer): boolean {
  const first = firstNal(payload)
  if (first === undefined) return false
  const type = typeOf(first)
  // A slice begins a picture when its first field, first_mb_in_slice, is 0: a single 1 bit (H.264 section 7.3.3).
  if (type >= SLICE && type <= IDR) return ((first[1] ?? 0) & 0x80) !== 0
  return type >= 6 && type <= 9
}

function firstNal(payload: Buffer): Buffer | undefined {
  const type = typeOf(payload)
  if (type === STAP_A) return payload.subarray(3)
  if (type !== FU_A) return payload
  const header = payload[1] ?? 0
  if ((header & 0x80) === 0) return undefined
  return Buffer.concat([Buffer.from([header & 0x1f]), payload.subarray(2, 4)])
}

/** The NAL units of an access unit, fragments joined; undefined when the payloads do not fit together. */
function unitsOf(packets: readonly VideoPacket[]): readonly Buffer[] | undefined {
  const units: Buffer[] = []
  let fragments: Buffer[] | undefined
  for (const { payload } of packets) {
    const type = typeOf(payload)
    if (type === FU_A) {
      const header = payload[1] ?? 0
      if ((header & 0x80) !== 0) fragments = [Buffer.from([((payload[0] ?? 0) & 0xe0) | (header & 0x1f)])]
      if (fragments === undefined) return undefined
      fragments.push(payload.subarray(2))
      if ((header & 0x40) === 0) continue
      units.push(Buffer.concat(fragments))
      fragments = undefined
      continue
    }
    if (fragments !== undefined) return undefined
    if (type !== STAP_A) {
      units.push(payload)
      continue
    }
    for (let at = 1; at < payload.length;) {
      const size = at + 2 <= payload.length ? payload.readUInt16BE(at) : 0
      if (size === 0 || at + 2 + size > payload.length) return undefined
      units.push(payload.subarray(at + 2, at + 2 + size))
      at += 2 + size
    }
  }
  return fragments === undefined ? units : undefined
}

const typeOf = (unit: Buffer): number => (unit[0] ?? 0) & 0x1f

/** Whether a decoder for what the answer announced can decode a stream with this SPS: no larger profile, no higher level. */
export function fitsProfile(stream: string, announced: string): boolean {
  const [mine, theirs] = [stream, announced].map(profileOf)
  const isKnown = mine !== undefined && theirs !== undefined
  const fits = isKnown ? theirs.holds.includes(mine.name) : stream.slice(0, 4) === announced.slice(0, 4)
  return fits && levelOf(stream) <= levelOf(announced)
}

/** A profile by its digits (RFC 6184 table 5), with the profiles whose streams a decoder of it takes (H.264 annex A.2). */
function profileOf(profileLevelId: string): { readonly name: string; readonly holds: readonly string[] } | undefined {
  const idc = Number.parseInt(profileLevelId.slice(0, 2), 16)
  const constraints = Number.parseInt(profileLevelId.slice(2, 4), 16)
  const [set0, set1] = [(constraints & 0x80) !== 0, (constraints & 0x40) !== 0]
  if ((idc === 0x42 && set1) || (idc === 0x4d && set0) || (idc === 0x58 && set0 && set1)) {
    return { name: 'constrained baseline', holds: ['constrained baseline'] }
  }
  if (idc === 0x42) return { name: 'baseline', holds: ['constrained baseline', 'baseline'] }
  if (idc === 0x4d) return { name: 'main', holds: ['constrained baseline', 'main'] }
  if (idc === 0x64) return { name: 'high', holds: ['constrained baseline', 'main', 'high'] }
  return undefined
}

const levelOf = (profileLevelId: string): number => Number.parseInt(profileLevelId.slice(4, 6), 16)
