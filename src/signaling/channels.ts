/** The signaling channels, kept in the store: one record per channel, found by its name. */
import type { Clock, Store } from 'transom-core/ports'
import { ServiceError, type ServiceErrorType } from './service-error.ts'

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

/** How a request names a channel. */
export type ChannelKey = { readonly name: string } | { readonly arn: string }

export interface Channels {
  /** Throws `ResourceInUseException` when the name is taken, `AccountChannelLimitExceededException` when there are too many. */
  create(name: string, settings: { readonly messageTtlS?: number | undefined; readonly tags?: Tags }): Promise<Channel>
  /** The channel of this name, made with default settings if there is none. */
  ensure(name: string): Promise<Channel>
  /** Throws `ResourceNotFoundException`. */
  get(key: ChannelKey): Promise<Channel>
  /** Channels in order of name, at most `limit`, whose names come after `after` and begin with `prefix`. */
  list(page: { readonly limit: number; readonly after?: string; readonly prefix: string }): Promise<readonly Channel[]>
  /** Changes the settings given. Throws `ResourceNotFoundException`, `VersionMismatchException`. */
  update(arn: string, version: string, messageTtlS: number | undefined): Promise<Channel>
  /** Throws the same; without a version removes whatever version there is. */
  remove(arn: string, version: string | undefined): Promise<Channel>
  /** Removes the channel if it is there. */
  removeByName(name: string): Promise<void>
  /** Throws `ResourceNotFoundException`. */
  tags(arn: string): Promise<Tags>
  /** Adds tags, or replaces those of the same keys. Throws the same, and `TagsPerResourceExceededLimitException`. */
  tag(arn: string, tags: Tags): Promise<void>
  /** Takes tags away; keys that are not there are no error. */
  untag(arn: string, keys: readonly string[]): Promise<void>
  store(arn: string, storage: Storage): Promise<void>
}

export type Tags = Readonly<Record<string, string>>

interface ChannelRecord {
  readonly arn: string
  readonly createdAt: number
  readonly messageTtlS: number
  readonly tags: Tags
  /** The channel's version as its users see it: the store's own one also counts changes that are none of the settings. */
  readonly revision: number
  readonly storage?: Storage
}

/** The account in every ARN. Real ones have 12 digits, and the C SDK insists on them. */
const account = '000000000000'
const group = 'channel'
const defaultTtlS = 60
const maxTags = 50
const arnPattern = /^arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:channel\/([a-zA-Z0-9_.-]+)\/[0-9]+$/

/** The channel name within a channel's ARN; `undefined` when it is none. */
export function channelNameOf(arn: string): string | undefined {
  return arnPattern.exec(arn)?.[1]
}

export function openChannels(store: Store, region: string, clock: Clock, maxChannels: number): Channels {
  const records = store.collection<ChannelRecord>('signaling-channel')
  /** Counted when the first channel is made; this process alone makes and removes them. */
  let count: Promise<number> | undefined

  const load = async (key: ChannelKey) => {
    const name = 'name' in key ? key.name : channelNameOf(key.arn)
    const stored = name === undefined ? undefined : await records.get(name)
    // A channel made again under the same name is another channel: the old ARN finds nothing.
    if (!stored || ('arn' in key && stored.value.arn !== key.arn)) {
      throw notFound()
    }
    return stored
  }
  const countAll = async () => {
    let found = 0
    for await (const _ of records.all(group)) found += 1
    return found
  }
  const recount = (by: number) => {
    count = count?.then((known) => known + by)
  }
  /** Writes what `change` makes of the record. */
  const rewrite = async (arn: string, change: (record: ChannelRecord) => ChannelRecord): Promise<Channel> => {
    const name = channelNameOf(arn) ?? ''
    const written = await records.change(name, (stored) => {
      if (stored?.value.arn !== arn) throw notFound()
      return { value: change(stored.value), group }
    })
    if (written === undefined) throw notFound()
    return toChannel(name, written.value)
  }

  const create: Channels['create'] = async (name, { messageTtlS = defaultTtlS, tags = {} }) => {
    count ??= countAll()
    if ((await count) >= maxChannels && (await records.get(name)) === undefined) {
      throw new ServiceError('AccountChannelLimitExceededException', `There are ${maxChannels} channels already.`)
    }
    const createdAt = clock()
    const arn = `arn:aws:kinesisvideo:${region}:${account}:channel/${name}/${createdAt}`
    const record: ChannelRecord = { arn, createdAt, messageTtlS, tags, revision: 1 }
    if ((await records.put(name, record, { onlyIf: 'absent', group })) === undefined) {
      throw new ServiceError('ResourceInUseException', `A channel with the name ${name} exists already.`)
    }
    recount(1)
    return toChannel(name, record)
  }
  const get = async (key: ChannelKey) => {
    const { id, value } = await load(key)
    return toChannel(id, value)
  }
  return {
    get,
    create,
    async ensure(name) {
      try {
        return await get({ name })
      } catch (error) {
        if (!isOfType(error, 'ResourceNotFoundException')) throw error
      }
      try {
        return await create(name, {})
      } catch (error) {
        // Its camera was faster.
        if (!isOfType(error, 'ResourceInUseException')) throw error
        return await get({ name })
      }
    },
    async list({ limit, after, prefix }) {
      const found: Channel[] = []
      for await (const { id, value } of records.all(group, { after })) {
        if (found.length === limit) break
        if (id.startsWith(prefix)) found.push(toChannel(id, value))
      }
      return found
    },
    async update(arn, version, messageTtlS) {
      return rewrite(arn, (record) => {
        if (version !== String(record.revision)) throw versionMismatch()
        return { ...record, messageTtlS: messageTtlS ?? record.messageTtlS, revision: record.revision + 1 }
      })
    },
    async remove(arn, version) {
      const { id, value } = await load({ arn })
      if (version !== undefined && version !== String(value.revision)) throw versionMismatch()
      // Taken and not removed: of two who delete at once, one is told that there was nothing.
      if ((await records.take(id)) === undefined) throw notFound()
      recount(-1)
      return toChannel(id, value)
    },
    async removeByName(name) {
      if ((await records.take(name)) !== undefined) recount(-1)
    },
    async tags(arn) {
      return (await load({ arn })).value.tags
    },
    async tag(arn, tags) {
      await rewrite(arn, (record) => {
        const all = { ...record.tags, ...tags }
        if (Object.keys(all).length > maxTags) {
          throw new ServiceError('TagsPerResourceExceededLimitException', `A channel has at most ${maxTags} tags.`)
        }
        return { ...record, tags: all }
      })
    },
    async untag(arn, keys) {
      await rewrite(arn, (record) => ({
        ...record,
        tags: Object.fromEntries(Object.entries(record.tags).filter(([key]) => !keys.includes(key))),
      }))
    },
    async store(arn, storage) {
      await rewrite(arn, (record) => ({ ...record, storage }))
    },
  }
}

const isOfType = (error: unknown, type: ServiceErrorType) => error instanceof ServiceError && error.type === type

const notFound = () =>
  new ServiceError('ResourceNotFoundException', 'The requested channel is not found or not active.')

const versionMismatch = () =>
  new ServiceError('VersionMismatchException', 'The version that you specified is not the latest version.')

function toChannel(name: string, { arn, createdAt, messageTtlS, revision, storage }: ChannelRecord): Channel {
  const version = String(revision)
  return { name, arn, createdAt, messageTtlS, version, storage: storage ?? { status: 'DISABLED' } }
}
