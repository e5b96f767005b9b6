/**
 * The lock file, as the npm of each supported Node reads it: on every system it agrees with the manifests, and neither the
 * machine's Node nor a package is warned of. Needs a registry for the older npm; run by continuous integration.
 */
import { execFile } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'transom-lock-'))
const env = { ...process.env, NODE_OPTIONS: '', PATH: `${dirname(process.execPath)}:${process.env['PATH']}` }

beforeAll(() => {
  for (const file of ['package.json', 'package-lock.json', 'shims', ...globSync('src/*/package.json', { cwd: root })]) {
    cpSync(join(root, file), join(folder, file), { recursive: true })
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const systems = [
  ['linux', 'x64', 'glibc'],
  ['linux', 'x64', 'musl'],
  ['linux', 'arm64', 'glibc'],
  ['linux', 'arm64', 'musl'],
  ['darwin', 'x64', ''],
  ['darwin', 'arm64', ''],
  ['win32', 'x64', ''],
  ['win32', 'arm64', ''],
] as const

// Those that come with Node 22 and with Node 24 and later.
describe.each([10, 11])('npm %i', (version) => {
  test.each(systems)('installs on %s %s %s without a warning', async (os, cpu, libc) => {
    const system = [`--os=${os}`, `--cpu=${cpu}`, ...(libc === '' ? [] : [`--libc=${libc}`])]
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund']
    const npm = ['--yes', '--prefer-offline', `npm@${version}`]
    const { stdout, stderr } = await run('npx', [...npm, 'ci', '--dry-run', ...quiet, ...system], {
      cwd: folder,
      env,
    })
    // What the machine's own npmrc says that this npm does not know is no matter of the lock file.
    const warnings = stderr.split('\n').filter((line) => line !== '' && !/Unknown (env|user) config/.test(line))
    expect(warnings).toEqual([])
    expect(stdout).toMatch(/added \d{3,} packages/)
  })
})
