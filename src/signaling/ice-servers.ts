/** What GetIceServerConfig answers: configured ICE servers, and TURN servers with a password made for the caller. */
import { createHmac } from 'node:crypto'
import type { Clock, IceServer } from 'transom-core/ports'

/** An entry of GetIceServerConfig's answer. */
export interface KvsIceServer {
  readonly Uris: readonly string[]
  readonly Username: string
  readonly Password: string
  readonly Ttl: number
}

/** TURN servers that share a secret with us: coturn's `use-auth-secret`. */
export interface TurnServers {
  /** `turn:host:port?transport=udp`, … */
  readonly urls: readonly string[]
  /** coturn's `static-auth-secret`. */
  readonly secret: string
  /** How long a password is good for new allocations, in seconds. Default: 300, as at AWS. */
  readonly ttlS?: number
}

/** Seconds for which AWS's own answers hold; a C SDK camera asks again before they pass, and needs more than 30. */
const defaultTtlS = 300
/** What the C SDK has room for (its MAX_ICE_CONFIG_COUNT and MAX_ICE_CONFIG_URI_COUNT); it fails on one more. */
const maxServers = 5
const maxUris = 4

/**
 * The answer for a client of this name: TURN servers first, because the C SDK's sample uses the first entry alone; at most
 * 5 servers of at most 4 URIs each, in the order configured: a server with more becomes two entries.
 */
export function createIceServers(
  fixed: readonly IceServer[],
  turn: TurnServers | undefined,
  clock: Clock,
): (clientId: string) => readonly KvsIceServer[] {
  const ttlS = turn?.ttlS ?? defaultTtlS
  const rest = fixed.map((server) => ({ ...server, ttlS: defaultTtlS }))
  return (clientId) => {
    if (turn === undefined) return portions(rest)
    return portions([
      { urls: turn.urls, ...turnPassword(turn.secret, clientId, clock() + ttlS * 1_000), ttlS },
      ...rest,
    ])
  }
}

/**
 * The time-limited credential of "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest-00): the user name
 * holds the instant until which it is good, and the password proves that we wrote it.
 */
export function turnPassword(
  secret: string,
  clientId: string,
  expiresAt: number,
): { readonly username: string; readonly credential: string } {
  const username = `${Math.floor(expiresAt / 1_000)}:${clientId.slice(0, 200)}`
  return { username, credential: createHmac('sha1', secret).update(username).digest('base64') }
}

function portions(servers: readonly (IceServer & { readonly ttlS: number })[]): readonly KvsIceServer[] {
  return servers
    .flatMap(({ urls, username, credential, ttlS }) =>
      Array.from({ length: Math.ceil(urls.length / maxUris) }, (_, part) => ({
        Uris: urls.slice(part * maxUris, (part + 1) * maxUris),
        // Android's and Python's samples read both of each entry; for STUN nobody sends them anywhere.
        Username: username ?? 'none',
        Password: credential ?? 'none',
        Ttl: ttlS,
      })),
    )
    .slice(0, maxServers)
}
