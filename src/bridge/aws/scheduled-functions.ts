/** Makes the Lambda functions that schedules call. */
import { within } from 'transom-core/deadline'
import { openOnAws } from './aws.ts'
import type { Environment, Ports } from './ground.ts'
import { remainingMs, told, type Invocation } from './invocation.ts'
import { invoked, keepToLog, log } from './log.ts'
import { withSecrets } from './named-settings.ts'

type Scheduled = (event: unknown, context: Invocation) => Promise<void>

/** Each minute: delivers what was still to be told to the assistants when a reply was due. `ports` as in the other functions. */
export async function createSweepFunction(env: Environment, ports?: Ports): Promise<Scheduled> {
  const bridge = await openBridge(env, ports)
  return invoked(async (_event, context) => {
    await bridge.resume()
    await told(bridge.settled, remainingMs(context))
  })
}

/** Each hour: corrects Home Graph's states, as far as its time goes. `ports` as in the other functions. */
export async function createReconcileFunction(env: Environment, ports?: Ports): Promise<Scheduled> {
  const bridge = await openBridge(env, ports)
  return invoked(async (_event, context) => {
    const settled = bridge.fromNow()
    await within(
      remainingMs(context) / 2,
      async (signal) => bridge.reconcileGoogle?.(signal),
      () => {},
    ).catch((error: unknown) => log('warn', 'google.reconciled-in-part', { error }))
    await told(settled, remainingMs(context))
  })
}

async function openBridge(env: Environment, ports: Ports | undefined) {
  keepToLog(console, process)
  return openOnAws(await withSecrets(env), Date.now, log, ports).bridge
}
