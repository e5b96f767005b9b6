/** What gateways do once at the word of somebody who waits: sent with their other lines, answered by a request of their own. */
import { randomUUID } from 'node:crypto'
import { BridgeError } from 'transom-core/errors'
import type { GatewayLine, GatewayTask, TaskResult } from 'transom-core/wire/gateway'
import { homeGateway } from './sources.ts'

/** The gateway ends a task by itself; so much later it has forgotten it. */
const graceMs = 5_000

export interface GatewayTasks {
  /**
   * Resolves with what came of it, a fault included. Throws `BridgeError` `source_gateway` where the gateway is not there, goes
   * away, or stays silent; `source_stopped` when the signal aborts, of which the gateway learns.
   */
  run(gateway: string, task: GatewayTask, withinMs: number, signal: AbortSignal): Promise<TaskResult>
  /** A gateway has answered. What nobody waits for, or another gateway was asked, is ignored. */
  done(gateway: string, id: string, result: TaskResult): void
  /** A gateway is away, and what it was asked with it. */
  lost(gateway: string): void
}

interface Waiting {
  readonly gateway: string
  readonly resolve: (result: TaskResult) => void
  readonly reject: (error: BridgeError) => void
}

/** `send`: false where the gateway is not connected. */
export function createGatewayTasks(deps: {
  readonly send: (gateway: string, line: GatewayLine) => boolean
  readonly networks: readonly string[] | undefined
}): GatewayTasks {
  const { send, networks } = deps
  const waiting = new Map<string, Waiting>()

  return {
    async run(gateway, task, withinMs, signal) {
      const id = randomUUID()
      const { promise, resolve, reject } = Promise.withResolvers<TaskResult>()
      const onAbort = () => {
        send(gateway, { kind: 'cancel', id })
        reject(new BridgeError('source_stopped', 'nobody waits for it any more'))
      }
      const late = setTimeout(() => reject(away(gateway, 'does not answer')), withinMs + graceMs)
      waiting.set(id, { gateway, resolve, reject })
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        const bounds = networks && { networks: [...networks] }
        if (!send(gateway, { kind: 'task', id, task, withinMs, ...bounds })) throw away(gateway, 'is not connected')
        if (signal.aborted) onAbort()
        return await promise
      } finally {
        clearTimeout(late)
        signal.removeEventListener('abort', onAbort)
        waiting.delete(id)
      }
    },
    done(gateway, id, result) {
      const one = waiting.get(id)
      if (one?.gateway === gateway) one.resolve(result)
    },
    lost(gateway) {
      for (const one of waiting.values()) if (one.gateway === gateway) one.reject(away(gateway, 'is gone'))
    },
  }
}

const away = (gateway: string, what: string) =>
  new BridgeError('source_gateway', `${gateway === homeGateway ? 'the gateway' : `the gateway ${gateway}`} ${what}`)
