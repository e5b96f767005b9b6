/** A real browser at cameras whose packets arrive, and at which there is nothing to be seen: the page says what is wrong. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { makeMovie } from '../gateway/movie.ts'
import { launch, signIn, startBridge, visit, type Bridge } from './visitor.ts'

let bridge: Bridge
let browser: Browser
const directory = mkdtempSync(join(tmpdir(), 'seen-pictures-'))

beforeAll(async () => {
  ;[bridge, browser] = await Promise.all([startBridge(), launch()])
})
afterAll(async () => {
  await browser?.close()
  await bridge?.close()
  rmSync(directory, { recursive: true })
})

test.each([
  ['black', { seconds: 2, paint: () => 16 }, 'The picture is black.'],
  // One picture, which is shown again and again.
  ['still', { seconds: 0.1 }, 'The picture stands still.'],
])('a %s picture is told by the player and the page', async (name, movie, words) => {
  const path = join(directory, `${name}.mp4`)
  await makeMovie({ path, ...movie })
  await bridge.stop()
  await bridge.start({ TRANSOM_SOURCE: path })
  const viewer = await visit(browser, bridge)
  await signIn(viewer, bridge, bridge.demo())
  const { page } = viewer
  await page.getByRole('link', { name: 'Front Door, live' }).click()
  await page.locator('.cause').filter({ hasText: words }).waitFor()
  expect(
    await page
      .getByRole('status')
      .filter({ hasText: /^Live$/ })
      .count(),
  ).toBe(1)
  expect(await page.locator('transom-player').getByText(words).isVisible()).toBe(true)
  await viewer.picture(`picture-${name}`)
  expect(viewer.complaints()).toEqual([])
  await viewer.leave()
})
