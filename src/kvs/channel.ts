/** One WebSocket to a signaling channel, as its master or as a viewer. */
import { on } from 'node:events'
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import { WebSocket, type ClientOptions } from 'ws'
import { trustOf, type Kvs } from './access.ts'
import { ServiceRefusal, toKvsError } from './failure.ts'
import { decodeMessage, encodeMessage, type ChannelMessage, type Outgoing } from './message.ts'
import type { ChannelResources } from './resources.ts'
import { bounded, timedOut, untilAborted } from 'transom-core/deadline'

/** How to join a channel: as its master, or as a viewer of this id (1 to 256 of `[a-zA-Z0-9_.-]`). */
export type ChannelRole = { readonly role: 'MASTER' } | { readonly role: 'VIEWER'; readonly clientId: string }

/** An open WebSocket to a signaling channel, as `openChannel` gives it. */
export interface ChannelConnection {
  /**
   * What arrives, from the first message on, for one reader; ends when the connection does, never with an error.
   * Leaving the loop closes the connection. While nobody reads, the connection is held back instead of filling memory.
   */
  readonly messages: AsyncIterable<ChannelMessage>
  /**
   * Sends a message; a master names the viewer it is for, a viewer names nobody. Returns the id by which a `status` would say
   * that the service refused it; `undefined`, and sends nothing, once the connection is over. Throws `BridgeError` `invalid_request` when the message is longer than the service carries.
   */
  send(message: Outgoing, recipientClientId?: string): string | undefined
  /** Ends `messages` at once and the connection within a second. May be called again. */
  close(): void
  /** Settles when the socket is gone, whoever ended it; never rejects. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
}

const openMs = 5_000
const closeMs = 1_000
/** The service drops a connection that is idle for 10 minutes; the C SDK's cameras ping after 10 s too. */
const pingMs = 10_000
/** Bytes of one frame. Cameras accept 18,750 (C SDK); the service's own limits allow about 12,000. */
const maxFrame = 32 * 1_024
/** Messages that wait for the reader before the socket is held back. */
const maxWaiting = 64
const maxRefusal = 4 * 1_024

/**
 * Connects to a channel. The signal owns the connection for its whole life: aborting it closes the socket, before or after
 * the opening. The opening has its own deadline of 5 s.
 * Throws `BridgeError` (`camera_busy`, `rate_limited`, `signaling_failed`), or the signal's reason.
 */
export async function openChannel(
  kvs: Kvs,
  channel: ChannelResources,
  role: ChannelRole,
  signal: AbortSignal,
): Promise<ChannelConnection> {
  try {
    return await bounded(signal, openMs, timedOut(openMs), async (bounds) => {
      const url = await untilAborted(presign(kvs, channel, role), bounds)
      const options: ClientOptions & { closeTimeout: number } = {
        maxPayload: maxFrame,
        perMessageDeflate: false,
        closeTimeout: closeMs,
        ...trustOf(kvs.access),
      }
      const socket = new WebSocket(url, options)
      const connection = connect(socket, signal)
      await opened(socket, bounds)
      return connection
    })
  } catch (error) {
    signal.throwIfAborted()
    throw toKvsError(error, channel.channelName, kvs.access.region)
  }
}

/** The URL to connect to, signed with SigV4 in its query for 299 s as AWS's own JavaScript SDK does. */
async function presign(kvs: Kvs, channel: ChannelResources, role: ChannelRole): Promise<string> {
  const url = new URL(channel.wss)
  const signer = new SignatureV4({
    service: 'kinesisvideo',
    region: kvs.access.region,
    credentials: kvs.control.config.credentials,
    sha256: Sha256,
  })
  const signed = await signer.presign(
    {
      method: 'GET',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      headers: { host: url.host },
      query: {
        ...Object.fromEntries(url.searchParams),
        'X-Amz-ChannelARN': channel.arn,
        ...(role.role === 'VIEWER' ? { 'X-Amz-ClientId': role.clientId } : {}),
      },
    },
    // The offset that the SDK has learned from the service: a camera's clock may be wrong.
    { expiresIn: 299, signingDate: new Date(Date.now() + kvs.control.config.systemClockOffset) },
  )
  url.search = Object.entries(signed.query ?? {})
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .sort()
    .join('&')
  return url.href
}

function connect(socket: WebSocket, signal: AbortSignal): ChannelConnection {
  const frames = on(socket, 'message', { close: ['close'], highWaterMark: maxWaiting, lowWaterMark: 1 })
  let left = false
  let sent = 0
  let isAlive = true
  let failure = ''

  const close = () => {
    if (left) return
    left = true
    void frames.return?.()
    socket.close(1000)
  }
  const heard = () => {
    isAlive = true
  }
  const ping = setInterval(() => {
    // A socket that we hold back cannot hear its pong.
    if (!isAlive && !socket.isPaused) {
      failure = 'the service did not answer a ping'
      socket.terminate()
    } else if (socket.readyState === WebSocket.OPEN) {
      isAlive = false
      socket.ping()
    }
  }, pingMs)

  socket.on('pong', heard)
  socket.on('message', heard)
  socket.on('error', (error) => {
    failure ||= error.message
  })
  signal.addEventListener('abort', close, { once: true })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => {
      clearInterval(ping)
      signal.removeEventListener('abort', close)
      resolve({ code, reason: failure || reason.toString('utf8') })
    })
  })

  async function* read(): AsyncGenerator<ChannelMessage> {
    try {
      for await (const [data] of frames as AsyncIterable<[Buffer]>) {
        if (left) return
        yield decodeMessage(data.toString('utf8'))
      }
    } catch {
      // The socket's own error: `closed` tells it.
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
      if (socket.readyState !== WebSocket.OPEN) return undefined
      socket.send(frame)
      return correlationId
    },
    close,
    closed,
  }
}

/** Waits until the socket is open; if it does not open, rejects and leaves nothing of it. */
async function opened(socket: WebSocket, bounds: AbortSignal): Promise<void> {
  const opening = new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection ended while it was opened')))
    socket.once('unexpected-response', (_request, response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > maxRefusal) response.destroy()
      })
      response.on('error', () => response.destroy())
      response.once('close', () => {
        const type = String(response.headers['x-amzn-errortype'] ?? '').split(':')[0] ?? ''
        reject(new ServiceRefusal('upgrade', response.statusCode ?? 0, type, text.slice(0, maxRefusal)))
      })
    })
  })
  try {
    await untilAborted(opening, bounds)
  } catch (error) {
    socket.terminate()
    throw error
  }
}
