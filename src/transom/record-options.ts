/** The options of `transom camera` for what is recorded, with hours as people type them: `mon-fri 08:00-18:00; sat,sun 22:00-06:00`. */
import { Option } from 'commander'
import { weekdays, type Weekday, type WeekHours } from 'transom-core/week-hours'
import { UsageError } from './terminal.ts'

export interface RecordValues {
  readonly record?: 'never' | 'events' | 'always'
  readonly recordHours?: string
  readonly recordBefore?: number
  readonly recordAfter?: number
  readonly recordLongest?: number
}

export const recordOptions = (): readonly Option[] => [
  new Option('--record <when>', 'what is recorded of it, where a gateway reads it').choices([
    'never',
    'events',
    'always',
  ]),
  new Option('--record-hours <hours>', "when, by the clock of TRANSOM_TIME_ZONE: 'mon-fri 08:00-18:00'; '' for always"),
  secondsOption('--record-before <seconds>', 'from so long before an event, 0 to 30 (default: 5)'),
  secondsOption('--record-after <seconds>', 'until so long after the last event, 1 to 120 (default: 10)'),
  secondsOption('--record-longest <seconds>', 'the longest recording, 10 to 300 (default: 300)'),
]

const secondsOption = (flags: string, description: string) =>
  new Option(flags, description).argParser((text) => {
    if (/^\d{1,3}$/.test(text)) return Number(text)
    throw new UsageError(`${flags.split(' ')[0]} must be a whole number of seconds, and not ${text}`)
  })

/** What they say of a camera; null takes away, and what is not said is left out. */
export function recordingOf(values: RecordValues): Record<string, unknown> {
  const { record, recordHours, recordBefore: before, recordAfter: after, recordLongest: longest } = values
  const around = Object.entries({ before, after, longest }).filter(([, seconds]) => seconds !== undefined)
  return {
    ...(record !== undefined && { record: record === 'never' ? null : record }),
    ...(recordHours !== undefined && { recordHours: recordHours === '' ? null : readHours(recordHours) }),
    ...(around.length > 0 && { recordAround: Object.fromEntries(around) }),
  }
}

const example = 'mon-fri 08:00-18:00; sat,sun 22:00-06:00'

/** Throws `UsageError` with an example. Spans of days may pass the end of the week: `fri-mon`. */
export function readHours(text: string): readonly WeekHours[] {
  return text.split(';').map((part) => {
    const [, days = '', from = '', to = ''] =
      /^([a-z,-]+)\s+([\d:]+)\s*-\s*([\d:]+)$/.exec(part.trim().toLowerCase()) ?? []
    if (![from, to].every((time) => /^([01]\d|2[0-3]):[0-5]\d$/.test(time)))
      throw new UsageError(`--record-hours must be like '${example}', and not ${text}`)
    return { days: days.split(',').flatMap((span) => daysOf(span, text)), from, to }
  })
}

function daysOf(span: string, text: string): readonly Weekday[] {
  const [first, last, ...more] = span.split('-').map((name) => weekdays.findIndex((day) => day === name))
  if (first === undefined || [first, last ?? first].includes(-1) || more.length > 0)
    throw new UsageError(`--record-hours must be like '${example}', and not ${text}`)
  const length = (((last ?? first) - first + weekdays.length) % weekdays.length) + 1
  return Array.from({ length }, (_, index) => weekdays[(first + index) % weekdays.length] ?? 'mon')
}
