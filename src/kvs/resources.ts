/** Where a channel lives and which ICE servers it has: the REST calls around a call. */
import { DescribeSignalingChannelCommand, GetSignalingChannelEndpointCommand } from '@aws-sdk/client-kinesis-video'
import { GetIceServerConfigCommand } from '@aws-sdk/client-kinesis-video-signaling'
import { BridgeError } from '../errors.ts'
import type { IceServer } from '../ports.ts'
import type { Kvs } from './access.ts'
import { toKvsError } from './failure.ts'
import { untilAborted } from './waiting.ts'

/** A channel's addresses for one role. */
export interface ChannelResources {
  readonly channelName: string
  readonly arn: string
  /** Base URL of the WebSocket, `wss://…`. */
  readonly wss: string
  /** Base URL of the channel's REST calls, `https://…`. */
  readonly https: string
}

export interface IceConfig {
  readonly servers: readonly IceServer[]
  /** How long the servers' passwords are good. */
  readonly ttlMs: number
}

/** Looks a channel up by name: two calls, one after the other. Throws `BridgeError`, or the signal's reason. */
export async function findChannel(
  kvs: Kvs,
  channelName: string,
  role: 'MASTER' | 'VIEWER',
  signal: AbortSignal,
): Promise<ChannelResources> {
  return named(kvs, channelName, signal, async () => {
    const abort = { abortSignal: signal }
    const described = await kvs.control.send(new DescribeSignalingChannelCommand({ ChannelName: channelName }), abort)
    const arn = described.ChannelInfo?.ChannelARN
    if (arn === undefined)
      throw new BridgeError('signaling_failed', `channel ${channelName} was described without an ARN`)
    const found = await kvs.control.send(
      new GetSignalingChannelEndpointCommand({
        ChannelARN: arn,
        SingleMasterChannelEndpointConfiguration: { Protocols: ['WSS', 'HTTPS'], Role: role },
      }),
      abort,
    )
    const endpoint = (protocol: string) =>
      found.ResourceEndpointList?.find((entry) => entry.Protocol === protocol)?.ResourceEndpoint
    const wss = endpoint('WSS')
    const https = endpoint('HTTPS')
    if (wss === undefined || https === undefined) {
      throw new BridgeError('signaling_failed', `channel ${channelName} has no WSS and HTTPS endpoint`)
    }
    return { channelName, arn, wss, https }
  })
}

/**
 * Fetches the TURN servers of a channel, and with AWS its STUN server, which GetIceServerConfig leaves out.
 * Throws `BridgeError`, or the signal's reason.
 */
export async function fetchIceServers(kvs: Kvs, channel: ChannelResources, signal: AbortSignal): Promise<IceConfig> {
  return named(kvs, channel.channelName, signal, async () => {
    const { IceServerList } = await kvs
      .signalingAt(channel.https)
      .send(new GetIceServerConfigCommand({ ChannelARN: channel.arn, Service: 'TURN' }), { abortSignal: signal })
    const relays = (IceServerList ?? []).filter((server) => server.Uris !== undefined && server.Uris.length > 0)
    return {
      servers: [
        ...stunOf(kvs),
        ...relays.map(({ Uris, Username, Password }) => ({
          urls: Uris ?? [],
          ...(Username ? { username: Username } : {}),
          ...(Password ? { credential: Password } : {}),
        })),
      ],
      ttlMs: 1_000 * Math.min(...relays.map((server) => server.Ttl ?? defaultTtl), 86_400),
    }
  })
}

/** Seconds; what AWS issues. */
const defaultTtl = 300

function stunOf({ access }: Kvs): readonly IceServer[] {
  if (access.endpoint !== undefined) return []
  const domain = access.region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  return [{ urls: [`stun:stun.kinesisvideo.${access.region}.${domain}:443`] }]
}

async function named<T>(kvs: Kvs, channelName: string, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  try {
    // The SDK heeds the signal in its requests, but not while it fetches credentials.
    return await untilAborted(call(), signal)
  } catch (error) {
    signal.throwIfAborted()
    throw toKvsError(error, channelName, kvs.access.region)
  }
}
