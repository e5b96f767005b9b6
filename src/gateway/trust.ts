/** Which cameras a gateway talks to: the addresses at which they may be, and the certificates that they show. */
import { createNetworks } from 'transom-core/networks'

export interface Trust {
  /** Whether the certificate with this SHA-256 fingerprint may speak for `host:port`; the first one may, and no other after it. */
  admits(place: string, fingerprint: string): boolean
  /** Whether a camera, or whom it sends us on to, may be at this IP address. */
  mayReach(address: string): boolean
}

/** Fingerprints by `host:port`. */
export type KnownCertificates = Readonly<Record<string, string>>

export interface TrustOptions {
  /** Those that were seen before; `any`: cameras that make a new one at each start are accepted, too. Default: none. */
  readonly certificates?: KnownCertificates | 'any'
  /** Told what should be remembered for longer than this lives. */
  readonly onFirst?: (place: string, fingerprint: string) => void
  /** In CIDR notation; absent: anywhere. */
  readonly networks?: readonly string[] | undefined
}

export interface KeptTrust extends Trust {
  /** The certificates that were given, and those that were the first at their places since. */
  certificates(): KnownCertificates | 'any'
}

/** Cameras sign their own certificates, so the first one seen is remembered and vouches for the next connections. */
export function createTrust({ certificates = {}, onFirst, networks }: TrustOptions = {}): KeptTrust {
  const known = new Map(certificates === 'any' ? [] : Object.entries(certificates))
  return {
    admits(place, fingerprint) {
      const first = known.get(place)
      if (certificates === 'any' || first !== undefined) return certificates === 'any' || first === fingerprint
      known.set(place, fingerprint)
      onFirst?.(place, fingerprint)
      return true
    },
    mayReach: networks === undefined ? () => true : createNetworks(networks),
    certificates: () => (certificates === 'any' ? 'any' : Object.fromEntries(known)),
  }
}
