/** The Lambda function of each hour. */
import { within } from 'transom-core/deadline'
import { openOnAws } from './aws.ts'
import { remainingMs, told, type Invocation } from './invocation.ts'
import { invoked, keepToLog, log } from './log.ts'
import { withSecrets } from './named-settings.ts'

keepToLog(console, process)
const { bridge } = openOnAws(await withSecrets(process.env), Date.now, log)

/** The Lambda function that a schedule calls: corrects Home Graph's states, as far as its time goes. */
export const reconcile = invoked(async (_event: unknown, context: Invocation): Promise<void> => {
  const settled = bridge.fromNow()
  await within(
    remainingMs(context) / 2,
    async (signal) => bridge.reconcileGoogle?.(signal),
    () => {},
  ).catch((error: unknown) => log('warn', 'google.reconciled-in-part', { error }))
  await told(settled, remainingMs(context))
})
