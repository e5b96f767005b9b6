/** The masters of one process: as many as are wanted, each begun, replaced and ended by itself. */
import { isDeepStrictEqual } from 'node:util'
import type { Log } from 'transom-core/ports'

export interface Roster<Wanted, Master> {
  /** Ends what is not wanted any more, begins what is new, and replaces what changed. Waits for none of it. */
  set(wanted: ReadonlyMap<string, Wanted>): void
  /** The masters that run or begin to run now. */
  masters(): readonly Promise<Master | undefined>[]
  master(id: string): Promise<Master | undefined>
  /** Ends all. May be called again. */
  close(): Promise<void>
}

interface Place<Wanted, Master> {
  readonly wanted: Wanted | undefined
  readonly master: Promise<Master | undefined>
}

/** `start` begins a master; `isSame` says whether the one that runs will still do, which `adjust` tells of what is new. */
export function createRoster<Wanted, Master extends { close(): Promise<void> }>(deps: {
  readonly start: (id: string, wanted: Wanted) => Promise<Master>
  readonly isSame: (running: Wanted, wanted: Wanted) => boolean
  readonly adjust?: (master: Master, wanted: Wanted) => void
  readonly log: Log
}): Roster<Wanted, Master> {
  const { start, isSame, adjust, log } = deps
  const places = new Map<string, Place<Wanted, Master>>()
  let isClosed = false

  /** Stops what runs for this camera, then begins what is wanted: whoever comes last has the last word. */
  function renew(id: string, wanted: Wanted | undefined): Promise<unknown> {
    const before = places.get(id)?.master
    const master = replace(before, id, wanted).catch((error: unknown) => {
      log('error', 'gateway.camera-failed', { cameraId: id, error })
      return undefined
    })
    const place = { wanted, master }
    places.set(id, place)
    if (wanted === undefined) void master.then(() => places.get(id) === place && places.delete(id))
    return master
  }

  async function replace(before: Promise<Master | undefined> | undefined, id: string, wanted?: Wanted) {
    await (
      await before
    )
      ?.close()
      .catch((error: unknown) => log('error', 'gateway.closing-failed', { cameraId: id, error }))
    return wanted === undefined || isClosed ? undefined : start(id, wanted)
  }

  return {
    set(wanted) {
      if (isClosed) return
      for (const [id, { wanted: before }] of places)
        if (before !== undefined && !wanted.has(id)) void renew(id, undefined)
      for (const [id, now] of wanted) {
        const place = places.get(id)
        if (place?.wanted === undefined || !isSame(place.wanted, now)) void renew(id, now)
        else if (!isDeepStrictEqual(place.wanted, now)) {
          places.set(id, { ...place, wanted: now })
          void place.master.then((master) => master && adjust?.(master, now))
        }
      }
    },
    masters: () => [...places.values()].map(({ master }) => master),
    master: async (id) => places.get(id)?.master,
    async close() {
      isClosed = true
      await Promise.all([...places.keys()].map((id) => renew(id, undefined)))
    },
  }
}
