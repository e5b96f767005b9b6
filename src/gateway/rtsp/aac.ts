/** AAC out of RTP: RFC 3640 in its mode AAC-hbr and, with the same parameters, its others. */
import type { Packet } from './rtp.ts'

const maxFrames = 64
/** More than eight channels have (ISO 14496-3: 6,144 bits each). */
const maxFrameBytes = 16_384

export interface AacForm {
  readonly sizeLength: number
  readonly indexLength: number
  readonly indexDeltaLength: number
  /** AudioSpecificConfig (ISO 14496-3 section 1.6). */
  readonly config: Buffer | undefined
}

export function readAacForm(parameters: ReadonlyMap<string, string>): AacForm {
  const number = (name: string) => {
    const value = Number(parameters.get(name) ?? 0)
    return Number.isInteger(value) && value >= 0 && value <= 32 ? value : 0
  }
  const config = parameters.get('config')
  return {
    sizeLength: number('sizelength'),
    indexLength: number('indexlength'),
    indexDeltaLength: number('indexdeltalength'),
    config: config !== undefined && /^([0-9a-f]{2}){2,64}$/i.test(config) ? Buffer.from(config, 'hex') : undefined,
  }
}

/** Gives the complete frames of each packet, the first of its timestamp; a frame in several packets is put together. */
export function createAacDepacketizer(form: AacForm): (packet: Packet, isAfterGap: boolean) => readonly Buffer[] {
  let partial: { readonly size: number; readonly pieces: Buffer[]; has: number } | undefined
  return ({ payload }, isAfterGap) => {
    if (isAfterGap) partial = undefined
    // Without access unit headers the packet is one frame.
    if (form.sizeLength === 0) return payload.length > 0 ? [payload] : []
    if (payload.length < 2) return []
    const bits = payload.readUInt16BE(0)
    const start = 2 + Math.ceil(bits / 8)
    if (start > payload.length) return []
    const sizes = readSizes(payload.subarray(2, start), bits, form)
    const data = payload.subarray(start)
    const [only = 0] = sizes
    if (sizes.length === 1 && (only > data.length || partial)) {
      // A piece of nothing brings no frame nearer to its end.
      if (only > maxFrameBytes || data.length === 0) return []
      if (partial?.size !== only) partial = { size: only, pieces: [], has: 0 }
      partial.pieces.push(data)
      partial.has += data.length
      if (partial.has < only) return []
      const whole = Buffer.concat(partial.pieces).subarray(0, only)
      partial = undefined
      return [whole]
    }
    partial = undefined
    const frames: Buffer[] = []
    let at = 0
    for (const size of sizes) {
      if (size === 0 || at + size > data.length) break
      frames.push(data.subarray(at, at + size))
      at += size
    }
    return frames
  }
}

function readSizes(headers: Buffer, bits: number, { sizeLength, indexLength, indexDeltaLength }: AacForm): number[] {
  const sizes: number[] = []
  let at = 0
  const read = (length: number): number => {
    let value = 0
    for (let index = 0; index < length; index += 1, at += 1)
      value = value * 2 + (((headers[at >> 3] ?? 0) >> (7 - (at & 7))) & 1)
    return value
  }
  while (sizes.length < maxFrames) {
    const length = sizeLength + (sizes.length === 0 ? indexLength : indexDeltaLength)
    if (at + length > bits) break
    sizes.push(read(sizeLength))
    at += length - sizeLength
  }
  return sizes
}
