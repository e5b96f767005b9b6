/** The Lambda function of the skill. */
import { createAlexaFunction } from './alexa-function.ts'

/**
 * The Lambda function for Alexa: a smart home directive or a request of the companion skill in, its answer out.
 * Resolves to an error of Alexa's own when something fails.
 */
export const alexa = await createAlexaFunction(process.env)
