/** Hostile packets without end, the same for the same seed: real ones with bits flipped, lengths that lie, parts torn, doubled and nested. */
import { createRandom, type Mutator } from './mutate.ts'

/** What lengths and counts are given: nothing, one, the ends of what they can say. */
const extremes = [0, 1, 2, 3, 4, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xfffc, 0xffff]
const longest = 70_000

/** Takes and gives octets as characters (`latin1`), so that packets stand in one table with texts. */
export function createByteMutator(seed: number): Mutator {
  const random = createRandom(seed)
  const pick = <T>(from: readonly T[], otherwise: T): T => from[random(from.length)] ?? otherwise
  const part = (text: string) => {
    const at = random(text.length + 1)
    return text.slice(at, at + 1 + random(64))
  }
  const number = (octets: 1 | 2 | 4) => {
    const value = random(2) === 0 ? pick(extremes, 0) : random(2 ** 16)
    const buffer = Buffer.alloc(4)
    buffer.writeUInt32BE(octets === 4 && random(4) === 0 ? 0xffff_ffff : value)
    return buffer.toString('latin1', 4 - octets)
  }

  const changes: readonly ((text: string, other: string) => string)[] = [
    (text) => {
      const at = random(text.length)
      return write(text, at, String.fromCharCode(text.charCodeAt(at) ^ (1 << random(8))))
    },
    // A number that lies, most often near the beginning, where headers are.
    (text) => write(text, random(random(2) === 0 ? 24 : text.length), number(pick([1, 2, 4], 1))),
    (text) => text.slice(0, random(text.length + 1)),
    (text) => text.slice(random(text.length + 1)),
    (text, other) => text + other,
    (text, other) => {
      const at = random(text.length + 1)
      return text.slice(0, at) + pick([other, part(text), part(other)], '') + text.slice(at)
    },
    (text) => {
      const at = random(text.length + 1)
      return text.slice(0, at) + part(text).repeat(random(20) === 0 ? 1_000 : 1 + random(4)) + text.slice(at)
    },
    (text) => {
      const at = random(text.length + 1)
      return text.slice(0, at) + text.slice(at + 1 + random(16))
    },
    (text) => write(text, random(text.length + 1), pick(['\0', '\u00ff'], '\0').repeat(1 + random(32))),
  ]
  return {
    next(samples) {
      let text = pick(samples, '')
      const other = pick(samples, '')
      for (let rounds = 1 + random(4); rounds > 0; rounds -= 1)
        text = (changes[random(changes.length)]?.(text, other) ?? text).slice(0, longest)
      return text
    },
  }
}

const write = (text: string, at: number, octets: string) => text.slice(0, at) + octets + text.slice(at + octets.length)
