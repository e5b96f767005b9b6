/** Notifications on a device, agreed to in a real browser: its push service alone is played, for it is not on this machine. */
/* oxlint-disable unicorn/consistent-function-scoping -- what runs in the page must be one function */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createECDH, randomBytes } from 'node:crypto'
import type { Browser, Page } from 'playwright-core'
import { expectAccessible } from './accessible.ts'
import { enter, expectText, launch, startBridge, visit, type Bridge, type Visitor } from './visitor.ts'

let bridge: Bridge
let browser: Browser
let owner: Visitor
let page: Page

beforeAll(async () => {
  ;[bridge, browser] = await Promise.all([startBridge(), launch()])
  await bridge.stop()
  await bridge.start({ TRANSOM_PUSH_CONTACT: 'mailto:operator@example.org' })
  owner = await visit(browser, bridge, { permissions: ['notifications'] })
  page = owner.page
})
afterAll(async () => {
  await browser?.close()
  await bridge?.close()
})

const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' })

/** In the page: a push service that subscribes whoever asks, as that of the browser would, until `unsubscribe`. */
function playPushService(keys: { readonly p256dh: string; readonly auth: string }): void {
  const endpoint = 'https://fcm.googleapis.com/fcm/send/the-only-one'
  const kept = 'a subscription'
  const subscription = {
    endpoint,
    toJSON: () => ({ endpoint, expirationTime: null, keys }),
    unsubscribe: async () => {
      localStorage.removeItem(kept)
      return true
    },
  }
  const played = {
    async subscribe({ userVisibleOnly, applicationServerKey }: PushSubscriptionOptionsInit) {
      // An uncompressed point of P-256.
      const isKey = typeof applicationServerKey === 'string' && /^B[\w-]{86}$/.test(applicationServerKey)
      if (userVisibleOnly !== true || !isKey) throw new TypeError('no key')
      localStorage.setItem(kept, 'here')
      return subscription
    },
    getSubscription: async () => (localStorage.getItem(kept) === null ? null : subscription),
  }
  Object.assign(PushManager.prototype, played)
}

async function openNotifications(): Promise<void> {
  await page.locator('summary[aria-label^="Account of"]').click()
  await button('Notifications …').click()
}

test('a browser without a push service says what to check', async () => {
  await enter(owner, bridge)
  await openNotifications()
  await button('Notify me on this device').click()
  await expectText(page, 'does not reach the service that brings its notifications')
  await button('Close').click()
})

test('a device is added, known again, and removed', async () => {
  const ecdh = createECDH('prime256v1')
  const keys = { p256dh: ecdh.generateKeys().toString('base64url'), auth: randomBytes(16).toString('base64url') }
  await page.addInitScript(playPushService, keys)
  await page.reload()
  await openNotifications()
  await expectAccessible(owner, 'notifications-none')
  await page.getByLabel('Name of this device').fill('Phone in the hall')
  await button('Notify me on this device').click()
  await expectText(page, 'Phone in the hall')
  await expectText(page, 'This device')
  await owner.picture('notifications')
  const workers = await page.evaluate(async () =>
    (await navigator.serviceWorker.getRegistrations()).map(({ active }) => active?.scriptURL),
  )
  expect(workers).toEqual([`${bridge.url}/service-worker.js`])

  await page.reload()
  await openNotifications()
  await expectText(page, 'This device')
  await button('Remove Phone in the hall').click()
  await button('Notify me on this device').waitFor()
  expect(await page.getByText('Phone in the hall').count()).toBe(0)
  // Chromium's own line of the first test: a profile for tests has no push service.
  expect(owner.complaints().filter((text) => !text.startsWith('Chrome currently does not support'))).toEqual([])
})

test('a browser that was told no says where to change it', async () => {
  await page.context().clearPermissions()
  await page.reload()
  await openNotifications()
  await page.evaluate(() => Object.assign(Notification, { requestPermission: async () => 'denied' }))
  await button('Notify me on this device').click()
  await expectText(page, 'does not show notifications of this page')
})
