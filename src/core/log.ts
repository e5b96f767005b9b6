/** The log: a line for each event, as JSON for programs or in words for a terminal. */
import { logEvents, type LogEvent } from './log-events.ts'
import type { Clock, Log } from './ports.ts'

/** From what everybody may want to know to what somebody must mend. */
export const logLevels = ['info', 'warn', 'error'] as const
/** One of them. */
export type LogLevel = (typeof logLevels)[number]

/** How a log is written. */
export interface LogOptions {
  /** What is less is left out. Default: `info`. */
  readonly least?: LogLevel
  /** In words, for a terminal. Default: JSON. */
  readonly isReadable?: boolean
}

/**
 * Makes a log whose lines `write` gets, each whole and with its line break. Errors are written with their code,
 * message, stack and causes.
 */
export function createLog(write: (line: string) => void, clock: Clock, options: LogOptions = {}): Log {
  const { least = 'info', isReadable = false } = options
  return (level, event, fields) => {
    if (isLess(level, least)) return
    const line = { at: new Date(clock()).toISOString(), level, event, ...fields }
    const text = JSON.stringify(line, (_key, value: unknown) => (value instanceof Error ? plainError(value) : value))
    write(`${isReadable ? readableLine(JSON.parse(text)) : text}\n`)
  }
}

/** Whether a level is below another. */
export const isLess = (level: LogLevel, least: LogLevel): boolean => logLevels.indexOf(level) < logLevels.indexOf(least)

/** A line of the log, parsed, in words: the time of day, what happened, and its fields. */
export function readableLine({ at, level, event, ...fields }: Readonly<Record<string, unknown>>): string {
  const name = String(event)
  const says = isKnown(name) ? logEvents[name].says : name
  const time = new Date(String(at)).toTimeString().slice(0, 8)
  const told = Object.entries(fields).map(([field, value]) => `${field}=${inWords(value)}`)
  return [time, String(level).toUpperCase().padEnd(5), `${says}.`, ...told, `[${name}]`].join(' ')
}

const isKnown = (name: string): name is LogEvent => Object.hasOwn(logEvents, name)

/** Of an error its message, and of one of our own mistakes where it happened. */
function inWords(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
  if (typeof value !== 'object' || value === null || !('message' in value)) return JSON.stringify(value)
  const isOurs = 'name' in value && ['TypeError', 'RangeError', 'ReferenceError'].includes(String(value.name))
  return isOurs && 'stack' in value ? String(value.stack) : JSON.stringify(value.message)
}

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
