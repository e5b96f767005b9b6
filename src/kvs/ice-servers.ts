/** STUN and TURN servers as a signaling service lists them. */
import type { IceServer } from 'transom-core/ports'

interface KvsIceServer {
  readonly Uris?: readonly string[] | undefined
  readonly Username?: string | undefined
  readonly Password?: string | undefined
}

/** The service's entries as RTCIceServers. STUN takes no credentials (RFC 7064), whatever the service fills in. */
export function toIceServers(entries: readonly KvsIceServer[]): readonly IceServer[] {
  return entries.map(({ Uris = [], Username, Password }) => ({
    urls: Uris,
    ...(Username && isRelay(Uris) ? { username: Username } : {}),
    ...(Password && isRelay(Uris) ? { credential: Password } : {}),
  }))
}

const isRelay = (uris: readonly string[] = []) => uris.some((uri) => uri.startsWith('turn'))
