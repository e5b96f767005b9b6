/** The service's certificate authority and server certificate: made at first start, kept in files, renewed in time. */
import { createPrivateKey, randomBytes, X509Certificate, type webcrypto } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Clock, Log } from 'transom-core/ports'
import { readIfThere, writeWhole } from './private-file.ts'

export interface ServerIdentity {
  /** The authority to trust, PEM, and the file that holds it. */
  readonly ca: string
  readonly caPath: string
  readonly key: string
  readonly cert: string
}

/** A certificate with its private key, both PEM. */
interface Pair {
  readonly cert: string
  readonly key: string
}

const dayMs = 24 * 3_600_000
const caDays = 3_650
/** The longest that browsers accept of public authorities; longer would gain nothing, renewal is automatic. */
const serverDays = 397
const renewDays = 30
/** ECDSA on P-256: what every TLS stack of a camera knows, and the cheapest handshake for the server. */
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

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
    return makeAuthority(now, older)
  })
  const authority = new X509Certificate(ca.cert)
  const isUsable = (cert: X509Certificate) =>
    isFresh(now)(cert) && cert.verify(authority.publicKey) && names.every((name) => isNamed(cert, name))
  const server = await loadPair(serverPath, join(directory, 'server-key.pem'), isUsable, log, () =>
    makeServer(ca, names, now),
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

/** False also for what is no certificate or no key: the files may be damaged. */
function belongTogether({ cert, key }: Pair, isUsable: (cert: X509Certificate) => boolean): boolean {
  try {
    const parsed = new X509Certificate(cert)
    return parsed.checkPrivateKey(createPrivateKey(key)) && isUsable(parsed)
  } catch {
    return false
  }
}

const isFresh = (now: number) => (cert: X509Certificate) =>
  cert.validFromDate.getTime() <= now && cert.validToDate.getTime() - now > renewDays * dayMs

const isNamed = (cert: X509Certificate, name: string) =>
  (isIP(name) ? cert.checkIP(name) : cert.checkHost(name, { subject: 'never' })) !== undefined

async function makeAuthority(now: number, older: Pair | undefined): Promise<Pair> {
  const { x509, keys: made } = await prepare()
  const keys = older === undefined ? made : await importKeys(older)
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    // Two authorities of one name confuse trust stores when a data directory was made anew.
    name:
      older === undefined
        ? `O=Transom, CN=Transom local CA ${randomBytes(4).toString('hex')}`
        : new x509.X509Certificate(older.cert).subject,
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(now - dayMs),
    notAfter: new Date(now + caDays * dayMs),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { cert: cert.toString('pem'), key: older?.key ?? (await exportKey(keys)) }
}

async function makeServer(ca: Pair, names: readonly string[], now: number): Promise<Pair> {
  const { x509, keys } = await prepare()
  const authority = new x509.X509Certificate(ca.cert)
  const { privateKey: signingKey } = await importKeys(ca)
  const cert = await x509.X509CertificateGenerator.create({
    subject: 'O=Transom, CN=Transom signaling service',
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    notBefore: new Date(now - dayMs),
    notAfter: new Date(Math.min(now + serverDays * dayMs, authority.notAfter.getTime())),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((name) => ({ type: isIP(name) ? ('ip' as const) : ('dns' as const), value: name })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  })
  return { cert: cert.toString('pem'), key: await exportKey(keys) }
}

/** The X.509 library takes a third of a second to load, and most starts do not need it. It needs the polyfill before it. */
async function prepare() {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  return { x509, keys }
}

async function importKeys({ cert, key }: Pair): Promise<webcrypto.CryptoKeyPair> {
  const secret = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' })
  const open = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey('pkcs8', secret, algorithm, false, ['sign']),
    crypto.subtle.importKey('spki', open, algorithm, true, ['verify']),
  ])
  return { privateKey, publicKey }
}

async function exportKey({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', privateKey))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()
}
