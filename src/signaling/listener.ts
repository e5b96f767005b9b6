/** The listening server: HTTPS with a certificate of our own or of the user's, both renewed while it runs, or plain HTTP. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createServer as createPlainServer, type Server as PlainServer, type ServerOptions } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Clock, Log } from 'transom-core/ports'
import { loadIdentity } from './certificates.ts'

/** Where the server's certificate comes from. */
export type Tls =
  /** Made here, by an authority made here. */
  | { readonly kind: 'own' }
  /** PEM files that somebody else renews. `caPath`: what clients must trust, when it is no public authority. */
  | { readonly kind: 'files'; readonly certPath: string; readonly keyPath: string; readonly caPath?: string }
  /** None: a proxy in front ends TLS. */
  | { readonly kind: 'none'; readonly caPath?: string }

export interface Listener {
  readonly server: PlainServer | TlsServer
  readonly scheme: 'https' | 'http'
  /** The authority made here, PEM: what a client on this machine trusts, now. */
  readonly ca: string | undefined
  /** The file of the authority that clients elsewhere must trust; undefined when it is a public one. */
  readonly caPath: string | undefined
  /** Looks after the certificate: takes what is new, keeps what there is when the new one cannot be used. Never rejects. */
  refresh(): Promise<void>
}

/** Connections of SDKs are kept this long between requests: a TLS handshake costs more than a socket. */
const keepAliveMs = 60_000
const times = (requestMs: number): ServerOptions => ({
  headersTimeout: requestMs,
  requestTimeout: requestMs,
  keepAliveTimeout: keepAliveMs,
  connectionsCheckingInterval: requestMs / 2,
})

/**
 * Makes the server, which does not listen yet; `requestMs` is what a handshake and a request may take. `names` stand in the certificate that is made here, in `directory`. With the
 * user's files that one is still there for `localhost` and for clients that name no host, the bridge on this machine for one.
 * Rejects when the files cannot be used.
 */
export async function createListener(
  tls: Tls,
  directory: string,
  names: readonly string[],
  requestMs: number,
  clock: Clock,
  log: Log,
): Promise<Listener> {
  if (tls.kind === 'none') {
    const server = createPlainServer(times(requestMs))
    return { server, scheme: 'http', ca: undefined, caPath: tls.caPath, refresh: async () => {} }
  }
  let identity = await loadIdentity(directory, names, clock, log)
  let given = tls.kind === 'files' ? await readPair(tls.certPath, tls.keyPath) : undefined
  const server = createTlsServer({
    ...times(requestMs),
    key: identity.key,
    cert: identity.cert,
    // Cameras speak nothing newer, and some would take h2 when it is offered.
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    handshakeTimeout: requestMs,
    // Called only for clients that name a host, which they do not by an address.
    SNICallback: (name, done) => done(null, name === 'localhost' ? undefined : given?.context),
  })
  const refreshOwn = async () => {
    const found = await loadIdentity(directory, names, clock, log)
    if (found.cert !== identity.cert) server.setSecureContext({ key: found.key, cert: found.cert })
    identity = found
  }
  const refreshGiven = async (certPath: string, keyPath: string) => {
    const found = await readPair(certPath, keyPath)
    if (found.cert === given?.cert && found.key === given.key) return
    given = found
    log('info', 'signaling.certificate-taken', { path: certPath })
  }
  const failed = (cause: unknown) => log('error', 'signaling.certificate-unusable', { error: cause })
  let refreshing: Promise<void> | undefined
  return {
    server,
    scheme: 'https',
    get ca() {
      return identity.ca
    },
    caPath: tls.kind === 'files' ? tls.caPath : identity.caPath,
    refresh() {
      refreshing ??= Promise.all([
        refreshOwn().catch(failed),
        tls.kind === 'files' ? refreshGiven(tls.certPath, tls.keyPath).catch(failed) : undefined,
      ]).then(() => {
        refreshing = undefined
      })
      return refreshing
    },
  }
}

interface Pair {
  readonly cert: string
  readonly key: string
  readonly context: SecureContext
}

/** Throws when the certificate and the key are none, or do not belong together. */
async function readPair(certPath: string, keyPath: string): Promise<Pair> {
  try {
    const [cert, key] = await Promise.all([readFile(certPath, 'utf8'), readFile(keyPath, 'utf8')])
    // createSecureContext() accepts an empty key, which a file has while it is written, and then refuses every handshake.
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
      throw new Error('the key is of another certificate')
    return { cert, key, context: createSecureContext({ cert, key, minVersion: 'TLSv1.2' }) }
  } catch (cause) {
    throw new Error(
      `certificate ${certPath} and key ${keyPath} cannot be used (${String(cause)}): they must be PEM files that belong together and that this user may read`,
      { cause },
    )
  }
}
