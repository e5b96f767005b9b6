/** The service's certificate authority and server certificate: made at first start, kept in files, renewed in time. */
import { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Clock, Log } from 'transom-core/ports'
import { belongTogether, makeAuthority, makeServer, type Pair } from './make-certificate.ts'
import { readIfThere, writeWhole } from 'transom-core/private-file'

export interface ServerIdentity {
  /** The authority to trust, PEM, and the file that holds it. */
  readonly ca: string
  readonly caPath: string
  readonly key: string
  readonly cert: string
}

const dayMs = 24 * 3_600_000
const renewDays = 30

/**
 * The identity kept in `directory` for a server reached by these host names and IP addresses. A server certificate that is
 * missing, damaged, past its time within 30 days, not valid yet (the clock was ahead when it was made), or lacks a name is
 * made again. So is an authority for its time alone, with its key and its name: whoever trusts the older certificate trusts
 * what the newer one signs, and a clock that is wrong for a while, as at the start of a machine without a battery, locks no
 * camera out. Throws when an authority that was in use is missing or damaged: another one would be trusted by no camera.
 * Key files can be read by their owner only.
 */
export async function loadIdentity(
  directory: string,
  names: readonly string[],
  clock: Clock,
  log: Log,
): Promise<ServerIdentity> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const now = clock()
  const caPath = join(directory, 'ca.pem')
  const serverPath = join(directory, 'server.pem')
  const ca = await loadPair(caPath, join(directory, 'ca-key.pem'), isFresh(now), log, (older) => {
    // Files are written whole, and the server's after these: a first start that was cut short leaves neither of the two.
    if (older === undefined && (existsSync(caPath) || existsSync(serverPath))) throw lostAuthority(directory)
    return makeAuthority(now, older && { older })
  })
  const authority = new X509Certificate(ca.cert)
  const isUsable = (cert: X509Certificate) =>
    isFresh(now)(cert) && cert.verify(authority.publicKey) && names.every((name) => isNamed(cert, name))
  const server = await loadPair(serverPath, join(directory, 'server-key.pem'), isUsable, log, () =>
    makeServer(ca, { names, commonName: 'Transom signaling service' }, now),
  )
  return { ca: ca.cert, caPath, ...server }
}

const lostAuthority = (directory: string) =>
  new Error(
    `ca.pem and ca-key.pem in ${directory} are missing, damaged or do not belong together, and cameras trust what they sign: ` +
      'restore both from your backup. Without one, remove ca.pem, ca-key.pem, server.pem and server-key.pem, start, and ' +
      'install the new ca.pem on each camera',
  )

async function loadPair(
  certPath: string,
  keyPath: string,
  isUsable: (cert: X509Certificate) => boolean,
  log: Log,
  make: (older: Pair | undefined) => Promise<Pair>,
): Promise<Pair> {
  const [cert, key] = await Promise.all([readIfThere(certPath), readIfThere(keyPath)])
  const older = cert !== undefined && key !== undefined ? { cert, key } : undefined
  if (older && belongTogether(older, isUsable)) return older
  const made = await make(older && belongTogether(older, () => true) ? older : undefined)
  // The key first: a crash in between leaves a pair that does not match, which the next start makes anew.
  await writeWhole(keyPath, made.key)
  await writeWhole(certPath, made.cert, 0o644)
  log('info', 'signaling.certificate-made', { path: certPath, until: new X509Certificate(made.cert).validTo })
  return made
}

const isFresh = (now: number) => (cert: X509Certificate) =>
  cert.validFromDate.getTime() <= now && cert.validToDate.getTime() - now > renewDays * dayMs

const isNamed = (cert: X509Certificate, name: string) =>
  (isIP(name) ? cert.checkIP(name) : cert.checkHost(name, { subject: 'never' })) !== undefined
