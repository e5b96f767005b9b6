/** `transom doctor`: the certificate that the bridge keeps for itself, and the way of a public authority to it. */
import { X509Certificate } from 'node:crypto'
import { boundedFetch } from 'transom-core/fetch'
import { readIfThere } from 'transom-core/private-file'
import type { Clock } from 'transom-core/ports'
import type { Pair } from 'transom-signaling/make-certificate'
import type { Config } from '../config.ts'
import { acmePair } from '../tls/acme.ts'
import { createPairFile, httpsDirectory, isFor } from '../tls/certificate.ts'
import { plainUrl } from '../tls/install-page.ts'
import { readFault } from '../tls/keeper.ts'
import { authorityPath } from '../tls/own.ts'
import { noSuchChallenge } from '../tls/plain-door.ts'
import type { HttpsSettings } from '../tls/settings.ts'
import { bad, good, reasonOf, type Check, type Finding } from './check.ts'

const answerMs = 8_000
const dayMs = 86_400_000

/** None where the bridge speaks no HTTPS itself. `isRunning`: somebody answers on its ports. */
export function httpsChecks({ https, dataDir, publicUrl }: Config, isRunning: boolean, clock: Clock): readonly Check[] {
  if (https === undefined || publicUrl === undefined) return []
  const directory = httpsDirectory(dataDir)
  const needsPort80 = https.kind === 'acme' && https.dnsHook === undefined && isRunning
  return [
    { id: 'https-certificate', run: async () => [await checkKept(https, directory, clock())] },
    ...(https.kind === 'own'
      ? [{ id: 'https-authority', run: async () => [await checkAuthority(directory, clock())] }]
      : []),
    ...(needsPort80
      ? [{ id: 'https-port-80', run: async (signal: AbortSignal) => [await checkChallengePort(publicUrl, signal)] }]
      : []),
  ]
}

async function checkKept(https: HttpsSettings, directory: string, now: number): Promise<Finding> {
  const id = 'https-certificate'
  const file = https.kind === 'acme' ? acmePair(directory, https) : createPairFile(directory, 'own')
  const [pair, fault] = await Promise.all([file.read(), readFault(directory)])
  const state = pair === undefined ? 'there is none yet' : describe(pair, now)
  if (fault !== undefined) {
    const next = new Date(fault.nextAt).toISOString()
    return bad(
      id,
      `${state}; no new one: ${fault.reason} (tried ${fault.failures} times, again at ${next})`,
      fault.remedy,
    )
  }
  if (pair === undefined) return bad(id, state, 'Start the bridge, which gets one.')
  if (daysLeft(pair, now) < 0)
    return bad(id, state, 'Start the bridge, which renews it; set the clock of this machine.')
  return isFor(pair, https.names)
    ? good(id, state)
    : bad(
        id,
        `${state}, and not for all of ${https.names.join(', ')}`,
        'Restart the bridge, which gets one for these names.',
      )
}

const daysLeft = ({ cert }: Pair, now: number): number =>
  Math.floor((new X509Certificate(cert).validToDate.getTime() - now) / dayMs)

const describe = (pair: Pair, now: number): string =>
  `valid for ${daysLeft(pair, now)} days, for ${new X509Certificate(pair.cert).subjectAltName?.replaceAll(/DNS:|IP Address:/g, '')}`

/** With the fingerprint, which devices show before they install it. */
async function checkAuthority(directory: string, now: number): Promise<Finding> {
  const id = 'https-authority'
  const pem = await readIfThere(authorityPath(directory))
  if (pem === undefined) return bad(id, 'there is none yet', 'Start the bridge, which makes one.')
  const { fingerprint256, validToDate } = new X509Certificate(pem)
  return validToDate.getTime() > now
    ? good(id, `valid until ${validToDate.toISOString().slice(0, 10)}; SHA-256 ${fingerprint256}`)
    : bad(id, 'it has ended', 'Restart the bridge, which makes another, and install that on each device.')
}

/** As the authority comes (RFC 8555 section 8.3), but from this machine: what says 404 for a token is the bridge. */
async function checkChallengePort(publicUrl: string, signal: AbortSignal): Promise<Finding> {
  const id = 'https-port-80'
  const url = new URL(plainUrl(publicUrl))
  url.port = ''
  const asked = `${url.origin}/.well-known/acme-challenge/transom-doctor`
  const remedy = `Forward port 80 of ${url.hostname} to TRANSOM_PORT, or set TRANSOM_HTTP_PORT=80, or use TRANSOM_ACME_DNS_HOOK.`
  try {
    const response = await boundedFetch({ ms: answerMs })(asked, { signal })
    return response.status === 404 && (await response.text()) === noSuchChallenge
      ? good(id, `${url.origin} leads to this bridge. Seen from this machine: the authority comes from outside`)
      : bad(id, `${asked} answers ${response.status}, and not as this bridge`, remedy)
  } catch (error) {
    return bad(id, `${asked}: ${reasonOf(error)}`, remedy)
  }
}
