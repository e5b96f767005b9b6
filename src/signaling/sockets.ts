/** The WebSocket door: admits masters and viewers, and keeps every connection alive, answered and bounded. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws'
import type { Clock, Log } from '../ports.ts'
import { channelNameOf, type Channel, type Channels } from './channels.ts'
import { isAllowed, type Credential } from './credentials.ts'
import { closeCodes, type Hub, type Peer, type Seat } from './hub.ts'
import { idPattern, maxFrame, readFrame, writeDelivery, writeStatus } from './message.ts'
import { errorReply, sendRawReply } from './reply.ts'
import { causeOf, ServiceError, toServiceError } from './service-error.ts'
import { verifySigV4 } from './sigv4.ts'

export interface SocketDeps {
  readonly channels: Channels
  readonly hub: Hub
  readonly find: (accessKeyId: string) => Promise<Credential | undefined>
  /** Bytes that may wait for one reader. */
  readonly queueBytes: number
  readonly clock: Clock
  readonly log: Log
}

export interface SocketDoor {
  /** The listener for upgrades: each becomes a connection or is refused in the service's form. Never throws. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Pings every connection, and cuts those that have said nothing since the last time. */
  beat(): void
  /** How many connections there are. */
  readonly open: () => number
  /** Admits nobody any more. The connections themselves are the hub's to end. */
  close(): void
}

interface Connection {
  readonly socket: WebSocket
  isAlive: boolean
}

/** How long a peer may take to answer a close before it is cut, in milliseconds. */
const closeMs = 2_000
/** Frames of one connection that are no messages, before it is taken for something that does not speak this protocol. */
const maxStray = 100
const emptyBody = Buffer.alloc(0)

export function createSocketDoor({ channels, hub, find, queueBytes, clock, log }: SocketDeps): SocketDoor {
  const connections = new Set<Connection>()
  let isClosed = false
  const options: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    maxPayload: maxFrame,
    perMessageDeflate: false,
    closeTimeout: closeMs,
    // The C SDK asks for `wss`, others for nothing.
    handleProtocols: (protocols) => (protocols.has('wss') ? 'wss' : false),
  }
  const server = new WebSocketServer(options)
  const refuse = (socket: Duplex, thrown: unknown) => {
    const requestId = randomUUID()
    const error = toServiceError(thrown)
    const level = error.type === 'InternalFailure' ? 'error' : 'info'
    log(level, 'signaling-refused', { requestId, error: error.type, reason: error.message, ...causeOf(error) })
    // Cameras fetch new credentials on 403; 401 is the REST API's word for the same.
    sendRawReply(socket, errorReply(error, requestId, clock(), error.status === 401 ? 403 : error.status))
  }
  server.on('wsClientError', (error, socket) => refuse(socket, invalid(`Not a WebSocket handshake: ${error.message}.`)))

  async function admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { method = '', url = '', headersDistinct: headers } = request
    if (headers['upgrade']?.[0]?.toLowerCase() !== 'websocket') throw invalid('The only upgrade is to websocket.')
    const { scope } = await verifySigV4({ method, target: url, headers, body: emptyBody }, find, clock())
    const [path, search] = url.split('?', 2)
    const query = new URLSearchParams(search)
    if (path !== '/') throw new ServiceError('ResourceNotFoundException', 'There is no channel endpoint here.')
    const arn = query.get('X-Amz-ChannelARN')
    const clientId = query.get('X-Amz-ClientId') ?? undefined
    if (!arn) throw invalid('X-Amz-ChannelARN is required.')
    if (clientId !== undefined && (!idPattern.test(clientId) || /^AWS_/i.test(clientId))) {
      throw invalid('X-Amz-ClientId is 1 to 256 of a-z, A-Z, 0-9, _, ., - and does not begin with AWS_.')
    }
    const role = clientId === undefined ? 'Master' : 'Viewer'
    const channelName = channelNameOf(arn)
    if (channelName === undefined) throw invalid('X-Amz-ChannelARN is not the ARN of a channel.')
    if (!isAllowed(scope, `ConnectAs${role}`, channelName)) {
      throw new ServiceError('AccessDeniedException', `This key may not perform kinesisvideo:ConnectAs${role} here.`)
    }
    const channel = await channels.get({ arn })
    if (clientId !== undefined) hub.checkRoom(channel.name, clientId)
    if (isClosed || socket.destroyed) return void socket.destroy()
    // From here to the seat nothing is awaited: the room that was just found free is still free.
    socket.off('error', ignore)
    server.handleUpgrade(request, socket, head, (webSocket) => connect(webSocket, channel, clientId))
  }

  function connect(socket: WebSocket, channel: Channel, clientId: string | undefined): void {
    const connectedAt = clock()
    const who = { channelName: channel.name, role: clientId === undefined ? 'master' : 'viewer', clientId }
    const connection: Connection = { socket, isAlive: true }
    const heard = () => {
      connection.isAlive = true
    }
    const peer: Peer = {
      deliver: (message) => send(socket, writeDelivery(message)),
      close: (code, reason) => socket.close(code, reason),
    }
    let stray = 0
    connections.add(connection)
    log('info', 'signaling-connected', who)
    socket.on('error', (error) => log('info', 'signaling-socket-failed', { ...who, error: error.message }))
    const seat = clientId === undefined ? hub.joinAsMaster(channel, peer) : hub.joinAsViewer(channel, clientId, peer)
    socket.on('ping', heard)
    socket.on('pong', heard)
    socket.on('message', (data, isBinary) => {
      heard()
      if (socket.readyState !== WebSocket.OPEN) return
      if (isBinary || !take((data as Buffer).toString('utf8'), seat, socket)) stray += 1
      if (stray > maxStray) socket.close(closeCodes.policy, 'too many frames that are no messages')
    })
    socket.on('close', (code) => {
      connections.delete(connection)
      seat.leave()
      log('info', 'signaling-disconnected', { ...who, code, ms: clock() - connectedAt })
    })
  }

  /** False when the frame is no message as the protocol has them. A failure is told to a sender that gave a correlation id. */
  function take(text: string, seat: Seat, socket: WebSocket): boolean {
    const frame = readFrame(text)
    if (!frame) return false
    try {
      if ('error' in frame) throw frame.error
      seat.post(frame.posting)
      return true
    } catch (thrown) {
      const error = toServiceError(thrown)
      if (error.type === 'InternalFailure') log('error', 'signaling-message-failed', causeOf(error))
      if (frame.correlationId !== undefined) send(socket, writeStatus(frame.correlationId, error))
      return 'posting' in frame
    }
  }

  /** False when the connection is over, or ends now because its reader does not keep up. (Pongs are bounded by `ws` itself.) */
  function send(socket: WebSocket, text: string): boolean {
    if (socket.readyState !== WebSocket.OPEN) return false
    if (socket.bufferedAmount > queueBytes) {
      socket.close(closeCodes.overloaded, 'the connection does not read what it is sent')
      return false
    }
    socket.send(text)
    return true
  }

  return {
    upgrade(request, socket, head) {
      // Until the handshake is done nobody else listens, and an unheard error would end the process.
      socket.on('error', ignore)
      admit(request, socket, head).catch((error: unknown) => refuse(socket, error))
    },
    beat() {
      for (const connection of connections) {
        if (!connection.isAlive) {
          connection.socket.terminate()
        } else {
          connection.isAlive = false
          if (connection.socket.readyState === WebSocket.OPEN) connection.socket.ping()
        }
      }
    },
    open: () => connections.size,
    close() {
      isClosed = true
    },
  }
}

const ignore = () => {}
const invalid = (message: string) => new ServiceError('InvalidArgumentException', message)
