/** How many displays look at each camera, counted from what sessions say of themselves. */
import type { SessionView } from '../broker/view.ts'
import type { CameraId, Clock, SessionId } from 'transom-core/ports'

export interface Viewers {
  /** Returns true when the camera's number may be another now. */
  learn(view: SessionView): boolean
  of(cameraId: CameraId): number
}

export function createViewers(clock: Clock): Viewers {
  const looking = new Map<CameraId, Map<SessionId, number>>()
  return {
    learn({ id, cameraId, endsBy }) {
      const there = looking.get(cameraId)
      if (endsBy === undefined) {
        const hasLeft = there?.delete(id) === true
        if (there?.size === 0) looking.delete(cameraId)
        return hasLeft
      }
      const isNew = there?.has(id) !== true
      if (there === undefined) looking.set(cameraId, new Map([[id, endsBy]]))
      else there.set(id, endsBy)
      return isNew
    },
    of(cameraId) {
      const there = looking.get(cameraId) ?? new Map<SessionId, number>()
      for (const [id, until] of there) if (until <= clock()) there.delete(id)
      return there.size
    },
  }
}
