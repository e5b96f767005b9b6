/** The way to a signaling service over the network: channels looked up and kept, lines opened ahead, calls by the AWS SDK. */
import { SendAlexaOfferToMasterCommand } from '@aws-sdk/client-kinesis-video-signaling'
import { untilAborted } from 'transom-core/deadline'
import { openKvs, type KvsAccess } from './access.ts'
import { createAhead } from './ahead.ts'
import { openChannel, type ChannelConnection } from './channel.ts'
import { toKvsError } from './failure.ts'
import { createKnownChannels, type ReachDeps } from './known-channels.ts'
import type { Reach } from './reach.ts'

/** `life` is aborted before `close`. */
export function createRemoteReach(access: KvsAccess, deps: ReachDeps): Reach {
  const { log, life } = deps
  const kvs = openKvs(access)
  const lines = new Set<ChannelConnection>()
  const warmingFailed = (channelName: string, error: unknown) => {
    if (!life.aborted) log('warn', 'kvs.warming-failed', { channelName, error: String(error) })
  }
  const ahead = createAhead(warmingFailed)
  const { known, withResources } = createKnownChannels(kvs, deps)

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
