/** Lines to a channel that are opened before their offer is there, and wait for it for some seconds. */
import type { ChannelConnection } from './channel.ts'

/** From "show me the front door" to the display's offer; a line that is not taken by then is closed. */
const keptMs = 15_000
/** A KVS channel takes ten viewers in all, so few of them may be ours without a display behind them. */
const mostPerChannel = 2

interface Line {
  readonly channelName: string
  /** `undefined` when it could not be opened: `onFailure` has heard why. */
  readonly connection: Promise<ChannelConnection | undefined>
  readonly timer: NodeJS.Timeout
  readonly life: AbortController
}

export interface Ahead {
  /** Opens a line for this viewer, unless there is one; `open` gets the signal that owns the line for its whole life. */
  prepare(channelName: string, viewerId: string, open: (signal: AbortSignal) => Promise<ChannelConnection>): void
  /** Gives the line of this viewer away, once: who takes it closes it. */
  take(viewerId: string): Promise<ChannelConnection | undefined> | undefined
  close(): void
}

export function createAhead(onFailure: (channelName: string, error: unknown) => void): Ahead {
  const lines = new Map<string, Line>()

  function take(viewerId: string): Line | undefined {
    const line = lines.get(viewerId)
    lines.delete(viewerId)
    clearTimeout(line?.timer)
    return line
  }
  const drop = (viewerId: string): void => take(viewerId)?.life.abort()

  return {
    prepare(channelName, viewerId, open) {
      if (lines.has(viewerId)) return
      const others = [...lines].filter(([, line]) => line.channelName === channelName)
      for (const [oldest] of others.slice(0, Math.max(0, others.length - mostPerChannel + 1))) drop(oldest)
      const life = new AbortController()
      const timer = setTimeout(() => drop(viewerId), keptMs)
      const connection = open(life.signal).then(
        (opened) => {
          // The service may end it while it waits; the offer then opens its own.
          void opened.closed.then(() => forget())
          return opened
        },
        (error: unknown) => {
          if (!life.signal.aborted) onFailure(channelName, error)
          forget()
          return undefined
        },
      )
      const line = { channelName, connection, timer, life }
      const forget = (): void => {
        if (lines.get(viewerId) === line) take(viewerId)
      }
      lines.set(viewerId, line)
    },
    take: (viewerId) => take(viewerId)?.connection,
    close() {
      for (const viewerId of lines.keys()) drop(viewerId)
    },
  }
}
