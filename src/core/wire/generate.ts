/** Writes `schemas/*.json` from the zod schemas in this folder, and `openapi.json`: `npm run schemas`. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import * as z from 'zod'
import { openApiDocument } from '../openapi/document.ts'

const sourceFolder = new URL('./', import.meta.url)
export const schemaFolder = new URL('../../../schemas/', import.meta.url)

const note = (name: string) => `Generated from src/core/${name} by npm run schemas; do not edit.`

/**
 * Renders one JSON Schema (draft 2020-12) for each file of this folder that exports zod schemas. Every exported schema,
 * and every schema in an exported table, becomes a definition under its own name. There is no list to keep: a new file is
 * found. Schemas describe the message as it is on the wire, before any transformation. The OpenAPI document is one more file.
 * Returns file name to file text. Throws, naming file and export, for a schema that JSON Schema cannot express.
 */
export async function renderSchemas(): Promise<ReadonlyMap<string, string>> {
  const rendered = new Map<string, string>()
  const names = (await readdir(sourceFolder)).filter((name) => name.endsWith('.ts') && name !== 'generate.ts').sort()
  for (const name of names) {
    const exported: Record<string, unknown> = await import(new URL(name, sourceFolder).href)
    const definitions = Object.entries(exported).flatMap(([key, value]) => define(`${name}: ${key}`, key, value))
    if (definitions.length > 0) rendered.set(name.replace(/\.ts$/, '.json'), render(name, definitions))
  }
  return rendered.set('openapi.json', noted('x-comment', note('openapi/'), openApiDocument()))
}

function define(where: string, key: string, value: unknown): [string, unknown][] {
  if (value instanceof z.ZodType) return [[key, toJsonSchema(where, value)]]
  if (typeof value !== 'object' || value === null) return []
  const entries = Object.entries(value)
  if (!entries.every(([, member]) => member instanceof z.ZodType)) return []
  return entries.flatMap(([member, schema]) => define(`${where}.${member}`, member, schema))
}

function toJsonSchema(where: string, schema: z.ZodType): unknown {
  try {
    const { $schema: _, ...definition } = z.toJSONSchema(schema, { io: 'input' })
    return definition
  } catch (cause) {
    throw new Error(`${where} cannot be written as JSON Schema`, { cause })
  }
}

/** The note stands on the first line, where a reader of the file or of a diff meets it. */
function render(name: string, definitions: readonly [string, unknown][]): string {
  const byName = new Map(definitions)
  if (byName.size < definitions.length) throw new Error(`${name} exports two schemas under one name`)
  const body = { $schema: 'https://json-schema.org/draft/2020-12/schema', $defs: Object.fromEntries(byName) }
  return noted('$comment', note(`wire/${name}`), body)
}

const noted = (key: string, text: string, body: object): string =>
  `{ "${key}": ${JSON.stringify(text)},\n${JSON.stringify(body, null, 2).slice(2)}\n`

/** Writes what is new and removes what an earlier run wrote for a file that is gone. */
async function writeSchemas(): Promise<void> {
  await mkdir(schemaFolder, { recursive: true })
  const rendered = await renderSchemas()
  for (const [name, text] of rendered) await writeFile(new URL(name, schemaFolder), text)
  for (const name of await readdir(schemaFolder)) {
    if (rendered.has(name) || !name.endsWith('.json')) continue
    const url = new URL(name, schemaFolder)
    if ((await readFile(url, 'utf8')).includes('by npm run schemas')) await rm(url)
  }
  console.log(`schemas: ${[...rendered.keys()].join(', ')}`)
}

if (import.meta.main) await writeSchemas()
