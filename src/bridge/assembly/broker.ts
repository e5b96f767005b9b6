/** The broker as every entry plugs it in. */
import { createHmac } from 'node:crypto'
import { createBroker, type Broker, type BrokerDeps } from '../broker/broker.ts'
import type { BridgeDeps } from './ground.ts'

/** The listeners as in the broker. */
export function openBroker(deps: BridgeDeps, listeners: Pick<BrokerDeps, 'onSession' | 'onOutcome'> = {}): Broker {
  const { config, keys, isLive = false } = deps
  return createBroker({
    ...deps,
    // A process that is frozen with its reply would leave the line open, and a viewer's place taken, until AWS ends it.
    ...(!isLive && { signaling: { ...deps.signaling, warm: () => {} } }),
    budgets: config.budgets,
    views: config.views,
    mostKept: isLive ? 10_000 : 50,
    mark: createHmac('sha256', keys.sealing).update('viewers').digest('hex').slice(0, 8),
    ...listeners,
  })
}
