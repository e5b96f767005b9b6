/** Times, durations and numbers as a language and its region write them, in the zone of the browser. */

export type Formats = ReturnType<typeof createFormats>

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/** `locale`: a BCP 47 tag, with its region if it is known. Instants are epoch milliseconds. */
export function createFormats(locale: string, { justNow }: { readonly justNow: string }, timeZone?: string) {
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const formatOf = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { ...options, ...(timeZone !== undefined && { timeZone }) })
  const minute = formatOf({ hour: '2-digit', minute: '2-digit' })
  const second = formatOf({ hour: '2-digit', minute: '2-digit', second: '2-digit' })
  const day = formatOf({ day: 'numeric', month: 'short' })
  const longDay = formatOf({ weekday: 'long', day: 'numeric', month: 'long' })
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
  const tenth = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 })
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 })

  const dateOf = (at: number): string => day.format(at)
  const seconds = (ms: number): string => `${tenth.format(ms / 1_000)} s`
  return {
    ago(at: number, now: number): string {
      const ms = at - now
      if (Math.abs(ms) < 10_000) return justNow
      const [unit, size] = units.find(([, size]) => Math.abs(ms) >= size) ?? ['second', 1_000]
      return relative.format(Math.trunc(ms / size), unit)
    },
    /** `21:14` of today, `yesterday, 21:14`, `26 Nov, 21:14`. */
    when(at: number, now: number): string {
      const time = minute.format(at)
      if (dateOf(at) === dateOf(now) && Math.abs(now - at) < 86_400_000) return time
      const isYesterday = at < now && dateOf(at) === dateOf(now - 86_400_000) && now - at < 2 * 86_400_000
      return `${isYesterday ? relative.format(-1, 'day') : dateOf(at)}, ${time}`
    },
    dateOf,
    longDay: (at: number): string => longDay.format(at),
    /** To the minute. */
    clock: (at: number): string => minute.format(at),
    /** To the second. */
    timeOfDay: (at: number): string => second.format(at),
    number: (value: number): string => whole.format(value),
    ms: (ms: number): string => `${whole.format(Math.round(ms))} ms`,
    seconds,
    /** Of a share from 0 to 1. */
    percent: (share: number): string => percent.format(share),
    duration(ms: number): string {
      if (ms < 1_000) return `${Math.round(ms)} ms`
      const all = Math.round(ms / 1_000)
      return all < 60 ? seconds(ms) : `${Math.floor(all / 60)} min ${all % 60} s`
    },
  }
}
