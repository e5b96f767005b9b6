/** How often a password that a camera refused is tried again, whichever of its doors is asked: cameras lock accounts. */
import { SourceError } from './media.ts'

const firstPauseMs = 20_000
const quickTries = 3
const longPauseMs = 600_000

/** With one camera and one set of credentials: what its doors have in common. */
export interface Patience {
  /** One more way in: RTSP, ONVIF, an HTTP API. */
  door(): Door
}

export interface Door {
  /** Makes the attempt, or throws at once what the last one threw while it is too early. */
  attempt<T>(work: () => Promise<T>): Promise<T>
  /** Throws while it is too early. */
  check(): void
  /** An attempt failed for this reason, which counts where it is the password. */
  failed(this: void, error: unknown): void
  /** An attempt turned out well. */
  succeeded(this: void): void
}

interface Refusal {
  readonly error: SourceError
  readonly notBefore: number
}

/**
 * Three tries in the first minute at all doors together, then ten minutes apart. Where one door has accepted the password,
 * the refusals of another are its own affair: many cameras keep a user list for ONVIF besides that of the streams.
 */
export function createPatience(): Patience {
  /** Refusals in a row, of each door that had one. */
  const refusals = new Map<Door, number>()
  const accepting = new Set<Door>()
  const underWay = new Set<Promise<unknown>>()
  let latest: Refusal | undefined

  const refused = () => [...refusals.values()].reduce((sum, count) => sum + count, 0)
  /** Each attempt that may still be refused is one of the tries. */
  const mayExceed = () => accepting.size === 0 && underWay.size > 0 && refused() + underWay.size >= quickTries

  function door(): Door {
    let own: Refusal | undefined
    const self: Door = {
      async attempt(work) {
        while (mayExceed()) await Promise.race(underWay)
        self.check()
        const attempt = work()
        const settled = attempt.then(self.succeeded, self.failed)
        underWay.add(settled)
        void settled.then(() => underWay.delete(settled))
        await settled
        return attempt
      },
      check() {
        const refusal = accepting.size > 0 ? own : latest
        if (refusal && performance.now() < refusal.notBefore) throw refusal.error
      },
      failed(error) {
        if (!(error instanceof SourceError) || error.code !== 'source_password') return
        accepting.delete(self)
        refusals.set(self, (refusals.get(self) ?? 0) + 1)
        const pauseMs = refused() < quickTries ? firstPauseMs : longPauseMs
        latest = own = { error, notBefore: performance.now() + pauseMs }
      },
      succeeded() {
        accepting.add(self)
        refusals.delete(self)
        own = undefined
        if (refusals.size === 0) latest = undefined
      },
    }
    return self
  }
  return { door }
}
