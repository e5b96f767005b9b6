/** Every screen in a real browser: with axe, in both colours, on a desk and on a phone; and what can be done there. */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { expectAccessible } from './accessible.ts'
import { enter, expectText, launch, signIn, startBridge, visit, type Bridge, type Visitor } from './visitor.ts'

let bridge: Bridge
let browser: Browser
let owner: Visitor
let page: Page

beforeAll(async () => {
  ;[bridge, browser] = await Promise.all([startBridge(), launch()])
  // A session with a cause and one without, for the lists.
  await bridge.stop()
  await bridge.start({ TRANSOM_DOORBELL: 'off' })
  await bridge.call('--assistant', 'google')
  await bridge.stop()
  await bridge.start()
  await bridge.call('--assistant', 'alexa')
  owner = await visit(browser, bridge)
  page = owner.page
  await enter(owner, bridge)
})
afterAll(async () => {
  await browser?.close()
  await bridge?.close()
})

const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' })

describe('axe finds nothing', () => {
  test('on the list of cameras', async () => {
    await page.locator('.still img').waitFor()
    await expectText(page, 'Nothing has happened yet')
    await expectAccessible(owner, 'cameras')
  })

  test('on the live view', async () => {
    await owner.go('#/camera/front-door')
    await button(/^Talk/).waitFor()
    await button('Statistics').click()
    await expectAccessible(owner, 'camera')
  })

  test('on the displays, before and after they are linked', async () => {
    for (const [assistant, app] of [
      ['alexa', 'Alexa'],
      ['google', 'Google Home'],
    ] as const) {
      await owner.go(`#/display/${assistant}/front-door`)
      await button(`Link ${app}`).waitFor()
      await expectAccessible(owner, `${assistant}-unlinked`)
      await button(`Link ${app}`).click()
      await page.waitForURL(/\/oauth\//)
      await button(/Agree|Link|Allow/).click()
      await button('Ring Front Door').click()
      await expectText(page, 'after the press')
      await expectAccessible(owner, `${assistant}-ringing`)
      await button(/show the Front Door/).click()
      await button(/^Talk/).waitFor()
      await expectAccessible(owner, `${assistant}-showing`)
    }
  })

  test('on the list of sessions, and on one that failed', async () => {
    await owner.go('#/sessions')
    await expectText(page, 'camera offline')
    await expectAccessible(owner, 'sessions')
    await page
      .getByRole('link', { name: /camera offline/ })
      .first()
      .click()
    await page.getByRole('region', { name: 'Cause' }).waitFor()
    await expectAccessible(owner, 'session')
  })

  test('where nobody is signed in', async () => {
    const stranger = await visit(browser, bridge)
    await stranger.page.goto(bridge.url)
    await stranger.page.getByRole('button', { name: 'Sign in' }).waitFor()
    await expectAccessible(stranger, 'welcome')
    expect(stranger.complaints()).toEqual([])
    await stranger.leave()
  })
})

describe('a camera', () => {
  test('is added; its keys are shown once, can be copied, and nothing but their button closes them', async () => {
    await owner.go('#/')
    await page.getByRole('heading', { name: 'Front Door' }).first().waitFor()
    // Whoever rang at the displays may still be announced.
    await page.evaluate(() => document.querySelector<HTMLElement>('.visitor .doings > button')?.click())
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write', 'microphone'])
    await button('Add a camera').click()
    await button(/^Firmware with KVS/).click()
    await expectAccessible(owner, 'add')
    await page.getByLabel('Name').fill('Back porch')
    await page.getByLabel('Room').fill('Garden')
    await page.getByLabel('Camera', { exact: true }).check()
    await button('Add').click()
    await button('Copy Secret key').click()
    const secret = await page
      .getByRole('definition')
      .filter({ has: button('Secret key is copied') })
      .innerText()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret.trim())
    await expectAccessible(owner, 'added')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    await button('I have copied it').click()
    await page.getByRole('heading', { name: 'Back porch' }).waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
    await expectText(page, 'Garden · Camera')
    await expectText(page, 'Offline')
  })

  test('stands below what its owner should know, on every screen', async () => {
    const message = 'Alexa cannot distinguish cameras with the same name: give each its own name (Gate).'
    const notices = [{ kind: 'alexa_same_names', message, at: 1 }]
    await page.route('**/api/notices', (route) => route.fulfill({ json: { notices } }))
    for (const hash of ['#/', '#/sessions']) {
      await owner.go(hash)
      await page.reload()
      await expectText(page, message)
      await expectAccessible(owner, `notices-${hash.slice(2)}`)
    }
    await page.unroute('**/api/notices')
    await owner.go('#/')
    await page.reload()
  })

  test('shows its webhooks, and others instead', async () => {
    await page.getByLabel('More for Back porch').click()
    await button('Webhooks …').click()
    const address = page.getByRole('definition').filter({ has: button('Copy Motion') })
    const before = await address.innerText()
    expect(before.trim()).toMatch(/\/hooks\/.+\/motion\/[\w-]{32}$/)
    // It has no button that could ring.
    expect(await button('Copy Doorbell').count()).toBe(0)
    await expectAccessible(owner, 'webhooks')
    await button('Make new addresses').click()
    await page.getByText('The old ones no longer work').waitFor()
    expect(await address.innerText()).not.toBe(before)
    await button('Done').click()
  })

  test('is shared with another user who accepts, tells nothing of an unknown one, and is shared no more', async () => {
    execFileSync(process.execPath, ['src/transom/bin.ts', 'admin', 'user', 'add', 'grace', '--name', 'Grace'], {
      env: { ...process.env, NODE_OPTIONS: '', TRANSOM_DATA: bridge.dataDir, NEW_PASSWORD: 'correct horse battery' },
    })
    await page.getByLabel('More for Back porch').click()
    await button('Share …').click()
    for (const login of ['nobody', 'grace']) {
      await page.getByLabel('Login of the other person').fill(login)
      await button('Invite').click()
      await button(`Withdraw the invitation of ${login}`).waitFor()
    }
    await expectAccessible(owner, 'share')
    await button('Withdraw the invitation of nobody').click()
    await page.keyboard.press('Escape')

    const guest = await visit(browser, bridge)
    await signIn(guest, bridge, { login: 'grace', password: 'correct horse battery' })
    await guest.page.getByRole('button', { name: 'Accept Back porch' }).waitFor()
    await expectAccessible(guest, 'invitation')
    await guest.page.getByRole('button', { name: 'Accept Back porch' }).click()
    await guest.page.getByRole('heading', { name: 'Back porch' }).waitFor()
    await guest.page.getByLabel('More for Back porch').click()
    await guest.page.getByRole('button', { name: 'Leave …' }).click()
    await expectAccessible(guest, 'leave')
    await guest.page.getByRole('button', { name: 'Stay' }).click()
    await guest.leave()

    await page.getByLabel('More for Back porch').click()
    await button('Share …').click()
    await button('Stop sharing with Grace').waitFor()
    await page.getByLabel('Grace may talk').uncheck()
    await button('Stop sharing with Grace').click()
    await button('Stop sharing').click()
    await expectText(page, 'Not shared yet')
    await page.keyboard.press('Escape')
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  test('is removed, after a question', async () => {
    await page.getByLabel('More for Back porch').click()
    await button('Remove …').click()
    await expectAccessible(owner, 'remove')
    await button('Remove').click()
    await expectText(page, 'Back porch is removed.')
    expect(await page.getByRole('heading', { name: 'Back porch' }).count()).toBe(0)
  })
})

describe('the list of sessions', () => {
  test('with two thousand of them holds a few rows only, scrolls through all, and finds one', async () => {
    const visitor = await visit(browser, bridge)
    const many = Array.from({ length: 2_000 }, (_, index) => ({
      id: `session-${index}`,
      assistant: (['alexa', 'google', 'console'] as const)[index % 3],
      cameraId: 'front-door',
      reference: `reference-${index}`,
      phase: 'closed',
      startedAt: Date.UTC(2026, 0, 1) - index * 60_000,
      ...(index % 10 === 0
        ? { cause: { code: 'camera_silent', message: 'the camera did not answer in time' } }
        : { answerMs: 100 + index }),
    }))
    await visitor.page.route('**/api/sessions?*', (route) => {
      const query = new URL(route.request().url()).searchParams
      const [after, limit] = [Number(query.get('after') ?? 0), Number(query.get('limit'))]
      const fitting = many.filter(
        (one) =>
          (query.get('assistant') ?? one.assistant) === one.assistant &&
          (query.get('outcome') !== 'failed' || 'cause' in one),
      )
      const next = after + limit < fitting.length ? { next: String(after + limit) } : {}
      return route.fulfill({ json: { sessions: fitting.slice(after, after + limit), ...next } })
    })
    const counts = (text: string) => visitor.page.locator('.title [role=status]').getByText(text, { exact: true })
    await bridge.stop()
    await bridge.start()
    await enter(visitor, bridge)
    await visitor.go('#/sessions')
    const list = visitor.page.getByRole('region', { name: 'Sessions, newest first' })
    await counts('more than 50').or(counts('more than 550')).waitFor()
    expect(await list.getByRole('link').count()).toBeLessThan(60)
    // Page after page, as far as somebody scrolls.
    const oldest = list.locator('[href="#/sessions/session-1999"]')
    while ((await oldest.count()) === 0)
      await list.evaluate(async (element) => {
        element.scrollTo(0, element.scrollHeight)
        await new Promise(requestAnimationFrame)
      })
    expect(await list.getByRole('link').count()).toBeLessThan(60)
    // Somebody who looks at one and comes back is there again.
    await oldest.click()
    await visitor.page.goBack()
    await oldest.waitFor()
    await visitor.page.getByLabel('Outcome').selectOption('Failed')
    await visitor.page.getByLabel('Shown on').selectOption('Alexa')
    // Of 67: all where the list that was scrolled through was still wanted, a page of them where the first filter was drawn before.
    await counts('67').or(counts('more than 50')).waitFor()
    await visitor.page.getByLabel('Find').fill('silent session-1980')
    await counts('1').waitFor()
    await visitor.page.reload()
    await counts('1').waitFor()
    await visitor.picture('sessions-found')
    expect(visitor.complaints()).toEqual([])
    await visitor.leave()
  })
})

test('whose token the bridge does not take any more is told so, and signs in again', async () => {
  const visitor = await visit(browser, bridge)
  await signIn(visitor, bridge, bridge.demo())
  await visitor.page.route('**/api/stream', (route) => route.fulfill({ status: 401, json: { error: 'unauthorized' } }))
  await visitor.page.route('**/oauth/token', (route) =>
    route.fulfill({ status: 400, json: { error: 'invalid_grant' } }),
  )
  await bridge.stop()
  await bridge.start()
  await expectText(visitor.page, 'You are signed out.')
  await visitor.page.unrouteAll()
  await visitor.page.getByRole('button', { name: 'Sign in again' }).click()
  await visitor.page.getByText('You are signed out.').waitFor({ state: 'detached' })
  await visitor.page.getByRole('heading', { name: 'Cameras' }).waitFor()
  await visitor.leave()
})

test('signing out ends the session, and the next visit asks for a password', async () => {
  await owner.go('#/')
  await page.getByLabel('Account of Demo').click()
  await button('Sign out').click()
  await button('Sign in').waitFor()
  await button('Sign in').click()
  await page.getByLabel('Password').waitFor()
})

test('no page broke a policy, threw, or asked another origin', () => {
  expect(owner.complaints()).toEqual([])
})
