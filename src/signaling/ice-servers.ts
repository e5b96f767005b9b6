/** The configured ICE servers in the form of GetIceServerConfig. */
import type { IceServer } from '../ports.ts'

export interface KvsIceServer {
  readonly Uris: readonly string[]
  readonly Username?: string
  readonly Password?: string
  readonly Ttl: number
}

/** Seconds for which AWS's own answers hold; a C SDK camera asks again before they pass, and needs more than 30. */
const ttlS = 300
/** What the C SDK has room for (its MAX_ICE_CONFIG_COUNT and MAX_ICE_CONFIG_URI_COUNT); it fails on one more. */
const maxServers = 5
const maxUris = 4

/** At most 5 servers of at most 4 URIs each, in the order configured: a server with more becomes two entries. */
export function kvsIceServers(servers: readonly IceServer[]): readonly KvsIceServer[] {
  return servers
    .flatMap(({ urls, username, credential }) =>
      Array.from({ length: Math.ceil(urls.length / maxUris) }, (_, part) => ({
        Uris: urls.slice(part * maxUris, (part + 1) * maxUris),
        ...(username === undefined ? {} : { Username: username }),
        ...(credential === undefined ? {} : { Password: credential }),
        Ttl: ttlS,
      })),
    )
    .slice(0, maxServers)
}
