/** What of each camera is to be recorded now: by its own wish, its hours, and while nobody has paused it. */
import type { Camera, CameraId, Clock, RecordingPauses, Store } from 'transom-core/ports'
import { weekdays, type WeekHours } from 'transom-core/week-hours'
import type { RecordWish } from 'transom-core/wire/gateway'

export interface RecordPlans extends RecordingPauses {
  /** Undefined: nothing. */
  wishOf(camera: Camera): RecordWish | undefined
  close(): void
}

export interface RecordPlansDeps {
  readonly store: Store
  /** Of the household: `Europe/Berlin`. */
  readonly timeZone: string
  /** What is to be recorded of this camera is other than before. Must not throw. */
  readonly onChange: (cameraId: CameraId) => void
  readonly clock: Clock
}

const minuteMs = 60_000
const usual = { before: 5, after: 10, longest: 300 } as const

/** Reads what is paused, and looks at each full minute at the clock of the household. */
export async function createRecordPlans({ store, timeZone, onChange, clock }: RecordPlansDeps): Promise<RecordPlans> {
  const kept = store.collection<Record<string, never>>('recording-pause')
  const paused = new Set<string>()
  for await (const { id } of kept.all('all')) paused.add(id)
  /** Cameras with hours, and whether it was one of these when it was last asked. */
  const timed = new Map<CameraId, { readonly hours: readonly WeekHours[]; readonly isIn: boolean }>()
  const isIn = (hours: readonly WeekHours[]) => isWithin(hours, clock(), timeZone)

  function look(): void {
    timer = setTimeout(look, untilNextMinute()).unref()
    for (const [id, { hours, isIn: before }] of timed) {
      const now = isIn(hours)
      timed.set(id, { hours, isIn: now })
      if (now !== before) onChange(id)
    }
  }
  const untilNextMinute = () => minuteMs - (clock() % minuteMs)
  let timer = setTimeout(look, untilNextMinute()).unref()

  return {
    isPaused: (id) => paused.has(id),
    async set(id, isPaused) {
      if (isPaused) await kept.put(id, {}, { group: 'all' })
      else await kept.remove(id)
      if (paused.has(id) === isPaused) return
      if (isPaused) paused.add(id)
      else paused.delete(id)
      onChange(id)
    },
    wishOf({ id, record, recordHours, recordAround }) {
      const now = recordHours === undefined || isIn(recordHours)
      if (recordHours === undefined) timed.delete(id)
      else timed.set(id, { hours: recordHours, isIn: now })
      if (record === undefined || paused.has(id) || !now) return undefined
      const { before, after, longest } = { ...usual, ...recordAround }
      return { mode: record, beforeMs: before * 1_000, afterMs: after * 1_000, longestMs: longest * 1_000 }
    },
    close: () => clearTimeout(timer),
  }
}

/** Whether an instant is in one of these hours, as clocks there show it: also on the days on which they are set. */
export function isWithin(hours: readonly WeekHours[], at: number, timeZone: string): boolean {
  const { day, time } = shownAt(at, timeZone)
  const dayBefore = weekdays[(weekdays.indexOf(day) + weekdays.length - 1) % weekdays.length] ?? day
  return hours.some(({ days, from, to }) =>
    from < to
      ? days.includes(day) && from <= time && time < to
      : (days.includes(day) && from <= time) || (days.includes(dayBefore) && time < to),
  )
}

function shownAt(at: number, timeZone: string) {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]))
  const day = weekdays.find((one) => one === parts.get('weekday')?.toLowerCase()) ?? 'mon'
  return { day, time: `${parts.get('hour')}:${parts.get('minute')}` }
}
