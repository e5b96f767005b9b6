/** Posts what a camera has to tell to the bridge, and leaves its pictures there. */
import { setTimeout as wait } from 'node:timers/promises'
import { boundedFetch } from 'transom-core/fetch'
import type { Log } from 'transom-core/ports'
import { cameraEventReply, type CameraEvent } from 'transom-core/wire/camera-event'

const send = boundedFetch({ ms: 3_000 })
/** Pauses before a press is posted again: a ring that comes a quarter of a minute late is of no use to anybody. */
const retriesMs = [250, 1_000, 3_000, 8_000]

/** Where a camera's reports go, and the key that they carry. */
export interface ReporterOptions {
  /** `…/cameras/<cameraId>/events`. */
  readonly url: string
  /** The camera's key, sent as a bearer token. */
  readonly key: string
  readonly log: Log
}

/** Leaves a still picture: `url` is `…/cameras/<cameraId>/snapshot`. Rejects when the bridge does not take it. */
export function createStillPoster({ url, key }: Omit<ReporterOptions, 'log'>): (jpeg: Buffer) => Promise<void> {
  return async (jpeg) => {
    const response = await send(url, {
      method: 'PUT',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'image/jpeg' },
      body: new Uint8Array(jpeg),
    })
    if (!response.ok) throw new Error(`the bridge answered ${response.status}`)
  }
}

/** True when the bridge says that the session of this viewer is over. */
export type Reporter = (event: CameraEvent) => Promise<boolean>

/**
 * Makes a reporter. It never rejects: what could not be told is logged. Presses are repeated with the same `eventId` while the
 * bridge is away or fails; how viewers fare is told once, since a newer word follows. No reply, or one that cannot be read, ends no viewer.
 */
export function createReporter({ url, key, log }: ReporterOptions): Reporter {
  const post = async (event: CameraEvent): Promise<'done' | 'ended' | 'refused' | 'failed'> => {
    try {
      const response = await send(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(event),
      })
      if (response.ok && event.kind === 'viewer') {
        const reply = cameraEventReply.safeParse(await response.json().catch(() => undefined))
        return reply.data?.ended === true ? 'ended' : 'done'
      }
      if (response.ok) return 'done'
      log('warn', 'gateway.report-refused', { kind: event.kind, status: response.status })
      return response.status >= 500 || response.status === 429 ? 'failed' : 'refused'
    } catch (error) {
      log('warn', 'gateway.report-failed', {
        kind: event.kind,
        error: error instanceof Error ? error.message : String(error),
      })
      return 'failed'
    }
  }
  return async (event) => {
    let outcome = await post(event)
    if (event.kind !== 'press') return outcome === 'ended'
    for (const retryMs of retriesMs) {
      if (outcome !== 'failed') return false
      // The process may end meanwhile: a retry must not keep it alive.
      await wait(retryMs, undefined, { ref: false })
      outcome = await post(event)
    }
    if (outcome === 'failed') log('error', 'gateway.press-lost', { eventId: event.eventId })
    return false
  }
}
