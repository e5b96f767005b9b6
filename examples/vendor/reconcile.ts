/** The function of each hour, with the vendor's cameras. */
import { createReconcileFunction } from 'transom-bridge/aws/scheduled-functions'
import { ports } from './ports.ts'

export const reconcile = await createReconcileFunction(process.env, ports)
