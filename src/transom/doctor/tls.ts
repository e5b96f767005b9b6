/** `transom doctor`: what a TLS server shows to those who come to it. */
import { isIP } from 'node:net'
import { connect, rootCertificates } from 'node:tls'
import { bad, codeOf, good, reasonOf, type Finding } from './check.ts'

const dayMs = 86_400_000
/** Automatic renewals come weeks before the end. */
const fewDays = 10

/** Where to connect, and whom to trust: the public authorities alone, as assistants do, unless `ca` (PEM) is given. */
export interface TlsTarget {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly ca?: string
  /** Whom the remedy speaks of: `the public URL`. */
  readonly what: string
}

/** Looks at the certificate: its authority, its name and its days. */
export async function checkCertificate(target: TlsTarget, now: number, signal: AbortSignal): Promise<Finding> {
  const { id, host, port, what } = target
  try {
    const validTo = await validUntil(target, signal)
    const days = Math.floor((validTo - now) / dayMs)
    return days < fewDays
      ? bad(id, `the certificate of ${host} ends in ${days} days`, 'Renew it, and look why its renewal did not run.')
      : good(id, `the certificate of ${host} is valid for ${days} days`)
  } catch (thrown) {
    return bad(
      id,
      `${host}:${port}: ${reasonOf(thrown)}`,
      remedies[codeOf(thrown)] ?? `Make ${what} reachable at ${host}:${port}.`,
    )
  }
}

const remedies: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'Renew the certificate, and look why its renewal did not run.',
  CERT_NOT_YET_VALID: 'Set the clock of this machine, or wait until the certificate is valid.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Use a certificate of a public authority, Let’s Encrypt for one.',
  SELF_SIGNED_CERT_IN_CHAIN: 'Use a certificate of a public authority, Let’s Encrypt for one.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'Serve the certificate with its chain (fullchain.pem), from a public authority.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'Serve the certificate with its chain (fullchain.pem), from a public authority.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Get a certificate for this name, or use the name that the certificate has.',
  EPROTO: 'What listens there does not speak TLS: end TLS in a proxy before the bridge.',
  ERR_SSL_WRONG_VERSION_NUMBER: 'What listens there does not speak TLS: end TLS in a proxy before the bridge.',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'What listens there does not speak TLS: end TLS in a proxy before the bridge.',
  ENOTFOUND: 'No address has this name: set it in your DNS, or correct the setting.',
  EAI_AGAIN: 'The name could not be looked up: check the DNS server of this machine.',
  ECONNREFUSED: 'Nothing listens there: start the bridge and the proxy before it, and forward the port.',
}

/** Epoch milliseconds of the end of its validity. Rejects with what makes it unacceptable. */
async function validUntil({ host, port, ca }: TlsTarget, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const socket = connect({ host, port, ca: ca ?? [...rootCertificates], servername: isIP(host) === 0 ? host : '' })
  const onAbort = () => reject(new Error('it does not answer'))
  signal.addEventListener('abort', onAbort, { once: true })
  socket.once('secureConnect', () => resolve(Date.parse(socket.getPeerCertificate().valid_to)))
  socket.once('error', reject)
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  }
}
