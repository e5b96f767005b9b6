/** What the functions with a whole bridge share: the time that an invocation has, and the end of it. */
import { within } from 'transom-core/deadline'
import type { Settled } from '../assembly/bridge.ts'
import { log, type Named } from './log.ts'

/** Kept of an invocation's time for its end. */
const spareMs = 1_000

/** What we use of Lambda's context object. */
export interface Invocation extends Named {
  getRemainingTimeInMillis(): number
}

/** What is left of it to work in. */
export const remainingMs = (context: Invocation): number => Math.max(0, context.getRemainingTimeInMillis() - spareMs)

/** Resolves when what was to be told is told, or the time is up. */
export async function told(settled: Settled, ms: number, lane?: 'press'): Promise<void> {
  await within(
    ms,
    async () => settled(lane),
    () => {},
  ).catch(() => log('warn', 'aws.told-later', { ms, lane }))
}
