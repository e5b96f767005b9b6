/** Times as people type them on a command line, in this machine's time zone. */
const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Reads `now`, `-15m` (s, m, h, d before `now`), `21:14` or `21:14:03` (the last such time; with `after`, the first one
 * after that), or a date or time of ISO 8601, local where it names no zone. Returns epoch milliseconds, undefined for
 * anything else.
 */
export function readTime(text: string, now: number, after?: number): number | undefined {
  if (text === 'now') return now
  const [, count, unit = ''] = /^-(\d{1,6})([smhd])$/.exec(text) ?? []
  if (count !== undefined) return Math.max(0, now - Number(count) * (units[unit] ?? 0))
  if (/^\d{1,2}:\d{2}(:\d{2})?$/.test(text)) return timeOfDay(text, now, after)
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/.test(text)) return undefined
  // A date alone would be read as UTC (ECMA-262, date time string format).
  const at = Date.parse(text.includes('T') ? text : `${text}T00:00`)
  return Number.isNaN(at) || at < 0 || !isOnCalendar(text) ? undefined : at
}

/** `Date.parse` rolls the 31st of February over into March. */
function isOnCalendar(text: string): boolean {
  const date = text.slice(0, 10)
  return new Date(`${date}T00:00Z`).toISOString().startsWith(date)
}

/** Around a change of the clocks, a day has other than 24 hours: the calendar counts. */
function timeOfDay(text: string, now: number, after?: number): number | undefined {
  const [hour = 0, minute = 0, second = 0] = text.split(':').map(Number)
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const on = (day: number): number => {
    const date = new Date(after ?? now)
    date.setDate(date.getDate() + day)
    return date.setHours(hour, minute, second, 0)
  }
  if (after !== undefined) return on(0) > after ? on(0) : on(1)
  return on(0) <= now ? on(0) : on(-1)
}

const shown = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' })

/** `2026-11-28 21:14:03`, in this machine's time zone. */
export const printTime = (at: number): string => shown.format(at)
