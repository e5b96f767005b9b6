/** The entries of AWS Lambda: the skill, everything else behind API Gateway, and what a schedule calls. */
import serverless from 'serverless-http'
import { openOnAws } from './aws.ts'
import { within } from 'transom-core/deadline'
import { createHttpApp } from '../doors/http.ts'
import { createLog } from '../doors/log.ts'

/** Kept of an invocation's time for its end. */
const spareMs = 1_000
/** A camera's reply waits for its press as long as it can, and for its reports as long as this: nobody is watching. */
const reportsMs = 3_000
/** Behind any other request somebody waits, Google's display for two seconds at most: the sweep tells the rest. */
const shortlyMs = 250

/** What we use of Lambda's context object. */
interface Invocation {
  getRemainingTimeInMillis(): number
}

/** What we read of API Gateway's event ourselves. */
interface HttpEvent {
  readonly rawPath: string
  readonly [field: string]: unknown
}

const log = createLog((line) => process.stdout.write(line), Date.now)
// Made once for each execution environment, which keeps its caches and connections warm between requests.
const { bridge, ...doors } = openOnAws(process.env, Date.now, log)
const overHttp = serverless(createHttpApp(bridge, log, { ...doors, clock: Date.now }))

/** A smart home directive or a request of the companion skill in, its answer out. */
export const alexa = async (event: unknown): Promise<unknown> => bridge.alexa.entry(event, process.env['AWS_REGION'])

/**
 * An API Gateway HTTP API event (payload format 2.0) in, its response out. The environment freezes with the reply, so what
 * was accepted is told before; what an assistant does not take in time stays in the store, for `sweep`.
 */
export const http = async (event: HttpEvent, context: Invocation): Promise<object> => {
  const response = await overHttp(event, context)
  const ms = remainingMs(context)
  if (event.rawPath.startsWith('/cameras/')) await Promise.all([told(ms, 'press'), told(Math.min(ms, reportsMs))])
  else await told(Math.min(ms, shortlyMs))
  return response
}

/** Each minute: tells what was still open when a reply was due. */
export const sweep = async (_event: unknown, context: Invocation): Promise<void> => {
  await bridge.resume()
  await told(remainingMs(context))
}

/** Each hour: mends what Home Graph believes, as far as the time goes. */
export const reconcile = async (_event: unknown, context: Invocation): Promise<void> => {
  await within(
    remainingMs(context) / 2,
    async (signal) => bridge.reconcileGoogle?.(signal),
    () => {},
  ).catch((error: unknown) => log('warn', 'google.reconciled_in_part', { error }))
  await told(remainingMs(context))
}

const remainingMs = (context: Invocation): number => Math.max(0, context.getRemainingTimeInMillis() - spareMs)

/** Resolves when it is told, or the time is up. */
async function told(ms: number, lane?: 'press'): Promise<void> {
  await within(
    ms,
    () => bridge.settled(lane),
    () => {},
  ).catch(() => log('warn', 'told later', { ms, lane }))
}
