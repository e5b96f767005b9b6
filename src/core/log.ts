/** The log: a line for each event, as JSON. `readable-log.ts` has the words for a terminal, which a Lambda function need not load. */
import type { Clock, Log } from './ports.ts'

/** From what everybody may want to know to what somebody must mend. */
export const logLevels = ['info', 'warn', 'error'] as const
/** One of them. */
export type LogLevel = (typeof logLevels)[number]

/** How a log is written. */
export interface LogOptions {
  /** What is less is left out. Default: `info`. */
  readonly least?: LogLevel
  /** Puts a line into words, for a terminal (`readableLine`). Default: JSON. */
  readonly inWords?: ((line: Readonly<Record<string, unknown>>) => string) | undefined
  /** What each line says beside its own fields, which go first. */
  readonly common?: () => Readonly<Record<string, unknown>>
}

/**
 * Makes a log whose lines `write` gets, each whole and with its line break. Errors are written with their code,
 * message, stack and causes.
 */
export function createLog(write: (line: string) => void, clock: Clock, options: LogOptions = {}): Log {
  const { least = 'info', inWords, common } = options
  return (level, event, fields) => {
    if (isLess(level, least)) return
    const line = { at: new Date(clock()).toISOString(), level, event, ...common?.(), ...fields }
    const text = JSON.stringify(line, (_key, value: unknown) => (value instanceof Error ? plainError(value) : value))
    write(`${inWords ? inWords(JSON.parse(text)) : text}\n`)
  }
}

/** Whether a level is below another. */
export const isLess = (level: LogLevel, least: LogLevel): boolean => logLevels.indexOf(level) < logLevels.indexOf(least)

function plainError(error: Error): Readonly<Record<string, unknown>> {
  const code = 'code' in error ? { code: error.code } : {}
  return {
    name: error.name,
    ...code,
    message: error.message,
    stack: error.stack,
    ...(error.cause !== undefined && { cause: error.cause }),
  }
}
