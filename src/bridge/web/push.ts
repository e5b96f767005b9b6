/** Web Push: a press as a notification on each device that wants it (RFC 8030, encrypted by RFC 8291, signed by RFC 8292). */
import { boundedFetch, StatusError, whyFailed } from 'transom-core/fetch'
import type { AccountId, Camera, Clock, Log } from 'transom-core/ports'
import type { PushedPress } from 'transom-core/wire/push'
import type { PushDevices, PushTarget, VapidKeys } from './push-devices.ts'
import { isPushService } from './push-services.ts'

export interface Push {
  /** Somebody rings, at `at`. Returns at once, and nothing that fails is the caller's: a notification delays no press. */
  rang(this: void, camera: Camera, at: number): void
  /** Resolves when what was begun has come to an end. */
  settled(): Promise<void>
  /** Breaks off what is being sent. */
  close(): void
}

/** Nobody stands at the door any more: what has not been delivered by then is dropped by the push service. */
const ttlS = 30
const bounds = { ms: 10_000, isStatusEnough: true } as const

const words: Readonly<Record<PushTarget['language'], string>> = {
  en: 'Somebody is at the door.',
  de: 'Jemand ist an der Tür.',
}

/** `contact`: an address of the bridge or its operator, `https:` or `mailto:`, for push services (RFC 8292 section 2.1). */
export function createPush(deps: {
  readonly devices: PushDevices
  readonly contact: string
  /** The services that notifications may be sent to beside those of browsers. */
  readonly services: readonly string[]
  /** Everybody who may see the camera, each with the camera as they see it. */
  readonly audience: (camera: Camera) => Promise<readonly Camera[]>
  /** Until when an account wants no presses; undefined when it wants them. */
  readonly mutedUntil: (accountId: AccountId) => Promise<number | undefined>
  readonly clock: Clock
  readonly log: Log
}): Push {
  const { devices, contact, services, audience, mutedUntil, log } = deps
  const post = boundedFetch(bounds)
  const closing = new AbortController()
  const underWay = new Set<Promise<void>>()

  async function tellAll(camera: Camera, at: number): Promise<void> {
    await Promise.all((await audience(camera)).map((seen) => tellAccount(seen, at)))
  }

  async function tellAccount(camera: Camera, at: number): Promise<void> {
    const { accountId } = camera
    const targets = await devices.list(accountId)
    if (targets.length === 0 || (await mutedUntil(accountId)) !== undefined) return
    const keys = await devices.keys()
    await Promise.all(targets.map((target) => tell(target, camera, at, keys)))
  }

  async function tell(target: PushTarget, camera: Camera, at: number, keys: VapidKeys): Promise<void> {
    const { id: cameraId, name, accountId } = camera
    const press: PushedPress = { cameraId, name, text: words[target.language], at }
    const destination = URL.parse(target.subscription.endpoint)?.host ?? ''
    try {
      // Also of a subscription that was accepted under other settings.
      if (!isPushService(target.subscription.endpoint, services)) throw new Error('no known push service')
      const status = await send(target, press, keys)
      if (status === 404 || status === 410) {
        // RFC 8030 section 7.3: the subscription has ended, and never comes back.
        await devices.remove(accountId, target.id)
        return log('info', 'push.device-gone', { accountId, destination, status })
      }
      if (status < 200 || status > 299) throw new StatusError(status)
      log('info', 'push.sent', { cameraId, destination, delayMs: deps.clock() - at })
    } catch (error) {
      log('warn', 'push.failed', { cameraId, destination, error: whyFailed(error) })
    }
  }

  /** Returns the status of the answer. */
  async function send({ subscription }: PushTarget, press: PushedPress, keys: VapidKeys): Promise<number> {
    const { endpoint, keys: ofDevice } = subscription
    // Loaded where somebody wants notifications.
    const { default: webPush } = await import('web-push')
    const { method, headers, body } = webPush.generateRequestDetails(
      { endpoint, keys: { ...ofDevice } },
      JSON.stringify(press),
      { vapidDetails: { subject: contact, ...keys }, TTL: ttlS, urgency: 'high', contentEncoding: 'aes128gcm' },
    )
    const { status } = await post(endpoint, { method, headers, body: new Uint8Array(body), signal: closing.signal })
    return status
  }

  return {
    rang(camera, at) {
      const told = tellAll(camera, at).catch((error: unknown) =>
        log('error', 'push.failed', { cameraId: camera.id, destination: '', error: whyFailed(error) }),
      )
      underWay.add(told)
      void told.finally(() => underWay.delete(told))
    },
    settled: async () => void (await Promise.all(underWay)),
    close: () => closing.abort(new Error('the bridge is closing')),
  }
}
