/** The log: one JSON line for each event, on standard error. */
import type { Clock, Log } from './ports.ts'

/**
 * Makes a log whose lines `write` gets, each whole and with its line break. Errors are written with their code,
 * message, stack and causes.
 */
export function createLog(write: (line: string) => void, clock: Clock): Log {
  return (level, event, fields) => {
    const line = { at: new Date(clock()).toISOString(), level, event, ...fields }
    write(`${JSON.stringify(line, (_key, value: unknown) => (value instanceof Error ? plainError(value) : value))}\n`)
  }
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
