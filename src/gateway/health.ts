/** Whether a camera's source delivers pictures, or would at once: learned while it runs, and by looking while nobody watches. */
import { isDeepStrictEqual } from 'node:util'
import type { Fault, Log } from 'transom-core/ports'
import { faultOf, SourceError, type MediaInfo, type MediaSource } from './media.ts'
import { createBackoff } from './retry.ts'
import { pause } from 'transom-core/deadline'

/** A look takes no longer, whatever the camera does. */
const lookMs = 10_000
const retries = { firstMs: 1_000, lastMs: 15_000 }

export type SourceState =
  | { readonly kind: 'good'; readonly info: MediaInfo }
  | { readonly kind: 'faulty'; readonly fault: Fault }

export interface Health {
  /** `undefined` until something is known. */
  state(): SourceState | undefined
  /** It yields this. */
  good(info: MediaInfo): void
  /** It delivers again what it was known to yield. */
  delivers(): void
  faulty(thrown: unknown): void
  /** Resolves when the state is not this one any more, or the signal aborts. */
  changed(from: SourceState | undefined, signal: AbortSignal): Promise<void>
  /** Looks at the source now and then, as long as `isRunning` says that nobody else does. Never rejects. */
  watch(isRunning: () => boolean, signal: AbortSignal): Promise<void>
}

export function createHealth(source: MediaSource, log: Log): Health {
  let state: SourceState | undefined
  let info: MediaInfo | undefined
  let moved = Promise.withResolvers<void>()

  function become(next: SourceState): void {
    if (isSame(state, next)) return
    state = next
    if (next.kind === 'good') log('info', 'gateway.source-good', { ...next.info })
    else log('warn', 'gateway.source-faulty', { code: next.fault.code, error: next.fault.message })
    moved.resolve()
    moved = Promise.withResolvers()
  }
  const good = (known: MediaInfo) => {
    info = known
    become({ kind: 'good', info: known })
  }

  async function look(signal: AbortSignal): Promise<void> {
    const timeout = AbortSignal.timeout(lookMs)
    try {
      good(await source.describe(AbortSignal.any([signal, timeout])))
    } catch (thrown) {
      if (signal.aborted) return
      health.faulty(
        timeout.aborted ? new SourceError('source_unreachable', `no description came within ${lookMs} ms`) : thrown,
      )
    }
  }

  const health: Health = {
    state: () => state,
    good,
    delivers: () => (info ? good(info) : undefined),
    faulty: (thrown) => become({ kind: 'faulty', fault: faultOf(thrown) }),
    async changed(from, signal) {
      const { promise: aborted, resolve } = Promise.withResolvers<void>()
      const onAbort = () => resolve()
      signal.addEventListener('abort', onAbort, { once: true })
      const isStill = () => state === from && !signal.aborted
      while (isStill()) await Promise.race([moved.promise, aborted])
      signal.removeEventListener('abort', onAbort)
    },
    async watch(isRunning, signal) {
      const backoff = createBackoff(retries)
      while (!signal.aborted) {
        if (!isRunning()) await look(signal)
        const isGood = state?.kind === 'good'
        if (isGood) backoff.reset()
        await rest(isGood ? source.checkEachMs : backoff.next(), state, signal)
      }
    },
  }

  /** Until it is time, or the state changes; without a time until it changes. */
  async function rest(ms: number | undefined, from: SourceState | undefined, signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    const bounds = AbortSignal.any([signal, over.signal])
    await Promise.race([health.changed(from, bounds), ...(ms === undefined ? [] : [pause(ms, bounds)])])
    over.abort()
  }

  return health
}

function isSame(one: SourceState | undefined, other: SourceState): boolean {
  if (one?.kind === 'good' && other.kind === 'good') return isDeepStrictEqual(one.info, other.info)
  return one?.kind === 'faulty' && other.kind === 'faulty' && one.fault.code === other.fault.code
}
