/** What is stored of a channel, found by its name and guarded by its ARN: one record each. */
import type { Store, Stored } from 'transom-core/ports'
import { ServiceError } from './service-error.ts'

export interface Channel {
  readonly name: string
  readonly arn: string
  readonly createdAt: number
  /** How long the channel keeps a message that cannot be delivered yet, in seconds. */
  readonly messageTtlS: number
  /** Changes with every update of the channel's settings; tags and storage have no part in it. */
  readonly version: string
  readonly storage: Storage
}

/** Whether sessions shall be stored, and in which stream: kept for whoever asks, and never acted on. */
export interface Storage {
  readonly status: 'ENABLED' | 'DISABLED'
  readonly streamArn?: string
}

/** How a request names a channel: by its name, or by its ARN, which holds the name. */
export interface ChannelKey {
  readonly name: string
  readonly arn?: string
}

export type Tags = Readonly<Record<string, string>>

export interface ChannelRecord {
  readonly arn: string
  readonly createdAt: number
  readonly messageTtlS: number
  readonly tags: Tags
  /** The channel's version as its users see it: the store's own one also counts changes that are none of the settings. */
  readonly revision: number
  readonly storage?: Storage
}

export interface ChannelRecords {
  /** The record of a channel. Throws `ResourceNotFoundException`. */
  load(key: ChannelKey): Promise<Stored<ChannelRecord>>
  has(name: string): Promise<boolean>
  /** Those whose names come after `after`, in order of name. */
  all(after: string | undefined): AsyncIterable<Stored<ChannelRecord>>
  /** How many there are. */
  count(): Promise<number>
  /** False when there is one of this name. */
  add(name: string, record: ChannelRecord): Promise<boolean>
  /** Writes what `change` makes of the record, and returns the channel. Throws `ResourceNotFoundException`. */
  rewrite(arn: string, change: (record: ChannelRecord) => ChannelRecord): Promise<Channel>
  /** False when there was none: of two who take at once, one gets it. */
  take(name: string): Promise<boolean>
}

const group = 'channel'
const arnPattern = /^arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:channel\/([a-zA-Z0-9_.-]+)\/[0-9]+$/

/** The channel name within a channel's ARN; `undefined` when it is none. */
export function channelNameOf(arn: string): string | undefined {
  return arnPattern.exec(arn)?.[1]
}

/** The key that this ARN is. Throws `ResourceNotFoundException` when it is no channel's. */
export function channelKey(arn: string): ChannelKey {
  const name = channelNameOf(arn)
  if (name === undefined) throw notFound()
  return { name, arn }
}

export function openChannelRecords(store: Store): ChannelRecords {
  const records = store.collection<ChannelRecord>('signaling-channel')
  /** Counted when the first channel is made; this process alone makes and removes them. */
  let known: number | undefined
  const recount = (by: number) => {
    if (known !== undefined) known += by
  }

  /** A count that fails is made again. */
  async function countAll(): Promise<number> {
    let found = 0
    for await (const _ of records.all(group)) found += 1
    return (known ??= found)
  }

  return {
    async load({ name, arn }) {
      const stored = await records.get(name)
      // A channel made again under the same name is another channel: the old ARN finds nothing.
      if (!stored || (arn !== undefined && stored.value.arn !== arn)) throw notFound()
      return stored
    },
    has: async (name) => (await records.get(name)) !== undefined,
    all: (after) => records.all(group, { after }),
    count: async () => known ?? countAll(),
    async add(name, record) {
      if ((await records.put(name, record, { onlyIf: 'absent', group })) === undefined) return false
      recount(1)
      return true
    },
    async rewrite(arn, change) {
      const { name } = channelKey(arn)
      const written = await records.change(name, (stored) => {
        if (stored?.value.arn !== arn) throw notFound()
        return { value: change(stored.value), group }
      })
      if (written === undefined) throw notFound()
      return toChannel(name, written.value)
    },
    async take(name) {
      if ((await records.take(name)) === undefined) return false
      recount(-1)
      return true
    },
  }
}

/** The channel as its users see it. */
export function toChannel(name: string, { arn, createdAt, messageTtlS, revision, storage }: ChannelRecord): Channel {
  const version = String(revision)
  return { name, arn, createdAt, messageTtlS, version, storage: storage ?? { status: 'DISABLED' } }
}

export const notFound = () =>
  new ServiceError('ResourceNotFoundException', 'The requested channel is not found or not active.')
