/** Draws the skill's icons (108 and 512 pixels): a bell push in a door plate. `node skills/alexa/draw-icons.mjs` */
import { mkdirSync, writeFileSync } from 'node:fs'
import { crc32, deflateSync } from 'node:zlib'

const folder = new URL('skill-package/assets/images/', import.meta.url)
mkdirSync(folder, { recursive: true })
for (const locale of ['en-US', 'de-DE']) {
  writeFileSync(new URL(`${locale}_smallIcon.png`, folder), png(108))
  writeFileSync(new URL(`${locale}_largeIcon.png`, folder), png(512))
}

/** The colour at a point; x and y from -1 to 1. */
function colorAt(x, y) {
  const radius = Math.hypot(x, y)
  const plate = Math.max(Math.abs(x) / 0.44, Math.abs(y) / 0.78) ** 8 < 1
  const button = Math.hypot(x, y - 0.34)
  const lens = Math.hypot(x, y + 0.34)
  if (radius > 1) return [255, 255, 255]
  if (plate && lens < 0.09) return [120, 190, 235]
  if (plate && lens < 0.26) return [22, 34, 52]
  if (plate && button < 0.17) return [255, 196, 61]
  if (plate && button < 0.25) return [200, 208, 220]
  if (plate) return [245, 247, 250]
  return [36, 86, 140]
}

function png(size) {
  const samples = 4
  const rows = []
  for (let row = 0; row < size; row++) {
    const line = Buffer.alloc(1 + size * 3)
    for (let column = 0; column < size; column++) {
      const sum = [0, 0, 0]
      for (let i = 0; i < samples * samples; i++) {
        const at = (pixel, part) => ((pixel + (part + 0.5) / samples) / size) * 2 - 1
        colorAt(at(column, i % samples), at(row, Math.floor(i / samples))).forEach(
          (value, index) => (sum[index] += value),
        )
      }
      sum.forEach((value, index) => (line[1 + column * 3 + index] = Math.round(value / samples ** 2)))
    }
    rows.push(line)
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size, 0)
  header.writeUInt32BE(size, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  const body = deflateSync(Buffer.concat(rows), { level: 9 })
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', body), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type, data) {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  const check = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  check.writeUInt32BE(crc32(content))
  return Buffer.concat([length, content, check])
}
