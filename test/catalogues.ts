/** Two catalogues of words side by side, for tests that a translation is whole. */
import { isDeepStrictEqual } from 'node:util'

/** What a catalogue says in one place, with the values that it was given: `⟨0⟩`, `⟨1⟩`, or 41, 42 where a number goes. */
export interface Said {
  readonly text: string
  readonly placeholders: readonly string[]
}

/** Each text of both by its path; throws where one has a text and the other has none. */
export function leavesOf(one: unknown, other: unknown, path = ''): readonly (readonly [string, Said, Said])[] {
  if (typeof one === 'function' && typeof other === 'function')
    return argumentsOf(one.length).map((given, index) => [`${path}#${index}`, said(one, given), said(other, given)])
  if (typeof one === 'string' && typeof other === 'string') return [[path, saidOf(one), saidOf(other)]]
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    throw new Error(`${path}: ${typeof one} and ${typeof other}`)
  const names = Object.keys(one)
  if (!isDeepStrictEqual(names.toSorted(), Object.keys(other).toSorted())) throw new Error(`${path}: other keys`)
  return names.flatMap((name) =>
    leavesOf(Reflect.get(one, name), Reflect.get(other, name), path === '' ? name : `${path}.${name}`),
  )
}

/** Several of each number: a text may be another for one, for none, for an assistant. */
function argumentsOf(count: number): readonly (readonly unknown[])[] {
  const places = Array.from({ length: count }, (_, index) => index)
  return [
    places.map((index) => 41 + index),
    places.map(() => 1),
    places.map((index) => (index === 0 ? '⟨0⟩' : 'alexa')),
    places.map((index) => (index === 0 ? '⟨0⟩' : 'google')),
  ]
}

function said(words: unknown, given: readonly unknown[]): Said {
  if (typeof words !== 'function') throw new Error('no text')
  return saidOf(textOf(Reflect.apply(words, undefined, [...given])))
}

const textOf = (value: unknown): string =>
  Array.isArray(value)
    ? value.map(textOf).join('')
    : typeof value === 'number'
      ? String(value)
      : typeof value === 'string'
        ? value
        : markupOf(value)

/** A piece of a page, as `bridge/oauth/pages/markup.ts` makes it. */
const markupOf = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'markup' in value ? String(value.markup) : ''

function saidOf(text: string): Said {
  return { text, placeholders: (text.match(/⟨\d⟩|\b4[1-4]\b|\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? []).toSorted() }
}

/** English words that German has not. */
const english =
  /\b(?:the|and|with|your|you|is|are|of|to|not|it|its|this|that|has|have|when|because|please|sign|camera|doorbell|sessions?|ring|talk|share|remove|add|view|picture|nobody|somebody)\b/i

/** Whether a text has a word that only English has. Code, addresses and names of settings do not count. */
export const looksEnglish = (text: string): boolean =>
  english.test(text.replaceAll(/\bnpx? [\w. -]+|\b\w+:\/\/\S+|\b[a-z]+[A-Z]\w*|--\w+/g, ''))
