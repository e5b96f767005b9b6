/** XML as cameras write it: read within bounds, without a DTD, and by local names only, since prefixes differ from brand to brand. */
import sax from 'sax'
import { SourceError } from '../media.ts'

export interface Element {
  /** Without its prefix. */
  readonly name: string
  /** By local name; of two that differ in their prefix alone the last one. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly Element[]
  /** The text between its children, without white space at the ends. */
  readonly text: string
}

/** No reply of a camera comes near: a recorder with 64 channels has some 30,000 elements in its profiles. */
const maxElements = 100_000
const maxDepth = 64

interface Open {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: Element[]
  text: string
}

const localName = (name: string): string => name.slice(name.lastIndexOf(':') + 1)

function fail(why: string): never {
  throw new SourceError('source_garbled', `the camera sent XML that cannot be read: ${why}`)
}

/** Reads one document and returns its root. A DTD is refused (SOAP 1.2 part 1, section 5). Throws `SourceError`. */
export function parseXml(text: string): Element {
  const parser = sax.parser(true, { trim: false })
  const open: Open[] = []
  let root: Element | undefined
  let count = 0
  const onText = (more: string) => {
    const top = open.at(-1)
    if (top) top.text += more
  }
  Object.assign(parser, {
    onerror: () => fail('it is not well-formed'),
    ondoctype: () => fail('it has a DTD'),
    ontext: onText,
    oncdata: onText,
    onopentag({ name, attributes }: sax.Tag) {
      count += 1
      if (count > maxElements || open.length >= maxDepth) fail('it is too large')
      const read = Object.entries(attributes).map(([key, value]) => [localName(key), value] as const)
      open.push({ name: localName(name), attributes: new Map(read), children: [], text: '' })
    },
    onclosetag() {
      const closed = open.pop()
      if (!closed) return
      const element = { ...closed, text: closed.text.trim() }
      const parent = open.at(-1)
      if (parent) parent.children.push(element)
      else root ??= element
    },
  })
  parser.write(text).close()
  return root ?? fail('it is empty')
}

/** The first child, and its child, and so on, by local names. */
export function find(element: Element | undefined, ...path: readonly string[]): Element | undefined {
  let found = element
  for (const name of path) found = found?.children.find((child) => child.name === name)
  return found
}

/** The text there; `undefined` where there is no such element or nothing in it. */
export const textAt = (element: Element | undefined, ...path: readonly string[]): string | undefined =>
  find(element, ...path)?.text || undefined

export const childrenOf = (element: Element | undefined, name: string): readonly Element[] =>
  element?.children.filter((child) => child.name === name) ?? []

/** A text as it stands in a document. What XML 1.0 cannot carry (section 2.2) is left out. */
export function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  // eslint-disable-next-line no-control-regex -- they are what is meant
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '').replace(/[&<>"]/g, (one) => entities[one] ?? '')
}
