/** Hours of the week: when something holds, by the clock of the household. */

/** The days of the week, as they are written in hours. */
export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
/** One of them. */
export type Weekday = (typeof weekdays)[number]

/** Hours of some days of each week: from `from` until before `to`, `HH:MM`; past midnight where `to` is not later. */
export interface WeekHours {
  readonly days: readonly Weekday[]
  readonly from: string
  readonly to: string
}
