/** Somebody rings, and everybody with the page open knows: on each screen, in each window, and not where it is muted. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import {
  enter,
  expectText,
  launch,
  looks,
  signIn,
  startBridge,
  tryOut,
  unfold,
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
afterAll(async () => {
  await browser?.close()
  await bridge?.close()
})

const card = (page: Page) => page.getByRole('region', { name: 'Somebody is at Front Door' })
const ring = (page: Page) => tryOut(page, 'button', 'Ring Front Door')

test('on each screen stands who rings, and the window says so, until somebody has seen it', async () => {
  const watcher = await visit(browser, bridge, looks.phone)
  await signIn(watcher, bridge, bridge.demo())
  for (const screen of ['#/', '#/sessions', '#/camera/front-door']) {
    await watcher.go(screen)
    await watcher.page.locator('h1').first().waitFor()
    await ring(owner.page)
    await card(watcher.page).waitFor()
    await watcher.page.waitForFunction(() => document.title === 'Somebody is at Front Door · Transom')
    await watcher.picture(`rings ${screen.replaceAll('/', ' ').slice(2)}`)
    await card(watcher.page).getByRole('button', { name: 'Dismiss' }).click()
    await card(watcher.page).waitFor({ state: 'detached' })
    await watcher.page.waitForFunction(() => !document.title.includes('Somebody'))
  }
  expect(watcher.complaints()).toEqual([])
  await watcher.leave()
})

test('whoever answers sees the door live, and is heard there', async () => {
  await ring(owner.page)
  await card(owner.page).getByRole('link', { name: 'Answer' }).click()
  await owner.page
    .getByRole('status')
    .filter({ hasText: /^Live$/ })
    .waitFor()
  await expectText(owner.page, 'The camera plays what you say')
  await unfold(owner.page)
  expect(await owner.page.getByRole('button', { name: /^Talk/ }).getAttribute('aria-pressed')).toBe('true')
  await owner.picture('answered')
  await owner.go('#/')
})

test('a muted camera does not ring, and its tile says until when', async () => {
  await ring(owner.page)
  await owner.picture('rings desktop')
  await card(owner.page).locator('summary').click()
  await card(owner.page).getByRole('button', { name: 'an hour' }).click()
  await card(owner.page).waitFor({ state: 'detached' })
  await expectText(owner.page, 'Does not ring on this browser until')
  await ring(owner.page)
  await expectText(owner.page, 'Front Door rings.')
  expect(await card(owner.page).count()).toBe(0)
  await owner.page.getByRole('button', { name: 'Ring again' }).click()
  await card(owner.page).waitFor()
  await card(owner.page).getByRole('button', { name: 'Dismiss' }).click()
})

test('twenty windows of one browser all show cameras, and all ring', async () => {
  const context = owner.page.context()
  const more = await Promise.all(Array.from({ length: 19 }, () => context.newPage()))
  for (const page of more) {
    await page.goto(bridge.url)
    await page.getByRole('heading', { name: 'Front Door' }).waitFor()
  }
  await ring(owner.page)
  for (const page of [owner.page, ...more]) await card(page).waitFor()
  // Whoever leads is closed: another goes on.
  await owner.page.close()
  await ring(more[3]!)
  for (const page of more.toReversed()) await card(page).waitFor()
  expect(owner.complaints()).toEqual([])
})
