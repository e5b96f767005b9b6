/** The bridge's own HTTP server: what a request may take, and how many connections may stay without one. */
import { createServer, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { createStrangers, nameOf } from 'transom-core/admission'

export interface ListenerLimits {
  /** What the head of a request may take. */
  readonly headMs: number
  /** What a whole request may take: a picture over a slow line, say. */
  readonly requestMs: number
  /** Connections on which no whole request has come, or none since the last answer: one more ends the oldest. */
  readonly strangers: number
}

const defaults: ListenerLimits = { headMs: 10_000, requestMs: 30_000, strangers: 512 }

/** Makes the server, which does not listen yet. An answer that is still being written, a stream say, is no stranger's. */
export function createBridgeServer({ headMs, requestMs, strangers: most }: ListenerLimits = defaults): Server {
  const server = createServer({
    headersTimeout: headMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: headMs / 2,
  })
  const strangers = createStrangers(most)
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket)
    strangers.enter(name, socket)
    socket.once('close', () => strangers.leave(name))
  })
  server.on('request', (request, response) => {
    const { socket } = request
    const name = nameOf(socket)
    const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0
    if (hasBody) request.once('end', () => strangers.leave(name))
    else strangers.leave(name)
    response.once('finish', () => {
      if (!socket.destroyed) strangers.enter(name, socket)
    })
  })
  return server
}
