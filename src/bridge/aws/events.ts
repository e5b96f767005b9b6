/** The Lambda function of a vendor's events. */
import { createEventsFunction } from './events-function.ts'

/** An event of SQS or Kinesis, or a payload of an IoT rule, in; which records come again out. */
export const events = await createEventsFunction(process.env)
