/** One WebSocket of a master or a viewer: what it is sent, whether it is alive, and when its time is over. */
import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import type { Allowance } from './frames.ts'
import type { SignalingLimits } from './limits.ts'
import { goAway } from './message.ts'
import { closeCodes } from './room.ts'

export interface Connection extends Allowance {
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
  /** Its frames that were no messages. */
  stray: number
}

/** A connection that begins `now`. Its life is spread by a tenth to either side: not all come back at once. */
export function createConnection(
  of: Pick<Connection, 'socket' | 'stream' | 'accessKeyId' | 'isMaster'>,
  limits: SignalingLimits,
  now: number,
): Connection {
  const endsAt = now + limits.lifetimeMs * (0.9 + 0.2 * Math.random())
  return { ...of, isCorked: false, endsAt, isAlive: true, spokeAt: now, isWarned: false, stray: 0 }
}

/** False when the connection is over, or ends now because its reader does not keep up. (Pongs are bounded by `ws` itself.) */
export function send(connection: Connection, text: string, { queueBytes }: SignalingLimits): boolean {
  const { socket, stream } = connection
  if (socket.readyState !== WebSocket.OPEN) return false
  if (socket.bufferedAmount > queueBytes) {
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

/** Notes that the client sent something of its own accord. */
export function spoke(connection: Connection, now: number): void {
  connection.isAlive = true
  connection.spokeAt = now
}

/** Pings the connection; cuts it when it has said nothing since the last time, closes it when its time is over. */
export function beat(connection: Connection, limits: SignalingLimits, now: number): void {
  const { socket } = connection
  const end = endOf(connection, limits, now)
  if (!connection.isAlive) {
    socket.terminate()
  } else if (end !== undefined) {
    socket.close(end, end === closeCodes.idle ? 'nothing was sent for too long' : 'connect again')
  } else {
    connection.isAlive = false
    if (socket.readyState === WebSocket.OPEN) socket.ping()
    warn(connection, limits, now)
  }
}

/** The close code for a connection whose time is over. */
function endOf(
  { isMaster, endsAt, spokeAt }: Connection,
  { idleMs }: SignalingLimits,
  now: number,
): number | undefined {
  if (now >= endsAt) return closeCodes.lifetime
  return !isMaster && now - spokeAt >= idleMs ? closeCodes.idle : undefined
}

function warn(connection: Connection, limits: SignalingLimits, now: number): void {
  if (limits.goAwayMs === 0 || connection.isWarned || now < connection.endsAt - limits.goAwayMs) return
  connection.isWarned = true
  send(connection, goAway, limits)
}
