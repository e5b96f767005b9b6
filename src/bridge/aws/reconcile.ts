/** The Lambda function of each hour. */
import { createReconcileFunction } from './scheduled-functions.ts'

/** The Lambda function that a schedule calls: corrects Home Graph's states, as far as its time goes. */
export const reconcile = await createReconcileFunction(process.env)
