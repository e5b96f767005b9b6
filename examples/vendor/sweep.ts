/** The function of each minute, with the vendor's cameras. */
import { createSweepFunction } from 'transom-bridge/aws/scheduled-functions'
import { ports } from './ports.ts'

export const sweep = await createSweepFunction(process.env, ports)
