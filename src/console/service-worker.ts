/**
 * Shows a press as a notification while the page is closed, and opens its camera. It fetches and keeps nothing, and imports
 * nothing: not every browser runs a service worker that is a module.
 */
import type { PushedPress } from 'transom-core/wire/push'

/** As much of a service worker as is used here: TypeScript's library of it excludes that of the page. */
interface Worker {
  readonly registration: ServiceWorkerRegistration
  readonly clients: {
    matchAll(options: { readonly type: 'window'; readonly includeUncontrolled: true }): Promise<readonly Window[]>
    openWindow(url: string): Promise<unknown>
  }
  addEventListener(type: 'push', listener: (event: PushEvent) => void): void
  addEventListener(type: 'notificationclick', listener: (event: NotificationClick) => void): void
}
interface Lasting {
  waitUntil(work: Promise<unknown>): void
}
interface PushEvent extends Lasting {
  readonly data: { json(): PushedPress } | null
}
interface NotificationClick extends Lasting {
  readonly notification: Notification
}
interface Window {
  readonly url: string
  focus(): Promise<unknown>
  postMessage(message: string): void
}
declare const self: Worker

self.addEventListener('push', (event) => {
  const press = event.data?.json()
  if (press === undefined) return
  const { name, text, cameraId, at } = press
  // The same camera once: who rings three times stands at the door once. `renotify` sounds again all the same.
  const options = { body: text, tag: cameraId, renotify: true, timestamp: at, icon: '/icon-192.png', data: cameraId }
  event.waitUntil(self.registration.showNotification(name, options))
})

self.addEventListener('notificationclick', (event) => {
  const { notification } = event
  notification.close()
  event.waitUntil(open(String(notification.data)))
})

/** In a window of the page that is there, but not in one that shows something live: a view is not taken away. */
async function open(cameraId: string): Promise<void> {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const place = `#/camera/${encodeURIComponent(cameraId)}`
  const window =
    windows.find(({ url }) => new URL(url).hash === place) ??
    windows.find(({ url }) => new URL(url).pathname === '/' && !/^#\/(camera|display)\//.test(new URL(url).hash))
  if (window === undefined) return void (await self.clients.openWindow(`/${place}`))
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a client of a service worker is of its origin
  window.postMessage(place)
  await window.focus()
}
