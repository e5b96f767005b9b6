/** The log of a Lambda function: its standard output, which CloudWatch keeps. Every line of it is JSON. */
import { inspect } from 'node:util'
import { createLog } from 'transom-core/log'

export const log = createLog((line) => process.stdout.write(line), Date.now)

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
