/** What a sequence parameter set of H.264 says of the pictures (ITU-T H.264 section 7.3.2.1.1). */

export interface SpsForm {
  readonly profileIdc: number
  /** 1 is 4:2:0. */
  readonly chromaFormat: number
  readonly bitDepth: number
  /** Macroblocks of a frame. */
  readonly macroblocks: number
  /** Of what is shown of it, in pixels. */
  readonly width: number
  readonly height: number
  /** Frames a second, where it is fixed. */
  readonly frameRate?: number
}

/** Profiles whose sets name a chroma format (section 7.3.2.1.1). */
const highProfiles: readonly number[] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]

/** Of level 6.2 (table A-1). */
const mostMacroblocks = 139_264

/** `undefined` for what cannot be read. `nal`: with its header, without a start code. */
export function readSps(nal: Buffer): SpsForm | undefined {
  try {
    return read(createBitReader(withoutEscapes(nal.subarray(1, 512))))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function read(bits: BitReader): SpsForm | undefined {
  const profileIdc = bits.u(8)
  bits.u(16) // constraint flags, level_idc
  bits.ue() // seq_parameter_set_id
  const isHigh = highProfiles.includes(profileIdc)
  const chromaFormat = isHigh ? bits.ue() : 1
  if (chromaFormat === 3) bits.u(1)
  const bitDepth = isHigh ? 8 + Math.max(bits.ue(), bits.ue()) : 8
  if (isHigh) {
    bits.u(1)
    if (bits.u(1)) for (let list = 0; list < (chromaFormat === 3 ? 12 : 8); list += 1) skipScalingList(bits, list)
  }
  bits.ue() // log2_max_frame_num_minus4
  skipPictureOrder(bits)
  bits.ue() // max_num_ref_frames
  bits.u(1)
  const columns = bits.ue() + 1
  const mapUnits = bits.ue() + 1
  const isFramesOnly = bits.u(1)
  if (!isFramesOnly) bits.u(1)
  bits.u(1)
  const [left = 0, right = 0, top = 0, bottom = 0] = bits.u(1) ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : []
  const frameRate = bits.u(1) ? readFrameRate(bits) : undefined
  const fields = isFramesOnly ? 1 : 2
  const macroblocks = columns * mapUnits * fields
  // Edges are counted in units of the chroma samples (formulas 7-19 to 7-22).
  const unitX = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1
  const unitY = (chromaFormat === 1 ? 2 : 1) * fields
  const width = columns * 16 - (left + right) * unitX
  const height = mapUnits * 16 * fields - (top + bottom) * unitY
  if (chromaFormat > 3 || bitDepth > 14 || macroblocks > mostMacroblocks || width < 1 || height < 1) return undefined
  return {
    profileIdc,
    chromaFormat,
    bitDepth,
    macroblocks,
    width,
    height,
    ...(frameRate !== undefined && { frameRate }),
  }
}

function skipPictureOrder(bits: BitReader): void {
  const type = bits.ue()
  if (type === 0) bits.ue()
  if (type !== 1) return
  bits.u(1)
  bits.ue()
  bits.ue()
  for (let left = Math.min(255, bits.ue()); left > 0; left -= 1) bits.ue()
}

/** Signed numbers are as long as unsigned ones, and only whether they end the list matters. */
function skipScalingList(bits: BitReader, list: number): void {
  if (!bits.u(1)) return
  let last = 8
  let next = 8
  for (let at = 0; at < (list < 6 ? 16 : 64); at += 1) {
    if (next !== 0) next = (last + bits.se() + 256) % 256
    last = next === 0 ? last : next
  }
}

/** The beginning of the VUI parameters (annex E.1.1), as far as its timing. */
function readFrameRate(bits: BitReader): number | undefined {
  if (bits.u(1) && bits.u(8) === 255) bits.u(32)
  if (bits.u(1)) bits.u(1)
  if (bits.u(1)) {
    bits.u(4)
    if (bits.u(1)) bits.u(24)
  }
  if (bits.u(1)) {
    bits.ue()
    bits.ue()
  }
  if (!bits.u(1)) return undefined
  const [ticks, scale] = [bits.u(32), bits.u(32)]
  // Without fixed_frame_rate_flag it is the unit of time, not the rate.
  return bits.u(1) === 1 && ticks > 0 ? scale / ticks / 2 : undefined
}

export interface BitReader {
  u(count: number): number
  /** Exp-Golomb (section 9.1). */
  ue(): number
  se(): number
}

/** Throws `RangeError` behind the end. */
export function createBitReader(data: Buffer): BitReader {
  let at = 0
  const bit = () => {
    if (at >> 3 >= data.length) throw new RangeError('the parameter set ends early')
    const value = (data.readUInt8(at >> 3) >> (7 - (at & 7))) & 1
    at += 1
    return value
  }
  const u = (count: number) => {
    let value = 0
    for (let left = count; left > 0; left -= 1) value = value * 2 + bit()
    return value
  }
  const ue = () => {
    let zeros = 0
    while (bit() === 0) if ((zeros += 1) > 32) throw new RangeError('a number is too long')
    return 2 ** zeros - 1 + u(zeros)
  }
  return {
    u,
    ue,
    se() {
      const code = ue()
      return code % 2 === 1 ? (code + 1) / 2 : -code / 2
    },
  }
}

/** Without the bytes that keep start codes out (section 7.3.1). */
export function withoutEscapes(data: Buffer): Buffer {
  return Buffer.from(data.filter((byte, at) => !(byte === 3 && at > 1 && data[at - 1] === 0 && data[at - 2] === 0)))
}

/** Its first slice is of the kind B (section 7.3.3: `first_mb_in_slice`, then `slice_type`). `nal`: a coded slice. */
export function isBSlice(nal: Buffer): boolean {
  try {
    const bits = createBitReader(withoutEscapes(nal.subarray(1, 16)))
    bits.ue()
    return bits.ue() % 5 === 1
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}
