/** Who was at the door, kept for a month, and for whom presses are quiet. */
import type { AccountId, Camera, CameraId, Clock, Moment, PressAnswer, Store } from 'transom-core/ports'

export interface Visit {
  /** Epoch milliseconds. */
  readonly at: number
}

export interface Visits {
  /** Presses from `since` on, newest first. */
  visits(camera: Camera, since: number): Promise<readonly Visit[]>
  /** Keeps a moment that is no press; the same again is once. */
  note(camera: Camera, moment: Moment, eventId: string): Promise<void>
  /** What happened in a span, presses included, in the order of time. */
  moments(camera: Camera, span: { readonly from: number; readonly to: number }): Promise<readonly Moment[]>
  /** Keeps with the presses before `at` that somebody came to a display then; what was more stays. */
  noteAnswer(cameraId: CameraId, at: number, answer: PressAnswer): Promise<void>
  /** Forgets what happened at a camera, but for its presses. */
  forget(camera: Camera): Promise<void>
  /** Until then presses are kept, but nobody is told. In the past: they are told again. */
  mute(accountId: AccountId, until: number): Promise<void>
  /** When the account hears its doorbells again; undefined when it does. */
  mutedUntil(accountId: AccountId): Promise<number | undefined>
}

/** A press as it is kept, in the group of its camera. */
export interface KeptPress extends Visit {
  readonly cameraId: string
  /** `nobody` from the first; absent of a press that was heard of late, or is from before this was kept. */
  readonly answer?: PressAnswer
}

/** Nobody asks for what was longer ago. */
const momentsKeptMs = 30 * 24 * 3_600_000

/** Somebody who comes to a display later than this did not come because of the press. */
export const answerMs = 120_000
const ranks: readonly (PressAnswer | undefined)[] = [undefined, 'nobody', 'seen', 'answered']

export function createVisits(store: Store, clock: Clock): Visits {
  const presses = store.collection<KeptPress>('press')
  const noted = store.collection<Moment>('moment')
  const mutes = store.collection<{ readonly until: number }>('mute')
  return {
    async visits(camera, since) {
      const found: Visit[] = []
      for await (const { value } of presses.all(camera.id)) if (value.at >= since) found.push(value)
      return found.sort((one, other) => other.at - one.at)
    },
    async note(camera, { kind, at }, eventId) {
      const options = { group: camera.id, expiresAt: at + momentsKeptMs }
      await noted.put(`${idOf(camera, at)}#${kind}#${eventId}`, { kind, at }, options)
    },
    async moments(camera, { from, to }) {
      const found: Moment[] = []
      // A guest is not told when others look.
      const isOwner = camera.sharedBy === undefined
      for await (const { value } of presses.all(camera.id))
        if (value.at >= from && value.at < to)
          found.push({ kind: 'press', at: value.at, ...(isOwner && value.answer && { answer: value.answer }) })
      for await (const { value } of noted.all(camera.id, { after: idOf(camera, from) })) {
        if (value.at >= to) break
        found.push(value)
      }
      return found.sort((one, other) => one.at - other.at)
    },
    async noteAnswer(cameraId, at, answer) {
      // Read to the end before any is changed.
      const before: string[] = []
      for await (const { id, value } of presses.all(cameraId))
        if (value.at <= at && value.at > at - answerMs) before.push(id)
      for (const id of before)
        await presses.change(id, (stored) => {
          if (stored === undefined || ranks.indexOf(stored.value.answer) >= ranks.indexOf(answer)) return undefined
          const { expiresAt } = stored
          const place = { group: cameraId, ...(expiresAt !== undefined && { expiresAt }) }
          return { value: { ...stored.value, answer }, ...place }
        })
    },
    async forget(camera) {
      for await (const { id } of noted.all(camera.id)) await noted.remove(id)
    },
    async mute(accountId, until) {
      if (until <= clock()) await mutes.remove(accountId)
      else await mutes.put(accountId, { until }, { expiresAt: until })
    },
    mutedUntil: async (accountId) => (await mutes.get(accountId))?.value.until,
  }
}

/** In the order of time when sorted as text. */
const idOf = ({ id }: Camera, at: number): string => `${id}#${String(at).padStart(15, '0')}`
