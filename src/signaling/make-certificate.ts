/** Makes certificates: of an authority of our own, and of a server that it signs for. */
import { createPrivateKey, randomBytes, X509Certificate, type webcrypto } from 'node:crypto'
import { isIP } from 'node:net'

/** A certificate with its private key, both PEM. */
export interface Pair {
  readonly cert: string
  readonly key: string
}

/** The only names and networks for which an authority can sign (RFC 5280 section 4.2.1.10). */
export interface Permitted {
  /** A name and all below it: `local`, `bridge.example`. */
  readonly names: readonly string[]
  /** In CIDR: `192.168.0.0/16`, `fd00::/8`. */
  readonly networks: readonly string[]
}

/** What an authority is made of. */
export interface AuthorityOptions {
  /** Gives its key, its name and its constraints to the new one, which then signs for whoever trusts the older. */
  readonly older?: Pair
  /** Default: anything. */
  readonly permitted?: Permitted
}

const dayMs = 24 * 3_600_000
const caDays = 3_650
/** The longest that browsers accept of public authorities; longer would gain nothing, renewal is automatic. */
const serverDays = 397
/** ECDSA on P-256: what every TLS stack of a camera knows, and the cheapest handshake for the server. */
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const nameConstraints = '2.5.29.30'

/** Whether the certificate is for this key and usable; false also for what is no certificate or no key, such as damaged files. */
export function belongTogether({ cert, key }: Pair, isUsable: (cert: X509Certificate) => boolean): boolean {
  try {
    const parsed = new X509Certificate(cert)
    return parsed.checkPrivateKey(createPrivateKey(key)) && isUsable(parsed)
  } catch {
    return false
  }
}

/** Makes an authority, valid for ten years. `now`: epoch milliseconds. */
export async function makeAuthority(now: number, { older, permitted }: AuthorityOptions = {}): Promise<Pair> {
  const { x509, keys: made } = await prepare()
  const keys = older === undefined ? made : await importKeys(older)
  const before = older && new x509.X509Certificate(older.cert)
  const constraints = before?.getExtension(nameConstraints) ?? (permitted && (await constraintsOf(permitted)))
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    // Two authorities of one name confuse trust stores when a data directory was made anew.
    name: before?.subject ?? `O=Transom, CN=Transom local CA ${randomBytes(4).toString('hex')}`,
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(now - dayMs),
    notAfter: new Date(now + caDays * dayMs),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(constraints ? [constraints] : []),
    ],
  })
  return { cert: cert.toString('pem'), key: older?.key ?? (await exportKey(keys)) }
}

/** Makes a certificate for a server with these names and addresses, valid for 397 days or as long as its authority. */
export async function makeServer(
  ca: Pair,
  { names, commonName }: { readonly names: readonly string[]; readonly commonName: string },
  now: number,
): Promise<Pair> {
  const { x509, keys } = await prepare()
  const authority = new x509.X509Certificate(ca.cert)
  const { privateKey: signingKey } = await importKeys(ca)
  const cert = await x509.X509CertificateGenerator.create({
    subject: `O=Transom, CN=${commonName}`,
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
      alternativeNames(x509, names),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  })
  return { cert: cert.toString('pem'), key: await exportKey(keys) }
}

/** A new key (PEM), and a request for a certificate of it (PKCS #10, RFC 2986), in DER, for a server with these names and addresses. */
export async function makeRequest(names: readonly string[]): Promise<{ readonly key: string; readonly csr: Buffer }> {
  const { x509, keys } = await prepare()
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: algorithm,
    extensions: [alternativeNames(x509, names)],
  })
  return { key: await exportKey(keys), csr: Buffer.from(csr.rawData) }
}

type X509 = Awaited<ReturnType<typeof loadX509>>

const alternativeNames = ({ SubjectAlternativeNameExtension }: X509, names: readonly string[]) =>
  new SubjectAlternativeNameExtension(
    names.map((name) => ({ type: isIP(name) ? ('ip' as const) : ('dns' as const), value: name })),
  )

/** Critical, as the RFC wants it: who does not understand it must not trust the authority. */
async function constraintsOf({ names, networks }: Permitted) {
  const { Extension } = await loadX509()
  const { GeneralName, GeneralSubtree, GeneralSubtrees, NameConstraints } = await import('@peculiar/asn1-x509')
  const { AsnConvert } = await import('@peculiar/asn1-schema')
  const bases = [...names.map((dNSName) => ({ dNSName })), ...networks.map((iPAddress) => ({ iPAddress }))]
  const permittedSubtrees = new GeneralSubtrees(
    bases.map((base) => new GeneralSubtree({ base: new GeneralName(base) })),
  )
  return new Extension(nameConstraints, true, AsnConvert.serialize(new NameConstraints({ permittedSubtrees })))
}

/** For which names and networks an authority can sign; undefined: for any. */
export async function permittedBy(ca: string): Promise<Permitted | undefined> {
  const { X509Certificate: Parsed } = await loadX509()
  const { NameConstraints } = await import('@peculiar/asn1-x509')
  const { AsnConvert } = await import('@peculiar/asn1-schema')
  const extension = new Parsed(ca).getExtension(nameConstraints)
  if (extension === null) return undefined
  const bases = [...(AsnConvert.parse(extension.value, NameConstraints).permittedSubtrees ?? [])].map(
    ({ base }) => base,
  )
  return {
    names: bases.flatMap(({ dNSName }) => dNSName ?? []),
    networks: bases.flatMap(({ iPAddress }) => iPAddress ?? []),
  }
}

/** The X.509 library takes a third of a second to load, and most starts do not need it. It needs the polyfill before it. */
async function loadX509() {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

async function prepare() {
  const x509 = await loadX509()
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
