/** Counts what the functions ask of DynamoDB, KVS, Amazon and Google while something is done. */
import type { Fleet } from '../../test/fleet/fleet.ts'

/** Calls, and DynamoDB's capacity units. */
export const counters = [
  'invocations',
  'coldStarts',
  'apiRequests',
  'dynamoCalls',
  'readUnits',
  'writeUnits',
  'indexUnits',
  'kvsDescribe',
  'kvsEndpoint',
  'kvsIce',
  'kvsAlexaOffer',
  'kvsConnect',
  'kvsMessages',
  'alexaEvents',
  'lwaTokens',
  'homeGraph',
] as const
export type Counter = (typeof counters)[number]
export type Counts = Readonly<Record<Counter, number>>

/** What one record, or one list of the index, took. */
export interface KeyUse {
  readonly reads: number
  readonly writes: number
}

/** What was asked; the keys by `record` or `list`, a blank and their name. */
export interface Spend {
  readonly counts: Counts
  readonly keys: ReadonlyMap<string, KeyUse>
  /** Of each list: which records went into it. */
  readonly members: ReadonlyMap<string, ReadonlySet<string>>
}

export const countsOf = (of: (counter: Counter) => number): Counts =>
  Object.fromEntries(counters.map((counter) => [counter, of(counter)])) as Record<Counter, number>

/** Of each, as often as it says. */
export const sum = (all: readonly { readonly counts: Counts; readonly times: number }[]): Counts =>
  countsOf((counter) => all.reduce((total, { counts, times }) => total + counts[counter] * times, 0))

export interface Invocations {
  readonly invocations: number
  readonly coldStarts: number
  readonly apiRequests: number
}

/** What was asked of the fleet's surroundings while `work` ran; `work` says how many invocations it made. */
export async function metered(fleet: Fleet, work: () => Promise<Invocations>): Promise<Spend> {
  const from = {
    spent: fleet.dynamo.spent.length,
    kvs: fleet.kvs.log.length,
    frames: fleet.kvs.frames.length,
    amazon: fleet.amazon.requests.length,
    google: fleet.google.calls.length,
  }
  const made = await work()
  const spent = fleet.dynamo.spent.slice(from.spent)
  const kvs = fleet.kvs.log.slice(from.kvs)
  const amazon = fleet.amazon.requests.slice(from.amazon)
  const asked = (path: string): number => kvs.filter((each) => each === path).length
  const total = (of: (each: (typeof spent)[number]) => number): number =>
    spent.reduce((units, each) => units + of(each), 0)
  const frames = fleet.kvs.frames.length - from.frames
  return {
    counts: {
      ...made,
      dynamoCalls: spent.length,
      readUnits: total(({ readUnits }) => readUnits),
      writeUnits: total(({ writeUnits }) => writeUnits),
      indexUnits: total(({ writeUnits, indexKeys }) => writeUnits * indexKeys.length),
      kvsDescribe: asked('/describeSignalingChannel'),
      kvsEndpoint: asked('/getSignalingChannelEndpoint'),
      kvsIce: asked('/v1/get-ice-server-config'),
      kvsAlexaOffer: asked('/v1/send-alexa-offer-to-master'),
      kvsConnect: asked('upgrade'),
      // Each frame of ours is sent and received; so are an answer and two candidates of the camera's for each offer.
      kvsMessages: 2 * (frames + 3 * asked('upgrade')),
      alexaEvents: amazon.filter((each) => each === 'event').length,
      lwaTokens: amazon.filter((each) => each === 'refresh_token' || each === 'authorization_code').length,
      homeGraph: fleet.google.calls.length - from.google,
    },
    ...keysOf(spent),
  }
}

function keysOf(spent: Fleet['dynamo']['spent']): Pick<Spend, 'keys' | 'members'> {
  const keys = new Map<string, KeyUse>()
  const members = new Map<string, Set<string>>()
  const use = (key: string, { reads, writes }: KeyUse): void => {
    const before = keys.get(key) ?? { reads: 0, writes: 0 }
    keys.set(key, { reads: before.reads + reads, writes: before.writes + writes })
  }
  for (const { record, readUnits, writeUnits, indexKeys } of spent) {
    // A query names a list (`outbox#press`), anything else a record (`outbox 17`).
    const isList = record.includes('#') && !record.includes(' ')
    use(`${isList ? 'list' : 'record'} ${record}`, { reads: readUnits, writes: writeUnits })
    for (const key of indexKeys) {
      use(`list ${key}`, { reads: 0, writes: writeUnits })
      members.set(`list ${key}`, (members.get(`list ${key}`) ?? new Set()).add(record))
    }
  }
  return { keys, members }
}
