/** Runs each operation on the packaged functions a few times, in warm and in new environments, and says what one of them costs. */
import { randomUUID } from 'node:crypto'
import { newsForAlexa } from '../../src/bridge/alexa/news.ts'
import { createOutbox } from '../../src/bridge/outbox/outbox.ts'
import { cameraId, type Camera } from '../../src/core/ports.ts'
import type { Fleet, FunctionName } from '../../test/fleet/fleet.ts'
import { createHome, createService, type Service } from './home.ts'
import { countsOf, metered, sum, type Counts, type KeyUse, type Spend } from './meter.ts'
import { operations, viewFirstChannel } from './operations.ts'
import { linkings, profiles, ratesOf, type Kind, type Linking } from './profiles.ts'

/** What one operation of this kind costs at a household that is linked so. */
export interface Cell {
  readonly kind: Kind
  readonly linking: Linking
  readonly warm: Counts
  /** Each of its invocations in a new environment. */
  readonly cold: Counts
  /** Of the keys that several accounts use, by family. */
  readonly shared: ReadonlyMap<string, KeyUse>
}

export interface Measured {
  readonly cells: readonly Cell[]
  /** One sweep that finds nothing, and what each press that it finds adds. */
  readonly sweep: Counts
  readonly stuck: Counts
  /** For each account that is linked with Google. */
  readonly reconcile: Counts
  /** Over how many keys each family is spread. */
  readonly spread: ReadonlyMap<string, number>
}

interface Run {
  readonly kind: Kind
  readonly linking: Linking
  readonly account: string
  readonly spend: Spend
}

/** What the functions are that a fleet needs for it. */
export const functionsOfFleet: readonly FunctionName[] = ['alexa', 'http', 'sweep', 'reconcile']
/** Of a link nobody waits for the environment: its pages go through many, and it is rare. */
const neverCold: readonly Kind[] = ['linkAlexa', 'linkGoogle']

/** `rounds`: times that each operation is run in a warm environment; presses four times as often, for the lists that they spread over. */
export async function measure(fleet: Fleet, rounds: number): Promise<Measured> {
  const [warm, cold] = [createService(fleet, () => false), createService(fleet, () => true)]
  await viewFirstChannel(fleet, warm)
  await runTimes(fleet, warm, 'motion', 'both', 2)
  const runs: Run[] = []
  const colds: Run[] = []
  for (const linking of linkings) {
    for (const kind of kindsOf(linking)) {
      runs.push(...(await runTimes(fleet, warm, kind, linking, kind === 'press' ? 4 * rounds : rounds)))
      const isEnough = linking === 'none' || linking === 'both'
      if (isEnough && !neverCold.includes(kind)) colds.push(...(await runTimes(fleet, cold, kind, linking, 1)))
    }
  }
  const background = await measureBackground(fleet, warm)
  await Promise.all([warm.close(), cold.close()])

  const shared = sharedFamilies(runs)
  const cells = linkings.flatMap((linking) =>
    kindsOf(linking).map((kind): Cell => {
      const mine = runs.filter((run) => run.kind === kind && run.linking === linking)
      const counts = mean(mine)
      return { kind, linking, warm: counts, cold: coldOf(kind, linking, counts), shared: meanUse(mine, shared) }
    }),
  )
  return { cells, ...background, spread: spreadOf(runs, shared) }

  /** What a new environment adds is measured at households that have linked both assistants, or none. */
  function coldOf(kind: Kind, linking: Linking, counts: Counts): Counts {
    const like = linking === 'none' ? 'none' : 'both'
    const of = (all: readonly Run[]) => all.filter((run) => run.kind === kind && run.linking === like)
    if (neverCold.includes(kind)) return { ...counts, coldStarts: counts.invocations }
    return sum([
      { counts, times: 1 },
      { counts: mean(of(colds)), times: 1 },
      { counts: mean(of(runs)), times: -1 },
    ])
  }
}

const kindsOf = (linking: Linking): readonly Kind[] => Object.keys(ratesOf(profiles.ordinary, linking)) as Kind[]

async function runTimes(fleet: Fleet, service: Service, kind: Kind, linking: Linking, times: number): Promise<Run[]> {
  const runs: Run[] = []
  for (let turn = 0; turn < times; turn += 1) {
    const { home, run } = await operations[kind](fleet, service, linking)
    service.made()
    const spend = await metered(fleet, async () => {
      await run()
      return service.made()
    })
    runs.push({ kind, linking, account: home.account, spend })
  }
  return runs
}

const stuckPresses = 8

/** What the schedules cost. */
async function measureBackground(fleet: Fleet, service: Service) {
  const invoke = async (name: FunctionName): Promise<Counts> => {
    const { counts } = await metered(fleet, async () => {
      await service.invoke(name, {})
      return service.made()
    })
    return counts
  }
  await service.invoke('sweep', {})
  const sweep = await invoke('sweep')
  for (let turn = 0; turn < stuckPresses; turn += 1) await leaveBehind(fleet)
  const busy = await invoke('sweep')
  const stuck = countsOf((counter) => (busy[counter] - sweep[counter]) / stuckPresses)

  const round = await invoke('reconcile')
  const asked = new Set(fleet.google.calls.slice(-round.homeGraph).map(({ account }) => account)).size
  const reconcile = countsOf((counter) => round[counter] / Math.max(1, asked))
  return { sweep, stuck, reconcile }
}

/** A press that was written down, and whose environment froze before Alexa had it. */
async function leaveBehind(fleet: Fleet): Promise<void> {
  const { account, camera } = await createHome(fleet, 'alexa')
  const door: Camera = {
    id: cameraId(camera),
    accountId: account,
    name: camera,
    kind: 'doorbell',
    channel: { channelName: 'door', road: 'viewer' },
    manufacturer: 'Vendor',
    model: 'VB-2',
    hasSpeaker: true,
  }
  const frozen = createOutbox({
    store: fleet.store,
    deliver: { alexa: async () => ({ kind: 'retry', reason: 'not now' }) },
    clock: Date.now,
    log: () => {},
  })
  await frozen.add(newsForAlexa(door, { kind: 'press', eventId: randomUUID(), at: Date.now() }))
  await frozen.close()
}

const mean = (runs: readonly Run[]): Counts =>
  sum(runs.map(({ spend }) => ({ counts: spend.counts, times: 1 / runs.length })))

/** Lists that differ by a number at their end share the load of one. */
const familyOf = (key: string): string => key.replace(/\d+$/, '')

/** Families of keys that more than one account uses. */
function sharedFamilies(runs: readonly Run[]): ReadonlySet<string> {
  const users = new Map<string, Set<string>>()
  for (const { account, spend } of runs) for (const key of spend.keys.keys()) add(users, familyOf(key), account)
  return new Set([...users].filter(([, accounts]) => accounts.size > 1).map(([family]) => family))
}

/** Of one run. */
function meanUse(runs: readonly Run[], shared: ReadonlySet<string>): ReadonlyMap<string, KeyUse> {
  const total = new Map<string, KeyUse>()
  for (const { spend } of runs) {
    for (const [key, { reads, writes }] of spend.keys) {
      const family = familyOf(key)
      if (!shared.has(family)) continue
      const before = total.get(family) ?? { reads: 0, writes: 0 }
      const [moreReads, moreWrites] = [reads / runs.length, writes / runs.length]
      total.set(family, { reads: before.reads + moreReads, writes: before.writes + moreWrites })
    }
  }
  return total
}

/** How many keys each family has, estimated from how many different ones so many records fell into. */
function spreadOf(runs: readonly Run[], shared: ReadonlySet<string>): ReadonlyMap<string, number> {
  const keys = new Map<string, Set<string>>()
  const records = new Map<string, Set<string>>()
  for (const { spend } of runs) {
    for (const key of spend.keys.keys()) add(keys, familyOf(key), key)
    for (const [list, members] of spend.members) for (const member of members) add(records, familyOf(list), member)
  }
  const sizes = [...shared].map((family): [string, number] => {
    const seen = keys.get(family)?.size ?? 1
    return [family, listsBehind(records.get(family)?.size ?? seen, seen)]
  })
  return new Map(sizes)
}

function add(to: Map<string, Set<string>>, family: string, what: string): void {
  to.set(family, (to.get(family) ?? new Set()).add(what))
}

/** The number of lists, all as likely, of which `draws` records are expected to meet `seen`; at most as many as there were draws. */
export function listsBehind(draws: number, seen: number): number {
  const expected = (lists: number): number => lists * (1 - (1 - 1 / lists) ** draws)
  let lists = seen
  while (lists < draws && Math.round(expected(lists)) < seen) lists += 1
  return lists
}
