/** One request to the bridge: with a deadline, and with a `PlayerError` in plain words when it comes to nothing. */
import { PlayerError } from 'transom-player'

const requestMs = 15_000

export async function askBridge(url: string | URL, init: RequestInit = {}, ms = requestMs): Promise<Response> {
  const limit = AbortSignal.timeout(ms)
  try {
    return await fetch(url, { ...init, signal: init.signal ? AbortSignal.any([init.signal, limit]) : limit })
  } catch (cause) {
    init.signal?.throwIfAborted()
    throw new PlayerError(
      {
        code: 'unreachable',
        message: 'The bridge cannot be reached.',
        advice: 'Look whether it runs (npm start), and whether this device is on its network.',
      },
      { cause },
    )
  }
}
