/** What was measured of one operation, times how often a fleet does it: loads, quotas, and cost. */
import type { Measured } from './measure.ts'
import { sum, type Counts } from './meter.ts'
import {
  camerasWith,
  durations,
  linkedWith,
  memoryGb,
  profiles,
  ratesOf,
  reconcileHours,
  relayedShare,
  sweepsPerSecond,
  viewMinutes,
  type FleetSize,
  type Kind,
  type Profile,
} from './profiles.ts'
import { prices, quotas, type Load, type Quota } from './quotas.ts'

const hour = 3_600
/** 730 hours. */
const month = 730 * hour

/** Operations of the cameras, assistants and people in a second, without the schedules: what each costs, and how often it is done. */
function operationsOf({ cells }: Measured, profile: Profile, size: FleetSize) {
  return cells.map(({ kind, linking, warm, cold, shared }) => ({
    kind,
    counts: sum([
      { counts: warm, times: 1 - profile.coldShare },
      { counts: cold, times: profile.coldShare },
    ]),
    shared,
    times: (camerasWith(size, linking) * (ratesOf(profile, linking)[kind] ?? 0)) / hour,
  }))
}

/** What the fleet's cameras, assistants and people cause in a second, without the schedules. */
export const causedPerSecond = (measured: Measured, profile: Profile, size: FleetSize): Counts =>
  sum(operationsOf(measured, profile, size))

/** The whole load of a second, with the sweep and the reconciliation. */
export function loadOf(measured: Measured, profile: Profile, size: FleetSize): Load & { readonly hottest: Hottest } {
  const done = operationsOf(measured, profile, size)
  const withAlexa = camerasWith(size, 'alexa') + camerasWith(size, 'both')
  const withGoogle = camerasWith(size, 'google') + camerasWith(size, 'both')
  const counts = sum([
    ...done,
    { counts: measured.sweep, times: sweepsPerSecond },
    { counts: measured.stuck, times: (profile.stuckShare * withAlexa * profile.pressesPerHour) / hour },
    { counts: measured.reconcile, times: withGoogle / (reconcileHours * hour) },
  ])
  const hottest = hottestOf(done, measured.spread)
  return {
    counts,
    concurrency: secondsOf(counts),
    hottestRecord: hottest.record.perSecond,
    hottestList: hottest.list.perSecond,
    hottestRead: hottest.read.perSecond,
    // A household with both assistants may show it on either.
    hottestChannel: profile.busiestDoorPerSecond * profile.viewsPerPress * 2,
    channels: size.cameras,
    hottest,
  }
}

interface Hot {
  /** The family of keys; empty when accounts share none. */
  readonly key: string
  /** Over so many keys it is spread. */
  readonly spread: number
  /** Units at each of them. */
  readonly perSecond: number
}
export type Hottest = Readonly<Record<'record' | 'list' | 'read', Hot>>

function hottestOf(done: ReturnType<typeof operationsOf>, spread: Measured['spread']): Hottest {
  const hottest = (use: 'reads' | 'writes', begins: string): Hot =>
    [...spread]
      .filter(([key]) => key.startsWith(begins))
      .map(([key, keys]) => {
        const units = done.reduce((total, { shared, times }) => total + (shared.get(key)?.[use] ?? 0) * times, 0)
        return { key, spread: keys, perSecond: units / keys }
      })
      .reduce((most, each) => (each.perSecond > most.perSecond ? each : most), { key: '', spread: 1, perSecond: 0 })
  return { record: hottest('writes', 'record '), list: hottest('writes', 'list '), read: hottest('reads', '') }
}

/** How long functions run for it, in seconds, with everything one after the other. */
function secondsOf(counts: Counts): number {
  const { warm, cold, dynamo, kvsRest, kvsConnect, vendor } = durations
  const rest = counts.kvsDescribe + counts.kvsEndpoint + counts.kvsIce + counts.kvsAlexaOffer
  const ms =
    counts.invocations * warm +
    counts.coldStarts * cold +
    counts.dynamoCalls * dynamo +
    rest * kvsRest +
    counts.kvsConnect * kvsConnect +
    (counts.alexaEvents + counts.lwaTokens + counts.homeGraph) * vendor
  return ms / 1000
}

export interface QuotaUse extends Omit<Quota, 'of'> {
  readonly used: number
  /** `null` where no limit is stated. */
  readonly share: number | null
}

/** A quota that is filled, and how large the fleet and its rate are when it just is. */
export interface Breaking {
  readonly name: string
  readonly share: number
  readonly atCameras: number
  readonly atPressesPerSecond: number
}

export interface Report {
  readonly quotas: readonly QuotaUse[]
  /** The quota of a rate that a growing fleet of this profile fills first; `null` when it uses none. */
  readonly firstToBreak: Breaking | null
  /** The same among those that nobody raises. */
  readonly firstHardToBreak: Breaking | null
  /** US dollars, of ordinary days. */
  readonly costPerCameraMonth: number
  readonly cost: Readonly<Record<string, number>>
  readonly perSecond: Counts
  readonly hottest: Hottest
  readonly operations: Readonly<Record<string, Counts>>
  readonly assumptions: object
}

/** The report for this fleet at the profile's peak. */
export function reportOf(measured: Measured, profile: Profile, size: FleetSize): Report {
  const load = loadOf(measured, profile, size)
  const uses = quotas.map(({ of, ...quota }): QuotaUse => {
    const used = of(load)
    return { ...quota, used, share: quota.limit === null ? null : used / quota.limit }
  })
  const first = (all: readonly QuotaUse[]): Breaking | null => {
    const most = all.reduce((fullest, each) => ((each.share ?? 0) > (fullest.share ?? 0) ? each : fullest))
    if (most.share === null || most.share === 0) return null
    const { name, share } = most
    const presses = (size.cameras * profile.pressesPerHour) / hour
    return { name, share, atCameras: Math.floor(size.cameras / share), atPressesPerSecond: presses / share }
  }
  const growing = uses.filter(({ isRate }) => isRate)
  const cost = costOf(loadOf(measured, profiles.ordinary, size), measured, size)
  return {
    quotas: uses,
    firstToBreak: first(growing),
    firstHardToBreak: first(growing.filter(({ isAdjustable }) => !isAdjustable)),
    costPerCameraMonth: Object.values(cost).reduce((total, usd) => total + usd, 0),
    cost,
    perSecond: load.counts,
    hottest: load.hottest,
    operations: Object.fromEntries(
      measured.cells.flatMap(({ kind, linking, warm, cold }): [string, Counts][] => [
        [`${kind}/${linking}/warm`, warm],
        [`${kind}/${linking}/cold`, cold],
      ]),
    ),
    assumptions: {
      size,
      peak: profile,
      costOf: profiles.ordinary,
      linkedWith,
      durations,
      memoryGb,
      viewMinutes,
      relayedShare,
      reconcileHours,
      prices,
    },
  }
}

const views: readonly Kind[] = ['viewAlexa', 'viewGoogle', 'firstView']

/** For one camera and month, by what is paid for. */
function costOf({ counts, concurrency }: Load, measured: Measured, size: FleetSize): Report['cost'] {
  const viewed = operationsOf(measured, profiles.ordinary, size)
    .filter(({ kind }) => views.includes(kind))
    .reduce((total, { times }) => total + times, 0)
  const perCamera = (perSecond: number, { usd }: { readonly usd: number }): number =>
    (perSecond * month * usd) / size.cameras
  return {
    'KVS channel': prices.kvsChannelMonth.usd,
    'KVS messages': perCamera(counts.kvsMessages, prices.kvsMessage),
    'KVS relay': perCamera(viewed * viewMinutes * relayedShare, prices.turnMinute),
    'Lambda requests': perCamera(counts.invocations, prices.lambdaRequest),
    'Lambda time': perCamera(concurrency * memoryGb, prices.lambdaGbSecond),
    'API Gateway': perCamera(counts.apiRequests, prices.apiRequest),
    'DynamoDB reads': perCamera(counts.readUnits, prices.readUnit),
    'DynamoDB writes': perCamera(counts.writeUnits + counts.indexUnits, prices.writeUnit),
  }
}
