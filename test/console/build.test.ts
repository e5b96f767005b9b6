/** The page as it is built and served: small, in one piece, and within its own policy. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from '@jest/globals'
import { builtConsole, ensureConsole } from '../../src/console/build.ts'

beforeAll(async () => {
  expect(await ensureConsole()).toBeUndefined()
})

const read = (file: string): string => readFileSync(join(builtConsole, file), 'utf8')
const files = (): string[] =>
  readdirSync(builtConsole, { recursive: true, encoding: 'utf8' }).filter(
    (file) => /\.\w+$/.test(file) && file !== '.stamp',
  )

test('the whole page is under 150 KB, and the player under 20 KB, gzipped', () => {
  const sizes = new Map(files().map((file) => [file, gzipSync(readFileSync(join(builtConsole, file))).length]))
  expect([...sizes.keys()]).toEqual(expect.arrayContaining(['index.html', 'transom-player.js']))
  expect([...sizes.values()].reduce((sum, size) => sum + size)).toBeLessThan(150_000)
  expect(sizes.get('transom-player.js')).toBeLessThan(20_000)
})

test('everything that index.html names is there, by a name that may be kept for ever or as one whose name stays', () => {
  const named = [...read('index.html').matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, file]) => file!)
  expect(named.length).toBeGreaterThanOrEqual(4)
  expect(files()).toEqual(expect.arrayContaining(named))
  for (const file of named)
    expect(file).toMatch(/^(transom-player\.js|icon-192\.png|manifest\.webmanifest|assets\/[\w.-]+-[\w-]{8,}\.\w+)$/)
})

test('there is no inline script or style, and no address of another origin', () => {
  const html = read('index.html')
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=/)
  expect(html).not.toMatch(/https?:/)
  for (const file of files().filter((name) => name.endsWith('.css'))) expect(read(file)).not.toMatch(/url\(|@import/)
})

test('the page can be installed as an app: its icons are there, of the sizes that its manifest says', () => {
  const { icons } = JSON.parse(read('manifest.webmanifest')) as {
    readonly icons: readonly { readonly src: string; readonly sizes: string }[]
  }
  const sizes = icons.map(({ src }) => {
    // PNG section 11.2.1: width and height begin 16 bytes into the file.
    const png = readFileSync(join(builtConsole, src))
    return `${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`
  })
  expect(sizes).toEqual(icons.map((icon) => icon.sizes))
  expect(sizes).toEqual(['192x192', '512x512'])
})

test('the service worker is a script by itself, which keeps no pages and asks for nothing', () => {
  const worker = read('service-worker.js')
  expect(worker).toMatch(/addEventListener\("push"/)
  expect(worker).not.toMatch(/\bimport\b|\bexport\b|fetch|caches/)
})

test('the player is one module without dependencies, with its names', () => {
  const player = read('transom-player.js')
  expect(player).not.toMatch(/\bimport\s*[{*"'(]/)
  const [, names = ''] = /export\s*\{([^}]*)\}\s*;?\s*$/.exec(player) ?? []
  expect(
    names
      .split(',')
      .map((name) => name.replace(/^.* as /, '').trim())
      .sort(),
  ).toEqual(
    ['PlayerError', 'TransomPlayer', 'connectDisplay', 'createPlayer', 'holdToTalk', 'problemIn', 'problemOf'].sort(),
  )
  const page = files()
    .filter((name) => /^assets\/.*\.js$/.test(name))
    .map(read)
  // The page imports it as a vendor's app would: there is one copy.
  expect(page.filter((code) => code.includes('transom-player.js'))).not.toEqual([])
  expect(page.filter((code) => code.includes('RTCPeerConnection('))).toEqual([])
})

test('a second call finds the build of these sources, and builds nothing', async () => {
  const { mtimeMs } = statSync(join(builtConsole, 'index.html'))
  expect(await ensureConsole()).toBeUndefined()
  expect(statSync(join(builtConsole, 'index.html')).mtimeMs).toBe(mtimeMs)
})
