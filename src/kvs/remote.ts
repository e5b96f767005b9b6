/** The way to a signaling service over the network: channels looked up and kept, lines opened ahead, calls by the AWS SDK. */
import { SendAlexaOfferToMasterCommand } from '@aws-sdk/client-kinesis-video-signaling'
import type { Clock, IceServer, Log } from 'transom-core/ports'
import { untilAborted } from 'transom-core/deadline'
import { openKvs, type KvsAccess } from './access.ts'
import { createAhead } from './ahead.ts'
import { createCached, type Cached } from './cached.ts'
import { openChannel, type ChannelConnection } from './channel.ts'
import { mayBeStale, toKvsError } from './failure.ts'
import type { Reach } from './reach.ts'
import { fetchIceServers, findChannel, type ChannelResources } from './resources.ts'

/** What is known about one channel. */
interface Known {
  readonly resources: Cached<ChannelResources>
  readonly iceServers: Cached<readonly IceServer[]>
}

/** Addresses hardly ever change; looking again now and then, while they are used, costs nobody any time. */
const resourcesMs = 3_600_000
/** ICE passwords are given out only while they are good for this much longer, so that a call can begin with them. */
const iceMarginMs = 60_000
/** Channels whose addresses are kept: those that were used last. */
const maxKnown = 1_000

/** `life` ends what runs in the background; it is aborted before `close`. */
export function createRemoteReach(
  access: KvsAccess,
  { clock, log, life }: { readonly clock: Clock; readonly log: Log; readonly life: AbortSignal },
): Reach {
  const kvs = openKvs(access)
  const channels = new Map<string, Known>()
  const lines = new Set<ChannelConnection>()
  const warmingFailed = (channelName: string, error: unknown) => {
    if (!life.aborted) log('warn', 'kvs.warming-failed', { channelName, error: String(error) })
  }
  const ahead = createAhead(warmingFailed)

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

  /** Uses the channel's addresses; if they came from the cache and prove wrong, once more with fresh ones. */
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

  const open: Reach['open'] = async (channelName, viewerId, signal) => {
    const line = await withResources(channelName, signal, (channel) =>
      openChannel(kvs, channel, { role: 'VIEWER', clientId: viewerId }, signal),
    )
    lines.add(line)
    void line.closed.then(() => lines.delete(line))
    return line
  }

  return {
    open,
    prepared: (viewerId) => ahead.take(viewerId),
    sendAlexaOffer: (channelName, viewerId, payload, signal) =>
      withResources(channelName, signal, async (channel) => {
        try {
          const sending = kvs.signalingOnceAt(channel.https).send(
            new SendAlexaOfferToMasterCommand({
              ChannelARN: channel.arn,
              SenderClientId: viewerId,
              MessagePayload: payload,
            }),
            { abortSignal: signal },
          )
          return (await untilAborted(sending, signal)).Answer
        } catch (error) {
          throw toKvsError(error, channelName, access.region)
        }
      }),
    iceServers: (channelName, signal) => known(channelName).iceServers.get(signal),
    warm(channelName, viewerId) {
      const { resources, iceServers } = known(channelName)
      if (viewerId !== undefined) ahead.prepare(channelName, viewerId, (signal) => open(channelName, viewerId, signal))
      resources
        .get(life)
        .then(() => iceServers.get(life))
        .catch((error: unknown) => warmingFailed(channelName, error))
    },
    async close() {
      ahead.close()
      await Promise.all([...lines].map(({ closed }) => closed))
      kvs.close()
    },
  }
}
