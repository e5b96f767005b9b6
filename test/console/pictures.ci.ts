/** A real browser at cameras whose packets arrive, and at which there is nothing to be seen: what the player and the page say of it. */
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
  ['black', 'a fault', { seconds: 2, paint: () => 16 }, 'The picture is black.', ['black_picture', []]],
  // One picture, which is shown again and again.
  [
    'still',
    'a remark',
    { seconds: 0.1 },
    'The picture has not changed for 5 s or more.',
    [undefined, ['still_picture']],
  ],
])('a %s picture is %s of the player', async (name, _kind, movie, words, state) => {
  const path = join(directory, `${name}.mp4`)
  await makeMovie({ path, ...movie })
  await bridge.stop()
  await bridge.start({ TRANSOM_SOURCE: path })
  const viewer = await visit(browser, bridge)
  await signIn(viewer, bridge, bridge.demo())
  const { page } = viewer
  await page.getByRole('link', { name: 'Front Door, live' }).click()
  await page.locator('transom-player').getByRole('status').filter({ hasText: words }).waitFor()
  const { fault, remarks } = await page.evaluate<{ fault?: { code: string }; remarks: string[] }>(
    "document.querySelector('transom-player').state",
  )
  expect([fault?.code, remarks]).toEqual(state)
  // The page advises on faults, below.
  if (fault) await page.locator('.cause').filter({ hasText: words }).waitFor()
  expect(
    await page
      .getByRole('status')
      .filter({ hasText: /^Live$/ })
      .count(),
  ).toBe(1)
  await viewer.picture(`picture-${name}`)
  expect(viewer.complaints()).toEqual([])
  await viewer.leave()
})
