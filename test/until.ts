/** Waiting in tests for what comes later than the reply before it: a line of a log, a state, a frame. */
import { setTimeout as wait } from 'node:timers/promises'

const looks = 1_200
const longestWaitMs = 50

/**
 * Looks until `look` returns something other than false or undefined, first at once and then less often, and resolves with it.
 * Rejects with what `seen` returns after 1,200 looks, a minute at least. They are counted, not timed: a machine that stands
 * still takes none away, and a test may fake its clock.
 */
export async function until<T>(
  look: () => T | false | undefined | Promise<T | false | undefined>,
  seen: () => unknown = () => look.toString(),
): Promise<T> {
  for (let count = 0; count < looks; count += 1) {
    const found = await look()
    if (found !== false && found !== undefined) return found
    await wait(Math.min(count, longestWaitMs))
  }
  const last = seen()
  throw new Error(`never so: ${typeof last === 'string' ? last : JSON.stringify(last)}`)
}
