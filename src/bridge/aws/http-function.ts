/** Makes the Lambda function behind API Gateway: everything but the skill. */
import serverless from 'serverless-http'
import { createHttpApp } from '../doors/http.ts'
import { openOnAws } from './aws.ts'
import type { Environment, Ports } from './ground.ts'
import { remainingMs, told, type Invocation } from './invocation.ts'
import { invoked, keepToLog, log } from './log.ts'
import { withSecrets } from './named-settings.ts'

/** A camera's reply waits for its press as long as it can, and for its reports as long as this: nobody is watching. */
const reportsMs = 3_000
/** Behind any other request somebody waits, Google's display for two seconds at most: the sweep tells the rest. */
const shortlyMs = 250

/** What we read of API Gateway's event ourselves. */
export interface HttpEvent {
  readonly rawPath: string
  readonly [field: string]: unknown
}

/**
 * Resolves to a handler: an API Gateway HTTP API event (payload format 2.0) in, its response out. The environment freezes with
 * the reply, so what was accepted is told before; what an assistant does not take in time stays in the store, for `sweep`. To
 * be called once for each execution environment, which keeps its caches and connections warm between requests. Rejects with
 * an `Error` that names each bad setting. `ports`: what a vendor's own entry plugs in.
 */
export async function createHttpFunction(
  env: Environment,
  ports?: Ports,
): Promise<(event: HttpEvent, context: Invocation) => Promise<object>> {
  keepToLog(console, process)
  const { bridge, ...doors } = openOnAws(await withSecrets(env), Date.now, log, ports)
  const overHttp = serverless(createHttpApp(bridge, log, { ...doors, clock: Date.now }))
  return invoked(async (event, context) => {
    const settled = bridge.fromNow()
    const response = await overHttp(event, context)
    const ms = remainingMs(context)
    if (event.rawPath.startsWith('/cameras/') || event.rawPath === '/operator/events')
      await Promise.all([told(settled, ms, 'press'), told(settled, Math.min(ms, reportsMs))])
    else await told(settled, Math.min(ms, shortlyMs))
    return response
  })
}
