/** What is known of each camera: what it sent when it was last waited for to the end, and whether it tells of its viewers. */
import type { CameraId, Clock } from 'transom-core/ports'
import type { Facts, Gathered } from './story.ts'

export interface Habits {
  /** What this camera is expected to send; undefined when it has to be found out, at first and every so often. */
  expected(cameraId: CameraId): Facts['expected']
  learn(cameraId: CameraId, gathered: Gathered): void
  /** A view of it failed: what it did not send may have been what was missing. */
  doubt(cameraId: CameraId): void
  /** It has told of a viewer. */
  report(cameraId: CameraId): void
  /** It tells of its viewers. */
  hasReports(cameraId: CameraId): boolean
}

interface Habit {
  readonly expected: Gathered | 'all'
  readonly learnedAt: number
  uses: number
}

/** A relay that was dead may be back: so often, and so long, it is not waited for. */
const mostUses = 10
const keptMs = 24 * 3_600_000
const mostCameras = 10_000

export function createHabits(clock: Clock): Habits {
  const habits = new Map<CameraId, Habit>()
  const reporting = new Map<CameraId, true>()

  const set = (cameraId: CameraId, expected: Habit['expected']): void =>
    keep(habits, cameraId, { expected, learnedAt: clock(), uses: 0 })

  return {
    expected(cameraId) {
      const habit = habits.get(cameraId)
      if (habit === undefined) return undefined
      habit.uses += 1
      if (habit.uses <= mostUses && clock() < habit.learnedAt + keptMs) return habit.expected
      habits.delete(cameraId)
      return undefined
    },
    learn: set,
    doubt: (cameraId) => set(cameraId, 'all'),
    report: (cameraId) => keep(reporting, cameraId, true),
    hasReports: (cameraId) => reporting.has(cameraId),
  }
}

/** As the newest; of too many cameras the oldest is forgotten. */
function keep<T>(known: Map<CameraId, T>, cameraId: CameraId, value: T): void {
  known.delete(cameraId)
  known.set(cameraId, value)
  for (const oldest of known.size > mostCameras ? known.keys() : []) {
    known.delete(oldest)
    break
  }
}
