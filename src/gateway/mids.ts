/**
 * Mids for a viewer's offer that has none, as displays that know no BUNDLE write it: werift refuses such an offer. The bridge
 * gives them before a camera sees the offer; this is for viewers that come without it.
 */

/** The sections of an offer, each with a mid, and which of these are not the viewer's. */
export interface Named {
  readonly session: readonly string[]
  readonly sections: readonly (readonly string[])[]
  readonly given: readonly string[]
}

/** Names each section without a mid by its place. Where none had one and all have the same credentials, they are one transport. */
export function withMids(session: readonly string[], sections: readonly (readonly string[])[]): Named {
  const own = sections.flatMap((lines) => midOf(lines) ?? [])
  if (own.length === sections.length) return { session, sections, given: [] }
  const named = sections.map((lines, place) => {
    if (midOf(lines) !== undefined) return { mid: undefined, lines }
    const mid = own.includes(`${place}`) ? `section-${place}` : `${place}`
    return { mid, lines: [...lines.filter((line) => !line.startsWith('a=mid:')), `a=mid:${mid}`] }
  })
  const given = named.flatMap(({ mid }) => mid ?? [])
  const isOne = own.length === 0 && areOneTransport(session, sections)
  const ungrouped = own.length === 0 ? session.filter((line) => !line.startsWith('a=group:')) : session
  return {
    session: isOne ? [...ungrouped, `a=group:BUNDLE ${given.join(' ')}`] : ungrouped,
    sections: named.map(({ lines }) => lines),
    given,
  }
}

/** The answer in the viewer's terms: it names no section that the offer did not name (RFC 5888 section 9). */
export function withoutMids(answer: string, given: readonly string[]): string {
  if (given.length === 0) return answer
  const lines = answer.split('\r\n').flatMap((line) => {
    if (line.startsWith('a=mid:') && given.includes(line.slice('a=mid:'.length))) return []
    if (!line.startsWith('a=group:')) return [line]
    const [semantics, ...mids] = line.split(' ')
    const kept = mids.filter((mid) => !given.includes(mid))
    return kept.length === 0 ? [] : [[semantics, ...kept].join(' ')]
  })
  return lines.join('\r\n')
}

const midOf = (lines: readonly string[]): string | undefined =>
  lines.flatMap((line) => /^a=mid:(\S+)/.exec(line)?.[1] ?? [])[0]

/** Equal credentials alone do not make one transport: each section may still have addresses of its own. */
function areOneTransport(session: readonly string[], sections: readonly (readonly string[])[]): boolean {
  const [first = [], ...others] = sections.filter(isLive).map((lines) => [...lines, ...session])
  return others.every(
    (lines) =>
      ['a=ice-ufrag:', 'a=ice-pwd:'].every((name) => firstOf(lines, name) === firstOf(first, name)) &&
      lines.every((line) => !line.startsWith('a=candidate:') || first.includes(line)),
  )
}

/** The section's own line of this name, or else that of the whole session, which comes later. */
const firstOf = (lines: readonly string[], name: string) => lines.find((line) => line.startsWith(name))

/** Whether a camera serves the section. */
const isLive = (lines: readonly string[]): boolean => /^m=(audio|video) (?!0 )/.test(lines[0] ?? '')
