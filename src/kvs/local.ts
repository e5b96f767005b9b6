/** The way to a camera through a signaling service in this process: its rules and limits, without its sockets and signatures. */
import * as z from 'zod'
import type { ChannelConnection } from './channel.ts'
import { ServiceRefusal, toKvsError } from './failure.ts'
import { decodeMessage, encodeMessage, type ChannelMessage } from './message.ts'
import type { Reach } from './reach.ts'
import { toIceServers } from './ice-servers.ts'

/** The service, as it is needed here. What it throws has the `type` and the `status` of the KVS API. */
export interface LocalService {
  /** Takes a viewer's place in the channel until `leave`; frames are those of the WebSocket. */
  connect(
    channelName: string,
    clientId: string,
    viewer: { readonly onFrame: (text: string) => void; readonly onClose: (code: number, reason: string) => void },
  ): Promise<{ send(text: string): void; leave(): void }>
  /** SendAlexaOfferToMaster: payload in, payload of the answer out. */
  sendAlexaOffer(channelName: string, clientId: string, payload: string, signal: AbortSignal): Promise<string>
  iceServers(clientId: string): readonly {
    readonly Uris: readonly string[]
    readonly Username: string
    readonly Password: string
  }[]
}

/** Messages that wait for the reader; a camera that sends more at once is none. */
const maxWaiting = 1_000

export function createLocalReach(service: LocalService): Reach {
  return {
    async open(channelName, viewerId, signal) {
      try {
        return await open(service, channelName, viewerId, signal)
      } catch (thrown) {
        signal.throwIfAborted()
        throw refused('upgrade', thrown, channelName)
      }
    },
    async sendAlexaOffer(channelName, viewerId, payload, signal) {
      try {
        return await service.sendAlexaOffer(channelName, viewerId, payload, signal)
      } catch (thrown) {
        signal.throwIfAborted()
        throw refused('message', thrown, channelName)
      }
    },
    iceServers: async (channelName) => toIceServers(service.iceServers(channelName)),
    // Nothing is far away.
    warm: () => {},
    close: async () => {},
  }
}

function refused(what: 'upgrade' | 'message', thrown: unknown, channelName: string): Error {
  const refusal = refusalSchema.safeParse(thrown)
  if (!refusal.success) return toKvsError(thrown, channelName, 'this process')
  const { type, status, message } = refusal.data
  return toKvsError(new ServiceRefusal(what, status, type, message), channelName, 'this process')
}

const refusalSchema = z.object({
  name: z.literal('ServiceError'),
  type: z.string(),
  status: z.number(),
  message: z.string(),
})

async function open(
  service: LocalService,
  channelName: string,
  viewerId: string,
  signal: AbortSignal,
): Promise<ChannelConnection> {
  const waiting: ChannelMessage[] = []
  const closed = Promise.withResolvers<{ code: number; reason: string }>()
  let isOver = false
  let wake: (() => void) | undefined
  let sent = 0

  const end = (code: number, reason: string) => {
    isOver = true
    wake?.()
    signal.removeEventListener('abort', close)
    closed.resolve({ code, reason })
  }
  const seat = await service.connect(channelName, viewerId, {
    onFrame(text) {
      if (isOver) return
      if (waiting.length >= maxWaiting) return close()
      waiting.push(decodeMessage(text))
      wake?.()
    },
    // What has arrived is still read.
    onClose(code, reason) {
      seat.leave()
      end(code, reason)
    },
  })
  function close(): void {
    if (isOver) return
    waiting.length = 0
    seat.leave()
    end(1_000, '')
  }
  signal.addEventListener('abort', close, { once: true })
  if (signal.aborted) close()

  async function* read(): AsyncGenerator<ChannelMessage> {
    try {
      for (;;) {
        const message = waiting.shift()
        if (message !== undefined) yield message
        else if (isOver) return
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      close()
    }
  }
  return {
    messages: read(),
    send(message, recipientClientId) {
      sent += 1
      const correlationId = `${message.kind}-${sent}`
      const frame = encodeMessage(message, recipientClientId, correlationId)
      if (isOver) return undefined
      seat.send(frame)
      return correlationId
    },
    close,
    closed: closed.promise,
  }
}
