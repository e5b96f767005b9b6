/** Who is asking: the one check of a request's signature for both doors, and the care for those who have not passed it. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock, Log } from '../ports.ts'
import type { Credential } from './credentials.ts'
import type { SignalingLimits } from './limits.ts'
import type { Rates } from './rates.ts'
import type { ReplayMemory } from './replay.ts'
import { ServiceError } from './service-error.ts'
import { claimedKey, verifySigV4 } from './sigv4.ts'
import { addressBytes } from './stun.ts'

/**
 * Returns whose request this is; its body is what was read of it. Throws `ServiceError`: with status 403 for whoever has no
 * valid signature, later and later when they keep trying, and `ClientLimitExceededException` for a key that asks too often.
 */
export type Identify = (request: IncomingMessage, body: Buffer) => Promise<Credential>

/** Connections that have not proved who they are, by a name of theirs. */
export interface Strangers {
  /** Takes a new connection in; when there are too many the oldest stranger is cut, so that nobody is locked out by others. */
  enter(name: string, socket: Socket): void
  /** The connection belongs to somebody known from now on, or is gone. */
  leave(name: string): void
}

export interface IdentifyDeps {
  readonly find: (accessKeyId: string) => Promise<Credential | undefined>
  readonly strangers: Strangers
  readonly rates: Rates
  readonly replay: ReplayMemory
  readonly limits: SignalingLimits
  readonly clock: Clock
  readonly log: Log
}

/** Address and port: the socket that TLS reads from and the one that it gives to HTTP are two objects, and this is one. */
export const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/** How long an address that keeps failing waits for each further refusal, in milliseconds. */
const slowedMs = 1_000

export function createIdentify({ find, strangers, rates, replay, limits, clock, log }: IdentifyDeps): Identify {
  /** Only who fails waits: a camera with the right key behind the same router or proxy notices nothing. */
  async function refuse(request: IncomingMessage, error: ServiceError): Promise<never> {
    const { socket, headersDistinct: headers, url = '' } = request
    const isFree = rates.tryTake(`wrong key ${networkOf(socket.remoteAddress)}`, limits.rates.wrongKey)
    const accessKeyId = claimedKey({ headers, target: url })
    // The first of many are warnings: enough to see which key it is.
    if (isFree) log('warn', 'signaling-key-refused', { accessKeyId, error: error.type })
    else await whileOpen(socket, slowedMs)
    throw error
  }

  return async (request, body) => {
    const { method = '', url = '', headersDistinct: headers } = request
    try {
      const { credential, signature } = await verifySigV4({ method, target: url, headers, body }, find, clock())
      const { accessKeyId, scope } = credential
      // An application drives every camera, and has the account's own rates.
      if (scope.kind !== 'application') rates.take(`key ${accessKeyId}`, limits.rates.keyCall)
      replay.use(accessKeyId, signature)
      strangers.leave(nameOf(request.socket))
      return credential
    } catch (thrown) {
      if (thrown instanceof ServiceError && thrown.status === 403) return refuse(request, thrown)
      throw thrown
    }
  }
}

/** An IPv4 address, or the /64 of an IPv6 address: whoever has one of its addresses has all (RFC 6177). */
function networkOf(address = ''): string {
  return addressBytes(address).slice(0, 8).join('.')
}

/** Resolves after `ms`, or when the socket is closed. */
function whileOpen(socket: Socket, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    socket.once('close', done)
    function done() {
      clearTimeout(timer)
      socket.off('close', done)
      resolve()
    }
  })
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
