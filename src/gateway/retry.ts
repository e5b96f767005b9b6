/** Attempts that are made again and again: at once at first, then ever more slowly, until one has held. */
import { pause } from 'transom-core/deadline'

/** How long the pauses between attempts are, milliseconds. */
export interface Pauses {
  readonly firstMs: number
  /** Each pause is twice as long as the one before, up to this. */
  readonly lastMs: number
}

export interface Backoff {
  /** The next pause, milliseconds: spread by a fifth, so that what failed together does not come back together. */
  next(): number
  /** The next pause is the first one again. */
  reset(): void
}

export function createBackoff({ firstMs, lastMs }: Pauses): Backoff {
  let ms = firstMs
  return {
    next() {
      const spreadMs = ms * (0.8 + 0.4 * Math.random())
      ms = Math.min(ms * 2, lastMs)
      return spreadMs
    },
    reset: () => void (ms = firstMs),
  }
}

/**
 * Makes one attempt after the other until the signal aborts. An attempt calls `holds` when it has succeeded and goes on; one
 * that then went on for more than `lastingMs` was a good one, and the next pause is short again. Rejects when an attempt does.
 */
export async function keepTrying(
  attempt: (holds: () => void) => Promise<void>,
  { lastingMs, ...pauses }: Pauses & { readonly lastingMs: number },
  signal: AbortSignal,
): Promise<void> {
  const backoff = createBackoff(pauses)
  while (!signal.aborted) {
    let heldFrom = Infinity
    await attempt(() => (heldFrom = performance.now()))
    if (performance.now() - heldFrom > lastingMs) backoff.reset()
    await pause(backoff.next(), signal)
  }
}
