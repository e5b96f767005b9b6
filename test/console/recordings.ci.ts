/**
 * A ring in a real browser: recorded by the built-in doorbell, listed with its picture, played, handed on and deleted; and the
 * time line below the live picture.
 */
/* oxlint-disable unicorn/consistent-function-scoping -- what runs in the page must be one function */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import type { PlayerState } from '../../src/player/main.ts'
import { expectAccessible } from './accessible.ts'
import { enter, expectText, launch, looks, signIn, startBridge, visit, type Bridge, type Visitor } from './visitor.ts'

let bridge: Bridge
let browser: Browser
let owner: Visitor
let page: Page

beforeAll(async () => {
  ;[bridge, browser] = await Promise.all([startBridge(), launch()])
  owner = await visit(browser, bridge)
  page = owner.page
  await enter(owner, bridge)
})
afterAll(async () => {
  await browser?.close()
  await bridge?.close()
})

const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' })
const menu = (label: string) => page.locator(`summary[aria-label^="${label}"]`)

test('nothing is recorded at first, and the page says how to change that', async () => {
  await expectText(page, 'Nothing has happened yet')
  await owner.go('#/activity')
  await expectText(page, 'choose Edit … at a camera')
  await expectAccessible(owner, 'activity-empty')
  await owner.go('#/')
})

test('the owner has events recorded, and reads what that asks', async () => {
  await menu('More for Front Door').click()
  await button('Edit …').click()
  expect(await page.getByLabel('Never').isChecked()).toBe(true)
  await expectText(page, 'Tell visitors that they are filmed')
  await page.getByLabel('On events').check()
  await expectAccessible(owner, 'edit-record')
  await button('Save').click()
  await expectText(page, 'is saved')
})

test('a ring is listed at once, and marked while it is recorded', async () => {
  const isRecorded = page.locator('.tile').getByText('Recording', { exact: true })
  // The gateway opens the camera again, now to record it: what happens before that is listed, and not recorded.
  for (let tries = 0; tries < 6 && !(await isRecorded.isVisible()); tries += 1) {
    await menu('Test Front Door').click()
    await button('Ring Front Door').click()
    await expectText(page, 'Rang, ')
    await isRecorded.waitFor({ timeout: 10_000 }).catch(() => undefined)
  }
  await isRecorded.waitFor()
  await owner.go('#/camera/front-door')
  await page.locator('.title').getByText('Recording', { exact: true }).waitFor()
  await owner.picture('recording-live')
  await owner.go('#/activity')
  await page.getByRole('button', { name: /^Play Front Door: Rang/ }).waitFor()
  await page.locator('.visit').getByText(/\d s$/).first().waitFor()
  await page.locator('.visit .thumb img').first().waitFor()
  await expectAccessible(owner, 'activity')
}, 180_000)

/** In the page: what the clip shows now, and a moment later. */
async function lookAtClip(): Promise<{
  readonly movedS: number
  readonly colours: number
  readonly size: readonly number[]
}> {
  const video = document.querySelector<HTMLVideoElement>('.clip video')
  if (!video) throw new Error('there is no clip')
  const frame = (): Promise<number> =>
    new Promise((resolve) => video.requestVideoFrameCallback(() => resolve(video.currentTime)))
  const first = await frame()
  let last = first
  while (last < first + 0.5) last = await frame()
  const canvas = document.createElement('canvas')
  ;[canvas.width, canvas.height] = [64, 36]
  const context = canvas.getContext('2d', { willReadFrequently: true })
  context?.drawImage(video, 0, 0, 64, 36)
  const data = context?.getImageData(0, 0, 64, 36).data ?? new Uint8ClampedArray()
  const colours = new Set<number>()
  for (let index = 0; index < data.length; index += 4)
    colours.add(((data[index] ?? 0) >> 4) * 256 + ((data[index + 1] ?? 0) >> 4) * 16 + ((data[index + 2] ?? 0) >> 4))
  return { movedS: last - first, colours: colours.size, size: [video.videoWidth, video.videoHeight] }
}

test('its clip plays in place, on a desk and on a phone', async () => {
  await button(/^Play Front Door: Rang/).click()
  await page.locator('.clip video').waitFor()
  const seen = await page.evaluate(lookAtClip)
  expect(seen.size).toEqual([1280, 720])
  expect(seen.movedS).toBeGreaterThanOrEqual(0.5)
  expect(seen.colours).toBeGreaterThan(30)
  await expectAccessible(owner, 'activity-playing')
  const phone = await visit(browser, bridge, looks.phone)
  await signIn(phone, bridge, bridge.demo())
  await phone.go('#/activity?camera=front-door&kind=press')
  await phone.page.getByRole('button', { name: /^Play Front Door: Rang/ }).click()
  await phone.page.locator('.clip video').waitFor()
  expect((await phone.page.evaluate(lookAtClip)).movedS).toBeGreaterThanOrEqual(0.5)
  await phone.picture('activity-phone')
  expect(phone.complaints()).toEqual([])
  await phone.leave()
})

/** Notes the time of the first recorded picture that a player of this page shows from now on. */
const noteTime = () =>
  page.evaluate(() => {
    const { body } = document
    delete body.dataset['time']
    body.addEventListener('transom-time', ({ detail }) => (body.dataset['time'] = String(detail.at)), { once: true })
  })
const notedTime = async (): Promise<number> =>
  Number(await (await page.waitForFunction(() => document.body.dataset['time'])).jsonValue())

test('it leads into the player of the camera, at its event; the list of sessions says what was shown', async () => {
  const link = page.getByRole('link', { name: /^Open in player: Front Door: Rang/ })
  const at = Number(/at=(\d+)$/.exec((await link.getAttribute('href')) ?? '')?.[1])
  await noteTime()
  await link.click()
  const time = await notedTime()
  expect(time).toBeGreaterThan(at - 1_000)
  expect(time).toBeLessThan(at + 300_000)
  await owner.go('#/sessions')
  await page
    .getByRole('link', { name: /on this page · recording of \d/ })
    .first()
    .click()
  await page.getByText('Recording of', { exact: true }).waitFor()
  expect(await page.getByText('Talk-back', { exact: true }).count()).toBe(0)
  await owner.picture('session-recorded')
  await owner.go('#/activity')
})

test('the filter is in the address, and what it leaves out is not shown', async () => {
  await page.getByLabel(/^What/).selectOption('motion')
  await expectText(page, 'No matching activity')
  expect(page.url()).toContain('#/activity?kind=motion')
  await page.getByLabel(/^What/).selectOption('recorded')
  await page.getByLabel(/^Camera/).selectOption('front-door')
  expect(page.url()).toContain('#/activity?camera=front-door&kind=recorded')
  await page.reload()
  await button(/^Play Front Door/).waitFor()
  await page.getByLabel(/^What/).selectOption('')
})

test('a link to it opens for somebody without an account, until the clip is deleted', async () => {
  await menu('More for Front Door: Rang').click()
  await button('Share a link …').click()
  await button('Make a link').click()
  const link = await page.locator('dialog code').innerText()
  await expectAccessible(owner, 'share-clip')
  await page.keyboard.press('Escape')
  const file = await fetch(link)
  expect([file.status, file.headers.get('content-type')]).toEqual([200, 'video/mp4'])
  expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(10_000)

  await menu('More for Front Door: Rang').click()
  await button('Delete …').click()
  await expectText(page, 'Delete for good?')
  await expectAccessible(owner, 'remove-recording')
  await button('Delete').click()
  await expectText(page, 'Deleted.')
  await button(/^Play Front Door/).waitFor({ state: 'detached' })
  // That somebody rang is not undone.
  await expectText(page, 'Rang, ')
  expect((await fetch(link)).status).toBe(404)
  await page.reload()
  await expectText(page, 'Rang, ')
  expect(await button(/^Play Front Door/).count()).toBe(0)
  expect(owner.complaints()).toEqual([])
})

/** Longer than any of this takes on a machine with other work. */
const patience = 90_000

/** As the operator: what was recorded of the doorbell, as one recording. */
async function operator(path: string, init: RequestInit = {}): Promise<Response> {
  const { url, token } = JSON.parse(readFileSync(join(bridge.dataDir, 'operator.json'), 'utf8'))
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return fetch(`${url}/cameras/front-door${path}`, { ...init, headers })
}

interface Film {
  readonly from: number
  /** How bright each picture is, ten in a second. */
  readonly greys: readonly number[]
}

/** Waits for so many seconds of a recording, and looks at its pictures. */
async function recordedFilm(seconds: number): Promise<Film> {
  for (const giveUpAt = Date.now() + patience; ; await new Promise((resolve) => setTimeout(resolve, 250))) {
    const { recordings } = await (await operator('/recordings')).json()
    const last = recordings.at(-1)
    if (last && last.to - last.from >= seconds * 1_000) {
      const file = Buffer.from(await (await operator(`/recordings/${last.id}/clip.mp4`)).arrayBuffer())
      const decode = ['-v', 'error', '-i', '-', '-vf', 'scale=1:1', '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-']
      const pixels = execFileSync('ffmpeg', decode, { input: file })
      return {
        from: last.from,
        greys: Array.from({ length: pixels.length / 3 }, (_, index) => pixels[3 * index] ?? -1),
      }
    }
    if (Date.now() > giveUpAt) throw new Error(`not recorded: ${JSON.stringify(recordings)}`)
  }
}

interface Look {
  readonly state: PlayerState
  readonly time: number
  readonly grey: number
}

/** In the page: what the player does, the time that it says, and how bright its picture is. */
function lookAtPlayer(): Look {
  const player = document.querySelector('transom-player')
  if (!player) throw new Error('there is no player')
  const canvas = document.createElement('canvas')
  ;[canvas.width, canvas.height] = [1, 1]
  const context = canvas.getContext('2d', { willReadFrequently: true })
  context?.drawImage(player.video, 0, 0, 1, 1)
  return { state: player.state, time: player.time ?? 0, grey: context?.getImageData(0, 0, 1, 1).data[0] ?? -1 }
}

/** Waits until the player is so. */
async function playerIs(claim: (look: Look) => boolean): Promise<Look> {
  await page.locator('transom-player').waitFor()
  for (const giveUpAt = Date.now() + patience; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const seen = await page.evaluate(lookAtPlayer)
    if (claim(seen)) return seen
    if (Date.now() > giveUpAt) throw new Error(`the player is not so: ${JSON.stringify(seen)}`)
  }
}

test('the time line leads back from live, to the very picture of the time that it says, and to live again', async () => {
  await bridge.stop()
  // The doorbell shows the second of a film by its brightness, again and again.
  const film = join(bridge.dataDir, 'film.mp4')
  const picture = "color=black:s=320x240:r=10:d=20,geq=lum='20+10*floor(T)':cb=128:cr=128"
  const coder = ['-c:v', 'libx264', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p', '-g', '10']
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', picture, ...coder, film])
  await bridge.start({ TRANSOM_SOURCE: film })
  expect((await operator('', { method: 'PATCH', body: JSON.stringify({ record: 'always' }) })).status).toBe(204)
  await enter(owner, bridge)
  await owner.go('#/camera/front-door')
  await playerIs(({ state }) => state.state === 'live')
  const { from, greys } = await recordedFilm(13)
  /** The picture is that of the recording at this time. */
  const isTrue = ({ time, grey }: Look) => Math.abs((greys[Math.round((time - from) / 100)] ?? Infinity) - grey) <= 4

  const line = page.getByRole('slider', { name: 'Time' })
  await line.waitFor()
  await button('Show less time').click()
  await page.locator('transom-player [part="preview"]').waitFor({ state: 'hidden' })
  const { x, y, width } = (await line.boundingBox())!
  const placeOf = (instant: number) => x + width * (1 - (Date.now() - instant) / 600_000)
  await page.mouse.move(x + width - 2, y + 12)
  await page.mouse.down()
  await page.mouse.move(placeOf(from + 6_000), y + 12, { steps: 3 })
  await page.locator('transom-player [part="preview"]').waitFor()
  await page.mouse.up()
  await playerIs(({ state }) => state.state === 'recorded')
  await button('Pause').click()
  const first = await playerIs((now) => now.state.state === 'recorded' && now.state.isPaused && isTrue(now))
  await owner.picture('time-line')
  await line.press('ArrowLeft')
  const earlier = await playerIs((now) => now.time < first.time - 4_000 && isTrue(now))
  expect(earlier.time).toBeGreaterThan(first.time - 5_200)
  await line.press('.')
  await playerIs((now) => now.time > earlier.time && now.time < earlier.time + 250 && isTrue(now))
  await page.getByLabel('Speed').selectOption('4')
  await line.press(' ')
  await playerIs(({ state, time }) => state.state === 'recorded' && state.speed === 4 && time > earlier.time + 1_000)
  await expectAccessible(owner, 'time-line')
  await line.press('l')
  await playerIs(({ state }) => state.state === 'live')

  // An address leads the same player there, back to live, and out of where nothing is.
  await noteTime()
  await owner.go(`#/camera/front-door?at=${from + 6_000}`)
  expect(await notedTime()).toBeGreaterThan(from + 5_000)
  await owner.go('#/camera/front-door')
  await playerIs(({ state }) => state.state === 'live')
  await owner.go(`#/camera/front-door?at=${Date.now() + 86_400_000}`)
  await playerIs(({ state }) => state.state === 'failed')
  await button('Live').click()
  await playerIs(({ state }) => state.state === 'live')
  expect(owner.complaints()).toEqual([])
}, 300_000)
