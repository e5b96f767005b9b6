/** What the synthetic doorbell sees: a garden at dusk from under a porch lamp. A pure function of the pixel, drawn once. */
import { setImmediate } from 'node:timers/promises'

// Taken out once: in a Jest or `vm` context each use of a global is a slow look-up, and these are used a million times.
const { abs, cos, exp, floor, hypot, imul, max, min, sin, sqrt, trunc } = Math

export const sceneWidth = 1280
export const sceneHeight = 720
/** The middle of the lantern's light, in pixels. Moths circle it. */
export const lantern = { x: 1042, y: 172 } as const

type Color = readonly [number, number, number]

/** Planar YUV 4:2:0, BT.709, limited range: the planes one after the other, as FFmpeg's `yuv420p` has them. */
export async function drawScene(): Promise<Buffer> {
  const picture = Buffer.alloc((sceneWidth * sceneHeight * 3) / 2)
  const u = sceneWidth * sceneHeight
  const v = u + u / 4
  for (let y = 0; y < sceneHeight; y += 2) {
    // The better part of a second in all: let others run in between.
    if (y % 8 === 0) await setImmediate()
    for (let x = 0; x < sceneWidth; x += 2) {
      let [blue, red] = [0, 0]
      for (const [px, py] of [
        [x, y],
        [x + 1, y],
        [x, y + 1],
        [x + 1, y + 1],
      ] as const) {
        const [r, g, b] = colorAt(px, py)
        const luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
        // The noise hides the steps in the sky's slow gradient.
        picture[py * sceneWidth + px] = 16 + 219 * luma + hash(px, py)
        blue += (b - luma) / 1.8556
        red += (r - luma) / 1.5748
      }
      const at = (y >> 1) * (sceneWidth >> 1) + (x >> 1)
      picture[u + at] = 128.5 + 56 * blue
      picture[v + at] = 128.5 + 56 * red
    }
  }
  return picture
}

const horizon = 408
const vanishing = { x: 700, y: 404 } as const

function colorAt(x: number, y: number): Color {
  let color = y < horizon + 40 ? sky(x, y) : lawn(x, y)
  color = hills(color, x, y)
  if (y > vanishing.y + 26) color = path(color, x, y)
  color = fence(color, x, y)
  if (y > 400) color = pathLights(color, x, y)
  if (y < 46 || x > 1_208) color = porch(color, x, y)
  color = lamp(color, x, y)
  // The lens: corners are a little darker.
  const away = ((x - 640) / 900) ** 2 + ((y - 360) / 640) ** 2
  return limit(scale(color, 1 - 0.28 * away))
}

// ── The sky ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const skyStops: readonly (readonly [number, Color])[] = [
  [0, [0.04, 0.08, 0.2]],
  [0.4, [0.13, 0.18, 0.39]],
  [0.68, [0.43, 0.31, 0.5]],
  [0.86, [0.86, 0.5, 0.42]],
  [1, [0.98, 0.74, 0.5]],
]

function sky(x: number, y: number): Color {
  const height = min(1, y / horizon)
  const upper = skyStops.findIndex(([at]) => at >= height)
  const [toAt, to] = skyStops[max(1, upper)] ?? [1, [0, 0, 0]]
  const [fromAt, from] = skyStops[max(1, upper) - 1] ?? [0, [0, 0, 0]]
  let color = mix(from, to, smooth((height - fromAt) / (toAt - fromAt)))
  // Where the sun went down.
  color = add(color, [0.4, 0.2, 0.06], exp(-(((x - 420) / 330) ** 2) - ((y - horizon) / 120) ** 2))
  if (height > 0.3) {
    const streak = cloud(x / 210, y / 26) * cloud(x / 480 + 7, y / 60)
    color = mix(color, [0.96, 0.6, 0.52], 0.75 * smooth((streak - 0.24) * 4) * smooth((height - 0.3) * 2.2))
  }
  return moon(star(color, x, y, height), x, y)
}

function star(color: Color, x: number, y: number, height: number): Color {
  const [cellX, cellY] = [floor(x / 46), floor(y / 46)]
  if (hash(cellX, cellY) < 0.45) return color
  const centerX = cellX * 46 + 6 + 34 * hash(cellX + 91, cellY)
  const centerY = cellY * 46 + 6 + 34 * hash(cellX, cellY + 57)
  const glow = exp(-((x - centerX) ** 2 + (y - centerY) ** 2) / (0.8 + hash(cellX + 3, cellY + 8)))
  return add(color, [0.8, 0.85, 1], glow * max(0, 1 - height * 1.7))
}

function moon(color: Color, x: number, y: number): Color {
  const distance = hypot(x - 282, y - 128)
  if (distance > 200) return color
  const lit = edge(24 - distance) * edge(hypot(x - 271, y - 121) - 23)
  return add(mix(color, [1, 0.96, 0.86], lit), [0.3, 0.3, 0.36], 0.5 * exp(-distance / 42))
}

// ── The garden ───────────────────────────────────────────────────────────────────────────────────────────────────────

function hills(color: Color, x: number, y: number): Color {
  if (y < 250 || y > horizon + 60) return color
  const far = 362 - 26 * sin(x / 190 + 1) - 12 * sin(x / 71)
  const near = 392 - 20 * sin(x / 260 + 4) - 8 * sin(x / 93 + 2)
  let seen = mix(color, [0.42, 0.3, 0.44], edge(y - far))
  seen = mix(seen, [0.24, 0.2, 0.34], edge(y - near))
  return mix(seen, [0.075, 0.1, 0.15], edge(y - trees(x)))
}

/** The height of the wood's edge: firs side by side, each as tall as its place in the row says. */
function trees(x: number): number {
  let top = 421
  for (const width of [19, 31]) {
    const cell = floor(x / width)
    const tall = 14 + width * (0.7 + 1.1 * hash(cell, width)) * (0.55 + 0.45 * cos(x / 240))
    const aside = abs(x / width - cell - 0.5) * 2
    // Boughs: the outline goes in steps, wider towards the foot.
    const bough = 1 - aside - 0.07 * sin(aside * 26)
    top = min(top, 428 - tall * max(0, bough))
  }
  return top
}

function lawn(x: number, y: number): Color {
  const near = (y - horizon) / (sceneHeight - horizon)
  const stripe = sin(((x - vanishing.x) / (y - vanishing.y + 8)) * 7) > 0 ? 0.016 : 0
  const blade = 0.03 * near * (hash(x >> 1, y >> 2) - 0.5)
  const base = mix([0.13, 0.17, 0.19], [0.055, 0.105, 0.09], sqrt(max(0, near)))
  return add(base, [0.7, 1.1, 0.6], stripe + blade)
}

/** Where the path's middle is at this height, and how wide it is there, in pixels. */
function pathAt(y: number): { middle: number; half: number } {
  const near = (y - vanishing.y) / (sceneHeight - vanishing.y)
  return { middle: vanishing.x - 130 * near + 90 * sin(near * 2.6) * (1 - near), half: 6 + 205 * near }
}

function path(color: Color, x: number, y: number): Color {
  const { middle, half } = pathAt(y)
  const inside = edge(half - abs(x - middle))
  if (inside === 0) return color
  const depth = 2_600 / (y - vanishing.y + 6)
  const row = floor(depth)
  const across = (x - middle) / half + (row % 2) * 0.34
  const column = floor(across * 1.5)
  const size = (y - vanishing.y) / 316
  const joint = min(0.5 - abs(depth - row - 0.5), (0.5 - abs(across * 1.5 - column - 0.5)) * 1.6)
  const stone = 0.24 + 0.06 * hash(row, column + 40) + 0.02 * (cloud(x / 9, y / 5) - 0.5)
  const slab = scale([1, 0.95, 1.02], stone * (0.62 + 0.6 * size) * (0.72 + 0.28 * smooth(joint * 14)))
  return mix(color, slab, inside)
}

function fence(color: Color, x: number, y: number): Color {
  const { middle, half } = pathAt(470)
  // The gate stands open: no pickets over the path.
  if (y < 424 || y > 476 || abs(x - middle) < half + 22) return color
  const place = (x % 26) - 13
  const top = 428 + abs(place) * 0.9
  const picket = edge(6.5 - abs(place)) * edge(y - top) * edge(474 - y)
  const rail = max(edge(2.5 - abs(y - 441)), edge(2.5 - abs(y - 463)))
  const wood = add([0.33, 0.31, 0.39], [0.1, 0.06, 0.02], smooth(1 - abs(x - 420) / 500))
  return mix(color, scale(wood, rail > picket ? 0.72 : 1), max(picket, rail * 0.9))
}

const lights = [452, 490, 546, 628].flatMap((y) => {
  const { middle, half } = pathAt(y)
  const size = 2 + (y - vanishing.y) / 34
  return [-1, 1].map((side) => ({ x: middle + side * (half + size * 3), y, size }))
})

function pathLights(color: Color, x: number, y: number): Color {
  let seen = color
  for (const light of lights) {
    const [dx, dy] = [x - light.x, y - light.y]
    const reach = light.size * 14
    if (abs(dx) > reach || abs(dy) > reach) continue
    // The pool on the ground, the post, then the flame.
    seen = add(seen, [0.5, 0.33, 0.13], 0.85 * exp(-((dx / (light.size * 7)) ** 2) - (dy / (light.size * 2.4)) ** 2))
    seen = mix(seen, [0.07, 0.06, 0.07], edge(light.size * 0.32 - abs(dx)) * edge(-dy) * edge(dy + light.size * 3.2))
    const flame = hypot(dx, dy + light.size * 3.4)
    seen = add(seen, [1, 0.78, 0.42], exp(-((flame / light.size) ** 2)))
    seen = add(seen, [0.4, 0.25, 0.1], 0.5 * exp(-flame / (light.size * 2.6)))
  }
  return seen
}

// ── The porch ────────────────────────────────────────────────────────────────────────────────────────────────────────

function porch(color: Color, x: number, y: number): Color {
  const lit = 0.12 + 0.62 * exp(-hypot(x - lantern.x, y - lantern.y) / 230)
  const wood = scale([1, 0.8, 0.6], lit)
  let seen = color
  const post = edge(x - 1_210) * edge(1_258 - x)
  const groove = 1 - 0.28 * edge(2 - abs(((x - 1_210) % 16) - 8))
  seen = mix(seen, scale(wood, groove * (1.05 - abs(x - 1_222) / 90)), post)
  const beam = edge(44 - y)
  const plank = 1 - 0.3 * edge(1.6 - abs(y - 27))
  return mix(seen, scale(wood, 0.55 * plank), beam)
}

function lamp(color: Color, x: number, y: number): Color {
  const [dx, dy] = [x - lantern.x, y - lantern.y]
  const distance = hypot(dx, dy)
  const glow = 0.62 * exp(-distance / 66) + 0.16 * exp(-distance / 260)
  return add(abs(dx) < 40 ? lampBody(color, dx, dy) : color, [1, 0.66, 0.32], glow)
}

function lampBody(color: Color, dx: number, dy: number): Color {
  const iron: Color = [0.05, 0.045, 0.05]
  let seen = mix(color, iron, edge(1.8 - abs(dx)) * edge(dy + lantern.y - 42) * edge(-34 - dy))
  const taper = 25 + dy * 0.12
  const glass = edge(taper - abs(dx)) * edge(34 - abs(dy))
  seen = mix(seen, mix([1, 0.93, 0.72], [0.95, 0.6, 0.24], smooth(hypot(dx, dy) / 40)), glass)
  const bar = min(abs(abs(dx) - taper), abs(dx) + 1.4, abs(abs(dy) - 34))
  seen = mix(seen, iron, edge(2.2 - bar) * edge(taper + 2 - abs(dx)) * edge(36 - abs(dy)))
  const roof = edge(30 - abs(dx) - max(0, -dy - 34) * 1.5) * edge(-33 - dy) * edge(dy + 54)
  return mix(seen, iron, roof)
}

// ── Paint ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** How far inside an outline a pixel is, as its coverage 0 to 1; `depth` is in pixels. */
const edge = (depth: number): number => min(1, max(0, depth + 0.5))

const smooth = (at: number): number => {
  const t = min(1, max(0, at))
  return t * t * (3 - 2 * t)
}

const scale = ([r, g, b]: Color, by: number): Color => [r * by, g * by, b * by]
const add = ([r, g, b]: Color, [dr, dg, db]: Color, by: number): Color => [r + dr * by, g + dg * by, b + db * by]
const mix = (from: Color, to: Color, by: number): Color =>
  by === 0
    ? from
    : [from[0] + (to[0] - from[0]) * by, from[1] + (to[1] - from[1]) * by, from[2] + (to[2] - from[2]) * by]

/** Light that is too strong turns pale instead of being cut off. */
const limit = ([r, g, b]: Color): Color => [soften(r), soften(g), soften(b)]
const soften = (value: number): number => (value < 0.7 ? value : 0.7 + 0.3 * (1 - exp((0.7 - value) / 0.3)))

/** A fixed pseudo-random number for a place, 0 to 1. */
function hash(x: number, y: number): number {
  let h = imul(trunc(x), 374_761_393) + imul(trunc(y), 668_265_263)
  h = imul(h ^ (h >>> 13), 1_274_126_177)
  return ((h ^ (h >>> 16)) >>> 0) / 4_294_967_296
}

/** Soft noise, 0 to 1. */
function cloud(x: number, y: number): number {
  const [left, top] = [floor(x), floor(y)]
  const [fx, fy] = [smooth(x - left), smooth(y - top)]
  const upper = hash(left, top) * (1 - fx) + hash(left + 1, top) * fx
  const lower = hash(left, top + 1) * (1 - fx) + hash(left + 1, top + 1) * fx
  return upper * (1 - fy) + lower * fy
}
