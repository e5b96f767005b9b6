/** The way to a camera master over KVS: as a viewer on its signaling channel, or by SendAlexaOfferToMaster. */
import { SendAlexaOfferToMasterCommand } from '@aws-sdk/client-kinesis-video-signaling'
import { BridgeError } from '../errors.ts'
import type { CameraMessage, ChannelRef, Clock, IceServer, Log, Signaling } from '../ports.ts'
import { openKvs, type KvsAccess } from './access.ts'
import { createAhead } from './ahead.ts'
import { createCached, type Cached } from './cached.ts'
import { openChannel, type ChannelConnection } from './channel.ts'
import { mayBeStale, ServiceRefusal, toKvsError } from './failure.ts'
import { decodeDescription, encodePayload, type ChannelMessage } from './message.ts'
import { fetchIceServers, findChannel, type ChannelResources } from './resources.ts'
import { untilAborted } from '../deadline.ts'

/** What is known about one channel. */
interface Known {
  readonly resources: Cached<ChannelResources>
  readonly iceServers: Cached<readonly IceServer[]>
}

/** Addresses hardly ever change; looking again now and then, while they are used, costs nobody any time. */
const resourcesMs = 3_600_000
/** ICE passwords are given out only while they are good for this much longer, so that a call can begin with them. */
const iceMarginMs = 60_000

/**
 * Opens the camera side. Endpoints and ICE servers are fetched at the first use or by `warm`; with both at hand an offer costs
 * one WebSocket connection and no REST call, and it never waits for ICE servers; with `warm` for its viewer it costs one
 * message. `close` hangs up everything.
 */
export function createKvsSignaling(
  access: KvsAccess,
  deps: { readonly clock: Clock; readonly log: Log },
): Signaling & { close(): Promise<void> } {
  const { clock, log } = deps
  const kvs = openKvs(access)
  const life = new AbortController()
  const channels = new Map<string, Known>()
  const calls = new Set<AbortController>()
  const sockets = new Set<ChannelConnection>()
  const ahead = createAhead((channelName, error) =>
    log('warn', 'kvs.warming-failed', { channelName, reason: String(error) }),
  )

  function known(channelName: string): Known {
    const before = channels.get(channelName)
    if (before) return before
    const onFailure = (error: unknown) => {
      if (!life.signal.aborted) log('warn', 'kvs.renewal-failed', { channelName, reason: String(error) })
    }
    const cacheDeps = { clock, life: life.signal, onFailure }
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
    const made = { resources, iceServers }
    channels.set(channelName, made)
    return made
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
      log('warn', 'kvs.endpoints-stale', { channelName, reason: String(error) })
      resources.drop(cached)
      return use(await resources.get(signal))
    }
  }

  async function* offerAsViewer(channelName: string, viewerId: string, sdp: string, signal: AbortSignal) {
    // Before the socket: what cannot be sent needs no connection.
    const offer = { kind: 'offer', sdp } as const
    encodePayload(offer)
    const prepared = ahead.take(viewerId)
    const early = prepared && (await untilAborted(adopt(prepared, signal), signal))
    if (early !== undefined) {
      let isHeard = false
      early.send(offer)
      for await (const message of early.messages) {
        isHeard = true
        yield* told(channelName, message)
      }
      // A line that ends without a word was ended by the service before we knew: nobody has heard the offer.
      if (isHeard || signal.aborted) return
    }
    const connection = await openAsViewer(channelName, viewerId, signal)
    connection.send(offer)
    for await (const message of connection.messages) yield* told(channelName, message)
  }

  /** What a message says to the broker, if anything. Throws when the service refuses the offer. */
  function* told(channelName: string, message: ChannelMessage): Generator<CameraMessage> {
    const said = cameraMessage(message)
    if (said) yield said
    else if (message.kind === 'status' && message.statusCode !== '200') {
      const { statusCode = '', errorType = '', description = '' } = message
      throw toKvsError(
        new ServiceRefusal('message', Number.parseInt(statusCode, 10) || 0, errorType, description.slice(0, 200)),
        channelName,
        access.region,
      )
    } else {
      const what = message.kind === 'garbled' ? message.what : message.kind === 'unknown' ? message.type : message.kind
      log('info', 'kvs.message-ignored', { channelName, what })
    }
  }

  async function openAsViewer(channelName: string, viewerId: string, signal: AbortSignal): Promise<ChannelConnection> {
    const connection = await withResources(channelName, signal, (channel) =>
      openChannel(kvs, channel, { role: 'VIEWER', clientId: viewerId }, signal),
    )
    sockets.add(connection)
    void connection.closed.then(() => sockets.delete(connection))
    return connection
  }

  async function* offerAsAlexa(channelName: string, viewerId: string, sdp: string, signal: AbortSignal) {
    const payload = encodePayload({ kind: 'offer', sdp })
    const answer = await withResources(channelName, signal, async (channel) => {
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
    })
    // AWS replies without an answer when no master is connected, and when the master did not understand the offer.
    if (!answer) throw new BridgeError('camera_silent', `the master of channel ${channelName} gave no answer`)
    const said = cameraMessage(decodeDescription('answer', answer))
    if (said) yield said
    // This road brings no candidates after the answer.
    yield { kind: 'end-of-candidates' } as const
  }

  return {
    async *offer(
      channel: ChannelRef,
      viewerId: string,
      sdp: string,
      signal: AbortSignal,
    ): AsyncGenerator<CameraMessage> {
      const call = new AbortController()
      const hangUp = () => {
        calls.delete(call)
        call.abort()
      }
      calls.add(call)
      signal.addEventListener('abort', hangUp, { once: true })
      if (signal.aborted || life.signal.aborted) hangUp()
      const road = channel.road === 'viewer' ? offerAsViewer : offerAsAlexa
      try {
        call.signal.throwIfAborted()
        yield* road(channel.channelName, viewerId, sdp, call.signal)
      } catch (error) {
        if (!call.signal.aborted) throw error
      } finally {
        signal.removeEventListener('abort', hangUp)
        // Closes the socket, however the call came to its end.
        hangUp()
      }
    },

    async iceServers(channel, signal) {
      return known(channel.channelName).iceServers.get(signal)
    },

    warm({ channelName, road }, viewerId) {
      if (life.signal.aborted) return
      const { resources, iceServers } = known(channelName)
      if (viewerId !== undefined && road === 'viewer')
        ahead.prepare(channelName, viewerId, (signal) => openAsViewer(channelName, viewerId, signal))
      resources
        .get(life.signal)
        .then(() => iceServers.get(life.signal))
        .catch((error: unknown) => {
          if (!life.signal.aborted) log('warn', 'kvs.warming-failed', { channelName, reason: String(error) })
        })
    },

    async close() {
      life.abort()
      ahead.close()
      for (const call of calls) call.abort()
      await Promise.all([...sockets].map((socket) => socket.closed))
      kvs.close()
    },
  }
}

/** A line that was opened ahead now belongs to the call, however soon that ends. */
async function adopt(
  prepared: Promise<ChannelConnection | undefined>,
  signal: AbortSignal,
): Promise<ChannelConnection | undefined> {
  const connection = await prepared
  if (connection === undefined) return undefined
  const hangUp = () => connection.close()
  signal.addEventListener('abort', hangUp, { once: true })
  void connection.closed.then(() => signal.removeEventListener('abort', hangUp))
  if (signal.aborted) hangUp()
  return connection
}

/** What the message says to the broker, if it comes from the camera. */
function cameraMessage(message: ChannelMessage): CameraMessage | undefined {
  switch (message.kind) {
    case 'answer':
      return { kind: 'answer', sdp: message.sdp }
    case 'candidate': {
      const { senderClientId: _, ...candidate } = message
      return candidate
    }
    case 'end-of-candidates':
      return { kind: 'end-of-candidates' }
    case 'garbled':
      // One candidate less is no reason to end a call.
      return message.part === 'answer' ? { kind: 'garbled', what: message.what } : undefined
    // A master does not send offers to viewers; the rest is the service speaking.
    case 'offer':
    case 'status':
    case 'go-away':
    case 'reconnect-ice-server':
    case 'unknown':
      break
  }
  return undefined
}
