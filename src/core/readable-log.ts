/** Lines of the log in words, for a terminal. */
import { logEvents, type LogEvent } from './log-events.ts'

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
