/** Addresses for buttons and sensors that can only call a URL: each does one thing at one camera, and is all that one must know. */
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import type { WebhookAddresses } from 'transom-bridge/operator/registration-ports'
import { BridgeError } from 'transom-core/errors'
import { webhookEvents, type WebhookEvent } from 'transom-core/wire/registration'
import type { Camera, CameraNews, Clock, Log, Store } from 'transom-core/ports'

export interface Webhooks extends WebhookAddresses {
  /** The camera whose address this is; `undefined` where there is no such camera or event, or the secret is another. */
  opens(cameraId: string, event: string, secret: string): Promise<{ camera: Camera; event: WebhookEvent } | undefined>
  /** What was called happens, once for all calls within two seconds. Rejects as `Events.receive` does. */
  happens(camera: Camera, event: WebhookEvent): Promise<void>
  /** The camera is removed: whoever gets its id next has other addresses. */
  forget(cameraId: string): Promise<void>
  /** Ends what moved when an earlier process was killed. Never rejects: what fails is logged, and is tried at the next start. */
  resume(): Promise<void>
  /** Ends what still moves. May be called again. */
  close(): Promise<void>
}

/** Buttons try again when the answer takes a moment, and some call twice anyway. */
const sameMs = 2_000
/** Who calls says that something moves, and never that it does not any more. */
const motionMs = 30_000
/** The list of cameras that move, in the store: a process that is killed ends no motion. */
const motions = 'moving'

/** `secret`: of this data directory, 32 bytes in base64. What makes an address other than the one before is kept in the store. */
export function createWebhooks(deps: {
  readonly secret: string
  readonly publicUrl: string
  readonly find: (cameraId: string) => Promise<Camera | undefined>
  readonly receive: (camera: Camera, news: CameraNews) => Promise<void>
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}): Webhooks {
  const { secret, publicUrl, find, receive, store, clock, log } = deps
  const kept = store.collection<{ readonly nonce: string }>('webhook')
  const keptMotions = store.collection<{ readonly cameraId: Camera['id'] }>('webhook-motion')
  const calls = new Map<string, { readonly at: number; readonly done: Promise<void> }>()
  const moving = new Map<string, { readonly camera: Camera; readonly timer: NodeJS.Timeout }>()

  const secretOf = (cameraId: string, event: WebhookEvent, nonce: string) =>
    createHmac('sha256', secret).update(`webhook ${cameraId} ${event} ${nonce}`).digest('base64url').slice(0, 32)

  async function existing(cameraId: string): Promise<void> {
    if ((await find(cameraId)) === undefined)
      throw new BridgeError('camera_not_found', `there is no camera ${cameraId}`)
  }
  function addresses(cameraId: string, nonce: string) {
    const at = (event: WebhookEvent) => `${publicUrl}/hooks/${cameraId}/${event}/${secretOf(cameraId, event, nonce)}`
    return { press: at('press'), motion: at('motion'), person: at('person') }
  }

  async function rest(cameraId: string): Promise<void> {
    const moved = moving.get(cameraId)
    if (moved === undefined) return
    clearTimeout(moved.timer)
    moving.delete(cameraId)
    await end(moved.camera)
  }
  async function end(camera: Camera): Promise<void> {
    try {
      await receive(camera, { kind: 'motion', isDetected: false, eventId: randomUUID(), at: clock() })
      // One that began meanwhile is kept.
      if (!moving.has(camera.id)) await keptMotions.remove(camera.id)
    } catch (error) {
      log('error', 'webhooks.motion-not-ended', { cameraId: camera.id, error })
    }
  }
  function keepMoving(camera: Camera): void {
    clearTimeout(moving.get(camera.id)?.timer)
    const timer = setTimeout(() => void rest(camera.id), motionMs)
    timer.unref()
    moving.set(camera.id, { camera, timer })
  }
  async function call(camera: Camera, event: WebhookEvent): Promise<void> {
    const news = { eventId: randomUUID(), at: clock() }
    if (event !== 'motion') return receive(camera, { kind: event, ...news })
    if (moving.has(camera.id)) return keepMoving(camera)
    await keptMotions.put(camera.id, { cameraId: camera.id }, { group: motions })
    await receive(camera, { kind: 'motion', isDetected: true, ...news })
    keepMoving(camera)
  }

  return {
    async of(cameraId) {
      await existing(cameraId)
      const nonce = randomBytes(16).toString('base64url')
      await kept.put(cameraId, { nonce }, { onlyIf: 'absent' })
      return addresses(cameraId, (await kept.get(cameraId))?.value.nonce ?? nonce)
    },
    async roll(cameraId) {
      await existing(cameraId)
      const nonce = randomBytes(16).toString('base64url')
      await kept.put(cameraId, { nonce })
      return addresses(cameraId, nonce)
    },
    async opens(cameraId, event, given) {
      const known = webhookEvents.find((one) => one === event)
      const nonce = (await kept.get(cameraId))?.value.nonce
      if (known === undefined || nonce === undefined) return undefined
      const right = Buffer.from(secretOf(cameraId, known, nonce))
      const shown = Buffer.from(given)
      if (shown.length !== right.length || !timingSafeEqual(shown, right)) return undefined
      const camera = await find(cameraId)
      return camera && { camera, event: known }
    },
    happens(camera, event) {
      const id = `${camera.id} ${event}`
      const before = calls.get(id)
      if (before !== undefined && clock() - before.at < sameMs) return before.done
      const done = call(camera, event)
      calls.set(id, { at: clock(), done })
      // What failed is tried by the next call.
      done.catch(() => {
        if (calls.get(id)?.done === done) calls.delete(id)
      })
      return done
    },
    async forget(cameraId) {
      clearTimeout(moving.get(cameraId)?.timer)
      moving.delete(cameraId)
      await Promise.all([kept.remove(cameraId), keptMotions.remove(cameraId)])
    },
    async resume() {
      try {
        for await (const { value } of keptMotions.all(motions)) {
          if (moving.has(value.cameraId)) continue
          const camera = await find(value.cameraId)
          await (camera === undefined ? keptMotions.remove(value.cameraId) : end(camera))
        }
      } catch (error) {
        log('error', 'webhooks.motions-not-read', { error })
      }
    },
    async close() {
      await Promise.all([...moving.keys()].map(rest))
    },
  }
}
