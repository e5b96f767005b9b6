/** The browser as an Echo Show and a Nest Hub: linked through the real pages, with picture, sound, talk-back and the bell. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import {
  enter,
  expectText,
  launch,
  look,
  looks,
  startBridge,
  tryOut,
  visit,
  type Bridge,
  type Visitor,
} from './visitor.ts'

let bridge: Bridge
let browser: Browser
let owner: Visitor

beforeAll(async () => {
  ;[bridge, browser] = await Promise.all([startBridge(), launch()])
  owner = await visit(browser, bridge)
  await enter(owner, bridge)
})
afterEach(() => {
  expect(owner.complaints()).toEqual([])
})
afterAll(async () => {
  await browser?.close()
  await bridge?.close()
})

const displays = [
  {
    assistant: 'alexa',
    device: 'Echo Show',
    app: 'Alexa',
    show: '“Alexa, show the Front Door”',
    stop: '“Alexa, stop”',
    announcement: 'Someone is at the Front Door',
    sorry: 'the camera isn’t responding',
    // The cloud's steps, the display's and the bridge's.
    steps: [
      'Account linked',
      'Cameras discovered',
      'Offer made',
      'Offer received',
      'Camera answered',
      'DTLS',
      'First frame',
    ],
  },
  {
    assistant: 'google',
    device: 'Nest Hub',
    app: 'Google Home',
    show: '“Hey Google, show the Front Door”',
    stop: '“Hey Google, stop”',
    announcement: 'Front Door: somebody rings',
    sorry: 'the camera isn’t available',
    steps: [
      'Account linked',
      'Cameras discovered',
      'Stream',
      'Offer made',
      'Offer received',
      'Camera answered',
      'First frame',
    ],
  },
] as const

/** Over the consent page; who is signed in at the console is signed in there. */
async function link(page: Page, app: string): Promise<void> {
  await press(page, `Link ${app}`)
  await page.waitForURL(/\/oauth\//)
  await press(page, /Agree|Link|Allow/)
}

const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click()

describe.each(displays)('the $device', ({ assistant, device, app, show, stop, announcement, sorry, steps }) => {
  test('is linked over the sign-in and consent pages, and comes back to where it was', async () => {
    const { page } = owner
    await owner.go('#/')
    await tryOut(page, 'link', `Show Front Door on ${assistant === 'alexa' ? 'an' : 'a'} ${device}`)
    await link(page, app)
    await page.getByRole('button', { name: show }).waitFor()
    expect(new URL(page.url()).hash).toBe(`#/display/${assistant}/front-door`)
  })

  test('says that somebody rings, in a moment', async () => {
    const { page } = owner
    await press(page, 'Ring Front Door')
    await expectText(page, announcement)
    await expectText(page, 'ms after the press')
    await owner.picture(`${assistant}-rings`)
  })

  test('shows the doorbell, with sound', async () => {
    const { page } = owner
    await press(page, show)
    await page.getByRole('button', { name: /^Talk/ }).waitFor()
    const seen = await look(page)
    expect(seen.size).toEqual([1280, 720])
    expect(seen.colours).toBeGreaterThan(30)
    expect(seen.clockMoved).toBeGreaterThan(0.01)
    expect(seen.loudness).toBeGreaterThan(0.001)
    await expectText(page, 'Camera reports: connected')
    const rows = await page.locator('.waterfall tbody th').allInnerTexts()
    const places = steps.map((label) => rows.findIndex((row) => row.startsWith(label)))
    expect(places).not.toContain(-1)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    await owner.picture(`${assistant}-shows`)
  })

  test('lets one talk to whoever is there', async () => {
    const { page } = owner
    await page.getByRole('button', { name: /^Talk/ }).click({ delay: 1_500 })
    await expectText(page, 'Camera receives the talk-back')
    await expectText(page, 'Talk-back ended')
  })

  test('leaves a session of the assistant’s own kind, that ends when it is told to stop', async () => {
    const { page } = owner
    await press(page, stop)
    await page.getByRole('button', { name: show }).waitFor()
    await page.getByRole('link', { name: 'Open the session' }).click()
    await page.getByRole('heading', { name: `Front Door on ${app}` }).waitFor()
    await expectText(page, 'Ended')
    await expectText(page, 'packets received')
    await owner.picture(`${assistant}-session`)
  })

  test('says what is wrong, and what to do about it, when the doorbell has stopped', async () => {
    const { page } = owner
    await bridge.stop()
    await bridge.start({ TRANSOM_DOORBELL: 'off' })
    // The simulator keeps its links in memory, as the notice on the page then says.
    await owner.go(`#/display/${assistant}/front-door`)
    await link(page, app)
    await press(page, show)
    await expectText(page, sorry)
    const cause = page.getByRole('region', { name: 'Cause' })
    await cause.getByText('camera offline', { exact: false }).waitFor()
    expect(await cause.innerText()).toMatch(/power and network/)
    await owner.picture(`${assistant}-fails`)
    await bridge.stop()
    await bridge.start()
  })
})

test('on a phone the display fits the screen', async () => {
  const phone = await visit(browser, bridge, looks.phone)
  await enter(phone, bridge)
  await phone.go('#/display/alexa/front-door')
  await link(phone.page, 'Alexa')
  await press(phone.page, '“Alexa, show the Front Door”')
  await phone.page.getByRole('button', { name: /^Talk/ }).waitFor()
  await look(phone.page)
  expect(await phone.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
  await phone.picture('phone-alexa')
  expect(phone.complaints()).toEqual([])
  await phone.leave()
})
