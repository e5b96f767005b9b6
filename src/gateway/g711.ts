/** G.711 by ITU-T's tables: A-law and µ-law, 8 bit to and from 16 bit linear. */
export type Law = 'PCMU' | 'PCMA'

const bias = 0x84
const clip = 32_635

export function encodeG711(law: Law, samples: Int16Array): Buffer {
  const encode = law === 'PCMU' ? encodeMu : encodeA
  return Buffer.from(Uint8Array.from(samples, encode))
}

export function decodeG711(law: Law, encoded: Uint8Array): Int16Array {
  return Int16Array.from(encoded, law === 'PCMU' ? decodeMu : decodeA)
}

function encodeMu(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(Math.abs(sample), clip) + bias
  const exponent = Math.max(0, 31 - Math.clz32(magnitude) - 7)
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f
  return ~(sign | (exponent << 4) | mantissa) & 0xff
}

function decodeMu(encoded: number): number {
  const value = ~encoded & 0xff
  const magnitude = ((((value & 0x0f) << 3) + bias) << ((value >> 4) & 7)) - bias
  return value & 0x80 ? -magnitude : magnitude
}

function encodeA(sample: number): number {
  const sign = sample < 0 ? 0 : 0x80
  const magnitude = Math.min(sample < 0 ? ~sample : sample, 32_767) >> 4
  // The lowest two segments have equal steps (G.711 table 1a).
  const exponent = magnitude < 16 ? 0 : 28 - Math.clz32(magnitude)
  const code = exponent === 0 ? magnitude : (exponent << 4) | ((magnitude >> (exponent - 1)) & 0x0f)
  return (sign | code) ^ 0x55
}

function decodeA(encoded: number): number {
  const value = encoded ^ 0x55
  const exponent = (value >> 4) & 7
  const mantissa = value & 0x0f
  const magnitude = exponent === 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (exponent - 1)
  return value & 0x80 ? magnitude : -magnitude
}
