/** A ring in a real browser: recorded by the built-in doorbell, listed with its picture, played, handed on and deleted. */
/* oxlint-disable unicorn/consistent-function-scoping -- what runs in the page must be one function */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
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
