/** `transom doctor`: whether browsers, assistants and cameras reach the bridge by the addresses that are set. */
import { readFileSync } from 'node:fs'
import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import { isIP } from 'node:net'
import { join } from 'node:path'
import * as z from 'zod'
import { boundedFetch } from 'transom-core/fetch'
import type { Clock } from 'transom-core/ports'
import type { Config } from '../config.ts'
import { bad, good, reasonOf, type Check, type Finding } from './check.ts'
import { checkCertificate } from './tls.ts'

const answerMs = 8_000
/** Accepted between clocks: Google refuses assertions of more than a few minutes, we signatures after five. */
const skewMs = 60_000

/** `clockUrl`: a server whose clock is right, by the Date field of its answer (RFC 9110 section 6.6.1). */
export function reachChecks(config: Config, isRunning: boolean, clock: Clock, clockUrl: string): readonly Check[] {
  const { publicUrl } = config
  return [
    // Only devices that have installed the bridge's own authority come by it: https-authority speaks of that.
    ...(config.https?.kind === 'own'
      ? []
      : [{ id: 'public-url', run: async (signal) => [await checkPublicUrl(config, signal)] } satisfies Check]),
    ...(config.https?.kind !== 'own' && publicUrl?.startsWith('https:') === true
      ? [
          {
            id: 'public-certificate',
            run: async (signal) => [await checkPublicCertificate(publicUrl, clock, signal)],
          } satisfies Check,
        ]
      : []),
    { id: 'clock', run: async (signal) => [await checkClock(config, clock, clockUrl, signal)] },
    { id: 'signaling-address', run: async () => [await checkSignalingAddress(config)] },
    // Until the bridge runs, nothing shows it.
    ...(isRunning
      ? [
          {
            id: 'signaling-certificate',
            run: (signal) => checkSignalingCertificate(config, clock, signal),
          } satisfies Check,
        ]
      : []),
  ]
}

const metadata = z.object({ issuer: z.string() })

/** Asks for what only this bridge says: its issuer is made of the public URL. */
async function checkPublicUrl({ publicUrl, alexa, google }: Config, signal: AbortSignal): Promise<Finding> {
  const id = 'public-url'
  const hasVendors = alexa.lwa.clientId !== undefined || google.serviceAccount !== undefined
  if (publicUrl === undefined)
    return hasVendors
      ? bad(id, 'TRANSOM_PUBLIC_URL is not set', 'Set it to the https:// address at which assistants reach the bridge.')
      : good(id, 'not set: the bridge is for this machine, with simulated displays')
  if (hasVendors && !publicUrl.startsWith('https:'))
    return bad(
      id,
      `${publicUrl} is not https`,
      'Alexa and Google accept https:// alone: put a proxy with a certificate before the bridge.',
    )
  try {
    const response = await boundedFetch({ ms: answerMs })(`${publicUrl}/oauth/.well-known/openid-configuration`, {
      signal,
    })
    const parsed = metadata.safeParse(await response.json().catch(() => undefined))
    if (!response.ok || !parsed.success)
      return bad(
        id,
        `${publicUrl} answers ${response.status}, and not as this bridge`,
        'Lead the proxy, the tunnel or the forwarded port to the port of the bridge (TRANSOM_PORT).',
      )
    if (parsed.data.issuer !== `${publicUrl}/oauth`)
      return bad(
        id,
        `the bridge there calls itself ${parsed.data.issuer.replace(/\/oauth$/, '')}`,
        'Restart the bridge with this TRANSOM_PUBLIC_URL, or lead the address to the right bridge.',
      )
    return good(id, `${publicUrl} leads to this bridge. Seen from this machine: try it once from a phone without Wi-Fi`)
  } catch (error) {
    return bad(
      id,
      `${publicUrl}: ${reasonOf(error)}`,
      'Start the bridge; check the name in DNS, the proxy, and the forwarded port.',
    )
  }
}

function checkPublicCertificate(publicUrl: string, clock: Clock, signal: AbortSignal): Promise<Finding> {
  const { hostname, port } = new URL(publicUrl)
  const target = { id: 'public-certificate', host: bare(hostname), port: Number(port || 443), what: 'the public URL' }
  return checkCertificate(target, clock(), signal)
}

async function checkClock(
  { alexa, google }: Config,
  clock: Clock,
  clockUrl: string,
  signal: AbortSignal,
): Promise<Finding> {
  const id = 'clock'
  try {
    const response = await boundedFetch({ ms: answerMs })(clockUrl, { method: 'HEAD', signal })
    const theirs = Date.parse(response.headers.get('date') ?? '')
    if (Number.isNaN(theirs)) return good(id, `not compared: ${new URL(clockUrl).host} does not say the time`)
    const offS = Math.round((clock() - theirs) / 1_000)
    return Math.abs(offS) * 1_000 > skewMs
      ? bad(
          id,
          `this machine is ${Math.abs(offS)} s ${offS > 0 ? 'ahead' : 'behind'}`,
          'Switch on time synchronization: timedatectl set-ntp true',
        )
      : good(id, `right within ${Math.max(1, Math.abs(offS))} s`)
  } catch (error) {
    const why = `${new URL(clockUrl).host} was not reached: ${reasonOf(error)}`
    const needsInternet = alexa.lwa.clientId !== undefined || google.serviceAccount !== undefined
    return needsInternet
      ? bad(
          id,
          `not compared: ${why}`,
          'Give this machine a way to the internet: Alexa and Google are told of presses over it.',
        )
      : good(id, `not compared: ${why}`)
  }
}

/** The address in the settings of cameras. */
function signalingPlace({ signaling }: Config) {
  const { advertisedUrl, advertisedHost, port } = signaling
  if (advertisedUrl !== undefined) {
    const url = new URL(advertisedUrl)
    const isTls = url.protocol === 'https:'
    return { host: bare(url.hostname), port: Number(url.port || (isTls ? 443 : 80)), isTls }
  }
  return { host: advertisedHost, port, isTls: signaling.tls.kind !== 'none' }
}

async function checkSignalingAddress(config: Config): Promise<Finding> {
  const id = 'signaling-address'
  const { host, port } = signalingPlace(config)
  if (host === undefined) {
    return isLoopback(config.host)
      ? good(id, 'only for cameras on this machine: TRANSOM_HOST is 127.0.0.1')
      : bad(
          id,
          'cameras elsewhere are given no address',
          'Set TRANSOM_SIGNALING_HOST to the name or address of this machine in your network.',
        )
  }
  try {
    const { address } = await lookup(host)
    const isHere = Object.values(networkInterfaces())
      .flat()
      .some((one) => one?.address === address)
    if (isLoopback(address) || isHere || config.signaling.advertisedUrl !== undefined) {
      if (isLoopback(config.host) && !isLoopback(address) && config.signaling.advertisedUrl === undefined)
        return bad(
          id,
          `cameras are sent to ${host}:${port}, and the bridge listens on ${config.host} alone`,
          'Set TRANSOM_HOST=0.0.0.0',
        )
      return good(id, `cameras connect to ${host}:${port}`)
    }
    return bad(
      id,
      `${host} is ${address}, which is no address of this machine`,
      'Set TRANSOM_SIGNALING_HOST to this machine; through a router or a proxy set TRANSOM_SIGNALING_URL.',
    )
  } catch (error) {
    return bad(
      id,
      `${host}: ${reasonOf(error)}`,
      'Set TRANSOM_SIGNALING_HOST to a name or address that cameras can look up.',
    )
  }
}

async function checkSignalingCertificate(
  config: Config,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { host = 'localhost', port, isTls } = signalingPlace(config)
  // Any free one is known only to the bridge itself.
  if (!isTls || port === 0) return []
  const id = 'signaling-certificate'
  const ca = authorityOf(config)
  if (ca instanceof Error)
    return [
      bad(id, ca.message, 'Start the bridge once, or set TRANSOM_SIGNALING_CA to a PEM file that this user may read.'),
    ]
  const target = { id, host, port, what: 'the signaling service', ...(ca !== undefined && { ca }) }
  return [await checkCertificate(target, clock(), signal)]
}

/** PEM; `undefined`: the public authorities. */
function authorityOf({ signaling: { tls }, dataDir }: Config): string | undefined | Error {
  const path = tls.kind === 'own' ? join(dataDir, 'certificates', 'ca.pem') : tls.caPath
  try {
    return path === undefined ? undefined : readFileSync(path, 'utf8')
  } catch (error) {
    return new Error(reasonOf(error))
  }
}

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '')
const isLoopback = (host: string): boolean => host === 'localhost' || (isIP(host) !== 0 && /^(127\.|::1$)/.test(host))
