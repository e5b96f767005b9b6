/**
 * Takes one track out of fragmented MP4 (ISO 14496-12) and leaves its samples as they are: DASH wants pictures and sound each
 * by itself. Reads what our segmenter writes: offsets from the start of the `moof`, sizes of 32 bits.
 */
export type Track = 'video' | 'audio'

interface Box {
  readonly type: string
  /** Of the box, from the start of what it was read from. */
  readonly start: number
  readonly whole: Buffer
  readonly body: Buffer
}

const handlers = { video: 'vide', audio: 'soun' } as const satisfies Record<Track, string>

/** The initialization segment of one track; `undefined` where it has no such track. */
export function initOfTrack(init: Buffer, track: Track): Buffer | undefined {
  const id = idOf(init, track)
  if (id === undefined) return undefined
  const keep = ({ type, body }: Box): boolean =>
    type === 'trak' ? trackIdOf(body) === id : type !== 'trex' || body.readUInt32BE(4) === id
  const inner = (parent: Buffer): Buffer =>
    Buffer.concat(
      boxesIn(parent)
        .filter(keep)
        .map((box) => (box.type === 'mvex' ? boxOf('mvex', inner(box.body)) : box.whole)),
    )
  return Buffer.concat(boxesIn(init).map((box) => (box.type === 'moov' ? boxOf('moov', inner(box.body)) : box.whole)))
}

/**
 * A fragment (`moof` and `mdat`, once or several times) of one track; empty where that track has nothing in it, `undefined`
 * where there is no such track.
 */
export function fragmentOfTrack(init: Buffer, fragment: Buffer, track: Track): Buffer | undefined {
  const id = idOf(init, track)
  if (id === undefined) return undefined
  return Buffer.concat(
    boxesIn(fragment)
      .filter(({ type }) => type === 'moof')
      .flatMap((moof) => movieFragmentOf(fragment, moof, id)),
  )
}

function movieFragmentOf(fragment: Buffer, moof: Box, id: number): readonly Buffer[] {
  const inside = boxesIn(moof.body)
  const kept = inside.filter(({ type, body }) => type !== 'traf' || childOf(body, 'tfhd').readUInt32BE(4) === id)
  if (!kept.some(({ type }) => type === 'traf')) return []
  const headBytes = 8
  const bytes = headBytes + kept.reduce((sum, { whole }) => sum + whole.length, 0)
  const samples: Buffer[] = []
  let dataAt = bytes + headBytes
  const moved = kept.map((box) => {
    if (box.type !== 'traf') return box.whole
    const defaultSize = defaultSizeOf(childOf(box.body, 'tfhd'))
    const parts = boxesIn(box.body).map((one) => {
      if (one.type !== 'trun') return one.whole
      const data = runOf(fragment, moof.start, one.body, defaultSize)
      const run = Buffer.from(one.whole)
      run.writeInt32BE(dataAt, headBytes + 8)
      dataAt += data.length
      samples.push(data)
      return run
    })
    return boxOf('traf', ...parts)
  })
  return [boxOf('moof', ...moved), boxOf('mdat', ...samples)]
}

/** The samples of a `trun` (section 8.8.8). */
function runOf(fragment: Buffer, base: number, body: Buffer, defaultSize: number): Buffer {
  const flags = body.readUInt32BE(0) & 0xff_ff_ff
  if ((flags & 0x1) === 0) throw new TypeError('a run of samples does not say where they are')
  const count = body.readUInt32BE(4)
  const start = base + body.readInt32BE(8)
  const firstAt = 12 + (flags & 0x4 ? 4 : 0)
  const ahead = flags & 0x100 ? 4 : 0
  const each = [0x100, 0x200, 0x400, 0x800].filter((bit) => flags & bit).length * 4
  let bytes = flags & 0x200 ? 0 : count * defaultSize
  if (flags & 0x200)
    for (let index = 0; index < count; index += 1) bytes += body.readUInt32BE(firstAt + index * each + ahead)
  return fragment.subarray(start, start + bytes)
}

/** `default_sample_size` of a `tfhd` (section 8.8.7). */
function defaultSizeOf(body: Buffer): number {
  const flags = body.readUInt32BE(0) & 0xff_ff_ff
  if ((flags & 0x10) === 0) return 0
  const before = [0x2, 0x8].filter((bit) => flags & bit).length * 4 + (flags & 0x1 ? 8 : 0)
  return body.readUInt32BE(8 + before)
}

function idOf(init: Buffer, track: Track): number | undefined {
  const wanted = handlers[track]
  const found = boxesIn(childOf(init, 'moov')).find(
    ({ type, body }) => type === 'trak' && childOf(childOf(body, 'mdia'), 'hdlr').toString('latin1', 8, 12) === wanted,
  )
  return found && trackIdOf(found.body)
}

/** `tkhd` (section 8.3.2) has its times before it, in 32 bits or in 64. */
function trackIdOf(trak: Buffer): number {
  const header = childOf(trak, 'tkhd')
  return header.readUInt32BE(header[0] === 1 ? 20 : 12)
}

function childOf(parent: Buffer, type: string): Buffer {
  const found = boxesIn(parent).find((box) => box.type === type)
  if (found === undefined) throw new TypeError(`the MP4 has no ${type}`)
  return found.body
}

function boxesIn(parent: Buffer): readonly Box[] {
  const found: Box[] = []
  for (let start = 0; start + 8 <= parent.length;) {
    const size = parent.readUInt32BE(start)
    if (size < 8 || start + size > parent.length) throw new TypeError('the MP4 has a box of a size that cannot be')
    const whole = parent.subarray(start, start + size)
    found.push({ type: whole.toString('latin1', 4, 8), start, whole, body: whole.subarray(8) })
    start += size
  }
  return found
}

function boxOf(type: string, ...parts: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(
    parts.reduce((sum, { length }) => sum + length, 8),
    0,
  )
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, ...parts])
}
