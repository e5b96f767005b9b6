/**
 * Reports to the bridge what happens at a camera, and leaves its still pictures there.
 *
 * Presses, persons and motion wait while the bridge is away, and reach it in their order, each with its age (`sentAt`). Dropped
 * is what has waited for an hour, and the oldest where too many wait. Whether a late one is still announced or only kept is for
 * the bridge to say. How viewers and the source fare is sent once, since newer reports follow.
 */
import { boundedFetch, retryAfterMs } from 'transom-core/fetch'
import type { Clock, Log } from 'transom-core/ports'
import { cameraEventReply, type CameraEvent } from 'transom-core/wire/camera-event'
import { createBackoff } from './retry.ts'

const send = boundedFetch({ ms: 3_000 })
const retries = { firstMs: 250, lastMs: 8_000 }
const keptMs = 3_600_000
const mostWaiting = 50
/** What the bridge fails at again and again does not hold up what comes after it. */
const mostOwnFailures = 5
/** Fewer than what the bridge takes for a button that is stuck: 12 at once (`cameras/pace.ts`). */
const mostPresses = 8
/** A press that the bridge puts off for so long would not be announced any more (`cameras/presses.ts`). */
const pressPatienceMs = 30_000

/** Where a camera's reports go, and the key that they carry. */
export interface ReporterOptions {
  /** `…/cameras/<cameraId>/events`. */
  readonly url: string
  /** The camera's key, sent as a bearer token. */
  readonly key: string
  /** The clock of the events' `at`. */
  readonly clock: Clock
  readonly log: Log
  /** Aborting it ends the waiting for the bridge. */
  readonly signal?: AbortSignal
}

/** Leaves a still picture: `url` is `…/cameras/<cameraId>/snapshot`. Rejects when the bridge does not take it. */
export function createStillPoster({ url, key }: Pick<ReporterOptions, 'url' | 'key'>): (jpeg: Buffer) => Promise<void> {
  return async (jpeg) => {
    const response = await send(url, {
      method: 'PUT',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'image/jpeg' },
      body: new Uint8Array(jpeg),
    })
    if (!response.ok) throw new Error(`the bridge answered ${response.status}`)
  }
}

/** Resolves when the event was received or is lost, to true when the bridge says that the session of this viewer is over. */
export type Reporter = (event: CameraEvent) => Promise<boolean>

/** Makes a reporter. It never rejects: what could not be reported is logged. */
export function createReporter(options: ReporterOptions): Reporter {
  const post = createPost(options)
  const queue = createQueue(post, options)
  return async (event) => {
    if (isMoment(event)) {
      await queue.add(event)
      return false
    }
    const { kind } = await post(event)
    if (kind !== 'failed') queue.wake()
    return kind === 'ended'
  }
}

/** What people look for later. */
type Moment = Extract<CameraEvent, { readonly kind: 'press' | 'person' | 'motion' }>

const isMoment = (event: CameraEvent): event is Moment =>
  event.kind === 'press' || event.kind === 'person' || event.kind === 'motion'

/** `failed`: to be tried again, not before `restMs` where the bridge says so; `isOwn`: the bridge is there, and fails. */
type Outcome =
  | { readonly kind: 'done' | 'ended' | 'refused' }
  | { readonly kind: 'failed'; readonly isOwn: boolean; readonly restMs: number }

type Post = (event: CameraEvent) => Promise<Outcome>

/** Never rejects. No reply, or one that cannot be read, ends no viewer. */
function createPost({ url, key, clock, log }: ReporterOptions): Post {
  return async (event) => {
    const sentAt = isMoment(event) ? { sentAt: Math.round(clock()) } : {}
    try {
      const response = await send(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ...event, ...sentAt }),
      })
      const { ok, status } = response
      if (ok && event.kind === 'viewer') {
        const reply = cameraEventReply.safeParse(await response.json().catch(() => undefined))
        return { kind: reply.data?.ended === true ? 'ended' : 'done' }
      }
      if (ok) return { kind: 'done' }
      log('warn', 'gateway.report-refused', { kind: event.kind, status })
      if (status < 500 && status !== 429) return { kind: 'refused' }
      // What stands before a bridge that is away answers 502, 503 or 504.
      return { kind: 'failed', isOwn: status === 500, restMs: retryAfterMs(response, Date.now()) ?? 0 }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      log('warn', 'gateway.report-failed', { kind: event.kind, error: message })
      return { kind: 'failed', isOwn: false, restMs: 0 }
    }
  }
}

interface Waiting {
  readonly event: Moment
  /** Of the machine's steady time, milliseconds. */
  readonly since: number
  readonly over: () => void
}

/** What waits for the bridge: sent one after the other, in the order in which it came. */
function createQueue(post: Post, { log, signal }: ReporterOptions) {
  const waiting: Waiting[] = []
  let isSending = false
  let wake: (() => void) | undefined

  function remove(one: Waiting): void {
    const place = waiting.indexOf(one)
    if (place < 0) return
    waiting.splice(place, 1)
    one.over()
  }
  function lose(one: Waiting): void {
    if (!waiting.includes(one)) return
    const { kind, eventId } = one.event
    log(kind === 'press' ? 'error' : 'warn', 'gateway.event-lost', { kind, eventId })
    remove(one)
  }
  function dropLate(): void {
    const late = waiting.filter(({ since }) => performance.now() - since > keptMs)
    const presses = waiting.filter(({ event }) => event.kind === 'press')
    new Set([...late, ...presses.slice(0, -mostPresses), ...waiting.slice(0, -mostWaiting)]).forEach(lose)
  }

  /** Until nothing waits any more, or the signal aborts. */
  async function sendAll(): Promise<void> {
    const backoff = createBackoff(retries)
    let ownFailures = 0
    for (let one = waiting[0]; one; one = waiting[0]) {
      if (signal?.aborted === true) break
      const outcome = await post(one.event)
      if (outcome.kind !== 'failed') {
        remove(one)
        backoff.reset()
        ownFailures = 0
        continue
      }
      if (outcome.isOwn) ownFailures += 1
      const isPutOff = one.event.kind === 'press' && outcome.restMs >= pressPatienceMs
      if (isPutOff || ownFailures >= mostOwnFailures) {
        lose(one)
        ownFailures = 0
      } else await rest(Math.max(backoff.next(), outcome.restMs), outcome.restMs === 0)
      dropLate()
    }
    isSending = false
    waiting.slice().forEach(lose)
  }
  /** Does not keep the process alive. */
  async function rest(ms: number, mayBeWoken: boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    timer.unref()
    const end = () => resolve()
    wake = mayBeWoken ? end : undefined
    signal?.addEventListener('abort', end, { once: true })
    await promise
    signal?.removeEventListener('abort', end)
    clearTimeout(timer)
  }

  return {
    /** Resolves when the bridge has received it, or it is lost. */
    add(event: Moment): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push({ event, since: performance.now(), over: resolve })
      dropLate()
      // Somebody stands at the door.
      if (event.kind === 'press') wake?.()
      if (!isSending) {
        isSending = true
        void sendAll()
      }
      return promise
    },
    /** The bridge is there: nothing waits for the next attempt. */
    wake: () => wake?.(),
  }
}
