/** The function of the vendor's events, with the vendor's cameras. */
import { createEventsFunction } from 'transom-bridge/aws/events-function'
import { ports } from './ports.ts'

export const events = await createEventsFunction(process.env, ports)
