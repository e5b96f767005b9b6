/** The command line of a running house, for suites. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { House } from '../flows/house.ts'

/** What `npx transom … --json` prints. Throws when that is not JSON. */
export async function transomJson<T>(house: House, ...words: readonly string[]): Promise<T> {
  const child = spawn(process.execPath, ['src/transom/bin.ts', ...words, '--json'], {
    cwd: join(import.meta.dirname, '..', '..'),
    env: { ...process.env, NODE_OPTIONS: '', TRANSOM_DATA: house.dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return JSON.parse(await text(child.stdout)) as T
}
