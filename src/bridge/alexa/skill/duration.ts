/** Spoken lengths of time and the calendar of the person who speaks. */

/** Milliseconds of an AMAZON.DURATION slot (ISO 8601: `PT1H30M`, `P1D`), or `undefined` for what has no certain length. */
export function durationMs(text: string | undefined): number | undefined {
  const parts = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text ?? '')
  if (!parts) return undefined
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((part) => Number(part ?? 0))
  const ms = ((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
  return ms > 0 ? ms : undefined
}

/** The instant at which the day of `now` began in a time zone. */
export function startOfDay(now: number, timeZone: string): number {
  const day = (at: number): string => new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(at)
  const today = day(now)
  // A day is 25 hours long at most; quarters of an hour are the finest offsets there are.
  const quarterMs = 900_000
  let start = now - (now % quarterMs)
  while (day(start - 1) === today) start -= quarterMs
  return start
}

/** An instant as a time of day, for speech. */
export function timeOfDay(at: number, timeZone: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { timeZone, timeStyle: 'short' }).format(at)
}
