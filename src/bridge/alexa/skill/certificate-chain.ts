/** The certificates that Alexa signs requests of custom skills with: where they may come from, fetched, verified and kept. */
import { X509Certificate, type KeyObject } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { BridgeError } from 'transom-core/errors'
import { boundedFetch, type Fetch } from 'transom-core/fetch'
import type { Clock } from 'transom-core/ports'

export interface CertificateChains {
  /**
   * The public key of the signing certificate at this `SignatureCertChainUrl`. Rejects with an `Error` that says why the
   * chain is not Alexa's, and with `BridgeError` `rate_limited` while too many unknown ones are being fetched.
   */
  keyAt(certChainUrl: string): Promise<KeyObject>
}

interface VerifiedChain {
  readonly key: KeyObject
  /** The first of its certificates ends then: epoch milliseconds. */
  readonly until: number
}

/** Whom the signing certificate must name (request-signature verification, host-a-custom-skill-as-a-web-service.html). */
const signer = 'echo-api.amazon.com'
const fetchMs = 3_000
/** Amazon has one chain in use at a time, and two while it changes them. */
const mostKept = 8
/** Strangers choose the path of the URL: so many different ones at once, and no more. */
const mostFetching = 4
/** Amazon's has four. */
const longestChain = 8

/** `fetch`, `roots` (PEM) and their defaults, our bounded `fetch` and the roots of Node, differ in tests only. */
export function createCertificateChains(deps: {
  readonly clock: Clock
  readonly fetch?: Fetch
  readonly roots?: readonly string[]
}): CertificateChains {
  const { clock, fetch: ask = boundedFetch({ ms: fetchMs }), roots = rootCertificates } = deps
  const kept = new Map<string, VerifiedChain>()
  const fetching = new Map<string, Promise<VerifiedChain>>()

  async function fetchChain(url: string): Promise<VerifiedChain> {
    const response = await ask(url)
    if (response.status !== 200) throw new Error(`the certificates' address answers ${response.status}`)
    const chain = verifyChain(await response.text(), roots, clock())
    const [oldest] = kept.keys()
    if (kept.size >= mostKept && oldest !== undefined) kept.delete(oldest)
    kept.set(url, chain)
    return chain
  }

  return {
    async keyAt(certChainUrl) {
      const url = normalizeCertChainUrl(certChainUrl)
      const known = kept.get(url)
      if (known !== undefined && clock() < known.until) return known.key
      kept.delete(url)
      if (!fetching.has(url)) {
        if (fetching.size >= mostFetching)
          throw new BridgeError('rate_limited', 'too many certificates are being fetched')
        const chain = fetchChain(url).finally(() => fetching.delete(url))
        fetching.set(url, chain)
      }
      return (await fetching.get(url)!).key
    },
  }
}

/**
 * The URL as it will be asked for, without dot segments, doubled slashes and fragment; throws unless it is where Amazon keeps
 * its certificates (host-a-custom-skill-as-a-web-service.html, "Verify the certificate URL"). Amazon's have neither
 * query nor escapes, which could mean something else to the server than to us.
 */
export function normalizeCertChainUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null) throw new Error('SignatureCertChainUrl is no URL')
  const path = url.pathname.replace(/\/{2,}/g, '/')
  // The parser has lower-cased the host, dropped the port if it is 443, and resolved the dot segments.
  if (url.protocol !== 'https:' || url.host !== 's3.amazonaws.com' || !/^\/echo\.api\/[\w./-]+$/.test(path)) {
    throw new Error('SignatureCertChainUrl is not below https://s3.amazonaws.com/echo.api/')
  }
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new Error('SignatureCertChainUrl has more than a path')
  }
  return `https://s3.amazonaws.com${path}`
}

/** The first certificate's key, if it is valid now, names the signer, and a chain of authorities leads to a trusted root. */
function verifyChain(pem: string, rootPems: readonly string[], now: number): VerifiedChain {
  const chain = readCertificates(pem)
  const [leaf] = chain
  if (leaf === undefined || chain.length > longestChain) throw new Error('the file holds no chain of certificates')
  if (leaf.checkHost(signer, { subject: 'never', wildcards: false }) === undefined) {
    throw new Error(`the certificate is not for ${signer}`)
  }
  const roots = rootPems.map((root) => new X509Certificate(root))
  let until = Infinity
  for (const [index, certificate] of chain.entries()) {
    if (!isValidAt(now, certificate)) throw new Error('a certificate is past its time, or its time has not come')
    if (index > 0 && !certificate.ca) throw new Error('a certificate was issued by one that is no authority')
    until = Math.min(until, certificate.validToDate.getTime())
    if (roots.some((root) => isValidAt(now, root) && isIssuedBy(root, certificate)))
      return { key: leaf.publicKey, until }
    const issuer = chain[index + 1]
    if (issuer === undefined || !isIssuedBy(issuer, certificate)) break
  }
  throw new Error('the certificates do not lead to a trusted root')
}

function readCertificates(pem: string): readonly X509Certificate[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return found.map((text) => new X509Certificate(text))
}

const isIssuedBy = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)

const isValidAt = (now: number, { validFromDate, validToDate }: X509Certificate): boolean =>
  validFromDate.getTime() <= now && now <= validToDate.getTime()
