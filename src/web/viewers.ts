/** How many displays look at each camera, counted from what sessions say of themselves. */
import type { SessionView } from '../broker/view.ts'
import type { CameraId, Clock, SessionId } from '../ports.ts'

export interface Viewers {
  /** Returns true when the camera's number may be another now. */
  learn(view: SessionView): boolean
  of(cameraId: CameraId): number
}

/** `lifetimeMs`: when a session is over that nobody ended. */
export function createViewers(lifetimeMs: number, clock: Clock): Viewers {
  const looking = new Map<CameraId, Map<SessionId, number>>()
  return {
    learn({ id, cameraId, phase, startedAt, answerMs = 0 }) {
      const there = looking.get(cameraId)
      if (phase !== 'answered' && phase !== 'connected') {
        const hasLeft = there?.delete(id) === true
        if (there?.size === 0) looking.delete(cameraId)
        return hasLeft
      }
      const isNew = there?.has(id) !== true
      const until = startedAt + answerMs + lifetimeMs
      if (there === undefined) looking.set(cameraId, new Map([[id, until]]))
      else there.set(id, until)
      return isNew
    },
    of(cameraId) {
      const there = looking.get(cameraId) ?? new Map<SessionId, number>()
      for (const [id, until] of there) if (until <= clock()) there.delete(id)
      return there.size
    },
  }
}
