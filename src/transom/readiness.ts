/** What `/readyz` tries of the embedded bridge. */
import { request as requestPlain, type RequestOptions } from 'node:http'
import { request as requestTls } from 'node:https'
import type { Bridge } from 'transom-bridge/assembly/bridge'
import { createReadiness, type Health, type Readiness } from 'transom-bridge/doors/health'
import type { Clock } from 'transom-core/ports'
import type { SignalingService } from 'transom-signaling/service'

const signalingMs = 2_000

/** Makes the function behind `/readyz`: store by a write, signaling by a request over its own door, outbox by its state. */
export function createBridgeReadiness(deps: {
  readonly health: () => Promise<Health>
  readonly service: Pick<SignalingService, 'localEndpoint' | 'ca'>
  readonly outbox: Bridge['outbox']
  readonly clock: Clock
}): () => Promise<Readiness> {
  const { health, service, outbox, clock } = deps
  const checks = {
    store: async () => {
      const { status, cause } = await health()
      if (status === 'ok') return undefined
      return cause === 'no_room' ? 'the disk is full' : 'the store cannot be written'
    },
    signaling: () => signalingFault(service),
    outbox: async () =>
      outbox.state().isRunning ? undefined : 'events that an earlier process left have not been picked up',
  }
  return createReadiness(checks, clock)
}

/** Any reply shows that it listens and answers. Resolves to what is wrong. */
async function signalingFault({ localEndpoint, ca }: Pick<SignalingService, 'localEndpoint' | 'ca'>) {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const { protocol, port, hostname } = new URL(localEndpoint)
  const options: RequestOptions = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port,
    agent: false,
    signal: AbortSignal.timeout(signalingMs),
  }
  // By that name the service shows the certificate that it made itself, also where it has another one for the world.
  const tls = { ...options, servername: 'localhost', ...(ca !== undefined && { ca }) }
  const asked = protocol === 'https:' ? requestTls(tls) : requestPlain(options)
  asked.once('response', (response) => {
    response.resume()
    resolve()
  })
  asked.once('error', reject)
  asked.end()
  try {
    await promise
    return undefined
  } catch {
    return 'the signaling service does not answer'
  }
}
