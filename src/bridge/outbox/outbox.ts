/** What the assistants must hear, kept until they have heard it: durable, presses first, nothing twice, nothing stale. */
import type { AccountId, Clock, Log, Store } from 'transom-core/ports'
import { createAttempts, type AttemptLimits } from './attempts.ts'
import { createLedger, type Entry } from './ledger.ts'
import type { Deliver, Outgoing } from './outgoing.ts'
import { createReportLane, type LaneLimits, type Place } from './report-lane.ts'
import { createWork } from './work.ts'

/** How much may be under way, and how often and how soon it is tried again. */
export interface OutboxLimits extends LaneLimits, AttemptLimits {}

/** What an outbox is doing now. */
export interface OutboxState {
  /** It has picked up what an earlier process left, and is not closed. */
  readonly isRunning: boolean
  /** Events of each lane that are not delivered yet. */
  readonly waiting: Readonly<Record<Outgoing['lane'], number>>
}

export interface Outbox {
  /** Resolves when every event is durable (or was known). Presses leave at once. Rejects if the store does. */
  add(events: readonly Outgoing[]): Promise<void>
  /** Picks up what an earlier process left, or another one has dropped; may be called again. */
  start(): Promise<void>
  /** Drops what waits for an account that is gone. */
  forget(accountId: AccountId): Promise<void>
  /**
   * Resolves when nothing waits or is under way, of this lane or of both. With `since`, of `now()`, only for what was taken on
   * after that, and of the reports without those that are put off for long: what is left here, somebody else sends.
   */
  settled(lane?: Outgoing['lane'], since?: number): Promise<void>
  /** How many events were taken on so far. */
  now(): number
  state(): OutboxState
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

/** A report that is put off for longer is not worth waiting for: who waits is an invocation, which costs as long as it lasts. */
const soonMs = 3_000

/** How long `close` lets what is under way come to its end before it hangs up. */
const closeMs = 2_000

export function createOutbox(deps: {
  readonly store: Store
  readonly deliver: Partial<Record<Outgoing['destination'], Deliver>>
  readonly clock: Clock
  readonly log: Log
  readonly limits?: Partial<OutboxLimits>
}): Outbox {
  const { deliver, clock } = deps
  const limits = { ...defaults, ...deps.limits }
  const ledger = createLedger(deps.store, clock)
  const hangUp = new AbortController()
  const { send, markUntil } = createAttempts({ ...deps, limits, ledger, closing: hangUp.signal })
  const reports = createReportLane<Entry>(limits)
  const work = createWork()
  /** Of the entries that this process has taken on: by key, as which of all that it ever took on; and the presses among them. */
  const own = new Map<string, { readonly turn: number; readonly line: string }>()
  const presses = new Set<string>()
  /** Lines of reports that nobody should wait for now. */
  const putOff = new Set<string>()
  let count = 0
  let hasStarted = false

  async function add(events: readonly Outgoing[]): Promise<void> {
    if (work.isClosed()) throw new Error('the outbox is closed')
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
    hasStarted = true
  }

  function take(entry: Entry): void {
    if (work.isClosed()) return
    own.set(entry.key, { turn: count++, line: lineOf(entry.event) })
    if (isPress(entry.event)) presses.add(entry.key)
    // Somebody else may still be sending it: then not before his time is over.
    const waitMs = entry.isOurs ? 0 : entry.heldUntil - clock()
    work.after(waitMs, () => {
      if (isPress(entry.event)) return work.run(sendPress(entry))
      reports.add(placeOf(entry.event), entry.key, entry)
      pump()
    })
  }

  function pump(): void {
    for (let turn = work.isClosed() ? undefined : reports.next(); turn; turn = reports.next()) {
      const { place, report } = turn
      const sent = sendReport(place, report).finally(() => {
        reports.done(place)
        pump()
      })
      work.run(sent)
    }
  }

  async function sendPress(entry: Entry): Promise<void> {
    const outcome = await send(entry)
    if (outcome.kind === 'retry') {
      work.after(outcome.retryMs, () => work.run(sendPress(entry)))
      return
    }
    own.delete(entry.key)
    presses.delete(entry.key)
  }

  async function sendReport(place: Place, entry: Entry): Promise<void> {
    const outcome = await send(entry)
    if (outcome.kind === 'settled') {
      if (!reports.has(place, entry.key)) own.delete(entry.key)
      return
    }
    if (work.isClosed()) return
    // The whole line waits: what comes after it must not overtake it.
    reports.putBack(place, entry.key, entry)
    reports.hold(place)
    if (outcome.retryMs > soonMs) putOff.add(lineOf(entry.event))
    work.after(outcome.retryMs, () => {
      putOff.delete(lineOf(entry.event))
      reports.reopen(place)
      pump()
    })
  }

  /** Whether something of this lane is to be waited for that was taken on since. */
  function isAwaited(lane: Outgoing['lane'] | undefined, since: number): boolean {
    for (const [key, { turn, line }] of own) {
      const isPressed = presses.has(key)
      const isAsked = turn >= since && (lane === undefined || isPressed === (lane === 'press'))
      if (isAsked && (isPressed || !putOff.has(line))) return true
    }
    return false
  }

  return {
    add,
    start,
    forget: ledger.forget,
    settled: (lane, since) =>
      work.until(() => {
        if (since !== undefined && !isAwaited(lane, since)) return true
        if (lane === 'press' && presses.size === 0) return true
        return work.isIdle() && (work.isClosed() || reports.waiting() === 0)
      }),
    now: () => count,
    state: () => ({
      isRunning: hasStarted && !work.isClosed(),
      waiting: { press: presses.size, report: own.size - presses.size },
    }),
    async close() {
      const patient = setTimeout(() => hangUp.abort(), closeMs)
      await work.close()
      clearTimeout(patient)
    },
  }
}

const lineOf = (event: Outgoing): string => JSON.stringify(placeOf(event))

const isPress = ({ lane }: Outgoing): boolean => lane === 'press'

function placeOf({ destination, accountId, cameraId }: Outgoing): Place {
  return { account: `${destination} ${accountId}`, camera: cameraId ?? '' }
}
