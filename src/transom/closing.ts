/** What was opened, to be closed in the reverse order. */
import type { Log } from 'transom-core/ports'

export interface Closing {
  add(end: () => unknown): void
  /** Ends everything; what fails is logged and stops nothing. May be called again. */
  close(): Promise<void>
}

export function createClosing(log: Log): Closing {
  const opened: (() => unknown)[] = []
  return {
    add: (end) => void opened.push(end),
    async close() {
      for (let end = opened.pop(); end !== undefined; end = opened.pop()) {
        try {
          await end()
        } catch (error) {
          log('error', 'transom.closing-failed', { error })
        }
      }
    },
  }
}
