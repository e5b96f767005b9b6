/** The Lambda function of each minute. */
import { openOnAws } from './aws.ts'
import { remainingMs, told, type Invocation } from './invocation.ts'
import { invoked, keepToLog, log } from './log.ts'
import { withSecrets } from './named-settings.ts'

keepToLog(console, process)
const { bridge } = openOnAws(await withSecrets(process.env), Date.now, log)

/**
 * The Lambda function that a schedule calls: delivers what was still to be told to the assistants when a reply was
 * due.
 */
export const sweep = invoked(async (_event: unknown, context: Invocation): Promise<void> => {
  await bridge.resume()
  await told(bridge.settled, remainingMs(context))
})
