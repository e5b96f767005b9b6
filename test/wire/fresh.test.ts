/** Holds the files in `schemas/` to the zod schemas that they are made of. */
import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { renderSchemas, schemaFolder } from '../../src/core/wire/generate.ts'

const rendered = await renderSchemas()

describe('schemas/*.json', () => {
  test('are exactly the files that the wire schemas make', async () => {
    const present = (await readdir(schemaFolder)).filter((name) => name.endsWith('.json')).sort()
    expect(present).toEqual([...rendered.keys()].sort())
  })

  test.each([...rendered])('%s is fresh (else: npm run schemas)', async (name, text) => {
    expect(await readFile(new URL(name, schemaFolder), 'utf8')).toBe(text)
  })

  test.each([...rendered])('%s says in its first line that it is generated, and is JSON', (_name, text) => {
    expect(text.split('\n')[0]).toContain('Generated')
    expect(typeof JSON.parse(text)).toBe('object')
  })
})
