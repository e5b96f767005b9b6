/** Hostile inputs without end, the same for the same seed: real messages, bent, torn, grown, and put together wrongly. */

export interface Mutator {
  /** One more input, made of one or two of the samples. */
  next(samples: readonly string[]): string
}

/** What has broken parsers before: ends of ranges, controls, halves of characters, separators, names of every object. */
const tokens: readonly string[] = [
  ...String.raw`% %00 %2e%2e ../ \ " ' < = : ; , & # + é 𝄞 [] {} {"a": -1 0 65536 4294967296 9007199254740993`.split(
    ' ',
  ),
  ...'1e999 NaN 0x7f null true __proto__ constructor toString hasOwnProperty length'.split(' '),
  '',
  '\0',
  '\r',
  '\n',
  '\r\n\r\n',
  '\t',
  ' ',
  '\uD800',
  '\uFEFF',
  'm=video 9 UDP/TLS/RTP/SAVPF 96\r\n',
  ...['a', '0', '[', '{"x":'].map((part) => part.repeat(300)),
]
const longest = 70_000

/** mulberry32: small, fast, and good enough to find what is broken. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, below)
  }
}

export function createMutator(seed: number): Mutator {
  const random = createRandom(seed)
  const pick = <T>(from: readonly [T, ...T[]] | readonly T[], otherwise: T): T => from[random(from.length)] ?? otherwise
  const cut = (text: string) => random(text.length + 1)

  const changes: readonly ((text: string, other: string) => string)[] = [
    (text) => text.slice(0, cut(text)),
    (text) => text.slice(cut(text)),
    (text) => insert(text, cut(text), pick(tokens, '')),
    (text) => replace(text, cut(text), 1 + random(8), pick(tokens, '')),
    (text) => replace(text, cut(text), 1, String.fromCharCode(random(random(4) === 0 ? 65_536 : 128))),
    (text, other) => text.slice(0, cut(text)) + other.slice(cut(other)),
    // A part of it once more, or very often.
    (text) => insert(text, cut(text), text.slice(cut(text), cut(text)).repeat(1 + random(random(50) === 0 ? 200 : 3))),
    // Its lines in another order, or one of them gone.
    (text) => {
      const lines = text.split('\n')
      lines.splice(random(lines.length), random(3), ...lines.slice(random(lines.length)).slice(0, 2))
      return lines.join('\n')
    },
    // A number in it that is another.
    (text) => text.replace(/\d+/g, (digits) => (random(6) === 0 ? pick(tokens, '0').slice(0, 30) : digits)),
  ]
  return {
    next(samples) {
      let text = pick(samples, '')
      const other = pick(samples, '')
      for (let rounds = 1 + random(4); rounds > 0; rounds -= 1) {
        const change = changes[random(changes.length)]
        text = (change?.(text, other) ?? text).slice(0, longest)
      }
      return text
    },
  }
}

const insert = (text: string, at: number, part: string) => text.slice(0, at) + part + text.slice(at)
const replace = (text: string, at: number, length: number, part: string) =>
  text.slice(0, at) + part + text.slice(at + length)
