/** Other people's players at what was recorded: FFmpeg, GStreamer, hls.js and Shaka; what they show is held against the recorded clock. */
import { execFile } from 'node:child_process'
import { createSecretKey } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import type { Camera } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createRecordings, type KeptRecordings } from '../../src/transom/recordings/recordings.ts'
import { cut, drawSeconds, frameRate, greyOf, recordColours, unitsOf } from './colours.ts'
import { openHouse } from '../web/house.ts'
import { launchChromium } from '../browser.ts'

const run = promisify(execFile)
const require = createRequire(import.meta.url)
/** A gap, another size and another profile are between them. */
const parts = [
  { seconds: 10, size: '320x240', startS: 0 },
  { seconds: 6, size: '640x360', startS: 40 },
] as const
const seconds = 16

let folder: string
let recordings: KeptRecordings
let house: Awaited<ReturnType<typeof openHouse>>
let anna: { readonly token: string; readonly account: Camera['accountId'] }
let camera: Camera
let browser: Browser
let from: number

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'transom-players-'))
  const store = createSqliteStore(':memory:', Date.now)
  const sealing = createSecretKey(Buffer.alloc(32, 7))
  recordings = createRecordings({ store, root: folder, sealing, log: () => undefined })
  house = await openHouse({ recording: { recordings, happened: () => undefined } })
  anna = await house.person('anna')
  camera = await house.addCamera(anna.account)
  from = Date.now() - 600_000
  for (const part of parts)
    await recordColours(recordings, camera.id, from + part.startS * 1_000, drawSeconds(part.seconds, part.size))
  browser = await launchChromium(['--disable-features=LocalNetworkAccessChecks'])
})
afterAll(async () => {
  await browser?.close()
  await house?.[Symbol.asyncDispose]()
  await recordings?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function address(path: string): Promise<string> {
  const response = await fetch(`${house.url}/api/cameras/front-door/${path}`, {
    headers: { authorization: `Bearer ${anna.token}` },
    redirect: 'manual',
  })
  return new URL(response.headers.get('location')!, response.url).href
}
const recorded = (name: string) => address(`recordings/${name}?from=${from}&to=${from + 60_000}`)

describe.each(['playlist.m3u8', 'manifest.mpd'])('%s', (name) => {
  test.each(parts)(
    'FFmpeg decodes every picture of the part of $size, and finds nothing to complain of',
    async (part) => {
      const begin = from + part.startS * 1_000
      const url = await address(`recordings/${name}?from=${begin}&to=${begin + part.seconds * 1_000}`)
      const probed = await run('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'json', url])
      const { format } = JSON.parse(probed.stdout) as { readonly format: { readonly duration: string } }
      // It reads whole seconds of a manifest's duration, rounded down.
      expect(Math.abs(Number(format.duration) - part.seconds)).toBeLessThanOrEqual(1)
      expect(await picturesByFfmpeg(url)).toBe(part.seconds * frameRate)
    },
  )

  test('GStreamer decodes every picture', async () => {
    const { stdout } = await run('/usr/bin/python3', [join(import.meta.dirname, 'gstreamer.py'), await recorded(name)])
    const [pictures = 0, durationMs = 0] = stdout.split(' ').map(Number)
    expect(pictures).toBeGreaterThanOrEqual(seconds * frameRate - 1)
    expect(durationMs / 1_000).toBeCloseTo(seconds, 0)
  })
})

/** It must not have a word of complaint. */
async function picturesByFfmpeg(url: string): Promise<number> {
  const args = ['-v', 'error', '-i', url, '-map', '0:v:0', '-fps_mode', 'passthrough', '-f', 'framecrc', '-']
  const { stdout, stderr } = await run('ffmpeg', args)
  expect(stderr).toBe('')
  return stdout.split('\n').filter((line) => line.startsWith('0,')).length
}

test('FFmpeg plays a playlist over a discontinuity, and loses a fragment there, since media is timed anew', async () => {
  const pictures = await picturesByFfmpeg(await recorded('playlist.m3u8'))
  expect(pictures).toBeGreaterThanOrEqual((seconds - 1) * frameRate)
})

const players = [
  { player: 'hls.js', name: 'playlist.m3u8' },
  { player: 'shaka', name: 'playlist.m3u8' },
  { player: 'shaka', name: 'manifest.mpd' },
] as const

/** A page of another origin, with a player that shows the address. What it complains of is thrown by the page. */
async function open(player: (typeof players)[number]['player'], url: string): Promise<Page> {
  const page = await browser.newPage()
  await page.setContent('<video muted></video>')
  const script = player === 'hls.js' ? 'hls.js/dist/hls.min.js' : 'shaka-player/dist/shaka-player.compiled.js'
  await page.addScriptTag({ path: require.resolve(script) })
  await page.addScriptTag({ path: join(import.meta.dirname, 'player-page.js') })
  await page.evaluate(`seen.open(${JSON.stringify(player)}, ${JSON.stringify(url)})`)
  return page
}

describe.each(players)('$player with $name', ({ player, name }) => {
  test('shows at each position the picture that was recorded then', async () => {
    const page = await open(player, await recorded(name))
    const shown: [number, number][] = []
    const due: [number, number][] = []
    for (const position of [0.5, 7.5, 3.5, 9.5, 10.8, 14.8]) {
      due.push([position, greyOf(Math.floor(position < 10 ? position : position - 10.066))])
      shown.push([position, await page.evaluate<number>(`seen.greyAt(${position})`)])
    }
    const apart = shown.map(([, grey], index) => Math.abs(grey - due[index]![1]))
    // A second more or less would be eleven apart.
    expect({ shown, due, worst: Math.max(...apart) <= 5 }).toEqual({ shown, due, worst: true })
    const duration = await page.evaluate<number>('seen.duration()')
    expect(duration).toBeCloseTo(seconds, 0)
    expect(await page.evaluate('seen.complaints')).toEqual([])
    await page.close()
  })

  test('goes on with what is recorded while it plays', async () => {
    const pictures = drawSeconds(22)
    const beginAt = Date.now() - 12_000
    const { codecs, segments } = await cut(unitsOf(pictures, beginAt))
    const [init, ...fragments] = segments
    await recordings.begin(camera.id, beginAt, codecs, init!.data)
    const life = new AbortController()
    const sending = (async () => {
      for (const fragment of fragments) {
        const dueAt = fragment.at + fragment.durationMs
        if (dueAt > Date.now()) await wait(dueAt - Date.now(), undefined, { signal: life.signal })
        await recordings.append(camera.id, beginAt, fragment)
      }
    })()
    sending.catch(() => undefined)
    for (;;) {
      const open = await recordings.find(camera.id, beginAt)
      if (open && open.endAt - beginAt >= 11_000) break
      await wait(50)
    }
    const page = await open(player, await address(`live/${name}`))
    await page.evaluate('seen.play()')
    // It plays on for as long as there is, beyond what there was at its begin.
    await page.waitForFunction(`seen.sample() >= ${greyOf(15) - 5}`)
    expect(await page.evaluate('seen.complaints')).toEqual([])
    life.abort()
    await recordings.remove(camera.id, beginAt)
    await page.close()
  })
})
