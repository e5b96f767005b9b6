/** How KVS is reached: whose service, with which keys, trusting which authority; and the SDK clients for it. */
import { Agent, type AgentOptions } from 'node:https'
import { KinesisVideoClient, type KinesisVideoClientConfig } from '@aws-sdk/client-kinesis-video'
import { KinesisVideoSignalingClient } from '@aws-sdk/client-kinesis-video-signaling'
import { NodeHttpHandler } from '@smithy/node-http-handler'

/** How to reach Kinesis Video Streams or a service that is compatible with it: region, keys, endpoint, trust. */
export interface KvsAccess {
  readonly region: string
  /**
   * Keys, or a function that fetches them; the SDK calls it again only when they expire. Without them it looks where AWS's
   * SDK does: environment, shared files, SSO, the role of the container or the instance.
   */
  readonly credentials?: NonNullable<KinesisVideoClientConfig['credentials']>
  /** Control plane URL of a service that is not AWS's own. */
  readonly endpoint?: string
  /** PEM certificates to trust instead of Node's own list; a function where they may change, asked for each connection. */
  readonly ca?: string | (() => string | undefined)
}

/** An open access: its clients share their connections and their credentials. `close` frees both. */
export interface Kvs {
  readonly access: KvsAccess
  readonly control: KinesisVideoClient
  /** The signaling client of a channel's HTTPS endpoint. */
  signalingAt(endpoint: string): KinesisVideoSignalingClient
  /** The same for a call that must not reach the camera twice: never repeated, and never on a connection that may be stale. */
  signalingOnceAt(endpoint: string): KinesisVideoSignalingClient
  close(): void
}

const connectMs = 2_000
const requestMs = 3_000
/** SendAlexaOfferToMaster answers when the camera does; whoever calls it has a shorter deadline. */
const cameraMs = 15_000

/**
 * Opens an access: clients of the control plane, and what their connections trust. Connects to nothing yet, and never
 * throws.
 */
export function openKvs(access: KvsAccess): Kvs {
  const pooled = new NodeHttpHandler({
    httpsAgent: createAgent({ keepAlive: true, maxSockets: 50 }, access),
    connectionTimeout: connectMs,
    requestTimeout: requestMs,
    throwOnRequestTimeout: true,
  })
  const single = new NodeHttpHandler({
    httpsAgent: createAgent({ keepAlive: false }, access),
    connectionTimeout: connectMs,
    requestTimeout: cameraMs,
    throwOnRequestTimeout: true,
  })
  const control = new KinesisVideoClient({
    region: access.region,
    ...(access.credentials && { credentials: access.credentials }),
    ...(access.endpoint === undefined ? {} : { endpoint: access.endpoint }),
    requestHandler: pooled,
    maxAttempts: 2,
  })
  // One client per endpoint: channels usually share a few of them, and a client is too dear to make for each call.
  const signaling = new Map<string, KinesisVideoSignalingClient>()
  const clientAt = (endpoint: string, once: boolean) => {
    const key = `${once ? 'once' : 'pooled'} ${endpoint}`
    const known = signaling.get(key)
    if (known) return known
    const client = new KinesisVideoSignalingClient({
      region: access.region,
      credentials: control.config.credentials,
      endpoint,
      requestHandler: once ? single : pooled,
      maxAttempts: once ? 1 : 2,
    })
    signaling.set(key, client)
    return client
  }
  return {
    access,
    control,
    signalingAt: (endpoint) => clientAt(endpoint, false),
    signalingOnceAt: (endpoint) => clientAt(endpoint, true),
    close() {
      pooled.destroy()
      single.destroy()
      signaling.clear()
    },
  }
}

/**
 * What a connection that is opened now trusts, as an option of `tls.connect`: `ca` in PEM, or nothing for Node's own
 * list.
 */
export function trustOf({ ca }: KvsAccess): { readonly ca?: string } {
  const trusted = typeof ca === 'function' ? ca() : ca
  return trusted === undefined ? {} : { ca: trusted }
}

function createAgent(options: AgentOptions, access: KvsAccess): Agent {
  const agent = new Agent(options)
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (given, opened) => connect({ ...given, ...trustOf(access) }, opened)
  return agent
}
