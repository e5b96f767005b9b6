/** Who is asking: the one check of a request's signature for both doors, and the care for those who have not passed it. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../ports.ts'
import type { Credential } from './credentials.ts'
import type { ReplayMemory } from './replay.ts'
import { verifySigV4 } from './sigv4.ts'

/** Returns whose request this is; its body is what was read of it. Throws `ServiceError` with status 403. */
export type Identify = (request: IncomingMessage, body: Buffer) => Promise<Credential>

/** Connections that have not proved who they are, by a name of theirs. */
export interface Strangers {
  /** Takes a new connection in; when there are too many the oldest stranger is cut, so that nobody is locked out by others. */
  enter(name: string, socket: Socket): void
  /** The connection belongs to somebody known from now on, or is gone. */
  leave(name: string): void
}

/** Address and port: the socket that TLS reads from and the one that it gives to HTTP are two objects, and this is one. */
export const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

export function createIdentify(
  find: (accessKeyId: string) => Promise<Credential | undefined>,
  strangers: Strangers,
  replay: ReplayMemory,
  clock: Clock,
): Identify {
  return async (request, body) => {
    const { method = '', url = '', headersDistinct: headers } = request
    const { credential, signature } = await verifySigV4({ method, target: url, headers, body }, find, clock())
    replay.use(signature)
    strangers.leave(nameOf(request.socket))
    return credential
  }
}

export function createStrangers(most: number): Strangers {
  const strangers = new Map<string, Socket>()
  return {
    enter(name, socket) {
      strangers.set(name, socket)
      if (strangers.size <= most) return
      for (const [oldest, its] of strangers) {
        strangers.delete(oldest)
        its.destroy()
        return
      }
    },
    leave: (name) => void strangers.delete(name),
  }
}
