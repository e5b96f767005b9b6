/** The gateway's connection to the bridge: made again whenever it ends. */
import { pause } from 'transom-core/deadline'
import { StatusError, whyFailed } from 'transom-core/fetch'
import type { Log } from 'transom-core/ports'
import { keepTrying } from './retry.ts'

/** Of the connection to the bridge. */
const retries = { firstMs: 200, lastMs: 15_000, lastingMs: 10_000 }
/** Nothing changes soon where the key is refused. */
const refusedRetryMs = 30_000

/** How a connection is made, and who hears of it. */
export interface Following {
  /** Connects, and gives the bridge's lines until the connection ends. */
  readonly read: () => AsyncIterable<string>
  /** An attempt begins. */
  readonly begin: () => void
  readonly receive: (line: string) => void
  /** The bridge does not know the key. */
  readonly refused: () => void
  readonly life: AbortSignal
  readonly log: Log
}

/**
 * Connects, again and again, until `life` ends, with pauses that grow until a connection has brought a line and lasted. A refused
 * key is tried again after half a minute. Never rejects.
 */
export async function stayConnected({ read, begin, receive, refused, life, log }: Following): Promise<void> {
  const attempt = async (holds: () => void) => {
    begin()
    // The bridge greets whoever it accepts; a connection that brings nothing is none, however long it hangs.
    let isHeld = false
    try {
      for await (const line of read()) {
        if (!isHeld) holds()
        isHeld = true
        receive(line)
      }
      log('warn', 'gateway.bridge-disconnected', { error: 'the bridge ended the connection' })
    } catch (error) {
      if (life.aborted) return
      log('warn', 'gateway.bridge-disconnected', { error: whyFailed(error) })
      if (error instanceof StatusError && [401, 403].includes(error.status)) {
        log('error', 'gateway.gateway-key-refused', {
          error: 'the bridge does not know this key: was the gateway removed?',
        })
        refused()
        await pause(refusedRetryMs, life)
      }
    }
  }
  await keepTrying(attempt, retries, life)
}
