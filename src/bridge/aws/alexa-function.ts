/** Makes the Lambda function of the skill, which a customer waits for: it loads what answers Alexa, and no more. */
import { createAlexaAlone } from '../assembly/alexa-alone.ts'
import { groundOnAws, type Environment, type Ports } from './ground.ts'
import type { Named } from './log.ts'
import { invoked, keepToLog, log } from './log.ts'
import { withSecrets } from './named-settings.ts'

/**
 * Resolves to a handler for Alexa: a smart home directive or a request of the companion skill in, its answer out. To be
 * called once for each execution environment, which keeps its caches and connections warm between requests. Rejects with an
 * `Error` that names each bad setting. `ports`: what a vendor's own entry plugs in.
 */
export async function createAlexaFunction(
  env: Environment,
  ports?: Ports,
): Promise<(event: unknown, context: Named) => Promise<unknown>> {
  keepToLog(console, process)
  const side = createAlexaAlone(groundOnAws(await withSecrets(env), Date.now, log, ports))
  return invoked(async (event: unknown) => side.entry(event, env['AWS_REGION']))
}
