/** What each camera sent the last time that it was waited for to the end: whoever knows it need not wait so long again. */
import type { CameraId, Clock } from 'transom-core/ports'
import type { Gathered } from './story.ts'

export interface Habits {
  /** What this camera is expected to send; undefined when it has to be found out, at first and every so often. */
  expected(cameraId: CameraId): Gathered | undefined
  learn(cameraId: CameraId, gathered: Gathered): void
  /** A view of it failed: what it did not send may have been what was missing. */
  forget(cameraId: CameraId): void
}

interface Habit {
  readonly gathered: Gathered
  readonly learnedAt: number
  uses: number
}

/** A relay that was dead may be back: so often, and so long, it is not waited for. */
const mostUses = 10
const keptMs = 24 * 3_600_000
const mostCameras = 10_000

export function createHabits(clock: Clock): Habits {
  const habits = new Map<CameraId, Habit>()
  return {
    expected(cameraId) {
      const habit = habits.get(cameraId)
      if (habit === undefined) return undefined
      habit.uses += 1
      if (habit.uses <= mostUses && clock() < habit.learnedAt + keptMs) return habit.gathered
      habits.delete(cameraId)
      return undefined
    },
    learn(cameraId, gathered) {
      habits.delete(cameraId)
      habits.set(cameraId, { gathered, learnedAt: clock(), uses: 0 })
      for (const oldest of habits.size > mostCameras ? habits.keys() : []) {
        habits.delete(oldest)
        break
      }
    },
    forget: (cameraId) => void habits.delete(cameraId),
  }
}
