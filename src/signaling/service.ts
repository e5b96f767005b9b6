/** The embedded signaling service: what Kinesis Video Streams WebRTC is to a camera and its viewers, in this process. */
import { createServer, type Server } from 'node:https'
import { isIPv6, type Socket } from 'node:net'
import { randomUUID } from 'node:crypto'
import { BridgeError } from '../errors.ts'
import type { Clock, IceServer, Log, Store } from '../ports.ts'
import { loadIdentity } from './certificates.ts'
import { openChannels, type Channels } from './channels.ts'
import { openCredentials, type Scope } from './credentials.ts'
import { createHub, type HubLimits } from './hub.ts'
import { channelNameSchema, createOperations } from './operations.ts'
import { errorReply, sendRawReply } from './reply.ts'
import { createRestDoor } from './rest.ts'
import { ServiceError } from './service-error.ts'
import { createSocketDoor } from './sockets.ts'
import { startStunResponder } from './stun.ts'

export interface SignalingServiceOptions {
  /** Keeps channels and credentials. Stays open: whoever opened it closes it, after the service. */
  readonly store: Store
  /** Keeps the authority, the server certificate and the key that encrypts credentials; made when missing. */
  readonly certificateDir: string
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** The name or address by which others reach this machine; in the endpoints handed out and in the certificate. */
  readonly advertisedHost?: string
  /** In the ARNs of channels made from now on. Callers may sign for any region. */
  readonly region: string
  /** What GetIceServerConfig hands out; when empty, a STUN responder of the service itself. */
  readonly iceServers: readonly IceServer[]
  readonly clock: Clock
  readonly log: Log
  /** A master came or went; `at` is epoch milliseconds. Not called any more once the service closes. */
  readonly onPresence?: (channelName: string, online: boolean, at: number) => void
  readonly limits?: Partial<SignalingLimits>
}

export interface SignalingLimits extends HubLimits {
  /** Every so often each connection is pinged, and cut if it was silent since the last time. */
  readonly heartbeatMs: number
  /** Bytes that may wait for one reader. */
  readonly queueBytes: number
}

export interface SignalingService {
  /** URL of the control plane. */
  readonly endpoint: string
  /** The authority that clients must trust: PEM, and the file that holds it. */
  readonly ca: string
  readonly caPath: string
  /**
   * The URL of the service's own STUN responder, which GetIceServerConfig names while no ICE servers are configured. It is
   * there for cameras: a display that cannot reach it would gather candidates until its timeout, so do not pass it on.
   */
  readonly ownIceServer: string | undefined
  /** Whether a master is connected to the channel, and since when; before the first one, since the service started. */
  presence(channelName: string): { readonly online: boolean; readonly sinceAt: number } | undefined
  /** Makes the channel if there is none and returns its ARN. Throws `BridgeError` `invalid_request` for a bad name. */
  ensureChannel(name: string): Promise<string>
  /** Makes a key for an application or for one camera. Its secret is not to be had again. */
  createCredentials(scope: Scope): Promise<{ accessKeyId: string; secretAccessKey: string }>
  /** WebSockets that are open now. */
  openSockets(): number
  /** Ends every connection and frees everything, within a second. May be called again. */
  close(): Promise<void>
}

const defaultLimits: SignalingLimits = {
  viewersPerChannel: 10,
  undeliveredPerChannel: 128,
  replacedMasterMs: 30_000,
  heartbeatMs: 20_000,
  queueBytes: 256 * 1_024,
}
const requestMs = 10_000
/** Connections of SDKs are kept this long between requests: a TLS handshake costs more than a socket. */
const keepAliveMs = 60_000
/** What the clients have to take their leave in before the sockets are cut. */
const farewellMs = 300

/** Starts the service and resolves when it listens. Rejects when it cannot listen, or the key files cannot be used. */
export async function startSignalingService(options: SignalingServiceOptions): Promise<SignalingService> {
  const { store, certificateDir, host, region, clock, log } = options
  const limits = { ...defaultLimits, ...options.limits }
  const startedAt = clock()
  const publicHost = options.advertisedHost ?? (isWildcard(host) ? '127.0.0.1' : host)
  const names = [...new Set(['localhost', '127.0.0.1', '::1', publicHost, ...(isWildcard(host) ? [] : [host])])]

  const identity = await loadIdentity(certificateDir, names, clock, log)
  const credentials = await openCredentials(certificateDir, store, clock, log)
  const channels = openChannels(store, region, clock)
  const hub = createHub(limits, clock, (channelName, online, at) => {
    log('info', 'signaling-presence', { channelName, online })
    try {
      options.onPresence?.(channelName, online, at)
    } catch (error) {
      // The listener's fault must not end the connection whose news it was.
      log('error', 'signaling-presence-listener-failed', { channelName, cause: error })
    }
  })
  const server = createServer({
    key: identity.key,
    cert: identity.cert,
    // Cameras speak nothing newer, and some would take h2 when it is offered.
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    handshakeTimeout: requestMs,
    headersTimeout: requestMs,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: requestMs / 2,
  })
  const connections = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    log('info', 'signaling-bad-request', { code: error.code })
    const refusal = new ServiceError('SerializationException', 'The request is not HTTP/1.1 as this service reads it.')
    sendRawReply(socket, errorReply(refusal, randomUUID(), clock()))
  })

  const stun = options.iceServers.length > 0 ? undefined : await startStunResponder(host, options.port, log)
  const port = await listen(server, host, options.port).catch(async (error: unknown) => {
    await stun?.close()
    throw error
  })
  // Nothing is awaited from here on: the first request finds its listener.
  const ownIceServer = stun && `stun:${joinPort(publicHost, stun.port)}`
  const iceServers = ownIceServer === undefined ? options.iceServers : [{ urls: [ownIceServer] }]
  const authority = joinPort(publicHost, port)
  const operations = createOperations({ channels, hub, authority, iceServers })
  server.on('request', createRestDoor({ operations, find: credentials.find, clock, log }))
  const door = createSocketDoor({ channels, hub, find: credentials.find, queueBytes: limits.queueBytes, clock, log })
  server.on('upgrade', door.upgrade)
  const heartbeat = setInterval(() => {
    door.beat()
    hub.sweep()
  }, limits.heartbeatMs)

  async function shutDown(): Promise<void> {
    clearInterval(heartbeat)
    door.close()
    hub.close()
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    const cut = setTimeout(() => {
      for (const socket of connections) socket.destroy()
    }, farewellMs)
    await Promise.all([closed, stun?.close()])
    clearTimeout(cut)
  }

  let closing: Promise<void> | undefined
  return {
    endpoint: `https://${authority}`,
    ca: identity.ca,
    caPath: identity.caPath,
    ownIceServer,
    presence: (channelName) => hub.presence(channelName) ?? { online: false, sinceAt: startedAt },
    ensureChannel: (name) => ensureChannel(channels, name),
    createCredentials: credentials.create,
    openSockets: door.open,
    close: () => (closing ??= shutDown()),
  }
}

async function ensureChannel(channels: Channels, name: string): Promise<string> {
  if (!channelNameSchema.safeParse(name).success) {
    throw new BridgeError('invalid_request', 'a channel name is 1 to 256 of a-z, A-Z, 0-9, _, ., -')
  }
  const { arn } = await channels.ensure(name)
  return arn
}

/** Resolves with the port. */
function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      const address = server.address()
      if (typeof address === 'object' && address !== null) resolve(address.port)
    })
  })
}

const isWildcard = (host: string) => host === '' || host === '0.0.0.0' || host === '::'
const joinPort = (host: string, port: number) => `${isIPv6(host) ? `[${host}]` : host}:${port}`
