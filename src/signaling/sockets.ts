/** The WebSocket door: admits masters and viewers, and keeps every connection alive, answered and bounded. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws'
import type { Clock, Log } from 'transom-core/ports'
import { channelNameOf, type Channel } from './channel-records.ts'
import type { Channels } from './channels.ts'
import { beat, createConnection, send, spoke, type Connection } from './connection.ts'
import { isAllowed, type Scope } from './credentials.ts'
import { takeFrame } from './frames.ts'
import type { Hub } from './hub.ts'
import type { Identify } from './identify.ts'
import type { SignalingLimits } from './limits.ts'
import { idPattern, maxFrame, writeDelivery } from './message.ts'
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
  /** Closes the connections that were opened with this key, and refuses those that are just being opened. */
  endKey(accessKeyId: string): void
  /** How many connections there are. */
  readonly open: () => number
  /** Admits nobody any more. The connections themselves are the hub's to end. */
  close(): void
}

/** How long a peer may take to answer a close before it is cut, in milliseconds. */
const closeMs = 2_000
/** Frames of one connection that are no messages, before it is taken for something that does not speak this protocol. */
const maxStray = 100
const emptyBody = Buffer.alloc(0)
const serverOptions: ServerOptions & { closeTimeout: number } = {
  noServer: true,
  clientTracking: false,
  maxPayload: maxFrame,
  perMessageDeflate: false,
  closeTimeout: closeMs,
  // The C SDK asks for `wss`, others for nothing.
  handleProtocols: (protocols) => (protocols.has('wss') ? 'wss' : false),
}

export function createSocketDoor(deps: SocketDeps): SocketDoor {
  const { channels, hub, identify, rates, limits, clock, log } = deps
  const connections = new Set<Connection>()
  /** Keys that were revoked while the service runs: one may still be on its way in. */
  const ended = new Set<string>()
  let isClosed = false
  const server = new WebSocketServer(serverOptions)
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
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') throw invalid('The only upgrade is to websocket.')
    const { scope, accessKeyId } = await identify(request, emptyBody)
    const { role, channelKey: key, clientId } = readEntry(request.url, scope)
    if (!isAllowed(scope, `ConnectAs${role}`, key.name)) {
      throw new ServiceError('AccessDeniedException', `This key may not perform kinesisvideo:ConnectAs${role} here.`)
    }
    rates.take(`ConnectAs${role} ${key.name} ${accessKeyId}`, limits.rates.channelConnect)
    const channel = await channels.get(key)
    if (ended.has(accessKeyId)) throw new ServiceError('UnrecognizedClientException', 'The key was revoked.')
    if (clientId !== undefined) hub.checkRoom(channel.name, clientId, scope.kind === 'viewer')
    if (isClosed || socket.destroyed) return void socket.destroy()
    // From here to the seat nothing is awaited: the room that was just found free is still free.
    socket.off('error', ignore)
    server.handleUpgrade(request, socket, head, (webSocket) => {
      const of = { socket: webSocket, stream: socket, accessKeyId, isMaster: clientId === undefined }
      open(createConnection(of, limits, clock()), channel, clientId)
    })
  }

  /** Seats the connection in its channel, until its socket is closed. */
  function open(connection: Connection, channel: Channel, clientId: string | undefined): void {
    const { socket } = connection
    const connectedAt = clock()
    const who = { channelName: channel.name, role: clientId === undefined ? 'master' : 'viewer', clientId } as const
    const tell = (text: string) => send(connection, text, limits)
    const peer: Peer = {
      deliver: (message) => tell(writeDelivery(message)),
      close: (code, reason) => socket.close(code, reason),
    }
    connections.add(connection)
    log('info', 'signaling.connected', who)
    socket.on('error', (error) => log('info', 'signaling.socket-failed', { ...who, error: error.message }))
    const seat = clientId === undefined ? hub.joinAsMaster(channel, peer) : hub.joinAsViewer(channel, clientId, peer)
    socket.on('ping', () => spoke(connection, clock()))
    socket.on('pong', () => {
      connection.isAlive = true
    })
    socket.on('message', (data, isBinary) => {
      spoke(connection, clock())
      if (socket.readyState !== WebSocket.OPEN) return
      if (isBinary || !takeFrame(deps, (data as Buffer).toString('utf8'), seat, connection, tell)) connection.stray += 1
      if (connection.stray > maxStray) socket.close(closeCodes.policy, 'too many frames that are no messages')
    })
    socket.on('close', (code) => {
      connections.delete(connection)
      seat.leave()
      log('info', 'signaling.disconnected', { ...who, code, ms: clock() - connectedAt })
    })
  }

  return {
    upgrade(request, socket, head) {
      // Until the handshake is done nobody else listens, and an unheard error would end the process.
      socket.on('error', ignore)
      admit(request, socket, head).catch((error: unknown) => refuse(socket, error))
    },
    beat() {
      const now = clock()
      for (const connection of connections) beat(connection, limits, now)
    },
    endKey(accessKeyId) {
      ended.add(accessKeyId)
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

/** What the URL of a handshake asks for: which place in which channel. Throws `InvalidArgumentException`. */
function readEntry(url = '', scope: Scope) {
  const [path, search] = url.split('?', 2)
  const query = new URLSearchParams(search)
  const arn = query.get('X-Amz-ChannelARN')
  if (!arn) throw invalid('X-Amz-ChannelARN is required.')
  const givenId = query.get('X-Amz-ClientId') ?? undefined
  const role = roleOf(scope, path, givenId)
  const clientId = role === 'Viewer' ? readClientId(givenId) : undefined
  const name = channelNameOf(arn)
  if (name === undefined) throw invalid('X-Amz-ChannelARN is not the ARN of a channel.')
  return { role, clientId, channelKey: { name, arn } }
}

function readClientId(given = ''): string {
  if (idPattern.test(given) && !/^AWS_/i.test(given)) return given
  throw invalid('X-Amz-ClientId of a viewer is 1 to 256 of a-z, A-Z, 0-9, _, ., - and does not begin with AWS_.')
}

const ignore = () => {}
const invalid = (message: string) => new ServiceError('InvalidArgumentException', message)
