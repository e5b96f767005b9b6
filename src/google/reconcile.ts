/** Compares what Home Graph believes with what is true, and mends it: reports get lost, and so do links. */
import { isDeepStrictEqual } from 'node:util'
import type { AccountId, Log } from '../ports.ts'
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
}

/** One round over all linked accounts, one after the other: two calls each, six thousand of which Google takes in a minute. */
export function createReconcile(deps: ReconcileDeps): (signal: AbortSignal) => Promise<Reconciled> {
  const { homeGraph, links, cameras, statesOf, reports, onUnlinked, log } = deps

  return async (signal) => {
    const total = { accounts: 0, unlinked: 0, resynced: 0, reported: 0, failed: 0 }
    for await (const account of links.all()) {
      if (signal.aborted) break
      total.accounts += 1
      for (const outcome of await look(account, signal)) total[outcome] += 1
    }
    log('info', 'google.reconciled', total)
    return total
  }

  async function look(
    account: AccountId,
    signal: AbortSignal,
  ): Promise<('unlinked' | 'resynced' | 'reported' | 'failed')[]> {
    const listed = await patiently(() => homeGraph.devices(account, signal), signal)
    if (listed.kind === 'unlinked') {
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
      log('warn', 'google.devices-differ', { account, ours: ours.length, theirs: kept.size })
      await reports.camerasChanged(account)
    }
    const known = ours.filter(({ id }) => kept.has(id))
    const wrong = known.length > 0 ? await wrongStates(account, known, signal) : []
    if (wrong === 'failed') return isSame ? ['failed'] : ['resynced', 'failed']
    if (wrong.length > 0) {
      log('warn', 'google.states-differ', { account, cameras: wrong })
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
  await pause(Math.min(first.afterMs, 60_000), signal)
  return signal.aborted ? first : ask()
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const wake = () => resolve()
  signal.addEventListener('abort', wake, { once: true })
  await promise
  clearTimeout(timer)
  signal.removeEventListener('abort', wake)
}

/** Runs a round every so often until it is closed; rounds never overlap. */
export function scheduleReconcile(
  reconcile: (signal: AbortSignal) => Promise<unknown>,
  { everyMs, log }: { readonly everyMs: number; readonly log: Log },
): { close(): Promise<void> } {
  const hangUp = new AbortController()
  const run = async () => {
    for (;;) {
      await pause(everyMs, hangUp.signal)
      if (hangUp.signal.aborted) return
      await reconcile(hangUp.signal).catch((thrown: unknown) =>
        log('error', 'google.reconcile-failed', { reason: String(thrown) }),
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
