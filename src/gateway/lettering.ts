/** Letters and digits drawn as round strokes: a fresh machine has no font that one could count on. */
import { setImmediate } from 'node:timers/promises'

// Taken out once: in a Jest or `vm` context each use of a global is a slow look-up, and these are used a million times.
const { ceil, hypot, max, min, round } = Math

/** Strokes on a grid 4 wide and 6 high, origin at the top left; each point is two digits, `|` lifts the pen. */
const strokes: Readonly<Record<string, string>> = {
  0: '10 30 41 45 36 16 05 01 10',
  1: '11 20 26|16 36',
  2: '01 10 30 41 42 06 46',
  3: '01 10 30 41 42 33 23|33 44 45 36 16 05',
  4: '36 30 04 44',
  5: '40 00 02 32 43 45 36 16 05',
  6: '41 30 10 01 05 16 36 45 44 33 13 04',
  7: '00 40 41 16',
  8: '13 02 01 10 30 41 42 33 13 04 05 16 36 45 44 33',
  9: '42 33 13 02 01 10 30 41 45 36 16 05',
  A: '06 02 20 42 46|04 44',
  B: '33 42 41 30 00 06 36 45 44 33 03',
  C: '41 30 10 01 05 16 36 45',
  D: '00 30 41 45 36 06 00',
  E: '40 00 06 46|03 33',
  F: '40 00 06|03 33',
  G: '41 30 10 01 05 16 36 45 43 23',
  H: '00 06|40 46|03 43',
  I: '10 30|20 26|16 36',
  J: '40 45 36 16 05',
  K: '00 06|40 03 46',
  L: '00 06 46',
  M: '06 00 23 40 46',
  N: '06 00 46 40',
  O: '10 30 41 45 36 16 05 01 10',
  P: '06 00 30 41 42 33 03',
  Q: '10 30 41 45 36 16 05 01 10|34 46',
  R: '06 00 30 41 42 33 03|23 46',
  S: '41 30 10 01 02 13 33 44 45 36 16 05',
  T: '00 40|20 26',
  U: '00 05 16 36 45 40',
  V: '00 26 40',
  W: '00 16 22 36 40',
  X: '00 46|40 06',
  Y: '00 23 40|23 26',
  Z: '00 40 06 46',
  '-': '13 33',
  _: '06 46',
  ':': '22 22|25 25',
  '.': '26 26',
}

/** How much of each pixel a character covers, 0 to 255, row by row. */
interface Glyph {
  readonly width: number
  readonly height: number
  readonly coverage: Uint8Array
}

export interface Lettering {
  /** Writes the text in white on the luma plane, its top left corner at x, y. Characters without strokes are blanks. */
  write(luma: Uint8Array, stride: number, x: number, y: number, text: string): void
  width(text: string): number
}

/** Letters of one size. `unit` is the pixels of one grid step, so capitals are 6 units high; `pen` is the stroke's width. */
export async function createLettering(unit: number, pen: number): Promise<Lettering> {
  const glyphs = new Map<string, Glyph>()
  for (const [char, path] of Object.entries(strokes)) {
    // A tenth of a second in all: let others run in between.
    await setImmediate()
    glyphs.set(char, rasterize(path, unit, pen))
  }
  const advance = round(4 * unit + pen * 2)
  return {
    write(luma, stride, x, y, text) {
      let left = x
      for (const char of text.toUpperCase()) {
        const glyph = glyphs.get(char)
        if (glyph) blend(luma, stride, left, y, glyph)
        left += advance
      }
    },
    width: (text) => text.length * advance,
  }
}

const white = 235

function blend(luma: Uint8Array, stride: number, x: number, y: number, glyph: Glyph): void {
  for (let row = 0; row < glyph.height; row += 1) {
    const line = (y + row) * stride + x
    for (let column = 0; column < glyph.width; column += 1) {
      const cover = glyph.coverage[row * glyph.width + column] ?? 0
      const below = luma[line + column] ?? 0
      if (cover > 0) luma[line + column] = below + (((white - below) * cover) >> 8)
    }
  }
}

function rasterize(path: string, unit: number, pen: number): Glyph {
  const margin = pen / 2
  const width = ceil(4 * unit + pen) + 1
  const height = ceil(6 * unit + pen) + 1
  const segments = path.split('|').flatMap((stroke) => {
    const points = stroke
      .split(' ')
      .map((at) => [Number(at[0]) * unit + margin, Number(at[1]) * unit + margin] as const)
    return points.slice(1).map((to, index) => [points[index] ?? to, to] as const)
  })
  const coverage = new Uint8Array(width * height)
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const distance = min(...segments.map(([from, to]) => distanceTo(column, row, from, to)))
      coverage[row * width + column] = round(255 * min(1, max(0, pen / 2 - distance + 0.5)))
    }
  }
  return { width, height, coverage }
}

type Point = readonly [number, number]

function distanceTo(x: number, y: number, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay]
  const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)
  const t = min(1, max(0, along))
  return hypot(x - ax - t * dx, y - ay - t * dy)
}
