/** A doorbell press: kept first, then announced to each assistant that can be told. */
import type { Camera, Clock, Log, Store } from '../ports.ts'

/** Announces a press (`at` in epoch milliseconds) to one assistant; never rejects. */
export type Announce = (camera: Camera, at: number, eventId: string) => Promise<unknown>

export interface Presses {
  /**
   * Resolves when the press is durable; the same `eventId` of a camera is one press, however often it is posted.
   * What it resolves to settles when every assistant has been told.
   */
  receive(camera: Camera, eventId: string, at: number): Promise<{ readonly announced: Promise<void> }>
  /** Waits until nothing is being announced. */
  settled(): Promise<void>
}

const keptMs = 30 * 24 * 3_600_000
/** Nobody stands at the door any more. */
const staleMs = 30_000

export function createPresses(deps: { store: Store; announce: readonly Announce[]; clock: Clock; log: Log }): Presses {
  const records = deps.store.collection<{ readonly cameraId: string; readonly at: number }>('press')
  const open = new Set<Promise<void>>()
  return {
    async receive(camera, eventId, at) {
      const now = deps.clock()
      const options = { onlyIf: 'absent', group: camera.id, expiresAt: now + keptMs } as const
      const isNew = (await records.put(`${camera.id}#${eventId}`, { cameraId: camera.id, at }, options)) !== undefined
      const isFresh = now - at < staleMs
      deps.log('info', 'press', { camera: camera.id, eventId, isNew, isFresh, delayMs: now - at })
      if (!isNew || !isFresh) return { announced: Promise.resolve() }
      const announced = Promise.allSettled(deps.announce.map((tell) => tell(camera, at, eventId))).then(() => {
        open.delete(announced)
      })
      open.add(announced)
      return { announced }
    },
    async settled() {
      await Promise.all(open)
    },
  }
}
