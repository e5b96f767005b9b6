/** The figures of the last days, added up for a reader. */
import type { DayFigures } from 'transom-core/wire/api'

const dayMs = 24 * 3_600_000
const shownDays = 30

/** What share of the views succeeded, from 0 to 1, of those of which it is known; undefined where it is known of none. */
export function successOf(rows: readonly DayFigures[]): number | undefined {
  const fine = rows.reduce((sum, row) => sum + row.fine, 0)
  const failed = rows.reduce((sum, row) => sum + row.failed, 0)
  return fine + failed === 0 ? undefined : fine / (fine + failed)
}

/** All assistants together on each of the last 30 days, also those without a view. `at`: noon of the day, by UTC. */
export function byDayOf(rows: readonly DayFigures[], now: number) {
  const today = Math.floor(now / dayMs)
  return Array.from({ length: shownDays }, (_, index) => {
    const at = (today - shownDays + 1 + index) * dayMs + dayMs / 2
    const day = new Date(at).toISOString().slice(0, 10)
    const sum = { at, fine: 0, unconfirmed: 0, failed: 0 }
    for (const row of rows) {
      if (row.day !== day) continue
      sum.fine += row.fine
      sum.unconfirmed += row.unconfirmed
      sum.failed += row.failed
    }
    return sum
  })
}
