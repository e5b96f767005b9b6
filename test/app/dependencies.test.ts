/** What is installed with Transom: the lock file serves every system, NOTICE is true, and FFmpeg is a thing that can be left out. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { subset } from 'semver'
import { renderNotice } from '../../scripts/notice.ts'

const root = join(import.meta.dirname, '..', '..')
const read = (name: string) => readFileSync(join(root, name), 'utf8')

interface Locked {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly deprecated?: string
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
  readonly engines?: { readonly node?: string }
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
const lock = JSON.parse(read('package-lock.json')) as { readonly packages: Readonly<Record<string, Locked>> }
const manifest = JSON.parse(read('package.json')) as {
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
  readonly engines: { readonly node: string }
}

/** Where npm finds `name` from the package at `path`: in its own node_modules, then in those above. */
function installed(path: string, name: string): string | undefined {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    const here = `${at === '' ? '' : `${at}/`}node_modules/${name}`
    if (here in lock.packages) return here
    if (at === '') return undefined
  }
}

test('the lock file has the binaries of every system, not only of the one that it was written on (npm/cli#4828)', () => {
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => installed(path, name) === undefined)
      .map((name) => `${path} wants ${name}`),
  )
  expect(missing).toEqual([])
})

/** `linux-x64-musl`: as npm tells systems apart. */
const systems = [
  'linux-x64-glibc',
  'linux-x64-musl',
  'linux-arm64-glibc',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64',
  'win32-arm64',
]

/** By the rules of `os`, `cpu` and `libc` in a manifest: a list of what it is for, or of what it is not for. */
const allows = (list: readonly string[] | undefined, value: string | undefined) =>
  list === undefined ||
  value === undefined ||
  (list.some((one) => !one.startsWith('!')) ? list.includes(value) : !list.includes(`!${value}`))

function runsOn(system: string, { os, cpu, libc }: Locked): boolean {
  const [platform, architecture, library] = system.split('-')
  return allows(os, platform) && allows(cpu, architecture) && (platform !== 'linux' || allows(libc, library))
}

/** The packages that come with a binary for each system, and those binaries. */
const withBinaries = Object.entries(lock.packages)
  .map(([path, { optionalDependencies = {} }]) => {
    const binaries = Object.keys(optionalDependencies)
      .map((name) => lock.packages[installed(path, name) ?? ''])
      .filter((one) => one?.os !== undefined)
    return { path, binaries: binaries.filter((one) => one !== undefined) }
  })
  // A part for one system alone, like macOS's own watcher of files, is missed nowhere else.
  .filter(({ binaries }) => new Set(binaries.flatMap(({ os = [] }) => os)).size > 1)

test('the packages with binaries are found: the bundler of the page, the compiler, FFmpeg', () => {
  expect(withBinaries.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['esbuild', 'rollup', 'typescript', 'node-av'].map((name) => `node_modules/${name}`)),
  )
})

test.each(systems)('on %s each of them has one', (system) => {
  const lacking = withBinaries.filter(({ binaries }) => !binaries.some((one) => runsOn(system, one)))
  expect(lacking.map(({ path }) => path)).toEqual([])
})

test('what is installed is what was locked: every package has a hash, none is deprecated', () => {
  const packages = Object.entries(lock.packages).filter(([path, { link }]) => path.includes('node_modules/') && !link)
  expect(packages.filter(([, { integrity }]) => integrity === undefined).map(([path]) => path)).toEqual([])
  expect(packages.filter(([, { deprecated }]) => deprecated !== undefined).map(([path]) => path)).toEqual([])
})

test('a link of the lock file leads to a folder of this repository', () => {
  const links = Object.values(lock.packages).filter(({ link }) => link)
  expect(links.filter(({ resolved = '' }) => !/^(src|shims)\/[a-z-]+$/.test(resolved))).toEqual([])
})

test('the lock file names no registry: everybody installs from their own', () => {
  const hosts = Object.values(lock.packages).flatMap(({ resolved = '' }) =>
    /^https?:/.test(resolved) ? [resolved] : [],
  )
  expect(hosts).toEqual([])
})

test('on each Node that `engines` names, no package warns', () => {
  const refusing = Object.entries(lock.packages).flatMap(([path, { engines }]) =>
    subset(manifest.engines.node, engines?.node ?? '*') ? [] : [`${path}: ${engines?.node}`],
  )
  expect(refusing).toEqual([])
})

test('NOTICE lists what is installed: npm run notice', () => {
  expect(read('NOTICE')).toBe(renderNotice(lock))
})

test('a package whose licence nobody knows is not listed without one', () => {
  expect(() => renderNotice({ packages: { 'node_modules/x': { version: '1.0.0' } } })).toThrow('licence of x')
})

test('FFmpeg is optional, of one exact version, and imported by gateway and simulator alone, each by one file', () => {
  const [gateway, simulator] = ['gateway', 'simulator'].map(
    (room) => JSON.parse(read(join('src', room, 'package.json'))) as typeof manifest,
  )
  expect(gateway!.optionalDependencies).toEqual({ 'node-av': expect.stringMatching(/^\d+\.\d+\.\d+$/) })
  expect(simulator!.optionalDependencies).toEqual(gateway!.optionalDependencies)
  for (const { dependencies } of [gateway!, simulator!]) expect(Object.keys(dependencies)).not.toContain('node-av')
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.tsx?$/.test(file),
  )
  const importing = (module: RegExp) => files.filter((file) => module.test(read(join('src', file)))).toSorted()
  expect(importing(/(from|import\()\s*'(node-av|@seydx)/)).toEqual([
    join('gateway', 'node-av.ts'),
    join('simulator', 'node-av.ts'),
  ])
  // Only when it is asked for: a type costs nothing.
  expect(importing(/import\('\.\/node-av\.ts'\)/)).toEqual([
    join('gateway', 'ffmpeg.ts'),
    join('simulator', 'decoder.ts'),
  ])
  expect(importing(/^(import (?!type\b)|export )[^;'(]*'\.\/node-av\.ts'/m)).toEqual([])
})
