/** The skill's function, with the vendor's cameras. */
import { createAlexaFunction } from 'transom-bridge/aws/alexa-function'
import { ports } from './ports.ts'

export const alexa = await createAlexaFunction(process.env, ports)
