/** docs/security.md is true: the proofs that it names exist, and so does the runtime. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const root = join(import.meta.dirname, '..')
const read = (name: string) => readFileSync(join(root, name), 'utf8')
const manifest = JSON.parse(read('package.json')) as {
  readonly dependencies: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
}
const lock = JSON.parse(read('package-lock.json')) as {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>
}

test('the runtime is pinned to one release, which docs/security.md names', () => {
  const { node } = manifest.dependencies
  expect(node).toMatch(/^24\.\d+\.\d+$/)
  expect(lock.packages['node_modules/node']?.version).toBe(node)
  expect(read('docs/security.md')).toContain(`Node ${node}`)
})

test('every test and command that docs/security.md names as proof exists', () => {
  const text = read('docs/security.md')
  const files = [...text.matchAll(/`(test\/[\w./-]+)`/g)].map(([, path]) => path!)
  expect(files.length).toBeGreaterThan(10)
  expect([...new Set(files)].filter((path) => !existsSync(join(root, path)))).toEqual([])
  const scripts = [...text.matchAll(/`npm run (\w+)/g)].map(([, name]) => name!)
  expect([...new Set(scripts)].filter((name) => !(name in manifest.scripts))).toEqual([])
})
