/** The signaling channels, kept in the store: one record per channel, found by its name. */
import type { Clock, Store } from '../ports.ts'
import { ServiceError, type ServiceErrorType } from './service-error.ts'

export interface Channel {
  readonly name: string
  readonly arn: string
  readonly createdAt: number
  /** How long the channel keeps a message that cannot be delivered yet, in seconds. */
  readonly messageTtlS: number
  /** Changes with every change of the channel. */
  readonly version: string
}

/** How a request names a channel. */
export type ChannelKey = { readonly name: string } | { readonly arn: string }

export interface Channels {
  /** Throws `ResourceInUseException` when the name is taken. */
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
}

type Tags = Readonly<Record<string, string>>

interface ChannelRecord {
  readonly arn: string
  readonly createdAt: number
  readonly messageTtlS: number
  readonly tags: Tags
}

/** The account in every ARN. Real ones have 12 digits, and the C SDK insists on them. */
const account = '000000000000'
const group = 'channel'
const pageSize = 100
const defaultTtlS = 60
const arnPattern = /^arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:channel\/([a-zA-Z0-9_.-]+)\/[0-9]+$/

/** The channel name within a channel's ARN; `undefined` when it is none. */
export function channelNameOf(arn: string): string | undefined {
  return arnPattern.exec(arn)?.[1]
}

export function openChannels(store: Store, region: string, clock: Clock): Channels {
  const records = store.collection<ChannelRecord>('signaling-channel')

  const load = async (key: ChannelKey) => {
    const name = 'name' in key ? key.name : channelNameOf(key.arn)
    const stored = name === undefined ? undefined : await records.get(name)
    // A channel made again under the same name is another channel: the old ARN finds nothing.
    if (!stored || ('arn' in key && stored.value.arn !== key.arn)) {
      throw new ServiceError('ResourceNotFoundException', 'The requested channel is not found or not active.')
    }
    return stored
  }
  const loadAt = async (arn: string, version: string | undefined) => {
    const stored = await load({ arn })
    if (version !== undefined && version !== String(stored.version)) throw versionMismatch()
    return stored
  }

  const create: Channels['create'] = async (name, { messageTtlS = defaultTtlS, tags = {} }) => {
    const createdAt = clock()
    const arn = `arn:aws:kinesisvideo:${region}:${account}:channel/${name}/${createdAt}`
    const record: ChannelRecord = { arn, createdAt, messageTtlS, tags }
    const version = await records.put(name, record, { onlyIf: 'absent', group })
    if (version === undefined) {
      throw new ServiceError('ResourceInUseException', `A channel with the name ${name} exists already.`)
    }
    return toChannel({ id: name, value: record, version })
  }
  const get = async (key: ChannelKey) => toChannel(await load(key))
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
      for (let from = after; ;) {
        const page = await records.list(group, { limit: pageSize, ...(from === undefined ? {} : { after: from }) })
        for (const stored of page) {
          if (found.length === limit) return found
          if (stored.id.startsWith(prefix)) found.push(toChannel(stored))
        }
        from = page.at(-1)?.id
        if (page.length < pageSize) return found
      }
    },
    async update(arn, version, messageTtlS) {
      const { id, value, version: current } = await loadAt(arn, version)
      const record = { ...value, messageTtlS: messageTtlS ?? value.messageTtlS }
      const next = await records.put(id, record, { onlyIf: { version: current }, group })
      if (next === undefined) throw versionMismatch()
      return toChannel({ id, value: record, version: next })
    },
    async remove(arn, version) {
      const stored = await loadAt(arn, version)
      await records.remove(stored.id)
      return toChannel(stored)
    },
  }
}

const isOfType = (error: unknown, type: ServiceErrorType) => error instanceof ServiceError && error.type === type

const versionMismatch = () =>
  new ServiceError('VersionMismatchException', 'The version that you specified is not the latest version.')

function toChannel({ id, value, version }: { id: string; value: ChannelRecord; version: number }): Channel {
  const { arn, createdAt, messageTtlS } = value
  return { name: id, arn, createdAt, messageTtlS, version: String(version) }
}
