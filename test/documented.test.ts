/** Everything that a package offers says what it is: each export has a documentation comment. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from '@babel/parser'
import type { Comment, Statement } from '@babel/types'
import { describe, expect, test } from '@jest/globals'

const root = join(import.meta.dirname, '..', 'src')
const packages = ['core', 'player', 'kvs', 'signaling', 'gateway', 'simulator', 'console', 'bridge', 'transom']

interface Export {
  readonly name: string
  /** Without its stars; '' for none. */
  readonly text: string
}

const readSource = (file: string): string => readFileSync(join(root, file), 'utf8')

/** The exports of a module with the comment that stands before each, those of other files followed there. */
function exportsOf(file: string, read: (file: string) => string = readSource): readonly Export[] {
  const source = read(file)
  const { program } = parse(source, { sourceType: 'module', plugins: ['typescript'] })
  const declared = new Map(
    program.body.flatMap((statement) => {
      const inner = (statement.type === 'ExportNamedDeclaration' && statement.declaration) || statement
      return namesOf(inner).map((name) => [name, textOf(statement.leadingComments)])
    }),
  )
  return program.body.flatMap((statement): readonly Export[] => {
    if (statement.type === 'ExportAllDeclaration') return exportsOf(beside(file, statement.source.value), read)
    if (statement.type !== 'ExportNamedDeclaration') return []
    if (statement.declaration) {
      const own = textOf(statement.leadingComments)
      // The type of a schema is what the schema says.
      const schema = typeOfSchema.exec(source.slice(statement.start ?? 0, statement.end ?? 0))?.[1] ?? ''
      return namesOf(statement.declaration).map((name) => ({ name, text: own || (declared.get(schema) ?? '') }))
    }
    const from = statement.source?.value
    const there = from?.startsWith('.') === true ? exportsOf(beside(file, from), read) : []
    return statement.specifiers.flatMap((specifier) => {
      if (specifier.type !== 'ExportSpecifier') return []
      const name = specifier.exported.type === 'Identifier' ? specifier.exported.name : specifier.exported.value
      // Of another package: documented there.
      if (from?.startsWith('.') === false) return []
      const text = there.find((one) => one.name === specifier.local.name)?.text ?? declared.get(specifier.local.name)
      return [{ name, text: text ?? '' }]
    })
  })
}

const typeOfSchema = /^export type \w+ = (?:Readonly<)?(?:z\.(?:infer|input|output)|Message)<typeof (\w+)>+$/

const beside = (file: string, source: string): string => join(dirname(file), source)

function namesOf(statement: Statement): readonly string[] {
  if (statement.type === 'VariableDeclaration')
    return statement.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []))
  return 'id' in statement && statement.id?.type === 'Identifier' ? [statement.id.name] : []
}

/** The comment directly before a statement, if it is one of documentation; a file's own on its first line is not. */
function textOf(comments: readonly Comment[] | null | undefined): string {
  const last = comments?.at(-1)
  if (last?.type !== 'CommentBlock' || !last.value.startsWith('*') || last.loc?.start.line === 1) return ''
  return last.value.replaceAll(/^[\s*]+|\s*\*\s*$/gm, ' ').trim()
}

describe.each(packages)('the package %s', (name) => {
  const manifest = JSON.parse(readSource(`${name}/package.json`)) as { readonly exports?: Record<string, string> }
  const files = Object.values(manifest.exports ?? {}).filter((file) => file.endsWith('.ts'))

  test('documents each of its exports', () => {
    const missing = files.flatMap((file) => {
      const path = join(name, file)
      return exportsOf(path).flatMap((one) => (isSaid(one) ? [] : [`${path}: ${one.name}`]))
    })
    expect(missing).toEqual([])
  })
})

const isSaid = ({ text }: Export): boolean => text.split(/\s+/).length >= 3

test('a comment counts where it belongs, and is found in the file that it stands in', () => {
  const files: Readonly<Record<string, string>> = {
    'a.ts': [
      '/** What this file is for. */',
      "export { far, near as close } from './b.ts'",
      "export type * from './c.ts'",
      '/** A message of the wire. */',
      'export const message = z.string()',
      'export type Message = z.infer<typeof message>',
      '/** Does this and that. */',
      'export function told() {}',
      '// no documentation',
      'export const bare = 1',
      'const later = 2',
      'export { later }',
    ].join('\n'),
    'b.ts': '/** The file. */\nexport const far = 1\n/** What is near. */\nexport const near = 2',
    'c.ts': '\n/** A type of its own. */\nexport interface Shape {}\nexport type Other = 1',
  }
  const found = exportsOf('a.ts', (file) => files[file] ?? '')
  expect(found.map((one) => [one.name, one.text])).toEqual([
    ['far', ''],
    ['close', 'What is near.'],
    ['Shape', 'A type of its own.'],
    ['Other', ''],
    ['message', 'A message of the wire.'],
    ['Message', 'A message of the wire.'],
    ['told', 'Does this and that.'],
    ['bare', ''],
    ['later', ''],
  ])
})
