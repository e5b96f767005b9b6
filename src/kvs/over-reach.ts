/** The way to a camera master by a signaling service: as a viewer on its channel, or by SendAlexaOfferToMaster. */
import { BridgeError } from 'transom-core/errors'
import type { CameraMessage, ChannelRef, Log, Signaling } from 'transom-core/ports'
import { untilAborted } from 'transom-core/deadline'
import type { ChannelConnection } from './channel.ts'
import { ServiceRefusal, toKvsError } from './failure.ts'
import { decodeDescription, encodePayload, type ChannelMessage } from './message.ts'
import type { Reach } from './reach.ts'

export type ClosableSignaling = Signaling & { close(): Promise<void> }

/** The camera side over this reach; `region` is what failures say of where it is. Aborting `life` is its close. */
export function createSignaling(reach: Reach, region: string, life: AbortController, log: Log): ClosableSignaling {
  const calls = new Set<AbortController>()

  async function* offerAsViewer(channelName: string, viewerId: string, sdp: string, signal: AbortSignal) {
    // Before the socket: what cannot be sent needs no connection.
    const offer = { kind: 'offer', sdp } as const
    encodePayload(offer)
    const prepared = reach.prepared?.(viewerId)
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
    const connection = await reach.open(channelName, viewerId, signal)
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
        region,
      )
    } else {
      const what = message.kind === 'garbled' ? message.what : message.kind === 'unknown' ? message.type : message.kind
      log('info', 'kvs.message-ignored', { channelName, what })
    }
  }

  async function* offerAsAlexa(channelName: string, viewerId: string, sdp: string, signal: AbortSignal) {
    const payload = encodePayload({ kind: 'offer', sdp })
    const answer = await reach.sendAlexaOffer(channelName, viewerId, payload, signal)
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

    iceServers: ({ channelName }, signal) => reach.iceServers(channelName, signal),

    warm({ channelName, road }, viewerId) {
      if (life.signal.aborted) return
      reach.warm(channelName, road === 'viewer' ? viewerId : undefined)
    },

    async close() {
      life.abort()
      for (const call of calls) call.abort()
      await reach.close()
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
