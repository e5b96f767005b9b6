/** The embedded signaling service: what Kinesis Video Streams WebRTC is to a camera and its viewers, in this process. */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { BridgeError } from 'transom-core/errors'
import { createStrangers, nameOf, type Strangers } from 'transom-core/admission'
import type { ChannelPresence, Clock, IceServer, Log, Store } from 'transom-core/ports'
import { openChannels, type Channels } from './channels.ts'
import { openCredentials, type IssuedKey, type KeysOf, type Scope } from './credentials.ts'
import { createHub } from './hub.ts'
import { createIceServers, type TurnServers } from './ice-servers.ts'
import { createIdentify } from './identify.ts'
import { defaultLimits, type SignalingLimits } from './limits.ts'
import { createListener, type Tls } from './listener.ts'
import { createLocalDoor, type LocalDoor } from './local.ts'
import { channelNameSchema } from './operation.ts'
import { createOperations } from './operations.ts'
import { joinPort, originsOf, placeOf } from './place.ts'
import { createRates } from './rates.ts'
import { openReplayMemory } from './replay.ts'
import { errorReply, sendRawReply } from './reply.ts'
import { createRestDoor } from './rest.ts'
import { ServiceError } from './service-error.ts'
import { createSocketDoor } from './sockets.ts'
import { startStunResponder } from './stun.ts'
import { checkTurnsCertificates } from './turns-check.ts'

/** What the service keeps its records in, where it listens, and by which name others reach it. */
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
  /**
   * Origin by which others reach the service, when it is not that host and the port listened on: `https://kvs.example`
   * behind a proxy or a forwarded port. Cameras of the C SDK need it without a port.
   */
  readonly advertisedUrl?: string
  /** Default: a certificate made here. */
  readonly tls?: Tls
  /** In the ARNs of channels made from now on. Callers may sign for any region. */
  readonly region: string
  /** What GetIceServerConfig hands out; without this and `turn`, a STUN responder of the service itself. */
  readonly iceServers: readonly IceServer[]
  readonly turn?: TurnServers
  readonly clock: Clock
  readonly log: Log
  /**
   * A master came, or went and did not come back at once; `at` is when it did, in epoch milliseconds. Not called any more
   * once the service closes.
   */
  readonly onPresence?: (channelName: string, online: boolean, at: number) => void
  readonly limits?: Partial<SignalingLimits>
}

/** A running signaling service, as `startSignalingService` gives it. */
export interface SignalingService {
  /** URL of the control plane, as it is known to others. */
  readonly endpoint: string
  /** The same for clients on this machine, and the authority (PEM) that they must trust, now, if it is HTTPS. */
  readonly localEndpoint: string
  readonly ca: string | undefined
  /** The file of the authority that others must trust; undefined when it is a public one. */
  readonly caPath: string | undefined
  /**
   * The URL of the service's own STUN responder, which GetIceServerConfig names while no ICE servers are configured. It is
   * there for cameras: a display that cannot reach it would gather candidates until its timeout, so do not pass it on.
   */
  readonly ownIceServer: string | undefined
  /** Whether a master is connected to the channel, and since when; before the first one, since the service started. */
  presence(channelName: string): ChannelPresence | undefined
  /** The name of every channel. */
  channelNames(): Promise<readonly string[]>
  /** Makes the channel if there is none and returns its ARN. Throws `BridgeError` `invalid_request` for a bad name. */
  ensureChannel(name: string): Promise<string>
  /** Makes a key for an application, one camera or a viewer of some. Its secret is not to be had again. */
  createCredentials(scope: Scope, name?: string): Promise<{ accessKeyId: string; secretAccessKey: string }>
  /** The keys that were made, without their secrets. */
  listCredentials(of: KeysOf): Promise<readonly IssuedKey[]>
  /** Whether a key of this id can be used: it is in the store, and `credentials.key` unseals it. */
  knowsKey(accessKeyId: string): Promise<boolean>
  /** Makes a key useless and closes the connections that were opened with it. False when there is none of this id. */
  revokeCredentials(accessKeyId: string): Promise<boolean>
  /**
   * Removes the channel with everybody connected to it, the keys of its cameras, and the channel from the keys of its
   * viewers; what is not there is no error.
   */
  removeChannel(name: string): Promise<void>
  /** Looks after the certificate now, not only every now and then. */
  refreshCertificate(): Promise<void>
  /** The door for whoever is in this process: the bridge. */
  readonly local: LocalDoor
  /** WebSockets that are open now. */
  openSockets(): number
  /** Ends every connection and frees everything, within a second. May be called again. */
  close(): Promise<void>
}

/** What the clients have to take their leave in before the sockets are cut. */
const farewellMs = 300

/** Starts the service and resolves when it listens. Rejects when it cannot listen, or the key files cannot be used. */
export async function startSignalingService(options: SignalingServiceOptions): Promise<SignalingService> {
  const { store, certificateDir, host, region, clock, log, turn, tls = { kind: 'own' } } = options
  const limits = { ...defaultLimits, ...options.limits }
  const startedAt = clock()
  const { localHost, publicHost, names, advertisedOrigin } = placeOf(options)

  // Keys lie there, also where there is no certificate of its own.
  await mkdir(certificateDir, { recursive: true, mode: 0o700 })
  const listener = await createListener(tls, certificateDir, names, limits.requestMs, clock, log)
  const { server, scheme } = listener
  const credentials = await openCredentials(certificateDir, store, clock, log)
  const replay = await openReplayMemory(store, clock, log)
  const channels = openChannels(store, region, clock, limits.channels)
  const hub = createHub(limits, clock, newsOf(options))
  const strangers = createStrangers(limits.strangers)
  const cut = trackSockets(server, strangers)
  server.on('clientError', refuseGarbage(options))

  const hasIceServers = options.iceServers.length > 0 || turn !== undefined
  const stun = hasIceServers ? undefined : await startStunResponder(host, options.port, log)
  const port = await listen(server, host, options.port).catch(async (error: unknown) => {
    await stun?.close()
    throw error
  })
  // Nothing is awaited from here on: the first request finds its listener.
  const ownIceServer = stun && `stun:${joinPort(publicHost, stun.port)}`
  const fixed = ownIceServer === undefined ? options.iceServers : [{ urls: [ownIceServer] }]
  const localAuthority = joinPort(localHost, port)
  const localEndpoint = `${scheme}://${localAuthority}`
  const endpoint = advertisedOrigin ?? `${scheme}://${joinPort(publicHost, port)}`
  const rates = createRates(clock)
  const { find } = credentials
  const identify = createIdentify({ find, strangers, rates, replay, limits, clock, log })
  const common = { identify, rates, limits, clock, log }
  const iceServers = createIceServers(fixed, turn, clock)
  const operations = createOperations({
    channels,
    hub,
    // Who came by the local address may not be able to come by the public one: a router that does not lead back inside.
    endpoints: (by) => originsOf(by === localAuthority ? localEndpoint : endpoint),
    iceServers,
  })
  server.on('request', createRestDoor({ operations, ...common }))
  const door = createSocketDoor({ channels, hub, ...common })
  server.on('upgrade', door.upgrade)
  const heartbeat = setInterval(() => {
    door.beat()
    hub.sweep()
    rates.sweep()
    replay.sweep()
  }, limits.heartbeatMs)
  const life = new AbortController()
  const iceUrls = [...(turn?.urls ?? []), ...options.iceServers.flatMap(({ urls }) => urls)]
  void checkTurnsCertificates(iceUrls, log, life.signal)
  const watch = setInterval(() => void listener.refresh(), limits.certificateCheckMs)

  async function shutDown(): Promise<void> {
    life.abort()
    clearInterval(heartbeat)
    clearInterval(watch)
    door.close()
    hub.close()
    await Promise.all([closeServer(server, cut), stun?.close()])
  }

  async function revoke(accessKeyId: string): Promise<boolean> {
    const wasThere = await credentials.revoke(accessKeyId)
    door.endKey(accessKeyId)
    return wasThere
  }

  let closing: Promise<void> | undefined
  return {
    endpoint,
    localEndpoint,
    get ca() {
      return listener.ca
    },
    caPath: listener.caPath,
    ownIceServer,
    presence: (channelName) => hub.presence(channelName) ?? { online: false, sinceAt: startedAt, isUnseen: true },
    channelNames: async () => (await channels.list({ limit: Infinity, prefix: '' })).map(({ name }) => name),
    ensureChannel: (name) => ensureChannel(channels, name),
    createCredentials: credentials.create,
    listCredentials: credentials.list,
    knowsKey: async (accessKeyId) => (await credentials.find(accessKeyId)) !== undefined,
    revokeCredentials: revoke,
    async removeChannel(name) {
      for (const accessKeyId of await credentials.forget(name)) door.endKey(accessKeyId)
      await channels.removeByName(name)
      hub.remove(name)
    },
    refreshCertificate: listener.refresh,
    local: createLocalDoor({ channels, hub, rates, limits, iceServers, clock, log }),
    openSockets: door.open,
    close: () => (closing ??= shutDown()),
  }
}

/** Listens no more, and resolves when the last connection is gone; `cut` ends those that do not take their leave. */
async function closeServer(server: Server, cut: () => void): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const farewell = setTimeout(cut, farewellMs)
  await closed
  clearTimeout(farewell)
}

/** Logs who comes and goes, and tells the listener. */
function newsOf({ log, onPresence }: SignalingServiceOptions): NonNullable<SignalingServiceOptions['onPresence']> {
  return (channelName, online, at) => {
    log('info', 'signaling.presence', { channelName, online })
    try {
      onPresence?.(channelName, online, at)
    } catch (error) {
      // The listener's fault must not end the connection whose news it was.
      log('error', 'signaling.presence-listener-failed', { channelName, error })
    }
  }
}

/** Answers what is no HTTP, in the service's form. */
function refuseGarbage({ log, clock }: SignalingServiceOptions) {
  return (error: NodeJS.ErrnoException, socket: Duplex): void => {
    log('info', 'signaling.bad-request', { code: error.code })
    const refusal = new ServiceError('SerializationException', 'The request is not HTTP/1.1 as this service reads it.')
    sendRawReply(socket, errorReply(refusal, randomUUID(), clock()))
  }
}

/** Counts the strangers among the connections. Returns how to cut them all. */
function trackSockets(server: Server, strangers: Strangers): () => void {
  const connections = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    connections.add(socket)
    const name = nameOf(socket)
    strangers.enter(name, socket)
    socket.once('close', () => {
      connections.delete(socket)
      strangers.leave(name)
    })
  })
  return () => {
    for (const socket of connections) socket.destroy()
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
