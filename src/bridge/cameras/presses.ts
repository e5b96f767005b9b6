/** Presses of doorbells: each kept and announced once, however often it is reported. */
import type { Camera, CameraNews, Clock, Log, Store } from 'transom-core/ports'
import type { Announcements } from './announcements.ts'
import type { CameraStates } from './states.ts'
import type { KeptPress } from './visits.ts'

export type Press = Extract<CameraNews, { readonly kind: 'press' | 'person' }>

export interface Presses {
  /** Keeps and announces it. Resolves with whether it was new; rejects when it is not durable. */
  receive(camera: Camera, news: Press): Promise<boolean>
  /** By our clock it happened when we first heard of it: told again later, it is no newer. */
  asFirstHeard(camera: Camera, news: Press): Promise<Press>
  /** Removes all that is kept of this camera's. */
  forget(camera: Camera): Promise<void>
}

const keptMs = 30 * 24 * 3_600_000
/** Nobody stands at the door any more. */
export const staleMs = 30_000

export function createPresses(deps: {
  readonly store: Store
  readonly states: Pick<CameraStates, 'note'>
  readonly announcements: Pick<Announcements, 'toAll'>
  /** Somebody tells by `Visits.noteAnswer` who came: until then it is nobody. */
  readonly keepsAnswers?: boolean
  /** Of each press that is not old, before it is kept. A rejection refuses the press. */
  readonly onRing: (camera: Camera, eventId: string) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}): Presses {
  const { states, announcements, keepsAnswers = false, onRing, clock, log } = deps
  const records = deps.store.collection<KeptPress>('press')

  return {
    async receive(camera, news) {
      const { eventId, at } = news
      const now = clock()
      const isFresh = now - at < staleMs
      if (isFresh) await onRing(camera, eventId)
      // Told and kept side by side: the outbox knows an event by its id, so a repetition after a failure does no harm.
      const place = { group: camera.id, expiresAt: now + keptMs }
      // Of an old one nobody was told, so nobody could come.
      const press: KeptPress = { cameraId: camera.id, at, ...(isFresh && keepsAnswers && { answer: 'nobody' }) }
      const [kept] = await Promise.all([
        records.put(keyOf(camera, news), press, { onlyIf: 'absent', ...place }),
        isFresh ? announcements.toAll(camera, news) : undefined,
      ])
      const isNew = kept !== undefined
      // For who looks at the list of cameras: no reason to have the camera say it again.
      if (isNew)
        await states
          .note(camera, { kind: 'press', at })
          .catch((error: unknown) => log('warn', 'cameras.press-not-noted', { cameraId: camera.id, error }))
      log('info', 'cameras.press', { cameraId: camera.id, eventId, isNew, isFresh, delayMs: now - at })
      return isNew
    },
    async asFirstHeard(camera, news) {
      const known = await records.get(keyOf(camera, news))
      return known ? { ...news, at: known.value.at } : news
    },
    async forget(camera) {
      for (;;) {
        const some = await records.list(camera.id)
        if (some.length === 0) return
        await Promise.all(some.map(({ id }) => records.remove(id)))
      }
    },
  }
}

const keyOf = (camera: Camera, { eventId }: Press): string => `${camera.id}#${eventId}`
