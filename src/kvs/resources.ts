/** Where a channel lives and which ICE servers it has: the REST calls around a call. */
import { DescribeSignalingChannelCommand, GetSignalingChannelEndpointCommand } from '@aws-sdk/client-kinesis-video'
import { GetIceServerConfigCommand } from '@aws-sdk/client-kinesis-video-signaling'
import { BridgeError } from 'transom-core/errors'
import type { IceServer } from 'transom-core/ports'
import type { Kvs } from './access.ts'
import { toKvsError } from './failure.ts'
import { toIceServers } from './ice-servers.ts'
import { bounded, timedOut, untilAborted } from 'transom-core/deadline'

/** A channel's addresses for one role. */
export interface ChannelResources {
  readonly channelName: string
  readonly arn: string
  /** Base URL of the WebSocket, `wss://…`. */
  readonly wss: string
  /** Base URL of the channel's REST calls, `https://…`. */
  readonly https: string
}

/** The ICE servers of a channel (`GetIceServerConfig`), and for how long they are good. */
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
  return lookUp(kvs, channelName, signal, async (abortSignal) => {
    const abort = { abortSignal }
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
  return lookUp(kvs, channel.channelName, signal, async (abortSignal) => {
    const { IceServerList } = await kvs
      .signalingAt(channel.https)
      .send(new GetIceServerConfigCommand({ ChannelARN: channel.arn, Service: 'TURN' }), { abortSignal })
    const relays = (IceServerList ?? []).filter((server) => server.Uris !== undefined && server.Uris.length > 0)
    const ttls = relays.map((server) => server.Ttl ?? defaultTtl)
    return {
      servers: [...stunOf(kvs), ...toIceServers(relays)],
      ttlMs: 1_000 * (ttls.length > 0 ? Math.min(...ttls) : defaultTtl),
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

/** Milliseconds for all calls of one lookup, repetitions included. */
const lookupMs = 8_000

async function lookUp<T>(
  kvs: Kvs,
  channelName: string,
  signal: AbortSignal,
  calls: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    // The SDK heeds the signal in its requests, but not while it fetches credentials.
    return await bounded(signal, lookupMs, timedOut(lookupMs), async (bounds) => untilAborted(calls(bounds), bounds))
  } catch (error) {
    signal.throwIfAborted()
    throw toKvsError(error, channelName, kvs.access.region)
  }
}
