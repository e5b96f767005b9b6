/** The WebSocket door: admits masters and viewers, and keeps every connection alive, answered and bounded. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws'
import type { Clock, Log } from 'transom-core/ports'
import { channelNameOf, type Channel, type Channels } from './channels.ts'
import { isAllowed } from './credentials.ts'
import { takeFrame, type Allowance } from './frames.ts'
import type { Hub } from './hub.ts'
import type { Identify } from './identify.ts'
import type { SignalingLimits } from './limits.ts'
import { goAway, idPattern, maxFrame, writeDelivery } from './message.ts'
import type { Rates } from './rates.ts'
import { errorReply, sendRawReply } from './reply.ts'
import { roleOf } from './roles.ts'
import { closeCodes, type Peer } from './room.ts'
import { causeOf, ServiceError, toServiceError } from './service-error.ts'

export interface SocketDeps {
  readonly channels: Channels
  readonly hub: Hub
  readonly identify: Identify
  readonly rates: Rates
  readonly limits: SignalingLimits
  readonly clock: Clock
  readonly log: Log
}

export interface SocketDoor {
  /** The listener for upgrades: each becomes a connection or is refused in the service's form. Never throws. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Pings every connection, cuts those that have said nothing since the last time, and closes those whose time is over. */
  beat(): void
  /** Closes the connections that were opened with this key. */
  endKey(accessKeyId: string): void
  /** How many connections there are. */
  readonly open: () => number
  /** Admits nobody any more. The connections themselves are the hub's to end. */
  close(): void
}

interface Connection extends Allowance {
  readonly socket: WebSocket
  /** What the WebSocket writes to. */
  readonly stream: Duplex
  isCorked: boolean
  readonly accessKeyId: string
  readonly isMaster: boolean
  readonly endsAt: number
  isAlive: boolean
  /** When it last sent a message or a ping of its own. */
  spokeAt: number
  isWarned: boolean
}

/** How long a peer may take to answer a close before it is cut, in milliseconds. */
const closeMs = 2_000
/** Frames of one connection that are no messages, before it is taken for something that does not speak this protocol. */
const maxStray = 100
const emptyBody = Buffer.alloc(0)

export function createSocketDoor({ channels, hub, identify, rates, limits, clock, log }: SocketDeps): SocketDoor {
  const connections = new Set<Connection>()
  const frameDeps = { limits, clock, log }
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
    log(level, 'signaling.refused', { requestId, code: error.type, error: error.message, ...causeOf(error) })
    // Cameras fetch new credentials on 403; 401 is the REST API's word for the same.
    sendRawReply(socket, errorReply(error, requestId, clock(), error.status === 401 ? 403 : error.status))
  }
  server.on('wsClientError', (error, socket) => refuse(socket, invalid(`Not a WebSocket handshake: ${error.message}.`)))

  async function admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { url = '', headers } = request
    if (headers.upgrade?.toLowerCase() !== 'websocket') throw invalid('The only upgrade is to websocket.')
    const { scope, accessKeyId } = await identify(request, emptyBody)
    const [path, search] = url.split('?', 2)
    const query = new URLSearchParams(search)
    const arn = query.get('X-Amz-ChannelARN')
    if (!arn) throw invalid('X-Amz-ChannelARN is required.')
    const givenId = query.get('X-Amz-ClientId') ?? undefined
    const role = roleOf(scope, path, givenId)
    const clientId = role === 'Viewer' ? readClientId(givenId) : undefined
    const channelName = channelNameOf(arn)
    if (channelName === undefined) throw invalid('X-Amz-ChannelARN is not the ARN of a channel.')
    if (!isAllowed(scope, `ConnectAs${role}`, channelName)) {
      throw new ServiceError('AccessDeniedException', `This key may not perform kinesisvideo:ConnectAs${role} here.`)
    }
    rates.take(`ConnectAs${role} ${channelName} ${accessKeyId}`, limits.rates.channelConnect)
    const channel = await channels.get({ arn })
    if (clientId !== undefined) hub.checkRoom(channel.name, clientId, scope.kind === 'viewer')
    if (isClosed || socket.destroyed) return void socket.destroy()
    // From here to the seat nothing is awaited: the room that was just found free is still free.
    socket.off('error', ignore)
    server.handleUpgrade(request, socket, head, (webSocket) =>
      connect(webSocket, socket, accessKeyId, channel, clientId),
    )
  }

  function connect(
    socket: WebSocket,
    stream: Duplex,
    accessKeyId: string,
    channel: Channel,
    clientId: string | undefined,
  ): void {
    const connectedAt = clock()
    const isMaster = clientId === undefined
    const who = { channelName: channel.name, role: isMaster ? 'master' : 'viewer', clientId }
    const connection: Connection = {
      socket,
      stream,
      isCorked: false,
      accessKeyId,
      isMaster,
      endsAt: connectedAt + limits.lifetimeMs * (0.9 + 0.2 * Math.random()),
      isAlive: true,
      spokeAt: connectedAt,
      isWarned: false,
    }
    const spoke = () => {
      connection.isAlive = true
      connection.spokeAt = clock()
    }
    const peer: Peer = {
      deliver: (message) => send(connection, writeDelivery(message)),
      close: (code, reason) => socket.close(code, reason),
    }
    const tell = (status: string) => send(connection, status)
    let stray = 0
    connections.add(connection)
    log('info', 'signaling.connected', who)
    socket.on('error', (error) => log('info', 'signaling.socket-failed', { ...who, error: error.message }))
    const seat = isMaster ? hub.joinAsMaster(channel, peer) : hub.joinAsViewer(channel, clientId, peer)
    socket.on('ping', spoke)
    socket.on('pong', () => {
      connection.isAlive = true
    })
    socket.on('message', (data, isBinary) => {
      spoke()
      if (socket.readyState !== WebSocket.OPEN) return
      if (isBinary || !takeFrame(frameDeps, (data as Buffer).toString('utf8'), seat, connection, tell)) stray += 1
      if (stray > maxStray) socket.close(closeCodes.policy, 'too many frames that are no messages')
    })
    socket.on('close', (code) => {
      connections.delete(connection)
      seat.leave()
      log('info', 'signaling.disconnected', { ...who, code, ms: clock() - connectedAt })
    })
  }

  /** False when the connection is over, or ends now because its reader does not keep up. (Pongs are bounded by `ws` itself.) */
  function send(connection: Connection, text: string): boolean {
    const { socket, stream } = connection
    if (socket.readyState !== WebSocket.OPEN) return false
    if (socket.bufferedAmount > limits.queueBytes) {
      socket.close(closeCodes.overloaded, 'the connection does not read what it is sent')
      return false
    }
    // A system call costs more than all else here: what arrived together, a camera's candidates for one, leaves together.
    if (!connection.isCorked) {
      connection.isCorked = true
      stream.cork()
      process.nextTick(() => {
        connection.isCorked = false
        stream.uncork()
      })
    }
    socket.send(text)
    return true
  }

  /** The close code for a connection whose time is over. */
  function endOf({ isMaster, endsAt, spokeAt }: Connection, now: number): number | undefined {
    if (now >= endsAt) return closeCodes.lifetime
    return !isMaster && now - spokeAt >= limits.idleMs ? closeCodes.idle : undefined
  }

  function warn(connection: Connection, now: number): void {
    if (limits.goAwayMs === 0 || connection.isWarned || now < connection.endsAt - limits.goAwayMs) return
    connection.isWarned = true
    send(connection, goAway)
  }

  return {
    upgrade(request, socket, head) {
      // Until the handshake is done nobody else listens, and an unheard error would end the process.
      socket.on('error', ignore)
      admit(request, socket, head).catch((error: unknown) => refuse(socket, error))
    },
    beat() {
      const now = clock()
      for (const connection of connections) {
        const { socket } = connection
        const end = endOf(connection, now)
        if (!connection.isAlive) {
          socket.terminate()
        } else if (end !== undefined) {
          socket.close(end, end === closeCodes.idle ? 'nothing was sent for too long' : 'connect again')
        } else {
          connection.isAlive = false
          if (socket.readyState === WebSocket.OPEN) socket.ping()
          warn(connection, now)
        }
      }
    },
    endKey(accessKeyId) {
      for (const { socket, ...connection } of connections) {
        if (connection.accessKeyId === accessKeyId) socket.close(closeCodes.revoked, 'the key was revoked')
      }
    },
    open: () => connections.size,
    close() {
      isClosed = true
    },
  }
}

function readClientId(given = ''): string {
  if (idPattern.test(given) && !/^AWS_/i.test(given)) return given
  throw invalid('X-Amz-ClientId of a viewer is 1 to 256 of a-z, A-Z, 0-9, _, ., - and does not begin with AWS_.')
}

const ignore = () => {}
const invalid = (message: string) => new ServiceError('InvalidArgumentException', message)
