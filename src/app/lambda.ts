/** The entries of AWS Lambda: `alexa` for the skill, `http` for everything else behind API Gateway. */
import serverless from 'serverless-http'
import { openOnAws } from './aws.ts'
import { within } from '../deadline.ts'
import { createHttpApp } from './http.ts'
import { createLog } from './log.ts'

/** A reply is not held back longer. What is still open then stays in the store; the next request goes on with it. */
const tellMs = 8_000
const log = createLog((line) => process.stdout.write(line), Date.now)
// Made once for each execution environment, which keeps its caches and connections warm between requests.
const { bridge, forwarderSecret } = openOnAws(process.env, Date.now, log)
const overHttp = serverless(createHttpApp(bridge, log, { forwarderSecret, clock: Date.now }))

/** A smart home directive or a request of the companion skill in, its answer out. */
export const alexa = async (event: unknown): Promise<unknown> => bridge.alexa.entry(event, process.env['AWS_REGION'])

/** An API Gateway HTTP API event (payload format 2.0) in, its response out. */
export const http = async (event: object, context: object): Promise<object> => {
  const response = await overHttp(event, context)
  // The environment freezes with the reply: what was accepted is told before, unless an assistant is out of order.
  await within(
    tellMs,
    () => bridge.settled(),
    () => {},
  ).catch(() => log('warn', 'told later', { tellMs }))
  return response
}
