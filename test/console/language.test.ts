/** The languages of the page: which one is spoken, and that each says everything. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { transform } from 'esbuild'
import { parseAst } from 'vite'
import { causes } from '../../src/simulator/causes.ts'
import { errorCodeNames } from '../../src/core/errors.ts'
import { refusalCodes } from '../../src/core/wire/api.ts'
import { countedIn } from '../../src/console/language/catalogue.ts'
import { de } from '../../src/console/language/de.ts'
import { en } from '../../src/console/language/en.ts'
import { createFormats } from '../../src/console/language/formats.ts'
import { createLanguages, type Reader } from '../../src/console/language/language.ts'
import { problemIn } from '../../src/player/problem.ts'
import { leavesOf, looksEnglish } from '../catalogues.ts'

const reader = (more: Partial<Reader> = {}) => ({
  wanted: ['en-US'],
  setting: undefined,
  cookies: { cookie: '' },
  page: { lang: '' },
  ...more,
})

describe('the page speaks', () => {
  test.each([
    ['the first of the browser’s languages that it has', ['fr-FR', 'de-AT', 'en'], undefined, '', 'de'],
    ['English where it has none of them', ['fr', 'nl'], undefined, '', 'en'],
    ['English where there are none', [], undefined, '', 'en'],
    ['the language that the bridge is set to', ['en'], 'de', '', 'de'],
    ['the language that was chosen here, before all else', ['de'], 'de', 'a=b; transom_language=en; c=d', 'en'],
    ['as if nothing was chosen, where that is not a language', ['de'], undefined, 'transom_language=xx', 'de'],
    ['not what another cookie of a similar name says', ['en'], undefined, 'my_transom_language=de', 'en'],
    ['not what an object inherits', ['constructor', 'toString'], undefined, 'transom_language=constructor', 'en'],
  ])('%s', (_what, wanted, setting, cookie, language) => {
    const given = reader({ wanted, setting, cookies: { cookie } })
    expect(createLanguages(given, problemIn).spoken.value.language).toBe(language)
    expect(given.page.lang).toBe(language)
  })

  test('another language as soon as it is chosen, and from then on', () => {
    const given = reader()
    const languages = createLanguages(given, problemIn)
    languages.choose('de')
    expect(languages.spoken.value.words).toBe(de)
    expect(given.page.lang).toBe('de')
    expect(createLanguages(given, problemIn).spoken.value.language).toBe('de')
  })
})

describe('a problem', () => {
  const { explain, explainEvents, nameOf } = createLanguages(reader({ wanted: ['de-DE'] }), problemIn).spoken.value

  test('is told by its code', () => {
    expect(explain({ code: 'camera_offline', message: 'no master on x', advice: 'Check.' })).toEqual({
      code: 'camera_offline',
      message: 'Die Kamera ist nicht verbunden.',
      advice: expect.stringMatching(/^Prüfe/),
    })
  })

  test('without advice gets none', () => {
    expect(explain({ code: 'media_lost', message: 'gone' })).not.toHaveProperty('advice')
  })

  test('of a newer bridge is told as it comes', () => {
    const problem = { code: 'camera_on_strike', message: 'it has had enough', advice: 'Talk to it.' }
    expect(explain(problem)).toBe(problem)
    expect(explain({ ...problem, code: 'constructor' })).toMatchObject({ message: problem.message })
  })

  test('with a camera’s events has advice of its own', () => {
    const fault = { code: 'source_password', message: '', advice: '' } as const
    expect(explainEvents(fault).advice).toContain('ONVIF')
    expect(explain(fault).advice).not.toContain('ONVIF')
  })

  test.each([...errorCodeNames, ...refusalCodes, ...Object.keys(causes), 'unconfirmed'])(
    '%s has German words',
    (code) => {
      const { message } = explain({ code, message: 'English', advice: 'English' })
      expect(message).toMatch(/^\p{Lu}.*\.$/u)
      expect(looksEnglish(message)).toBe(false)
    },
  )

  test('in a list is named in a few words', () => {
    const problem = { code: 'camera_offline', message: 'no master on x' }
    const english = createLanguages(reader(), problemIn).spoken.value
    expect(nameOf(problem)).toBe('Die Kamera ist nicht verbunden')
    expect(english.nameOf(problem)).toBe('camera offline')
  })

  test('in English is told as it comes', () => {
    const english = createLanguages(reader(), problemIn).spoken.value
    const problem = { code: 'camera_offline', message: 'no master on x', advice: 'Check.' }
    expect(english.explain(problem)).toBe(problem)
  })
})

describe('German', () => {
  // Names, and words that both languages have.
  const same = new Set(['Google Home', 'Echo Show', 'Nest Hub', 'Webhooks …'])
  const { problems: _none, eventsAdvice: _neither, ...english } = en
  const { problems: _problems, eventsAdvice: _advice, ...german } = de
  const pairs = leavesOf(english, german)

  test.each(pairs)('%s', (path, english, german) => {
    expect(german.placeholders).toEqual(english.placeholders)
    expect(german.text.trim()).not.toBe('')
    if (/\s/.test(english.text) && !same.has(english.text) && !path.includes('#'))
      expect(german.text).not.toBe(english.text)
    expect(looksEnglish(german.text)).toBe(false)
  })

  test('has every word', () => {
    expect(pairs.length).toBeGreaterThan(200)
  })
})

describe('times', () => {
  const at = Date.UTC(2026, 10, 28, 20, 14, 5)
  const german = createFormats('de-DE', de, 'Europe/Berlin')
  const english = createFormats('en-GB', en, 'Europe/London')

  test.each([
    [0, '21:14', '20:14'],
    [86_400_000, 'gestern, 21:14', 'yesterday, 20:14'],
    [2 * 86_400_000, '26. Nov., 21:14', '26 Nov, 20:14'],
    // The same day of the year before.
    [365 * 86_400_000, '28. Nov., 21:14', '28 Nov, 20:14'],
  ])('%i ms before', (ms, de, en) => {
    expect(german.when(at - ms, at)).toBe(de)
    expect(english.when(at - ms, at)).toBe(en)
  })

  test('of yesterday are those before midnight of the reader', () => {
    const midnight = Date.UTC(2026, 10, 27, 23)
    expect(german.when(midnight - 60_000, at)).toBe('gestern, 23:59')
    expect(german.when(midnight, at)).toBe('00:00')
  })

  test.each([
    [0, 'gerade eben'],
    [12_000, 'vor 12 Sekunden'],
    [7_200_000, 'vor 2 Stunden'],
    [90_000_000, 'gestern'],
  ])('%i ms ago: %s', (ms, words) => {
    expect(german.ago(at - ms, at)).toBe(words)
  })

  test('and numbers have the marks of their language', () => {
    expect(german.duration(1_250)).toBe('1,3 s')
    expect(german.number(12_345)).toBe('12.345')
    expect(countedIn('de')(1, { one: 'Paket', other: 'Pakete' })).toBe('1 Paket')
    expect(countedIn('en')(1_204, { one: 'viewer', other: 'viewers' })).toBe('1,204 viewers')
  })
})

// ── Nothing is said past the catalogue ───────────────────────────────────────────────────────────────────────────────

interface Node {
  readonly type: string
  readonly [key: string]: unknown
}

const sources = join(import.meta.dirname, '../../src/console')
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'type' in value
/** Attributes that somebody reads, or hears. */
const spoken = new Set(['aria-label', 'alt', 'label', 'placeholder', 'title', 'what', 'face'])
const silent = new Set(['class', 'd', 'viewBox'])
/** A sentence, or a part of one: two words beside one another. */
const isSentence = (text: string): boolean => /\p{L}[\p{L}’',;:]* +\p{L}{2}/u.test(text)

/** Each text in the code that somebody may read. */
function* textsOf(node: Node): Generator<string> {
  const { type } = node
  if (type === 'ImportDeclaration' || (type === 'ExportNamedDeclaration' && isNode(node['source']))) return
  if (type === 'NewExpression' && isNode(node['callee']) && node['callee']['name'] === 'Error') return
  if (type === 'JSXElement' && isNode(node['openingElement']) && nameOf(node['openingElement']['name']) === 'code')
    return
  if (type === 'JSXText' && /\p{L}/u.test(String(node['value']).replace('Transom', '')))
    yield String(node['value']).trim()
  if (type === 'JSXAttribute') {
    const name = nameOf(node['name'])
    if (silent.has(name)) return
    const value = node['value']
    if (spoken.has(name) && isNode(value) && value.type === 'Literal' && value['value'] !== '')
      yield String(value['value'])
  }
  if (type === 'Literal' && typeof node['value'] === 'string' && isSentence(node['value'])) yield node['value']
  if (type === 'TemplateLiteral' && Array.isArray(node['quasis'])) {
    const text = node['quasis'].map((part: { value: { cooked: string } }) => part.value.cooked).join('x')
    if (isSentence(text)) yield text
  }
  // A problem: its code leads to the words of the reader.
  const isProblem = type === 'ObjectExpression' && propertiesOf(node).includes('code')
  for (const value of Object.values(node).flat()) {
    const isEnglish = isProblem && isNode(value) && ['message', 'advice'].includes(keyOf(value))
    if (isNode(value) && !isEnglish) yield* textsOf(value)
  }
}

const keyOf = (property: Node): string => nameOf(property['key'])
const propertiesOf = ({ properties }: Node): readonly string[] =>
  Array.isArray(properties) ? properties.filter(isNode).map(keyOf) : []

const nameOf = (node: unknown): string => (isNode(node) ? String(node['name']) : '')

async function textsIn(code: string): Promise<readonly string[]> {
  const { code: plain } = await transform(code, { loader: 'tsx', jsx: 'preserve' })
  const tree: unknown = parseAst(plain, { jsx: true })
  return isNode(tree) ? [...textsOf(tree)] : []
}

test('a sentence outside the catalogue is found, in whatever place', async () => {
  const code = `
    const one = <p class="not this">Said aloud {isBusy ? 'While busy' : 'Later on'}</p>
    const two = <img alt="Picture" title={\`Picture of \${name}\`} />
    const three = say(\`\${name} is saved.\`)
    const four = { code: 'late', message: 'It is late.', more: 'Very late indeed' }
    const five = { message: 'It is later.' }`
  expect(await textsIn(code)).toEqual([
    'Said aloud',
    'While busy',
    'Later on',
    'Picture',
    'Picture of x',
    'x is saved.',
    'Very late indeed',
    'It is later.',
  ])
})

/** English that a code stands beside, and what is no sentence. */
const exempt = ['server-sent.ts', 'build.ts', 'vite.config.ts']
const screens = globSync('**/*.{ts,tsx}', { cwd: sources }).filter(
  (file) => !file.startsWith('language') && !exempt.includes(file),
)

test.each(screens)('%s says nothing past the catalogue', async (file) => {
  expect(await textsIn(readFileSync(join(sources, file), 'utf8'))).toEqual([])
})

test('every code that the page or the player makes has German words', () => {
  const { explain } = createLanguages(reader({ wanted: ['de'] }), problemIn).spoken.value
  const files = ['../player/*.ts', '**/*.{ts,tsx}'].flatMap((pattern) => globSync(pattern, { cwd: sources }))
  const codes = files.flatMap((file) =>
    [...readFileSync(join(sources, file), 'utf8').matchAll(/\bcode: '(\w+)'/g)].map(([, code]) => code ?? ''),
  )
  expect(codes).toContain('unreachable')
  for (const code of codes) expect(explain({ code, message: 'English' }).message).not.toBe('English')
})
