/** A real browser at a real bridge: signs in, sees and hears the doorbell, talks to it, and comes back when it went away. */
/* oxlint-disable unicorn/consistent-function-scoping -- what runs in the page must be one function */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import type * as PlayerModule from '../../src/player/main.ts'
import type { Player } from '../../src/player/player.ts'
import type { PlayerStats } from '../../src/player/stats.ts'
import { en } from '../../src/console/language/en.ts'
import { createFormats } from '../../src/console/language/formats.ts'
import {
  enter,
  expectText,
  launch,
  look,
  looks,
  signIn,
  startBridge,
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
})
afterEach(() => {
  expect(owner.complaints()).toEqual([])
})
afterAll(async () => {
  await browser?.close()
  await bridge?.close()
})

const live = (page: Page) => page.getByRole('status').filter({ hasText: /^Live$/ })
/** Two readings of the player's own statistics. */
function stats(page: Page): Promise<readonly [PlayerStats, PlayerStats]> {
  return page.evaluate(async () => {
    const next = (): Promise<PlayerStats> =>
      new Promise((resolve) =>
        document.addEventListener('transom-stats', (event) => resolve((event as CustomEvent<PlayerStats>).detail), {
          once: true,
        }),
      )
    return [await next(), await next()] as const
  })
}

/** The live view, playing. */
async function watch({ page }: Visitor): Promise<void> {
  await page.getByRole('link', { name: 'Front Door, live' }).click()
  await live(page).waitFor()
  await unfold(page)
}

/** In the page: the states of a player whose camera is never there, until it gives up. */
async function givingUp(bridge: string): Promise<readonly string[]> {
  const { createPlayer } = (await import(`${bridge}/transom-player.js`)) as typeof PlayerModule
  const body = { error: 'camera_offline', message: 'the camera is not connected' }
  const player = createPlayer({
    bridge,
    cameraId: 'front-door',
    token: async () => 'any',
    video: document.createElement('video'),
    fetch: async () => Response.json(body, { status: 503 }),
    // Longer than the first pause, shorter than the second.
    giveUpMs: 1_000,
  })
  const states: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  player.on('state', (state) =>
    states.push('problem' in state ? `${state.state}: ${state.problem.message}` : state.state),
  )
  player.on('failed', () => resolve())
  player.play()
  await promise
  return states
}

describe('whoever has started the bridge', () => {
  test('is signed in by the link that was printed, once', async () => {
    const link = bridge.link()
    await enter(owner, bridge)
    await expectText(owner.page, 'Online')
    await owner.page.locator('.still img').waitFor()
    await owner.picture('cameras')
    const other = await visit(browser, bridge)
    await other.page.goto(link)
    await expectText(other.page, 'used up')
    await other.leave()
  })

  test('stays signed in when the page is loaded again, and comes back to the same screen', async () => {
    await owner.go('#/sessions')
    await owner.page.reload()
    await owner.page.getByRole('heading', { name: 'Sessions', level: 1 }).waitFor()
    await owner.go('#/')
  })

  test('sees the doorbell move and hears it', async () => {
    await watch(owner)
    const seen = await look(owner.page)
    expect(seen.size).toEqual([1280, 720])
    expect(seen.colours).toBeGreaterThan(30)
    expect(seen.clockMoved).toBeGreaterThan(0.01)
    expect(seen.clockMoved).toBeGreaterThan(3 * seen.skyMoved)
    expect(seen.loudness).toBeGreaterThan(0.001)
    const [first, second] = await stats(owner.page)
    expect(second.framesDecoded).toBeGreaterThan(first.framesDecoded)
    expect(second.audioEnergy).toBeGreaterThan(first.audioEnergy)
    expect(second).toMatchObject({ codec: 'H264', width: 1280, height: 720, route: 'direct' })
    expect(second.firstFrameMs).toBeGreaterThan(0)
    expect(second.roundTripMs).toBeGreaterThanOrEqual(0)
  })

  test('finds what happened when, told by the browser and by the bridge, in one order', async () => {
    const rows = await owner.page.locator('.waterfall tbody th').allInnerTexts()
    const order = [
      'Live view requested',
      'Offer sent',
      'Offer received',
      'Camera answered',
      'Answer sent',
      'Answer received',
    ]
    const wanted = [...order, 'ICE', 'DTLS', 'First frame']
    const places = wanted.map((label) => rows.findIndex((row) => row.startsWith(label)))
    expect(places).not.toContain(-1)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
  })

  test('sees the statistics, and silences the sound, by keyboard', async () => {
    const { page } = owner
    const info = page.getByRole('button', { name: 'Statistics' })
    await info.focus()
    await page.keyboard.press('Enter')
    await expectText(page, '1280 × 720')
    await page.getByRole('button', { name: 'Turn sound off' }).focus()
    await page.keyboard.press('Space')
    await page.getByRole('button', { name: 'Turn sound on' }).waitFor()
    await owner.picture('player')
    await page.keyboard.press('Space')
    await info.focus()
    await page.keyboard.press('Enter')
  })

  test('talks by holding the button, and the doorbell says what it heard', async () => {
    const { page } = owner
    const talk = page.getByRole('button', { name: /^Talk/ })
    await talk.hover()
    await page.mouse.down()
    expect(await talk.getAttribute('aria-pressed')).toBe('true')
    const [first, second] = await stats(page)
    expect(second.bytesSent).toBeGreaterThan(first.bytesSent)
    await expectText(page, 'The camera plays what you say')
    await expectText(page, 'Camera receives the talk-back')
    await page.mouse.up()
    expect(await talk.getAttribute('aria-pressed')).toBe('false')
    const [, third] = await stats(page)
    const [, fourth] = await stats(page)
    expect(fourth.bytesSent).toBe(third.bytesSent)
  })

  test('keeps talking after a tap, until the next one', async () => {
    const { page } = owner
    const talk = page.getByRole('button', { name: /^Talk/ })
    await talk.focus()
    await page.keyboard.press('Enter')
    const [first, second] = await stats(page)
    expect(second.bytesSent).toBeGreaterThan(first.bytesSent)
    await page.keyboard.press('Enter')
    expect(await talk.getAttribute('aria-pressed')).toBe('false')
  })
})

test('two viewers see it at once, one of them on a phone', async () => {
  const phone = await visit(browser, bridge, looks.phone)
  await signIn(phone, bridge, bridge.demo())
  await watch(phone)
  await Promise.all([look(phone.page), look(owner.page)])
  await phone.picture('phone-camera')
  expect(await phone.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
  await phone.page.getByRole('link', { name: 'Back to the cameras' }).click()
  await expectText(phone.page, '1 viewer')
  expect(phone.complaints()).toEqual([])
  await phone.leave()
})

test('a vendor’s own page on another origin shows the camera with the same module', async () => {
  // A token as the vendor's app would have got it: here the page's own.
  const asked = owner.page.waitForRequest('**/api/sessions?*')
  await owner.go('#/')
  await owner.page.reload()
  const token = (await (await asked).headerValue('authorization'))!.replace('Bearer ', '')
  const context = await browser.newContext({ permissions: ['microphone'] })
  const page = await context.newPage()
  const body = `<!doctype html><title>Vendor</title>
    <script type="module">
      import { createPlayer } from '${bridge.url}/transom-player.js'
      document.querySelector('transom-player').token = async () => '${token}'
      document.querySelector('transom-player').play()
      window.plain = createPlayer({
        bridge: '${bridge.url}', cameraId: 'no-such-camera', token: async () => '${token}', video: document.createElement('video'),
      })
    </script>
    <transom-player camera="front-door" label="Door"></transom-player>`
  await page.route('https://vendor.example/**', (route) => route.fulfill({ contentType: 'text/html', body }))
  await page.goto('https://vendor.example/')
  await live(page).waitFor()
  await look(page)
  const failed = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const { plain } = globalThis as unknown as { plain: Player }
        plain.on('failed', resolve)
        plain.play()
      }),
  )
  expect(failed).toMatchObject({ code: 'camera_not_found' })
  const states = await page.evaluate(givingUp, bridge.url)
  expect([...new Set(states)]).toEqual([
    'connecting',
    'reconnecting: the camera is not connected',
    'failed: the camera is not connected',
  ])
  await context.close()
})

test('the page and npm run call tell the same story of the same session', async () => {
  const { report } = await bridge.call('--assistant', 'google')
  expect(report.ok).toBe(true)
  await owner.go('#/sessions')
  const { page } = owner
  await page
    .getByRole('link', { name: /Front Door on Google Home/ })
    .first()
    .click()
  await expectText(page, 'Camera receives the talk-back')
  const rows = await page.locator('.waterfall tbody .at').allInnerTexts()
  const { bridgeTimeline } = report
  expect(bridgeTimeline.length).toBeGreaterThan(5)
  // The call does not wait for the camera's last word, which the page has.
  expect(rows.slice(0, bridgeTimeline.length)).toEqual(
    bridgeTimeline.map(({ atMs }) => createFormats('en', en).duration(atMs)),
  )
})

describe('when the bridge goes away', () => {
  test('the player says so, then names the cause when the doorbell is missing, and comes back by itself', async () => {
    const { page } = owner
    await owner.go('#/')
    await watch(owner)
    await bridge.stop()
    await expectText(page, 'The bridge cannot be reached.')
    await expectText(page, 'The bridge is not answering.')
    await bridge.start({ TRANSOM_DOORBELL: 'off' })
    await expectText(page, 'camera offline')
    await owner.picture('offline')
    // It asks after the camera, and does not call it: each call would be one more session that fails.
    const offers: string[] = []
    page.on('request', (request) => {
      if (request.url().endsWith('/offer')) offers.push(request.url())
    })
    for (let times = 0; times < 2; times += 1)
      await page.waitForResponse((response) => response.url().endsWith('/api/cameras/front-door'))
    expect(offers).toEqual([])
    await bridge.stop()
    await bridge.start()
    await live(page).waitFor()
    await look(page)
  })
})

// The last one: a bridge of another name takes no token of the one before.
test('at a plain http:// address one can look, and is told what talking needs', async () => {
  const { port } = new URL(bridge.url)
  await bridge.stop()
  await bridge.start({ TRANSOM_PUBLIC_URL: `http://doorbell.test:${port}` })
  const guest = await visit(browser, bridge)
  await signIn(guest, bridge, bridge.demo())
  expect(await guest.page.evaluate(() => isSecureContext)).toBe(false)
  await watch(guest)
  await look(guest.page)
  await guest.page.getByRole('button', { name: /^Talk/ }).click()
  await expectText(guest.page, 'open the bridge there')
  // Chromium says of each page that this header does nothing at such an address.
  expect(guest.complaints().filter((text) => !text.startsWith('The Cross-Origin-Opener-Policy header'))).toEqual([])
  await guest.leave()
})
