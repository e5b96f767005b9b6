/** The connections on which gateways are told what to do: one each, as lines of JSON that go on until either side ends them. */
import type { Response } from 'express'
import type { Log } from 'transom-core/ports'
import { aliveEachMs, type GatewayLine, type Wanted } from 'transom-core/wire/gateway'

/** A gateway that has not read so much is too slow to ever catch up: it is cut off, and comes again. */
const mostUnread = 4_194_304

/** The gateways that are connected, by name. */
export interface GatewayConnections {
  /** The gateway with this name has connected; one that it had before is ended. */
  open(name: string, response: Response): void
  has(name: string): boolean
  /** Says again what there is to do. What is not connected is no error, here and below. */
  refresh(name: string): void
  /** False when nothing can be sent. */
  send(name: string, line: GatewayLine): boolean
  end(name: string): void
  close(): void
}

/** What the gateway with this name is to do, and who learns that it went. */
export interface GatewayConnectionsDeps {
  readonly wantedOf: (name: string) => Promise<Wanted>
  readonly onLost: (name: string) => void
  readonly log: Log
}

/** Holds the connections. Nothing throws: a connection that fails is ended, and its gateway comes again. */
export function createGatewayConnections({ wantedOf, onLost, log }: GatewayConnectionsDeps): GatewayConnections {
  const connected = new Map<string, Connection>()
  return {
    open(name, response) {
      // Gone while its key was looked up: nothing would ever say so again.
      if (response.destroyed) return
      connected.get(name)?.end()
      const connection = createConnection(
        response,
        () => wantedOf(name),
        (error) => log('error', 'transom.gateway-failed', { gateway: name, error }),
      )
      connected.set(name, connection)
      log('info', 'transom.gateway-connected', { gateway: name })
      response.once('close', () => {
        connection.end()
        if (connected.get(name) !== connection) return
        connected.delete(name)
        log('warn', 'transom.gateway-disconnected', { gateway: name })
        onLost(name)
      })
    },
    has: (name) => connected.has(name),
    refresh: (name) => connected.get(name)?.refresh(),
    send: (name, line) => connected.get(name)?.send(line) ?? false,
    end: (name) => connected.get(name)?.end(),
    close() {
      for (const connection of connected.values()) connection.end()
      connected.clear()
    },
  }
}

interface Connection {
  /** Says again what there is to do. */
  refresh(): void
  /** False when nothing can be sent any more. */
  send(line: GatewayLine): boolean
  end(): void
}

/**
 * One gateway that listens. What it is told is always the last word: a change while one is being read is read after it, and
 * what happens meanwhile is told after that, since it may be meant for what has changed.
 */
function createConnection(
  response: Response,
  read: () => Promise<Wanted>,
  onError: (error: unknown) => void,
): Connection {
  let isWanted = false
  let isReading = false
  let waiting: GatewayLine[] = []
  const write = (line: GatewayLine): boolean => {
    if (response.writableLength > mostUnread) response.destroy()
    if (response.writableEnded || response.destroyed) return false
    response.write(`${JSON.stringify(line)}\n`)
    return true
  }
  async function tell(): Promise<void> {
    isReading = true
    while (isWanted) {
      isWanted = false
      write(await read())
    }
  }
  const refresh = () => {
    isWanted = true
    if (isReading) return
    tell()
      .catch((error: unknown) => {
        onError(error)
        // It connects again, and is told then.
        response.destroy()
      })
      .finally(() => {
        isReading = false
        for (const line of waiting) write(line)
        waiting = []
      })
  }
  const alive = setInterval(() => write({ kind: 'alive' }), aliveEachMs)
  response.status(200).set({
    'content-type': 'application/x-ndjson; charset=utf-8',
    'cache-control': 'no-store',
    // A proxy that collects what it passes on would hold back every line.
    'x-accel-buffering': 'no',
  })
  refresh()
  return {
    refresh,
    send(line) {
      if (!isReading) return write(line)
      waiting.push(line)
      return !response.writableEnded && !response.destroyed
    },
    end() {
      clearInterval(alive)
      if (!response.writableEnded) response.end()
    },
  }
}
