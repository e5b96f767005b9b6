/** What is known about channels: their addresses and ICE servers, kept while they are good, looked up again when wrong. */
import { within } from 'transom-core/deadline'
import type { Clock, Collection, IceServer, Log } from 'transom-core/ports'
import type { Kvs } from './access.ts'
import { createCached, type Cached } from './cached.ts'
import { mayBeStale } from './failure.ts'
import { fetchIceServers, findChannel, type ChannelResources } from './resources.ts'

/** A channel's addresses as a viewer needs them, and when KVS was asked for them (epoch milliseconds). */
export interface FoundChannel extends ChannelResources {
  readonly foundAt: number
}

/** Where the addresses of channels are kept for other processes, and for this one when it starts again; by channel name. */
export type ChannelMemory = Pick<Collection<FoundChannel>, 'get' | 'put'>

/** What is known about one channel. */
export interface Known {
  readonly resources: Cached<Resources>
  readonly iceServers: Cached<readonly IceServer[]>
  /** What is remembered of its addresses is wrong: the next lookup asks KVS. */
  doubt(): void
}

/** `isFresh`: KVS was asked for them, not the memory. */
type Resources = FoundChannel & { readonly isFresh: boolean }

/** Addresses hardly ever change; looking again now and then, while they are used, costs nobody any time. */
const resourcesMs = 3_600_000
/** For so long they are remembered between processes: two calls of KVS's control plane for each camera a month. */
const rememberedMs = 30 * 24 * 3_600_000
/** A memory that does not answer by then is done without. */
const recallMs = 500
/** ICE passwords are given out only while they are good for this much longer, so that a call can begin with them. */
const iceMarginMs = 60_000
/** Channels whose addresses are kept: those that were used last. */
const maxKnown = 1_000

export interface KnownChannels {
  /** What is known about this channel; the channels that were used last are kept. */
  known(channelName: string): Known
  /** Uses the channel's addresses; if they were kept and prove wrong, once more with fresh ones. */
  withResources<T>(channelName: string, signal: AbortSignal, use: (channel: ChannelResources) => Promise<T>): Promise<T>
}

export interface ReachDeps {
  /** Without it each process looks up the channels that it uses. */
  readonly memory?: ChannelMemory | undefined
  readonly clock: Clock
  readonly log: Log
  /** Ends what runs in the background. */
  readonly life: AbortSignal
}

export function createKnownChannels(kvs: Kvs, { memory, clock, log, life }: ReachDeps): KnownChannels {
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
    let isDoubted = false
    const resources = createCached(async (signal): Promise<{ value: Resources; renewAt: number }> => {
      const renewAt = clock() + resourcesMs
      const remembered = isDoubted ? undefined : await recall(channelName)
      if (remembered !== undefined) return { value: { ...remembered, isFresh: false }, renewAt }
      const found = { ...(await findChannel(kvs, channelName, 'VIEWER', signal)), foundAt: clock() }
      isDoubted = false
      // Nobody waits for that: if it fails, the next process looks the channel up as this one did.
      memory?.put(channelName, found, { expiresAt: clock() + rememberedMs }).catch(memoryFailed(channelName))
      return { value: { ...found, isFresh: true }, renewAt }
    }, cacheDeps)
    const iceServers = createCached(async (signal) => {
      const at = clock()
      const { servers, ttlMs } = await withResources(channelName, signal, (channel) =>
        fetchIceServers(kvs, channel, signal),
      )
      const goodMs = ttlMs - Math.min(iceMarginMs, ttlMs / 2)
      return { value: servers, renewAt: at + goodMs / 2, spoilsAt: at + goodMs }
    }, cacheDeps)
    return { resources, iceServers, doubt: () => void (isDoubted = true) }
  }

  async function recall(channelName: string): Promise<FoundChannel | undefined> {
    const failed = memoryFailed(channelName)
    return (await within(recallMs, async () => memory?.get(channelName), failed).catch(failed))?.value
  }

  const memoryFailed =
    (channelName: string) =>
    (error: unknown): undefined => {
      log('warn', 'kvs.channel-not-remembered', { channelName, error: String(error) })
    }

  async function withResources<T>(
    channelName: string,
    signal: AbortSignal,
    use: (channel: ChannelResources) => Promise<T>,
  ): Promise<T> {
    const { resources, doubt } = known(channelName)
    const wasHeld = resources.held() !== undefined
    const channel = await resources.get(signal)
    try {
      return await use(channel)
    } catch (error) {
      const isKept = wasHeld || !channel.isFresh
      if (!isKept || signal.aborted || !mayBeStale(error, clock() - channel.foundAt)) throw error
      log('warn', 'kvs.endpoints-stale', { channelName, error: String(error) })
      doubt()
      resources.drop(channel)
      return use(await resources.get(signal))
    }
  }

  return { known, withResources }
}
