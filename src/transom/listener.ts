/** The bridge's own HTTP servers, plain and over TLS: what a request may take, and how many connections may stay without one. */
import { createServer, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer, type Server as SecureServer } from 'node:https'
import { createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net'
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
export function createBridgeServer(limits: ListenerLimits = defaults): Server {
  return boundStrangers(createServer(times(limits)), limits.strangers)
}

/** The same over TLS: without a certificate until it is given one (`setSecureContext`), which it may be at any time. */
export function createSecureServer(limits: ListenerLimits = defaults): SecureServer {
  const server = createTlsServer({
    ...times(limits),
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    handshakeTimeout: limits.headMs,
  })
  boundStrangers(server, limits.strangers)
  return server
}

const times = ({ headMs, requestMs }: ListenerLimits): ServerOptions => ({
  headersTimeout: headMs,
  requestTimeout: requestMs,
  connectionsCheckingInterval: headMs / 2,
})

function boundStrangers(server: Server, most: number): Server {
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

/** The first byte of a TLS record that holds a ClientHello (RFC 8446 section 5.1); no method of HTTP begins with it. */
const handshakeByte = 0x16

/** A port that speaks TLS and plain HTTP, and how both are closed. */
export interface Front {
  readonly server: NetServer
  close(): Promise<void>
}

/**
 * Makes a port for both servers, told apart by the first byte of a connection: a browser that is given the address without
 * `https://`, and an authority that comes for a challenge, find somebody. Neither of the two listens itself.
 */
export function createFront(
  secure: Server,
  plain: Server,
  { headMs, strangers: most }: ListenerLimits = defaults,
): Front {
  const silent = createStrangers(most)
  const sockets = new Set<Socket>()
  // With this a server of Node begins to look for requests that take too long.
  for (const server of [secure, plain]) server.emit('listening')
  const server = createNetServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const name = nameOf(socket)
    const giveUp = () => void socket.destroy()
    sockets.add(socket)
    silent.enter(name, socket)
    socket.once('close', () => {
      sockets.delete(socket)
      silent.leave(name)
    })
    socket.once('end', giveUp).once('error', giveUp).setTimeout(headMs, giveUp)
    socket.on('readable', function look() {
      const first: Buffer | null = socket.read(1)
      if (first === null) return
      socket.off('readable', look).off('end', giveUp).off('error', giveUp).setTimeout(0).off('timeout', giveUp)
      silent.leave(name)
      socket.unshift(first)
      const isTls = first[0] === handshakeByte
      if (isTls) socket.allowHalfOpen = false
      ;(isTls ? secure : plain).emit('connection', socket)
    })
  })
  return {
    server,
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      // Neither has listened: all that there is to end is its looking.
      for (const one of [secure, plain]) one.close(() => undefined)
      for (const socket of sockets) socket.destroy()
      await promise
    },
  }
}
