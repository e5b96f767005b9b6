/** The bridge's own authority: made at the first start, bound to names and networks of a house, and its certificate for this machine. */
import { X509Certificate, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { createNetworks } from 'transom-core/networks'
import type { Clock, Log } from 'transom-core/ports'
import { readIfThere, writeWhole } from 'transom-core/private-file'
import { seal, unseal } from 'transom-core/seal'
import { belongTogether, makeAuthority, makeServer, permittedBy, type Pair } from 'transom-signaling/make-certificate'
import { createPairFile, renewAt } from './certificate.ts'
import type { CertificateSource } from './keeper.ts'

/**
 * For what it may sign: whoever installs it on a phone does not have to trust us with anything else. Names for houses (RFC 6762,
 * RFC 8375, `internal` as ICANN reserved it, and two that routers give although nobody reserved them), and private addresses
 * (RFC 1918, RFC 4193, RFC 6598 for Tailscale, those of a link and of this machine).
 */
const houseNames = ['localhost', 'local', 'home.arpa', 'internal', 'lan', 'home']
const houseNetworks = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
]

export interface OwnAuthorityOptions {
  /** The folder of HTTPS. */
  readonly directory: string
  /** Seals the authority's key. */
  readonly sealing: KeyObject
  /** The name or address in the public URL, and others that are set. */
  readonly names: readonly string[]
  readonly clock: Clock
  readonly log: Log
}

/** A certificate source that asks nobody. */
export interface OwnAuthority extends CertificateSource {
  /** What phones and computers install, as PEM; undefined before there is one. */
  certificate(): Promise<string | undefined>
}

/** What cannot be mended by trying again. */
class AuthorityError extends Error {
  readonly remedy: string

  constructor(message: string, remedy: string) {
    super(message)
    this.remedy = remedy
  }
}

const context = 'https-authority'

/** Opens the authority kept in the directory; makes one when the first certificate is wanted. */
export function createOwnAuthority({ directory, sealing, names, clock, log }: OwnAuthorityOptions): OwnAuthority {
  const [certPath, keyPath] = [authorityPath(directory), join(directory, 'authority-key.sealed')]
  const file = createPairFile(directory, 'own')

  /** What is set, whether the authority may sign for it or not, and of the others what it may. */
  async function wanted(): Promise<readonly string[]> {
    const ca = await readIfThere(certPath)
    const may = ca === undefined ? () => true : await permits(ca)
    return [...new Set([...names, ...['localhost', ...machineNames(), ...machineAddresses()].filter(may)])]
  }

  /** Throws when it is damaged: another one would be trusted by no phone. */
  async function authority(): Promise<Pair> {
    const [cert, sealed] = await Promise.all([readIfThere(certPath), readIfThere(keyPath)])
    if (cert === undefined && sealed === undefined)
      return keep(await makeAuthority(clock(), { permitted: permitted() }))
    const key = sealed === undefined ? undefined : unseal(sealing, context, sealed)
    if (cert === undefined || key === undefined || !belongTogether({ cert, key }, ({ ca }) => ca))
      throw new AuthorityError(
        `${certPath} and ${keyPath} are missing, damaged or do not belong together`,
        'Restore authority.pem and authority-key.sealed from your backup. Without one, remove both, restart, and install the new authority on each device.',
      )
    const isOver = clock() >= renewAt({ cert, key })
    return isOver ? keep(await makeAuthority(clock(), { older: { cert, key } })) : { cert, key }
  }

  async function keep(made: Pair): Promise<Pair> {
    await writeWhole(keyPath, seal(sealing, context, made.key))
    await writeWhole(certPath, made.cert, 0o644)
    log('info', 'https.authority-made', { path: certPath, until: new X509Certificate(made.cert).validTo })
    return made
  }

  const permitted = () => ({
    names: [...new Set([...houseNames, ...machineNames(), ...names.filter((name) => !isIP(name))])],
    networks: [...houseNetworks, ...names.filter((name) => isIP(name))],
  })

  return {
    names: wanted,
    certificate: () => readIfThere(certPath),
    async kept() {
      const [pair, ca] = await Promise.all([file.read(), readIfThere(certPath)])
      if (pair === undefined || ca === undefined) return undefined
      return new X509Certificate(pair.cert).verify(new X509Certificate(ca).publicKey) ? pair : undefined
    },
    async renew() {
      const ca = await authority()
      const may = await permits(ca.cert)
      const refused = names.filter((name) => !may(name))
      if (refused.length > 0)
        throw new AuthorityError(
          `the authority was made for other names and cannot sign for ${refused.join(', ')}`,
          `Use a name that ends in .local or .home.arpa or a private address, or remove ${certPath} and ${keyPath}, restart, and install the new authority on each device.`,
        )
      const pair = await makeServer(ca, { names: await wanted(), commonName: 'Transom bridge' }, clock())
      await file.write(pair)
      return pair
    },
    remedy: (thrown) =>
      thrown instanceof AuthorityError ? thrown.remedy : `Check that ${directory} can be written, then restart.`,
    waitMs: () => undefined,
  }
}

/** The file of the authority's certificate. */
export const authorityPath = (directory: string): string => join(directory, 'authority.pem')

/** Whether the authority can sign for a name or an address. */
async function permits(ca: string): Promise<(name: string) => boolean> {
  const permitted = await permittedBy(ca)
  if (permitted === undefined) return () => true
  const isInside = createNetworks(permitted.networks)
  return (name) =>
    isIP(name) ? isInside(name) : permitted.names.some((one) => name === one || name.endsWith(`.${one}`))
}

/** As the house may know it: by its name, and by that of multicast DNS. */
function machineNames(): readonly string[] {
  const name = hostname().toLowerCase()
  if (!/^[a-z\d]([a-z\d.-]*[a-z\d])?$/.test(name) || isIP(name)) return []
  return name.includes('.') ? [name] : [name, `${name}.local`]
}

/** Those of the house, which may change. One of a link has a zone, which stands in no certificate. */
function machineAddresses(): readonly string[] {
  const isPrivate = createNetworks(houseNetworks.filter((network) => network !== 'fe80::/10'))
  const addresses = Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address))
  return addresses.filter(isPrivate)
}
