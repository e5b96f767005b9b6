/** The two verbs that every store gets from its other five: `change`, the one policy for lost races, and `all`. */
import { BridgeError } from '../errors.ts'
import type { BasicCollection, Collection, Stored } from '../ports.ts'

/** Only other processes are raced against, and each try that fails is one that somebody else won. */
const mostTries = 20
/** DynamoDB ends its own pages at 1 MB, SQLite has none: this bounds what one page holds in memory. */
const pageSize = 300

/** Runs the work of one key one after the other, in this process. */
export type InTurn = <R>(key: string, work: () => Promise<R>) => Promise<R>

/**
 * Makes the whole port out of the verbs that a store has itself. `inTurn` is shared by all collections of one store.
 */
export function withVerbs<T>(kind: string, records: BasicCollection<T>, inTurn: InTurn): Collection<T> {
  type Next = Parameters<Collection<T>['change']>[1]

  /** Whether it is settled, and what was written; somebody else may have written since `stored` was read. */
  async function attempt(id: string, next: Next, stored: Stored<T> | undefined) {
    const changed = next(stored)
    if (changed === undefined) return { isSettled: true, written: undefined }
    const { value, ...place } = changed
    const onlyIf = stored === undefined ? 'absent' : { version: stored.version }
    const version = await records.put(id, value, { ...place, onlyIf })
    if (version === undefined) return { isSettled: false, written: undefined }
    const { expiresAt } = place
    return { isSettled: true, written: { id, value, version, ...(expiresAt !== undefined && { expiresAt }) } }
  }

  return {
    ...records,
    async change(id, next, just) {
      // Whoever has read the record already waits for nobody: where that was not so, it comes again in turn.
      const early = just && (await attempt(id, next, just.read))
      if (early?.isSettled) return early.written
      return inTurn(`${kind}#${id}`, async () => {
        for (let tries = 0; tries < mostTries; tries += 1) {
          const { isSettled, written } = await attempt(id, next, await records.get(id))
          if (isSettled) return written
        }
        throw new BridgeError('rate_limited', `a ${kind} is being changed by too many at once`)
      })
    },
    async *all(group, { after } = {}) {
      for (let last = after; ;) {
        const page = await records.list(group, { limit: pageSize, ...(last !== undefined && { after: last }) })
        yield* page
        last = page.at(-1)?.id
        if (page.length < pageSize) return
      }
    },
  }
}

/**
 * Makes a function that does works of one key one after the other, in the order of the calls, and works of other keys
 * meanwhile. Returns or throws what the work does.
 */
export function createTurns(): InTurn {
  const last = new Map<string, Promise<unknown>>()
  return async (key, work) => {
    const before = last.get(key)
    const mine = (async () => {
      // Its failure is told to whoever asked for it, and stops nobody else.
      await before?.catch(() => {})
      return work()
    })()
    last.set(key, mine)
    try {
      return await mine
    } finally {
      if (last.get(key) === mine) last.delete(key)
    }
  }
}
