/** How often a password that was refused is tried again: cameras lock accounts. */
import { SourceError } from '../media.ts'

const firstPauseMs = 20_000
const quickTries = 3
const longPauseMs = 600_000

export interface Patience {
  /** Makes the attempt, or throws at once what the last one threw while it is too early. */
  attempt<T>(work: () => Promise<T>): Promise<T>
  /** Throws while it is too early. */
  check(): void
  /** An attempt failed for this reason, which counts where it is the password. */
  failed(error: unknown): void
}

/** Three tries in the first minute, then ten minutes apart. A changed address has a patience of its own. */
export function createPatience(): Patience {
  let refusals = 0
  let last: { readonly error: SourceError; readonly notBefore: number } | undefined
  const patience: Patience = {
    async attempt(work) {
      patience.check()
      try {
        const done = await work()
        refusals = 0
        last = undefined
        return done
      } catch (error) {
        patience.failed(error)
        throw error
      }
    },
    check() {
      if (last && performance.now() < last.notBefore) throw last.error
    },
    failed(error) {
      if (!(error instanceof SourceError) || error.code !== 'source_password') return
      refusals += 1
      const pauseMs = refusals < quickTries ? firstPauseMs : longPauseMs
      last = { error, notBefore: performance.now() + pauseMs }
    },
  }
  return patience
}
