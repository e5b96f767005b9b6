/** Goes on with what an earlier process left to be told: a store that fails at the start is asked again. */
import type { Log } from 'transom-core/ports'

const firstMs = 1_000
const longestMs = 60_000

/** Calls `resume` until it succeeds, after 1, 2, 4 … 60 seconds. Returns what ends the trying. */
export function keepResuming(resume: () => Promise<void>, log: Log): () => void {
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  const attempt = (waitMs: number): void => {
    resume().catch((thrown: unknown) => {
      log('error', 'outbox.not-resumed', { error: String(thrown) })
      if (!isClosed) timer = setTimeout(attempt, waitMs, Math.min(2 * waitMs, longestMs))
    })
  }
  attempt(firstMs)
  return () => {
    isClosed = true
    clearTimeout(timer)
  }
}
