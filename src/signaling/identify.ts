/** Who is asking: the one check of a request's signature for both doors, and the care for those who have not passed it. */
import type { IncomingMessage } from 'node:http'
import { nameOf, networkOf, whileOpen, type Strangers } from 'transom-core/admission'
import type { Clock, Log } from 'transom-core/ports'
import type { Credential } from './credentials.ts'
import type { SignalingLimits } from './limits.ts'
import type { Rates } from './rates.ts'
import type { ReplayMemory } from './replay.ts'
import { ServiceError } from './service-error.ts'
import { claimedKey, verifySigV4 } from './sigv4.ts'

/**
 * Returns whose request this is; its body is what was read of it. Throws `ServiceError`: with status 403 for whoever has no
 * valid signature, later and later when they keep trying, and `ClientLimitExceededException` for a key that asks too often.
 */
export type Identify = (request: IncomingMessage, body: Buffer) => Promise<Credential>

export interface IdentifyDeps {
  readonly find: (accessKeyId: string) => Promise<Credential | undefined>
  readonly strangers: Strangers
  readonly rates: Rates
  readonly replay: ReplayMemory
  readonly limits: SignalingLimits
  readonly clock: Clock
  readonly log: Log
}

/** How long an address that keeps failing waits for each further refusal, in milliseconds. */
const slowedMs = 1_000

export function createIdentify({ find, strangers, rates, replay, limits, clock, log }: IdentifyDeps): Identify {
  /** Only who fails waits: a camera with the right key behind the same router or proxy notices nothing. */
  async function refuse(request: IncomingMessage, error: ServiceError): Promise<never> {
    const { socket, headersDistinct: headers, url = '' } = request
    const isFree = rates.tryTake(`wrong key ${networkOf(socket.remoteAddress ?? '')}`, limits.rates.wrongKey)
    const accessKeyId = claimedKey({ headers, target: url })
    // The first of many are warnings: enough to see which key it is.
    if (isFree) log('warn', 'signaling.key-refused', { accessKeyId, code: error.type })
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
