/**
 * `npm run bench:lambda`: bundles, and shows what a cold start of each Lambda function loads: its size, and the time of
 * a fresh Node that imports it over that of a bare one, in turns. Imports only: no request is made.
 */
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { functions } from '../src/bridge/aws/bundles.ts'

const rounds = 9
const root = join(import.meta.dirname, '..', 'dist/lambda')
const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
const env = {
  ...process.env,
  NODE_OPTIONS: '',
  AWS_REGION: 'us-east-1',
  TRANSOM_TABLE: 'transom',
  TRANSOM_PUBLIC_URL: 'https://bridge.example',
  TRANSOM_CLIENTS: '[]',
  TRANSOM_KEYS: JSON.stringify({
    signing: [jwk],
    cookies: [randomBytes(32).toString('hex')],
    sealing: randomBytes(32).toString('base64'),
  }),
}

/** Milliseconds from the start of a process to its end; nothing but the import keeps it alive. */
function msOf(code: string): number {
  const began = performance.now()
  execFileSync(process.execPath, ['--input-type=module', '-e', `${code};process.exit(0)`], { env })
  return performance.now() - began
}
const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[all.length >> 1]!

const kB = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`

const runs = new Map<string, number[]>([['bare', []], ...functions.map((name): [string, number[]] => [name, []])])
const codeOf = (name: string): string =>
  name === 'bare' ? '' : `await import(${JSON.stringify(pathToFileURL(join(root, name, 'index.mjs')).href)})`
for (let round = 0; round < rounds; round++) for (const [name, times] of runs) times.push(msOf(codeOf(name)))

const bare = median(runs.get('bare')!)
console.log(`Bare Node starts and ends in ${bare.toFixed(0)} ms (median of ${rounds}).`)
for (const name of functions) {
  const files = globSync('*.mjs', { cwd: join(root, name) }).map((file) => statSync(join(root, name, file)).size)
  const [entry, all] = [statSync(join(root, name, 'index.mjs')).size, files.reduce((sum, size) => sum + size, 0)]
  const ms = median(runs.get(name)!)
  console.log(
    `${name.padEnd(10)} ${(ms / bare).toFixed(2)} times bare Node (${ms.toFixed(0)} ms); entry ${kB(entry)}, package ${kB(all)}`,
  )
}
