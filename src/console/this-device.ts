/** Notifications on this very device: what its browser knows of them (Push API). */
import type { PushSubscriptionJson } from 'transom-core/wire/push'
import { digest } from './sign-in.ts'

/** Why a browser will not have them; both are for its owner to change. */
export class NotifyFault extends Error {
  readonly fault: 'blocked' | 'unavailable'

  constructor(fault: NotifyFault['fault'], options: ErrorOptions) {
    super(fault, options)
    this.fault = fault
  }
}

/** Whether this browser has notifications at all. Those of iOS have them only for a page on the Home Screen. */
export const hasNotifications = (): boolean =>
  'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis

/** What the bridge knows this device by; undefined where it has not subscribed. */
export async function thisDeviceId(): Promise<string | undefined> {
  const registration = await navigator.serviceWorker.getRegistration()
  const subscription = await registration?.pushManager.getSubscription()
  return subscription ? digest(subscription.endpoint) : undefined
}

/**
 * Asks the person, and subscribes with the bridge's public key. @throws NotifyFault: they said no once and for all, or the
 * browser's push service is not reached.
 */
export async function subscribe(applicationServerKey: string): Promise<PushSubscriptionJson> {
  // Asked from within the click: some browsers refuse to ask later.
  const permission = await Notification.requestPermission()
  if (permission !== 'granted') throw new NotifyFault('blocked', { cause: permission })
  await navigator.serviceWorker.register('/service-worker.js')
  const { pushManager } = await navigator.serviceWorker.ready
  const options = { userVisibleOnly: true, applicationServerKey }
  try {
    // One with another key, of a bridge that was set up anew, stands in the way.
    const subscription = await pushManager.subscribe(options).catch(async () => {
      await (await pushManager.getSubscription())?.unsubscribe()
      return pushManager.subscribe(options)
    })
    return subscription.toJSON() as PushSubscriptionJson
  } catch (error) {
    throw new NotifyFault('unavailable', { cause: error })
  }
}

/** The subscription ends also in the browser. Where there is none, nothing happens. */
export async function unsubscribe(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration()
  await (await registration?.pushManager.getSubscription())?.unsubscribe()
}

const platforms: readonly (readonly [RegExp, string])[] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/CrOS/, 'Chromebook'],
  [/Mac OS/, 'Mac'],
  [/Linux/, 'Linux'],
]

/** A first guess at what its owner calls the device; empty where there is none. */
export const guessedName = (userAgent: string): string =>
  platforms.find(([pattern]) => pattern.test(userAgent))?.[1] ?? ''
