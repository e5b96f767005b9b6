/** The page, linking and consent in German, in a real browser: nothing English, nothing cut, nothing that axe finds. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { looksEnglish } from '../catalogues.ts'
import { expectText, launch, looks, startBridge, visit, type Bridge, type Visitor } from './visitor.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let bridge: Bridge
let browser: Browser
let reader: Visitor
let page: Page

beforeAll(async () => {
  ;[bridge, browser] = await Promise.all([startBridge(), launch()])
  reader = await visit(browser, bridge, { ...looks.phone, locale: 'de-DE', timezoneId: 'Europe/Berlin' })
  page = reader.page
})
afterAll(async () => {
  await browser?.close()
  await bridge?.close()
})

/** On a phone's screen. Names of cameras and what programs say (`code`, `pre`, `lang="en"`) may be English. */
async function expectGerman(name: string): Promise<void> {
  expect(await page.locator('html').getAttribute('lang')).toBe('de')
  const { said, overflow, cut } = await page.evaluate(() => {
    const elements = [...document.querySelectorAll('body *')]
    const foreign = 'noscript, code, pre, [lang=en], [lang=en] *, bdi, h1, script, style, svg, svg *, .languages *'
    const bar = document.querySelector('transom-player')?.shadowRoot?.querySelector('[part=bar]')
    const own = elements
      .filter((element) => !element.matches(foreign))
      .flatMap((element) => [
        ...[...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.textContent),
        ...['aria-label', 'title', 'alt', 'placeholder'].map((attribute) => element.getAttribute(attribute)),
      ])
    return {
      said: own.filter((text): text is string => text !== null && text.trim() !== ''),
      overflow: document.documentElement.scrollWidth - innerWidth,
      cut: [...elements, ...(bar ? [bar] : [])]
        .filter(
          (element) => element.matches('button, .button, [part=bar]') && element.scrollWidth > element.clientWidth + 1,
        )
        .map((element) => element.textContent),
    }
  })
  await reader.picture(`german-${name}`)
  const english = said.map((text) => text.replaceAll(/Front Door|Synthetic Doorbell/g, '')).filter(looksEnglish)
  expect({ name, english, overflow, cut }).toEqual({ name, english: [], overflow: 0, cut: [] })
  const { violations } = await page.evaluate<AxeResults>(`${axe}; axe.run(document, { resultTypes: ['violations'] })`)
  expect({ name, found: violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`) }).toEqual({ name, found: [] })
}

const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' })

test('from the printed link to the cameras, live and linked', async () => {
  await page.goto(bridge.link())
  await expectGerman('entry')
  await button('Anmelden').click()
  await page.getByRole('heading', { name: 'Kameras', level: 1 }).waitFor()
  await page.locator('.still img').waitFor()
  await expectGerman('cameras')

  await page.getByLabel('Konto von').click()
  await expectGerman('menu')
  await page.getByLabel('Konto von').click()
  await button('Kamera hinzufügen').click()
  await expectGerman('add')
  await button('Schließen').click()

  await reader.go('#/camera/front-door')
  await page.getByRole('button', { name: /^Sprechen/ }).waitFor()
  await expectText(page, 'Bild nach')
  await expectGerman('live')

  await reader.go('#/display/google/front-door')
  await button('Google Home verknüpfen').click()
  await page.waitForURL(/\/oauth\//)
  await expectGerman('consent')
  await button('Zustimmen und verknüpfen').click()
  await button(/zeig mir/).waitFor()
  await expectGerman('display')

  await reader.go('#/sessions')
  await page.getByRole('heading', { name: 'Aufrufe', level: 1 }).waitFor()
  await expectGerman('sessions')
  await page.goto(`${bridge.url}/oauth/account`)
  await expectText(page, 'Verbundene Assistenten')
  await expectGerman('account')
}, 240_000)

test('a failed view tells its cause and advice in German', async () => {
  await bridge.stop()
  await bridge.start({ TRANSOM_DOORBELL: 'off' })
  await bridge.call('--assistant', 'google')
  await page.goto(bridge.link())
  await button('Anmelden').click()
  await page.getByRole('heading', { name: 'Kameras', level: 1 }).waitFor()
  await reader.go('#/sessions')
  await page
    .getByRole('link', { name: /Fehler/ })
    .first()
    .click()
  await expectText(page, 'Die Kamera ist nicht verbunden.')
  await expectText(page, 'Prüfe, ob sie Strom und Netz hat')
  await expectGerman('failed')
})

test('who prefers English says so, and it stays', async () => {
  await reader.go('#/')
  await page.getByLabel('Konto von').click()
  await button('English').click()
  await page.getByRole('heading', { name: 'Cameras', level: 1 }).waitFor()
  expect(await page.locator('html').getAttribute('lang')).toBe('en')
  await page.reload()
  await page.getByRole('heading', { name: 'Cameras', level: 1 }).waitFor()
  await page.goto(`${bridge.url}/oauth/account`)
  await expectText(page, 'Connected assistants')
})

test('no page broke a policy, threw, or asked another origin', () => {
  expect(reader.complaints()).toEqual([])
})
