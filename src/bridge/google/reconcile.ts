/** Compares what Home Graph believes with what is true, and mends it: reports get lost, and so do links. */
import { isDeepStrictEqual } from 'node:util'
import { pause } from 'transom-core/deadline'
import type { AccountId, Clock, Log, Store } from 'transom-core/ports'
import type { Cameras } from './cameras.ts'
import { describeDevice, isOutdated, type DevicePromises } from './devices.ts'
import type { GraphResult, HomeGraph } from './home-graph.ts'
import type { GoogleLinks } from './links.ts'
import type { GoogleReports, StatesOf } from './reports.ts'

export interface ReconcileDeps extends DevicePromises {
  readonly homeGraph: Pick<HomeGraph, 'query' | 'devices'>
  readonly links: GoogleLinks
  readonly cameras: Pick<Cameras, 'list'>
  readonly statesOf: StatesOf
  readonly reports: Pick<GoogleReports, 'statesChanged' | 'camerasChanged'>
  readonly onUnlinked: (account: AccountId) => Promise<void>
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}

export interface Reconciled {
  readonly accounts: number
  readonly unlinked: number
  /** Accounts whose list of devices, or whose states, Google had wrong. */
  readonly resynced: number
  readonly reported: number
  /** Accounts about which Google could not be asked. */
  readonly failed: number
  /** False when time ran out, or somebody else is at it: the next call goes on from there. */
  readonly isComplete: boolean
}

/** Goes on with the round over all linked accounts, or begins one, until it is through or the signal says stop. */
export type Reconcile = (signal: AbortSignal) => Promise<Reconciled>

/** How far the round is, and until when whoever is at it may be believed to live. */
interface Round {
  readonly after?: AccountId
  readonly heldUntil: number
}

type Outcome = 'unlinked' | 'resynced' | 'reported' | 'failed'

/** Accounts side by side: fast enough for Google's quota, of which a round takes only what reports and presses leave. */
const atOnce = 8
/** Longer than the slowest step of a round: eight accounts, each two calls that may wait a minute for the quota. */
const heldMs = 3 * 60_000

/** Two calls for each account. Of several processes one does it, in steps that a Lambda may be stopped between. */
export function createReconcile(deps: ReconcileDeps): Reconcile {
  const { homeGraph, links, cameras, statesOf, reports, onUnlinked, clock, log } = deps
  const rounds = deps.store.collection<Round>('google-reconcile')

  return async (signal) => {
    const total = { accounts: 0, unlinked: 0, resynced: 0, reported: 0, failed: 0 }
    const begun = await rounds.get('round')
    if (begun !== undefined && begun.value.heldUntil > clock()) return { ...total, isComplete: false }
    let after = begun?.value.after
    let isComplete = false
    // Undefined as soon as another process has the round.
    let version = await keep(after, heldMs, begun?.version)
    try {
      while (version !== undefined && !signal.aborted && !isComplete) {
        const accounts = await links.list({ limit: atOnce, after })
        const outcomes = await Promise.all(accounts.map(async (account) => tryLook(account, signal)))
        // Of a step that was cut short nothing is known: it is done again.
        if (signal.aborted) break
        total.accounts += accounts.length
        for (const outcome of outcomes.flat()) total[outcome] += 1
        after = accounts.at(-1)
        isComplete = after === undefined
        version = await keep(after, heldMs, version)
      }
    } finally {
      if (version !== undefined) await keep(after, 0, version)
    }
    log('info', 'google.reconciled', { ...total, isComplete })
    return { ...total, isComplete }
  }

  async function keep(after: AccountId | undefined, forMs: number, version: number | undefined) {
    const round = { ...(after !== undefined && { after }), heldUntil: clock() + forMs }
    return rounds.put('round', round, { onlyIf: version === undefined ? 'absent' : { version } })
  }

  /** One account that cannot be looked at must not stop the round at its place for ever. */
  async function tryLook(account: AccountId, signal: AbortSignal): Promise<Outcome[]> {
    try {
      return await look(account, signal)
    } catch (thrown) {
      if (!signal.aborted) log('error', 'google.reconcile-failed', { accountId: account, error: String(thrown) })
      return ['failed']
    }
  }

  async function look(account: AccountId, signal: AbortSignal): Promise<Outcome[]> {
    // What Google is just taking in differs from what it will be.
    if (await links.isFresh(account)) return []
    const listed = await patiently(() => homeGraph.devices(account, signal), signal)
    if (listed.kind === 'not-found') {
      await links.close(account)
      await onUnlinked(account)
      return ['unlinked']
    }
    if (listed.kind === 'failed') return ['failed']
    const ours = await cameras.list(account)
    const kept = new Map(listed.value.map((device) => [device.id, device]))
    const isSame =
      kept.size === ours.length &&
      ours.every((camera) => {
        const found = kept.get(camera.id)
        return found !== undefined && !isOutdated(found.customData, describeDevice(camera, deps))
      })
    if (!isSame) {
      log('warn', 'google.devices-differ', { accountId: account, ours: ours.length, theirs: kept.size })
      await reports.camerasChanged(account)
    }
    const known = ours.filter(({ id }) => kept.has(id))
    const wrong = known.length > 0 ? await wrongStates(account, known, signal) : []
    if (wrong === 'failed') return isSame ? ['failed'] : ['resynced', 'failed']
    if (wrong.length > 0) {
      log('warn', 'google.states-differ', { accountId: account, cameras: wrong })
      await reports.statesChanged(account)
    }
    return [...(isSame ? [] : (['resynced'] as const)), ...(wrong.length > 0 ? (['reported'] as const) : [])]
  }

  /** Cameras of which Google believes something else than what is true; what it has beside that (`status`) is its own. */
  async function wrongStates(
    account: AccountId,
    known: Awaited<ReturnType<Cameras['list']>>,
    signal: AbortSignal,
  ): Promise<string[] | 'failed'> {
    const ids = known.map(({ id }) => id)
    const believed = await patiently(() => homeGraph.query(account, ids, signal), signal)
    if (believed.kind !== 'accepted') return 'failed'
    const compared = await Promise.all(
      known.map(async (camera) => {
        const theirs = believed.value[camera.id] ?? {}
        const ours = Object.entries(await statesOf(camera))
        return ours.every(([name, value]) => isDeepStrictEqual(theirs[name], value)) ? [] : [String(camera.id)]
      }),
    )
    return compared.flat()
  }
}

/** A round may wait for the quota, once; presses and reports go before it. */
async function patiently<T>(ask: () => Promise<GraphResult<T>>, signal: AbortSignal): Promise<GraphResult<T>> {
  const first = await ask()
  if (first.kind !== 'failed' || !first.retryable || first.afterMs === undefined || signal.aborted) return first
  return (await pause(Math.min(first.afterMs, 60_000), signal)) ? ask() : first
}

/** A bridge that starts has missed what happened before; cameras and their presence need a moment. */
const firstMs = 60_000

/** Reconciles soon after the start and then every so often, until it is closed; rounds never overlap. */
export function scheduleReconcile(
  reconcile: Reconcile,
  { everyMs, log }: { readonly everyMs: number; readonly log: Log },
): { close(): Promise<void> } {
  const hangUp = new AbortController()
  const run = async () => {
    for (let ms = Math.min(firstMs, everyMs); ; ms = everyMs) {
      if (!(await pause(ms, hangUp.signal))) return
      await reconcile(hangUp.signal).catch((thrown: unknown) =>
        log('error', 'google.reconcile-failed', { error: String(thrown) }),
      )
    }
  }
  const running = run()
  return {
    async close() {
      hangUp.abort()
      await running
    },
  }
}
