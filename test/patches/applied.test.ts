/** What is installed is what patches/ says. */
import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { patchedFiles } from '../../patches/apply.ts'

test('the patches are applied (else: npm run patches)', () => {
  const files = [...patchedFiles()]
  expect(files.length).toBeGreaterThan(0)
  for (const [file, text] of files) expect(readFileSync(file, 'utf8') === text ? 'patched' : file).toBe('patched')
})
