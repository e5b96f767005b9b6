/** Deletes recordings that are too old, and the oldest where there is too much. */
import { pause } from 'transom-core/deadline'
import type { Clock, Log, Recording } from 'transom-core/ports'
import type { KeptRecordings } from './recordings.ts'

/** How long recordings are kept, and how much of them. */
export interface Limits {
  readonly keptMs: number
  /** Of one camera, and of all. */
  readonly bytesPerCamera: number
  readonly bytesInAll: number
}

/** What a minute brings is little beside what is kept. */
const everyMs = 60_000

/** Looks once a minute, until it is closed. Failures are logged, and tried again. */
export function keepWithin(deps: {
  readonly recordings: Pick<KeptRecordings, 'all' | 'remove'>
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Log
}): { close(): Promise<void> } {
  const { log } = deps
  const life = new AbortController()
  const running = (async () => {
    do {
      await sweep(deps).catch((error: unknown) => log('error', 'recordings.not-deleted', { error }))
    } while (await pause(everyMs, life.signal))
  })()
  return {
    close() {
      life.abort()
      return running
    },
  }
}

/** One look. What is being recorded stays. */
export async function sweep({ recordings, limits, clock, log }: Parameters<typeof keepWithin>[0]): Promise<void> {
  const kept: Recording[] = []
  for await (const recording of recordings.all()) if (!recording.isOpen) kept.push(recording)
  for (const recording of surplus(kept, limits, clock())) {
    const { cameraId, startAt, bytes } = recording
    try {
      await recordings.remove(cameraId, startAt)
      log('info', 'recordings.deleted', { cameraId, startAt, bytes })
    } catch (error) {
      log('error', 'recordings.not-deleted', { cameraId, startAt, error })
    }
  }
}

/** What has to go, the oldest first. */
export function surplus(kept: readonly Recording[], limits: Limits, now: number): readonly Recording[] {
  const { keptMs, bytesPerCamera, bytesInAll } = limits
  const ofCamera = new Map<string, number>()
  let inAll = 0
  // From the newest on, so that what no longer fits is older than what does.
  return kept
    .toSorted((one, other) => other.startAt - one.startAt)
    .filter(({ cameraId, endAt, bytes }) => {
      const mine = (ofCamera.get(cameraId) ?? 0) + bytes
      const isSurplus = endAt < now - keptMs || mine > bytesPerCamera || inAll + bytes > bytesInAll
      ofCamera.set(cameraId, mine)
      if (!isSurplus) inAll += bytes
      return isSurplus
    })
    .toReversed()
}
