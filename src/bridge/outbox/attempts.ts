/** One attempt to tell an assistant something: under our mark, within its time, and with the record of its end. */
import { within } from 'transom-core/deadline'
import type { Clock, Log } from 'transom-core/ports'
import type { Entry, Ledger } from './ledger.ts'
import type { Deliver, Delivery, Outgoing } from './outgoing.ts'

export interface AttemptLimits {
  /** For one attempt. */
  readonly attemptMs: number
  /** Wait before the second attempt; it doubles from then on, up to the longest, plus up to half of it by chance. */
  readonly firstRetryMs: number
  readonly longestRetryMs: number
  readonly attempts: number
}

export type Outcome =
  /** Nothing more is to be done here: it is told, dropped or stale, or another process has it. */
  { readonly kind: 'settled' } | { readonly kind: 'retry'; readonly retryMs: number }

export interface Attempts {
  /** Never rejects: what fails is tried again. */
  send(entry: Entry): Promise<Outcome>
  /** Until when an attempt that begins now may take, in epoch milliseconds. */
  markUntil(event: Outgoing): number
}

const settled: Outcome = { kind: 'settled' }

export function createAttempts(deps: {
  readonly deliver: Partial<Record<Outgoing['destination'], Deliver>>
  readonly ledger: Ledger
  readonly limits: AttemptLimits
  /** Ends whatever is under way. */
  readonly closing: AbortSignal
  readonly clock: Clock
  readonly log: Log
}): Attempts {
  const { deliver, ledger, limits, closing, clock, log } = deps
  const markUntil = ({ usefulUntil }: Outgoing): number => Math.min(clock() + limits.attemptMs, usefulUntil)

  /** The mark that it was written down with is as good as new unless it has waited for its turn. */
  async function mark(entry: Entry): Promise<boolean> {
    const until = markUntil(entry.event)
    const isFresh = entry.isOurs && entry.heldUntil - clock() > (until - clock()) / 2
    return isFresh || ledger.hold(entry, until)
  }

  /** Ends with our mark at the latest: after it somebody else may try. */
  function tell({ event, heldUntil }: Entry): Promise<Delivery> {
    return within(
      heldUntil - clock(),
      async (signal): Promise<Delivery> =>
        (await deliver[event.destination]?.(event, AbortSignal.any([signal, closing]))) ?? {
          kind: 'drop',
          reason: 'nobody delivers there',
        },
      (late) => log('warn', 'outbox.failed-late', { id: event.id, error: String(late) }),
    ).catch((thrown: unknown): Delivery => ({ kind: 'retry', reason: String(thrown) }))
  }

  /** What to do about it next; everything but a retry is final, and logged so. */
  async function attempt(entry: Entry): Promise<Outcome> {
    const { event } = entry
    const facts = { id: event.id, destination: event.destination, lane: event.lane, cameraId: event.cameraId }
    if (clock() >= event.usefulUntil) {
      log('warn', 'outbox.stale', { ...facts, attempts: entry.attempts, ageMs: clock() - event.at })
      return settled
    }
    entry.attempts += 1
    const { attempts } = entry
    const delivery = await tell(entry)
    const retryMs = retryIn(delivery, attempts, event.usefulUntil - clock(), limits)
    if (retryMs !== undefined) {
      log('warn', 'outbox.retry', { ...facts, attempts, retryMs, error: reasonOf(delivery) })
      return { kind: 'retry', retryMs }
    }
    if (delivery.kind === 'done') log('info', 'outbox.delivered', { ...facts, attempts, ms: clock() - event.at })
    else {
      const level = delivery.kind === 'drop' ? 'warn' : 'error'
      log(level, 'outbox.dropped', { ...facts, attempts, error: delivery.reason })
    }
    return settled
  }

  return {
    markUntil,
    async send(entry) {
      try {
        if (!entry.isTold) {
          // Whoever cannot put his mark on it has lost it: to another process, or to something newer.
          if (clock() < entry.event.usefulUntil && !(await mark(entry))) return settled
          const outcome = await attempt(entry)
          if (outcome.kind === 'retry') {
            await ledger.release(entry)
            return outcome
          }
          // If the record cannot be written now, only that is tried again.
          entry.isTold = true
        }
        await ledger.settle(entry)
        return settled
      } catch (thrown) {
        log('error', 'outbox.store-failed', { error: String(thrown) })
        return { kind: 'retry', retryMs: patienceMs(1, limits) }
      }
    },
  }
}

/**
 * Milliseconds until the next attempt, after so many; nothing where another one is not wanted, would be one too many, or would
 * come when it is not worth telling any more. `leftMs`: for how long it still is.
 */
export function retryIn(
  delivery: Delivery,
  attempts: number,
  leftMs: number,
  limits: AttemptLimits,
  chance: number = Math.random(),
): number | undefined {
  if (delivery.kind !== 'retry' || attempts >= limits.attempts) return undefined
  const ms = Math.max(delivery.afterMs ?? 0, patienceMs(attempts, limits, chance))
  return ms < leftMs ? ms : undefined
}

/** Milliseconds to wait after so many attempts; `chance`, of 0 to 1, keeps many from coming back at once. */
function patienceMs(attempts: number, limits: AttemptLimits, chance: number = Math.random()): number {
  const ms = Math.min(limits.firstRetryMs * 2 ** (attempts - 1), limits.longestRetryMs)
  return Math.round(ms * (1 + chance / 2))
}

const reasonOf = (delivery: Delivery): string => (delivery.kind === 'done' ? '' : delivery.reason)
