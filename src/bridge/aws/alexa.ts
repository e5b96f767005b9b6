/** The Lambda function of the skill, which a customer waits for: it loads what answers Alexa, and no more. */
import { createAlexaAlone } from '../assembly/alexa-alone.ts'
import { groundOnAws } from './ground.ts'
import { invoked, keepToLog, log } from './log.ts'
import { withSecrets } from './named-settings.ts'

keepToLog(console, process)
// Made once for each execution environment, which keeps its caches and connections warm between requests.
const side = createAlexaAlone(groundOnAws(await withSecrets(process.env), Date.now, log))

/**
 * The Lambda function for Alexa: a smart home directive or a request of the companion skill in, its answer out.
 * Resolves to an error of Alexa's own when something fails.
 */
export const alexa = invoked(async (event: unknown) => side.entry(event, process.env['AWS_REGION']))
