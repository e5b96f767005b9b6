/** One HTTP request to a camera, on a socket of our own: `fetch` can neither be kept within networks nor pin a certificate. */
import { request as sendRequest, type IncomingMessage } from 'node:http'
import { SourceError } from '../media.ts'
import { openSocket, socketError } from '../socket.ts'
import type { Trust } from '../trust.ts'

export interface HttpInit {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'OPTIONS'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface HttpReply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export interface HttpBounds {
  /** Milliseconds for everything, from the name to the last byte. */
  readonly ms: number
  /** Bytes of the reply's body. */
  readonly maxBytes: number
  readonly trust: Trust
}

/**
 * Asks, and reads the reply to its end. A redirect is not followed: its reply is returned as it is. Throws `SourceError`, also
 * for a reply that is late or too large; rejects with the signal's reason.
 */
export async function askCamera(
  url: string,
  { method, headers, body }: HttpInit,
  { ms, maxBytes, trust }: HttpBounds,
  signal: AbortSignal,
): Promise<HttpReply> {
  const { protocol, hostname, port, host, origin, pathname, search } = new URL(url)
  const isTls = protocol === 'https:'
  const place = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (isTls ? 443 : 80),
    isTls,
    label: origin,
  }
  const deadline = AbortSignal.timeout(ms)
  const bounds = AbortSignal.any([signal, deadline])
  try {
    const socket = await openSocket(place, trust, bounds)
    const sent = sendRequest({
      createConnection: () => socket,
      method,
      path: pathname + search,
      headers: { host, connection: 'close', ...headers },
      signal: bounds,
    })
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    sent.once('response', resolve).on('error', reject).end(body)
    const reply = await promise
    try {
      return { status: reply.statusCode ?? 0, headers: reply.headers, body: await readUpTo(maxBytes, reply, origin) }
    } finally {
      // Whatever of it was not read is not waited for.
      sent.destroy()
    }
  } catch (error) {
    signal.throwIfAborted()
    if (deadline.aborted) throw new SourceError('source_unreachable', `${origin} did not answer in time`)
    throw socketError(error instanceof Error ? error : new Error(String(error)), place)
  }
}

async function readUpTo(maxBytes: number, reply: IncomingMessage, label: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new SourceError('source_garbled', `${label} sends more than ${maxBytes / 1_048_576} MiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
