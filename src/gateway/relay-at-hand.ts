/** One TURN allocation kept while a camera is online, so that the first answer to a display already has a relay. */
import { isDeepStrictEqual } from 'node:util'
import { classes, createStunOverTurnClient, Message, methods, parseIceServers, type StunOverTurnProtocol } from 'werift'
import { pause } from 'transom-core/deadline'
import type { IceServer, Log } from 'transom-core/ports'

/** A refresh (RFC 8656 section 7) also keeps the way through a NAT open, which forgets UDP after 30 s at the earliest. */
const refreshMs = 20_000
const connectMs = 2_000
const retryMs = 10_000
const lifetimeS = 600

/** An allocation and the URL of its server. It holds no permission: whoever takes it makes those of its viewer. */
export interface Relay {
  readonly url: string
  readonly allocation: StunOverTurnProtocol
}

export interface RelayAtHand {
  /** The TURN servers from now on, with their passwords; the allocation on those of before is given back. None: none is kept. */
  use(servers: readonly IceServer[]): void
  /** Hands the allocation over to a viewer, who gives it back, and makes the next. `undefined` while there is none. */
  take(): Relay | undefined
  /** Gives back what is kept; may be called again. */
  close(): Promise<void>
}

/** Keeps nothing before `use`. What fails is tried again, and logged once. `eachMs`: how often it is refreshed. */
export function createRelayAtHand(log: Log, eachMs = refreshMs): RelayAtHand {
  let used: readonly IceServer[] = []
  let kept: { readonly relay: Relay; readonly taken: AbortController } | undefined
  let life = new AbortController()
  let keeping = Promise.resolve()

  /** Until the signal aborts. Never rejects. */
  async function keep(servers: readonly TurnServer[], signal: AbortSignal): Promise<void> {
    let hasFailed = false
    while (!signal.aborted) {
      const relay = await allocate(servers, signal).catch((error: unknown) => {
        if (!hasFailed && !signal.aborted) log('warn', 'gateway.relay-missing', { error: messageOf(error) })
        hasFailed = true
        return undefined
      })
      if (relay) {
        hasFailed = false
        await hold(relay, signal)
      } else await pause(retryMs, signal)
    }
  }

  /** Until it is taken, lost, or not wanted any more; gives it back unless it was taken. */
  async function hold(relay: Relay, signal: AbortSignal): Promise<void> {
    const taken = new AbortController()
    kept = { relay, taken }
    const bounds = AbortSignal.any([signal, taken.signal])
    let isThere = true
    while (isThere && (await pause(eachMs, bounds))) isThere = await refresh(relay, bounds)
    if (taken.signal.aborted) return
    kept = undefined
    await relay.allocation.close().catch(() => undefined)
  }

  const use = (servers: readonly IceServer[]): void => {
    if (isDeepStrictEqual(servers, used)) return
    used = servers
    life.abort()
    life = new AbortController()
    const { signal } = life
    const turnServers = turnServersOf(servers)
    const before = keeping
    keeping = turnServers.length === 0 ? before : before.then(() => keep(turnServers, signal))
  }
  return {
    use,
    take() {
      const { relay, taken } = kept ?? {}
      kept = undefined
      taken?.abort()
      return relay
    },
    close() {
      use([])
      return keeping
    },
  }
}

type TurnServer = ReturnType<typeof parseIceServers>['turnServers'][number]

function turnServersOf(servers: readonly IceServer[]): readonly TurnServer[] {
  const all = servers.map(({ urls, ...password }) => ({ urls: [...urls], ...password }))
  return parseIceServers(all).turnServers.filter(({ username, password }) => username && password)
}

/** On the first server that gives one, in their order. Throws what the last one said. */
async function allocate(servers: readonly TurnServer[], signal: AbortSignal): Promise<Relay | undefined> {
  let failure: unknown
  for (const { url, address, transport = 'udp', username = '', password = '' } of servers) {
    if (signal.aborted) return undefined
    try {
      const options = { transport, lifetime: lifetimeS, connectTimeoutMs: connectMs }
      const allocation = await createStunOverTurnClient({ address, username, password }, options)
      if (!signal.aborted) return { url, allocation }
      await allocation.close()
    } catch (error) {
      failure = new Error(`${url}: ${messageOf(error)}`, { cause: error })
    }
  }
  throw failure
}

/** False when it is lost. */
async function refresh({ allocation: { turn } }: Relay, signal: AbortSignal): Promise<boolean> {
  const request = new Message(methods.REFRESH, classes.REQUEST).setAttribute('LIFETIME', lifetimeS)
  return turn.requestWithRetry(request, turn.server, signal).then(
    () => true,
    () => signal.aborted,
  )
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
