/** What is said at a display in Chromium, as it comes out of a camera's loudspeaker: the same tone, and one talker at a time. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { decodeG711 } from '../../src/gateway/g711.ts'
import { loudestTone } from '../gateway/loudest-tone.ts'
import { media, startRealCameras, type RealCameras } from '../gateway/real-cameras.ts'
import { createHttpCamera, login, type HttpCamera } from '../gateway/talk/http-camera.ts'
import { addCamera, enter, expectText, launch, startBridge, visit, type Bridge, type Visitor } from './visitor.ts'
import { until } from '../until.ts'

/** What the microphone of every window hears. */
const hertz = 700
const directory = mkdtempSync(join(tmpdir(), 'talk-back-'))
let real: RealCameras
let axis: HttpCamera
let bridge: Bridge
let browser: Browser
let owner: Visitor

beforeAll(async () => {
  const microphone = join(directory, 'microphone.wav')
  writeFileSync(microphone, recordTone())
  const door = { path: '/door', media: media['H.264 and G.711'](0x20a020, 440), hasSpeaker: true }
  const gate = { path: '/gate', media: media['H.264 and G.711'](0x2020c0, 440) }
  ;[real, axis, bridge, browser] = await Promise.all([
    startRealCameras([door, gate]),
    createHttpCamera({ brand: 'axis' }),
    startBridge(),
    launch([`--use-file-for-fake-audio-capture=${microphone}`]),
  ])
  await addCamera(bridge, { id: 'door', source: `rtsp://127.0.0.1:${real.port}/door` })
  const user = `${login.user}:${login.password}`
  const source = `rtsp://${user}@127.0.0.1:${real.port}/gate#talk-back=axis:${axis.port}`
  await addCamera(bridge, { id: 'gate', source })
  owner = await visit(browser, bridge)
  await enter(owner, bridge)
})
afterEach(() => {
  expect(owner.complaints()).toEqual([])
})
afterAll(async () => {
  await browser?.close()
  await bridge?.close()
  await Promise.all([real?.close(), axis?.close()])
  rmSync(directory, { recursive: true, force: true })
})

/** A WAV file (16 bit at 48 kHz): half a second of the tone, a quarter of a second of silence, which Chromium plays again and again. */
function recordTone(): Buffer {
  const rate = 48_000
  const samples = Buffer.alloc(rate * 1.5)
  for (let index = 0; index < rate / 2; index += 1)
    samples.writeInt16LE(Math.round(16_000 * Math.sin((2 * Math.PI * hertz * index) / rate)), index * 2)
  const header = Buffer.alloc(44)
  header.write('RIFF')
  header.writeUInt32LE(36 + samples.length, 4)
  header.write('WAVEfmt ', 8)
  for (const [at, value] of [16, 0x0001_0001, rate, rate * 2, 0x0010_0002].entries())
    header.writeUInt32LE(value, 16 + at * 4)
  header.write('data', 36)
  header.writeUInt32LE(samples.length, 40)
  return Buffer.concat([header, samples])
}

const played = {
  door: () => real.played('/door'),
  gate: () => decodeG711('PCMU', axis.played()),
}

/** Waits until the loudspeaker has played two more seconds, and listens to them. */
async function listen(camera: keyof typeof played, from: number) {
  await until(
    () => played[camera]().length >= from + 16_000,
    () => `the loudspeaker has played ${played[camera]().length - from} samples`,
  )
  return loudestTone(played[camera]().subarray(from), 8_000)
}

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name })
const live = (page: Page) => page.getByRole('status').filter({ hasText: /^Live$/ })

describe.each([
  { assistant: 'google', app: 'Google Home', show: /^“Hey Google, show the/ },
  { assistant: 'alexa', app: 'Alexa', show: /^“Alexa, show the/ },
] as const)('what is said at the display of $app', ({ assistant, app, show }) => {
  test.each([
    ['door', 'the back channel of ONVIF'],
    ['gate', 'the HTTP API of Axis'],
  ] as const)('is the same tone at the loudspeaker of the %s, by %s', async (camera, _way) => {
    const { page } = owner
    await owner.go(`#/display/${assistant}/${camera}`)
    const linking = button(page, `Link ${app}`)
    await linking.or(button(page, show)).first().waitFor()
    if (await linking.isVisible()) {
      await linking.click()
      await page.waitForURL(/\/oauth\//)
      await button(page, /Agree|Link|Allow/).click()
    }
    await button(page, show).click()
    const talk = button(page, /^Talk/)
    await talk.waitFor()
    const before = played[camera]().length
    await talk.hover()
    await page.mouse.down()
    const { hertz: heard, level } = await listen(camera, before)
    await page.mouse.up()
    expect(Math.abs(heard - hertz)).toBeLessThan(hertz * 0.02)
    expect(level).toBeGreaterThan(0.02)
    await expectText(page, 'Camera receives the talk-back')
    await owner.picture(`talk-back ${assistant} ${camera}`)
    await owner.go('#/')
  })
})

/** It keeps talking until the next one. */
async function tap(page: Page): Promise<void> {
  await button(page, /^Talk/).focus()
  await page.keyboard.press('Enter')
}

test('who talks second sees that somebody else is talking, and is played when the first has ended', async () => {
  const first = owner.page
  const second = await first.context().newPage()
  for (const page of [first, second]) {
    await page.goto(`${bridge.url}/#/camera/door`)
    await live(page).waitFor()
  }
  await tap(first)
  await expectText(first, 'The camera plays what you say')
  await tap(second)
  // The player itself, over its picture, for a screen reader, too.
  await second
    .locator('transom-player')
    .getByRole('status')
    .filter({ hasText: /^Somebody else is talking/ })
    .waitFor()
  expect(await second.getByText('The camera plays what you say').count()).toBe(0)
  expect(await first.getByText('Somebody else is talking.').count()).toBe(0)
  await owner.picture('talk-back second', second)
  const before = played.door().length
  await tap(first)
  await expectText(second, 'The camera plays what you say')
  await second.getByText('Somebody else is talking.').waitFor({ state: 'detached' })
  expect(Math.abs((await listen('door', before)).hertz - hertz)).toBeLessThan(hertz * 0.02)
  await tap(second)
})
