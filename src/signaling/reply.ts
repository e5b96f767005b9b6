/** How the service answers over HTTP: JSON whole in one write, as the C SDK reads it, with AWS's headers. */
import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ServiceError } from './service-error.ts'

export interface Reply {
  readonly requestId: string
  readonly status: number
  readonly body: object
  readonly errorType?: string
  /** The service's clock, by which SDKs mend theirs; epoch milliseconds. */
  readonly at: number
}

/** How long the last answer on a connection may take to leave. */
const lastWordMs = 1_000

/** A refusal. `status` is given where a door has another one for this error than the REST API. */
export function errorReply(error: ServiceError, requestId: string, at: number, status = error.status): Reply {
  return { requestId, at, status, errorType: error.type, body: { Message: error.message } }
}

export function sendReply(response: ServerResponse, reply: Reply): void {
  const body = JSON.stringify(reply.body)
  // A body larger than we read is still on its way: the connection is of no more use.
  const last = reply.status === 413 ? { connection: 'close' } : {}
  // The body goes out as a string: Node joins it with the head, where a Buffer would be a second chunk to the reader.
  response.writeHead(reply.status, { ...headersOf(reply, body), ...last }).end(body)
}

/** The same where there is no response object: an upgrade refused, a request that is not HTTP. Ends the socket. */
export function sendRawReply(socket: Duplex, reply: Reply): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const body = JSON.stringify(reply.body)
  const headers = Object.entries({ ...headersOf(reply, body), connection: 'close' })
  const lines = [
    `HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? ''}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ]
  // What is written may never leave: the other side of a TLS handshake that timed out, a reader that is stuck.
  const cut = setTimeout(() => socket.destroy(), lastWordMs)
  socket.once('close', () => clearTimeout(cut))
  socket.once('finish', () => socket.destroy())
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

function headersOf({ requestId, errorType, at }: Reply, body: string): Record<string, string> {
  return {
    'x-amzn-RequestId': requestId,
    ...(errorType === undefined ? {} : { 'x-amzn-errortype': errorType }),
    Date: new Date(at).toUTCString(),
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
  }
}
