/** What a camera knows of its STUN and TURN servers from one viewer to the next: who answers, how fast, and who is dead. */
import type { RTCIceTransport } from 'werift'
import type { IceServer, Log, ServerFailure } from 'transom-core/ports'

/** How long candidates are waited for while nothing is known of the servers, and at most. */
const longestWaitMs = 400
/** Beyond the time that the slowest good server took the last time: two round trips, since a TURN server answers twice. */
const graceMs = 100

export interface ServerWatch {
  /** Resolves when no server is worth waiting for any more, or its time is over. */
  readonly settled: Promise<void>
  /** The servers of this gathering that gave nothing, each with the reason; no addresses or passwords. */
  failures(): readonly string[]
}

export interface ServerMemory {
  /** Watches the gathering of a viewer's transports, which must not have begun. Aborting the signal ends the wait. */
  watch(transports: readonly RTCIceTransport[], servers: readonly IceServer[], signal: AbortSignal): ServerWatch
  /** Those that gave nothing the last time. */
  failing(): readonly ServerFailure[]
}

/** `onChange`: another server fails, for another reason, or is back. */
export function createServerMemory(log: Log, onChange: () => void): ServerMemory {
  const failing = new Map<string, string>()
  let lastGoodMs: number | undefined

  const note = (url: string, tookMs: number | undefined, reason: string | undefined) => {
    if (reason === undefined) {
      lastGoodMs = tookMs ?? lastGoodMs
      if (!failing.delete(url)) return
      log('info', 'gateway.ice-server-back', { server: url })
      onChange()
    } else if (failing.get(url) !== reason) {
      failing.set(url, reason)
      log('warn', 'gateway.ice-server-failed', { server: url, error: reason })
      onChange()
    }
  }
  return {
    failing: () => [...failing].map(([url, message]) => ({ url, message })),
    watch(transports, servers, signal) {
      const { promise: settled, resolve } = Promise.withResolvers<void>()
      const failures = new Map<string, string>()
      // One that gave nothing the last time is asked, but not waited for.
      const awaited = new Set(servers.flatMap(({ urls }) => urls).filter((url) => !failing.has(url)))
      let missing = awaited.size * transports.length
      const startedAt = performance.now()
      let endAt = Infinity
      let limit: NodeJS.Timeout | undefined
      /** So many milliseconds after the start, unless it is sooner already. */
      const waitUntil = (ms: number) => {
        if (startedAt + ms >= endAt) return
        endAt = startedAt + ms
        clearTimeout(limit)
        limit = setTimeout(resolve, endAt - performance.now())
      }
      waitUntil(Math.min(lastGoodMs === undefined ? longestWaitMs : lastGoodMs + graceMs, longestWaitMs))
      for (const { connection } of transports) {
        connection.onIceServer.subscribe(({ url, tookMs, error }) => {
          // A viewer that left takes its sockets along: then silence says nothing of a server.
          if (signal.aborted) return
          note(url, tookMs, error?.message)
          if (error) failures.set(url, error.message)
          // With one relay there is a way; the other servers have as long again as it took.
          else if (/^turns?:/.test(url) && tookMs !== undefined) waitUntil(2 * tookMs + graceMs)
          if (awaited.has(url)) missing -= 1
          if (missing <= 0) resolve()
        })
      }
      if (missing === 0) resolve()
      const stop = () => {
        clearTimeout(limit)
        resolve()
      }
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
      return { settled, failures: () => [...failures].map(([url, reason]) => `${url} (${reason})`) }
    },
  }
}
