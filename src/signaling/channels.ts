/** The signaling channels: what may be done to them, and by which rules. */
import type { Clock, Store } from 'transom-core/ports'
import {
  channelKey,
  notFound,
  openChannelRecords,
  toChannel,
  type Channel,
  type ChannelKey,
  type ChannelRecord,
  type Storage,
  type Tags,
} from './channel-records.ts'
import { ServiceError, type ServiceErrorType } from './service-error.ts'

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

/** The account in every ARN. Real ones have 12 digits, and the C SDK insists on them. */
const account = '000000000000'
const defaultTtlS = 60
const maxTags = 50

/** The channels in this store. `region` is in the ARNs of those made from now on. */
export function openChannels(store: Store, region: string, clock: Clock, maxChannels: number): Channels {
  const records = openChannelRecords(store)

  const create: Channels['create'] = async (name, { messageTtlS = defaultTtlS, tags = {} }) => {
    if ((await records.count()) >= maxChannels && !(await records.has(name))) {
      throw new ServiceError('AccountChannelLimitExceededException', `There are ${maxChannels} channels already.`)
    }
    const createdAt = clock()
    const arn = `arn:aws:kinesisvideo:${region}:${account}:channel/${name}/${createdAt}`
    const record: ChannelRecord = { arn, createdAt, messageTtlS, tags, revision: 1 }
    if (!(await records.add(name, record))) {
      throw new ServiceError('ResourceInUseException', `A channel with the name ${name} exists already.`)
    }
    return toChannel(name, record)
  }
  const get = async (key: ChannelKey) => {
    const { id, value } = await records.load(key)
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
      for await (const { id, value } of records.all(after)) {
        if (found.length === limit) break
        if (id.startsWith(prefix)) found.push(toChannel(id, value))
      }
      return found
    },
    async update(arn, version, messageTtlS) {
      return records.rewrite(arn, (record) => {
        if (version !== String(record.revision)) throw versionMismatch()
        return { ...record, messageTtlS: messageTtlS ?? record.messageTtlS, revision: record.revision + 1 }
      })
    },
    async remove(arn, version) {
      const { id, value } = await records.load(channelKey(arn))
      if (version !== undefined && version !== String(value.revision)) throw versionMismatch()
      // Taken and not removed: of two who delete at once, one is told that there was nothing.
      if (!(await records.take(id))) throw notFound()
      return toChannel(id, value)
    },
    async removeByName(name) {
      await records.take(name)
    },
    async tags(arn) {
      return (await records.load(channelKey(arn))).value.tags
    },
    async tag(arn, tags) {
      await records.rewrite(arn, (record) => {
        const all = { ...record.tags, ...tags }
        if (Object.keys(all).length > maxTags) {
          throw new ServiceError('TagsPerResourceExceededLimitException', `A channel has at most ${maxTags} tags.`)
        }
        return { ...record, tags: all }
      })
    },
    async untag(arn, keys) {
      await records.rewrite(arn, (record) => ({
        ...record,
        tags: Object.fromEntries(Object.entries(record.tags).filter(([key]) => !keys.includes(key))),
      }))
    },
    async store(arn, storage) {
      await records.rewrite(arn, (record) => ({ ...record, storage }))
    },
  }
}

const isOfType = (error: unknown, type: ServiceErrorType) => error instanceof ServiceError && error.type === type

const versionMismatch = () =>
  new ServiceError('VersionMismatchException', 'The version that you specified is not the latest version.')
