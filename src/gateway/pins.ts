/** Which certificates cameras show. They sign their own, so the first one seen is remembered and vouches for the next connections. */
/** Which TLS certificates cameras may show: trust on first use. */
export interface Pins {
  /** Whether the certificate with this SHA-256 fingerprint may speak for `host:port`; the first one may, and no other after it. */
  admits(place: string, fingerprint: string): boolean
}

/** Makes pins that remember the first certificate of each place as long as they live, in memory alone. */
export function createPins(): Pins {
  const known = new Map<string, string>()
  return {
    admits(place, fingerprint) {
      const first = known.get(place)
      if (first === undefined) known.set(place, fingerprint)
      return first === undefined || first === fingerprint
    },
  }
}

/** For cameras that make a new certificate at each start. */
export const anyCertificate: Pins = { admits: () => true }
