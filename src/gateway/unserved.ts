/**
 * Sections of an offer that are not served, such as text, and a camera's data channel: werift throws at text, and waits for a
 * channel before it calls the connection one. It does not get to see them, and the answer rejects them in their places.
 */

/** A section of the offer by its place, as the answer has it. */
export interface Unserved {
  readonly place: number
  readonly lines: readonly string[]
}

/**
 * The parts of an offer (lines of its session part, then of each section) without what is not served, and that. `hasChannel`: a
 * data channel is served.
 */
export function setAside(
  session: readonly string[],
  sections: readonly (readonly string[])[],
  hasChannel: boolean,
): { readonly parts: readonly (readonly string[])[]; readonly unserved: readonly Unserved[] } {
  const unserved = sections.flatMap((lines, place) =>
    isServed(lines, hasChannel) ? [] : [{ place, lines: rejected(lines) }],
  )
  const gone = unserved.flatMap(({ lines }) => lines.flatMap((line) => /^a=mid:(.+)/.exec(line)?.[1] ?? []))
  const grouped = session.map((line) =>
    line.startsWith('a=group:')
      ? line
          .split(' ')
          .filter((word) => !gone.includes(word))
          .join(' ')
      : line,
  )
  return { parts: [grouped, ...sections.filter((lines) => isServed(lines, hasChannel))], unserved }
}

/** The answer to the whole offer (RFC 3264 section 6: as many sections, in the same order). */
export function withUnserved(answer: string, unserved: readonly Unserved[]): string {
  const [session = '', ...sections] = answer.split(/(?=^m=)/m)
  for (const { place, lines } of unserved) sections.splice(place, 0, lines.map((line) => `${line}\r\n`).join(''))
  return [session, ...sections].join('')
}

/** The place in the whole answer of the section with this place among those that are served. */
export function placeAmongAll(place: number, unserved: readonly Unserved[]): number {
  return unserved.reduce((found, one) => (one.place <= found ? found + 1 : found), place)
}

const isServed = ([mLine = '']: readonly string[], hasChannel: boolean): boolean =>
  /^m=(audio|video) /.test(mLine) || (hasChannel && /^m=application [1-9]\d* \S*\/SCTP /.test(mLine))

/** RFC 3264 section 6: port 0, and the formats that were offered. */
function rejected(lines: readonly string[]): readonly string[] {
  const [mLine = '', ...others] = lines
  const kept = others.filter((line) => line.startsWith('a=mid:'))
  return [mLine.replace(/^(m=\S+) \S+/, '$1 0'), 'c=IN IP4 0.0.0.0', ...kept, 'a=inactive']
}
