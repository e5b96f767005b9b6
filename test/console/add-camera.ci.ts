/** A network camera on the page: probed with its picture, saved, edited, tried, its loudspeaker tried; with axe and by keyboard. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { backChannel, createFakeCamera, pcma, type FakeCamera } from '../gateway/rtsp/camera.ts'
import { recordMoving, sendMoving, type Moving } from '../gateway/rtsp/moving.ts'
import { enter, expectText, launch, startBridge, visit, type Bridge, type Visitor } from './visitor.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const login = { user: 'admin', password: 's3cret/of the@porch' }
let bridge: Bridge
let browser: Browser
let owner: Visitor
let page: Page
let camera: FakeCamera
let playing: NodeJS.Timeout

beforeAll(async () => {
  const moving: Moving = await recordMoving('H.264', 25)
  camera = await createFakeCamera({ quiet: true, login, sdp: moving.sdp + pcma + backChannel })
  let second = 0
  playing = setInterval(() => sendMoving(camera, moving, second++ * 90_000), 300)
  ;[bridge, browser] = await Promise.all([startBridge(), launch()])
  owner = await visit(browser, bridge)
  page = owner.page
  await enter(owner, bridge)
})
afterAll(async () => {
  clearInterval(playing)
  await browser?.close()
  await bridge?.close()
  await camera?.close()
})

const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' })

async function expectAccessible(name: string): Promise<void> {
  for (const [colorScheme, width] of [
    ['light', 1280],
    ['dark', 375],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: 860 })
    const { violations } = await page.evaluate<AxeResults>(`${axe}; axe.run(document, { resultTypes: ['violations'] })`)
    expect({ name, found: violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`) }).toEqual({
      name,
      found: [],
    })
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0)
    await owner.picture(`${name}-${width}`)
  }
}

test('a camera is probed by its address, shown with a picture, questioned for its name, and saved by the keyboard', async () => {
  await button('Add a camera').focus()
  await page.keyboard.press('Enter')
  await button(/^RTSP or ONVIF address/).waitFor()
  await expectAccessible('add-ways')
  await button(/^RTSP or ONVIF address/).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('textbox', { name: 'Address' }).fill(`rtsp://127.0.0.1:${camera.port}/live`)
  await page.getByLabel(/^User/).fill(login.user)
  await page.getByLabel('Password').fill('wrong')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').getByRole('alert').waitFor()
  expect(await page.getByRole('dialog').getByRole('alert').innerText()).toContain('password')
  await expectAccessible('add-refused')
  await page.getByLabel('Password').fill(login.password)
  await page.keyboard.press('Enter')
  await page.getByAltText('What the camera shows now').waitFor()
  await expectText(page, 'Echo Show, Nest Hub and browsers play it as it is.')
  await page.getByRole('textbox', { name: 'Name' }).fill('front door')
  await expectText(page, 'You already have a camera with this name')
  await expectAccessible('add-result')
  await page.getByRole('textbox', { name: 'Name' }).fill('Back porch')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Back porch' }).waitFor()
})

test('it is edited without its password, tried again, and its loudspeaker is tried', async () => {
  const addresses: string[] = []
  page.on('response', (response) => {
    void response.text().then(
      (text) => addresses.push(text),
      () => undefined,
    )
  })
  await page.locator('summary[aria-label="More for Back porch"]').click()
  await button('Edit …').click()
  await page.getByRole('textbox', { name: 'User' }).waitFor()
  expect(await page.getByRole('textbox', { name: 'User' }).inputValue()).toBe(login.user)
  expect(await page.getByLabel(/^Password/).inputValue()).toBe('')
  await button('Try').click()
  await page.getByAltText('What the camera shows now').waitFor()
  await button('Test talk-back').click()
  await expectText(page, 'The camera accepted the tone.')
  expect(camera.played.length).toBeGreaterThan(70)
  await expectAccessible('edit')
  await page.getByRole('textbox', { name: 'Name' }).fill('Garden')
  await button('Save').click()
  await page.getByRole('heading', { name: 'Garden' }).waitFor()
  expect(addresses.join()).not.toContain(login.password)
  expect(owner.complaints()).toEqual([])
})
