/** What each camera sent the last time that it was waited for to the end: whoever knows it need not wait so long again. */
import type { CameraId, Clock } from 'transom-core/ports'
import type { Facts, Gathered } from './story.ts'

export interface Habits {
  /** What this camera is expected to send; undefined when it has to be found out, at first and every so often. */
  expected(cameraId: CameraId): Facts['expected']
  learn(cameraId: CameraId, gathered: Gathered): void
  /** A view of it failed: what it did not send may have been what was missing. */
  doubt(cameraId: CameraId): void
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

  function set(cameraId: CameraId, expected: Habit['expected']): void {
    habits.delete(cameraId)
    habits.set(cameraId, { expected, learnedAt: clock(), uses: 0 })
    for (const oldest of habits.size > mostCameras ? habits.keys() : []) {
      habits.delete(oldest)
      break
    }
  }

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
  }
}
