/** The whole bridge on AWS. */
import type { Router } from 'express'
import type { Clock, Log } from 'transom-core/ports'
import { createBridge, type Bridge } from '../assembly/bridge.ts'
import { createCameraRecords } from '../operator/camera-records.ts'
import { createOperatorRoutes } from '../operator/operator.ts'
import { groundOnAws, type Environment, type Ports } from './ground.ts'

/** A bridge on AWS with what its doors need. */
export interface OnAws {
  readonly bridge: Bridge
  readonly forwarderSecret: string | undefined
  readonly skillId: string | undefined
  readonly behindProxy: number
  /** Where cameras are entered; absent without an operator key. */
  readonly operator?: Router
}

/**
 * Connects nothing yet: the first request does. Throws an `Error` that names each bad setting. `ports`: what a vendor's own
 * entry plugs in.
 */
export function openOnAws(env: Environment, clock: Clock, log: Log, ports?: Ports): OnAws {
  const ground = groundOnAws(env, clock, log, ports)
  const { config, publicUrl } = ground
  const bridge = createBridge(ground)
  const { operatorKey } = config.linking
  const operator = operatorKey !== undefined && {
    // The channels are the vendor's own: a camera here is a record and a key.
    operator: createOperatorRoutes({
      broker: bridge.broker,
      keys: [operatorKey],
      registrations: createCameraRecords(bridge.cameras, publicUrl),
      linking: bridge.linking,
      eventDoor: bridge,
    }),
  }
  const { forwarderSecret, skillId } = config.alexa
  return { bridge, forwarderSecret, skillId, behindProxy: config.behindProxy, ...operator }
}
