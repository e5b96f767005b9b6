/** What is known about channels: their addresses and ICE servers, kept while they are good, looked up again when wrong. */
import type { Clock, IceServer, Log } from 'transom-core/ports'
import type { Kvs } from './access.ts'
import { createCached, type Cached } from './cached.ts'
import { mayBeStale } from './failure.ts'
import { fetchIceServers, findChannel, type ChannelResources } from './resources.ts'

/** What is known about one channel. */
export interface Known {
  readonly resources: Cached<ChannelResources>
  readonly iceServers: Cached<readonly IceServer[]>
}

/** Addresses hardly ever change; looking again now and then, while they are used, costs nobody any time. */
const resourcesMs = 3_600_000
/** ICE passwords are given out only while they are good for this much longer, so that a call can begin with them. */
const iceMarginMs = 60_000
/** Channels whose addresses are kept: those that were used last. */
const maxKnown = 1_000

export interface KnownChannels {
  /** What is known about this channel; the channels that were used last are kept. */
  known(channelName: string): Known
  /** Uses the channel's addresses; if they came from the cache and prove wrong, once more with fresh ones. */
  withResources<T>(channelName: string, signal: AbortSignal, use: (channel: ChannelResources) => Promise<T>): Promise<T>
}

export interface ReachDeps {
  readonly clock: Clock
  readonly log: Log
  /** Ends what runs in the background. */
  readonly life: AbortSignal
}

export function createKnownChannels(kvs: Kvs, { clock, log, life }: ReachDeps): KnownChannels {
  const channels = new Map<string, Known>()

  function known(channelName: string): Known {
    const found = channels.get(channelName) ?? learn(channelName)
    channels.delete(channelName)
    channels.set(channelName, found)
    for (const oldest of channels.size > maxKnown ? channels.keys() : []) {
      channels.delete(oldest)
      break
    }
    return found
  }

  function learn(channelName: string): Known {
    const onFailure = (error: unknown) => {
      if (!life.aborted) log('warn', 'kvs.renewal-failed', { channelName, error: String(error) })
    }
    const cacheDeps = { clock, life, onFailure }
    const resources = createCached(async (signal) => {
      const renewAt = clock() + resourcesMs
      return { value: await findChannel(kvs, channelName, 'VIEWER', signal), renewAt }
    }, cacheDeps)
    const iceServers = createCached(async (signal) => {
      const at = clock()
      const { servers, ttlMs } = await withResources(channelName, signal, (channel) =>
        fetchIceServers(kvs, channel, signal),
      )
      const goodMs = ttlMs - Math.min(iceMarginMs, ttlMs / 2)
      return { value: servers, renewAt: at + goodMs / 2, spoilsAt: at + goodMs }
    }, cacheDeps)
    return { resources, iceServers }
  }

  async function withResources<T>(
    channelName: string,
    signal: AbortSignal,
    use: (channel: ChannelResources) => Promise<T>,
  ): Promise<T> {
    const { resources } = known(channelName)
    const cached = resources.held()
    const channel = await resources.get(signal)
    try {
      return await use(channel)
    } catch (error) {
      if (cached === undefined || signal.aborted || !mayBeStale(error)) throw error
      log('warn', 'kvs.endpoints-stale', { channelName, error: String(error) })
      resources.drop(cached)
      return use(await resources.get(signal))
    }
  }

  return { known, withResources }
}
