/** The log of a Lambda function: its standard output, which CloudWatch keeps. Every line of it is JSON. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { inspect } from 'node:util'
import { createLog } from 'transom-core/log'
import type { Clock, Log } from 'transom-core/ports'
import { createCounted } from './metrics.ts'

/** What we use of Lambda's context object to tell invocations apart. */
export interface Named {
  readonly awsRequestId: string
}

/** The log of one execution environment, whose invocations come one after the other. */
export interface LambdaLog {
  readonly log: Log
  /**
   * A handler whose lines carry `awsRequestId`, also those that come after its end, and `sessionId` as soon as one session is
   * named. At its end the metrics of its lines are written.
   */
  invoked<Context extends Named, Event, Result>(
    handler: (event: Event, context: Context) => Promise<Result>,
  ): (event: Event, context: Context) => Promise<Result>
}

/** What all lines of an invocation say. */
interface Scope extends Named {
  readonly sessionIds: Set<unknown>
}

/** `write` gets whole lines with their break; `namespace` is that of the metrics. */
export function createLambdaLog(write: (line: string) => void, namespace: string, clock: Clock): LambdaLog {
  const scopes = new AsyncLocalStorage<Scope>()
  const counted = createCounted(namespace, clock)
  const plain = createLog(write, clock, { common: () => commonOf(scopes.getStore()) })
  return {
    log(level, event, fields) {
      const given: Readonly<Record<string, unknown>> = fields ?? {}
      counted.count(event, given)
      if (given['sessionId'] !== undefined) scopes.getStore()?.sessionIds.add(given['sessionId'])
      plain(level, event, fields)
    },
    invoked: (handler) => async (event, context) => {
      const { awsRequestId } = context
      try {
        return await scopes.run({ awsRequestId, sessionIds: new Set() }, handler, event, context)
      } finally {
        for (const line of counted.flush()) write(`${JSON.stringify({ ...line, awsRequestId })}\n`)
      }
    },
  }
}

/** Once an invocation has named two sessions, a line that names none may belong to either. */
function commonOf(scope: Scope | undefined) {
  if (scope === undefined) return {}
  const { awsRequestId, sessionIds } = scope
  const [only] = sessionIds
  return { awsRequestId, ...(sessionIds.size === 1 && { sessionId: only }) }
}

// The table has the name of the stack, which keeps its metrics apart from those of another in the same account.
export const { log, invoked } = createLambdaLog(
  (line) => process.stdout.write(line),
  process.env['TRANSOM_TABLE'] ?? 'transom',
  Date.now,
)

type Printing = Pick<Console, 'debug' | 'error' | 'info' | 'log' | 'warn'>

/**
 * What libraries print on the console, and Node's own warnings, become lines of the log: a filter of CloudWatch reads no
 * others. To be called once, before anything else is.
 */
export function keepToLog(console: Printing, process: Pick<NodeJS.Process, 'on' | 'removeAllListeners'>): void {
  Object.assign(console, {
    debug: print('info'),
    info: print('info'),
    log: print('info'),
    warn: print('warn'),
    error: print('error'),
  })
  // Of these Node's own prints on standard error.
  process.removeAllListeners('warning')
  process.on('warning', (warning: Error) => log('warn', 'aws.printed', { error: warning }))
}

const print =
  (level: 'info' | 'warn' | 'error') =>
  (...what: readonly unknown[]): void => {
    const words = what.map((each) => (typeof each === 'string' ? each : inspect(each, { breakLength: Infinity })))
    log(level, 'aws.printed', { error: words.join(' ') })
  }
