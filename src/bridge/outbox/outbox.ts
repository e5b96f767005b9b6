/** What the assistants must hear, kept until they have heard it: durable, presses first, nothing twice, nothing stale. */
import { within } from 'transom-core/deadline'
import type { AccountId, CameraId, Clock, Log, Store } from 'transom-core/ports'
import { createLedger, type Entry } from './ledger.ts'
import { createReportLane, type Place } from './report-lane.ts'

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue | undefined }

/** Something that one assistant is to be told about one account. */
export interface Outgoing {
  /** Unique per event and destination: adding it twice is once. */
  readonly id: string
  readonly destination: 'alexa' | 'google'
  /** A press goes at once, whatever else waits. Reports of one camera go one after the other. */
  readonly lane: 'press' | 'report'
  readonly accountId: AccountId
  readonly cameraId?: CameraId
  /**
   * For reports: what of the camera it is about, such as `motion`. While it waits, a newer report about the same subject of
   * the same camera takes its place. Without a subject all reports of a camera are about one: its state. What must be
   * told each time, such as a person seen, takes its own id as subject.
   */
  readonly subject?: string
  /** What `deliver` needs; plain data, without tokens. */
  readonly body: JsonValue
  /** When it happened, and from when on it is not worth telling: epoch milliseconds. */
  readonly at: number
  readonly usefulUntil: number
}

export type Delivery =
  | { readonly kind: 'done' }
  /** `afterMs`: not before; the outbox waits at least that long, and at least its own time. */
  | { readonly kind: 'retry'; readonly afterMs?: number; readonly reason: string }
  | { readonly kind: 'drop'; readonly reason: string }

/**
 * Tells the assistant. The signal is aborted when the attempt has taken too long, the event is stale, or the outbox closes.
 * A rejection is a `retry`. After a crash an event may come again: whoever can tell a repetition by an id gets `event.id`.
 */
export type Deliver = (event: Outgoing, signal: AbortSignal) => Promise<Delivery>

export interface OutboxLimits {
  /** Reports in flight for one account at one destination, and in all. */
  readonly perAccount: number
  readonly inAll: number
  /** For one attempt. */
  readonly attemptMs: number
  /** Wait before the second attempt; it doubles from then on, up to the longest, plus up to half of it by chance. */
  readonly firstRetryMs: number
  readonly longestRetryMs: number
  readonly attempts: number
}

export interface Outbox {
  /** Resolves when every event is durable (or was known). Presses leave at once. Rejects if the store does. */
  add(events: readonly Outgoing[]): Promise<void>
  /** Picks up what an earlier process left, or another one has dropped; may be called again. */
  start(): Promise<void>
  /** Resolves when nothing waits or is under way, of this lane or of both. */
  settled(lane?: Outgoing['lane']): Promise<void>
  /** Sends nothing more; what is open stays in the store. May be called again. */
  close(): Promise<void>
}

const defaults: OutboxLimits = {
  perAccount: 2,
  inAll: 64,
  attemptMs: 8_000,
  firstRetryMs: 1_000,
  longestRetryMs: 60_000,
  attempts: 12,
}
type Outcome = 'settled' | { readonly retryMs: number }

/** How long `close` lets what is under way come to its end before it hangs up. */
const closeMs = 2_000

export function createOutbox(deps: {
  readonly store: Store
  readonly deliver: Partial<Record<Outgoing['destination'], Deliver>>
  readonly clock: Clock
  readonly log: Log
  readonly limits?: Partial<OutboxLimits>
}): Outbox {
  const { deliver, clock, log } = deps
  const limits = { ...defaults, ...deps.limits }
  const ledger = createLedger(deps.store, clock)
  const reports = createReportLane<Entry>(limits)
  /** Keys of the entries that this process has taken on. */
  const own = new Set<string>()
  const timers = new Set<NodeJS.Timeout>()
  const underWay = new Set<Promise<void>>()
  const hangUp = new AbortController()
  let isClosed = false
  /** Keys of presses among them. */
  const presses = new Set<string>()
  let heard: { readonly lane: Outgoing['lane'] | undefined; readonly resolve: () => void }[] = []

  async function add(events: readonly Outgoing[]): Promise<void> {
    if (isClosed) throw new Error('the outbox is closed')
    // Presses are written first: SQLite writes one after the other.
    const inOrder = [...events.filter(isPress), ...events.filter((event) => !isPress(event))]
    const outcomes = await Promise.allSettled(
      inOrder
        .filter(({ destination }) => deliver[destination] !== undefined)
        .map(async (event) => {
          const entry = await ledger.open(event, markUntil(event))
          if (entry) take(entry)
        }),
    )
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
  }

  async function start(): Promise<void> {
    for (const entry of await ledger.left()) {
      if (deliver[entry.event.destination] && !own.has(entry.key)) take(entry)
    }
  }

  function take(entry: Entry): void {
    if (isClosed) return
    own.add(entry.key)
    if (isPress(entry.event)) presses.add(entry.key)
    // Somebody else may still be sending it: then not before his time is over.
    const waitMs = entry.isOurs ? 0 : entry.heldUntil - clock()
    after(waitMs, () => {
      if (isPress(entry.event)) return run(sendPress(entry))
      reports.add(placeOf(entry.event), entry.key, entry)
      pump()
    })
  }

  function pump(): void {
    for (let turn = isClosed ? undefined : reports.next(); turn; turn = reports.next()) {
      const { place, report } = turn
      const sent = sendReport(place, report).finally(() => {
        reports.done(place)
        pump()
      })
      run(sent)
    }
  }

  async function sendPress(entry: Entry): Promise<void> {
    const outcome = await send(entry)
    if (outcome !== 'settled') {
      if (!isClosed) after(outcome.retryMs, () => run(sendPress(entry)))
      return
    }
    own.delete(entry.key)
    presses.delete(entry.key)
  }

  async function sendReport(place: Place, entry: Entry): Promise<void> {
    const outcome = await send(entry)
    if (outcome === 'settled') {
      if (!reports.has(place, entry.key)) own.delete(entry.key)
      return
    }
    if (isClosed) return
    // The whole line waits: what comes after it must not overtake it.
    reports.putBack(place, entry.key, entry)
    reports.hold(place)
    after(outcome.retryMs, () => {
      reports.reopen(place)
      pump()
    })
  }

  /** An attempt under our mark. Whoever cannot put his mark on it has lost it: to another process, or to something newer. */
  async function send(entry: Entry): Promise<Outcome> {
    try {
      if (!entry.isTold && !isStale(entry) && !(await mark(entry))) return 'settled'
      const tried = await attempt(entry)
      if (tried !== 'settled') await ledger.release(entry)
      return tried
    } catch (thrown) {
      log('error', 'outbox.store_failed', { reason: String(thrown) })
      return { retryMs: patience(1) }
    }
  }

  /** The mark that it was written down with is as good as new unless it has waited for its turn. */
  async function mark(entry: Entry): Promise<boolean> {
    const until = markUntil(entry.event)
    const isFresh = entry.isOurs && entry.heldUntil - clock() > (until - clock()) / 2
    return isFresh || ledger.hold(entry, until)
  }

  function markUntil({ usefulUntil }: Outgoing): number {
    return Math.min(clock() + limits.attemptMs, usefulUntil)
  }

  /** One attempt, and the record of its end. */
  async function attempt(entry: Entry): Promise<Outcome> {
    const { event } = entry
    if (!entry.isTold) {
      const facts = { id: event.id, destination: event.destination, lane: event.lane, cameraId: event.cameraId }
      if (isStale(entry)) {
        log('warn', 'outbox.stale', { ...facts, attempts: entry.attempts, ageMs: clock() - event.at })
      } else {
        entry.attempts += 1
        const { attempts } = entry
        const delivery = await tell(entry)
        if (delivery.kind === 'retry') {
          const retryMs = Math.max(delivery.afterMs ?? 0, patience(attempts))
          if (attempts < limits.attempts && clock() + retryMs < event.usefulUntil) {
            log('warn', 'outbox.retry', { ...facts, attempts, retryMs, reason: delivery.reason })
            return { retryMs }
          }
        }
        if (delivery.kind === 'done') log('info', 'outbox.delivered', { ...facts, attempts, ms: clock() - event.at })
        else
          log(delivery.kind === 'drop' ? 'warn' : 'error', 'outbox.dropped', {
            ...facts,
            attempts,
            reason: delivery.reason,
          })
      }
      // If the record cannot be written now, only that is tried again.
      entry.isTold = true
    }
    await ledger.settle(entry)
    return 'settled'
  }

  /** Ends with our mark at the latest: after it somebody else may try. */
  function tell({ event, heldUntil }: Entry): Promise<Delivery> {
    return within(
      heldUntil - clock(),
      async (signal): Promise<Delivery> =>
        (await deliver[event.destination]?.(event, AbortSignal.any([signal, hangUp.signal]))) ?? {
          kind: 'drop',
          reason: 'nobody delivers there',
        },
      (late) => log('warn', 'outbox.failed_late', { id: event.id, reason: String(late) }),
    ).catch((thrown: unknown): Delivery => ({ kind: 'retry', reason: String(thrown) }))
  }

  /** Milliseconds to wait after so many attempts. */
  function patience(attempts: number): number {
    const ms = Math.min(limits.firstRetryMs * 2 ** (attempts - 1), limits.longestRetryMs)
    return Math.round(ms * (1 + Math.random() / 2))
  }

  function isStale({ event }: Entry): boolean {
    return clock() >= event.usefulUntil
  }

  function run(work: Promise<void>): void {
    const running = work.finally(() => {
      underWay.delete(running)
      tellSettled()
    })
    underWay.add(running)
  }

  function after(ms: number, then: () => void): void {
    if (ms <= 0) return then()
    const timer = setTimeout(() => {
      timers.delete(timer)
      then()
      tellSettled()
    }, ms)
    timers.add(timer)
  }

  function isIdle(lane?: Outgoing['lane']): boolean {
    if (lane === 'press' && presses.size === 0) return true
    return underWay.size === 0 && (isClosed || (timers.size === 0 && reports.waiting() === 0))
  }

  function tellSettled(): void {
    const { true: done = [], false: open = [] } = Object.groupBy(heard, ({ lane }) => `${isIdle(lane)}` as const)
    heard = open
    for (const { resolve } of done) resolve()
  }

  return {
    add,
    start,
    async settled(lane) {
      if (!isIdle(lane)) await new Promise<void>((resolve) => heard.push({ lane, resolve }))
    },
    async close() {
      isClosed = true
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      const patient = setTimeout(() => hangUp.abort(), closeMs)
      await Promise.all(underWay)
      clearTimeout(patient)
      tellSettled()
    },
  }
}

const isPress = ({ lane }: Outgoing): boolean => lane === 'press'

function placeOf({ destination, accountId, cameraId }: Outgoing): Place {
  return { account: `${destination} ${accountId}`, camera: cameraId ?? '' }
}
