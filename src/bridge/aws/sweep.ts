/** The Lambda function of each minute. */
import { createSweepFunction } from './scheduled-functions.ts'

/** The Lambda function that a schedule calls: delivers what was still to be told to the assistants when a reply was due. */
export const sweep = await createSweepFunction(process.env)
