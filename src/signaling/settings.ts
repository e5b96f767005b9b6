/** The settings of the signaling service: their variables, and what they mean to it. */
import { isIPv6 } from 'node:net'
import * as z from 'zod'
import type { TurnServers } from './ice-servers.ts'
import type { SignalingLimits } from './limits.ts'
import type { Tls } from './listener.ts'
import { isWildcard, plainHost, setting, siteAddress, wholeNumber } from 'transom-core/setting-shapes'
import { faultsOf } from 'transom-core/wire/faults'

/** Above 2^31 a timer of Node fires at once; eleven days are enough for any of these. */
const mostMs = 1_000_000_000
const count = (least: number) => z.number().int().min(least).max(1_000_000)
const ms = (least: number) => z.number().int().min(least).max(mostMs)
const rate = z
  .strictObject({ perSecond: z.number().min(0.001).max(1_000_000), burst: z.number().min(1).max(1_000_000) })
  .optional()
const limits = z.strictObject({
  viewersPerChannel: count(1).optional(),
  channels: count(1).optional(),
  undeliveredPerChannel: count(0).optional(),
  queueBytes: z
    .number()
    .int()
    .min(1_024)
    .max(1_024 ** 3)
    .optional(),
  replacedMasterMs: ms(0).optional(),
  offlineDelayMs: ms(0).optional(),
  flappingDelayMs: ms(0).optional(),
  heartbeatMs: ms(1_000).optional(),
  idleMs: ms(1_000).optional(),
  lifetimeMs: ms(1_000).optional(),
  goAwayMs: ms(0).optional(),
  strangers: count(1).optional(),
  requestMs: ms(1_000).optional(),
  certificateCheckMs: ms(1_000).optional(),
  rates: z
    .strictObject({
      accountWrite: rate,
      accountRead: rate,
      channelCall: rate,
      channelConnect: rate,
      keyCall: rate,
      wrongKey: rate,
      socketDescription: rate,
      socketCandidate: rate,
    })
    .optional(),
})

/** It becomes part of a URL, and a name in a certificate: a zone (`fd00::1%eth0`) can stand in neither. */
const host = z.string().transform((text, context) => {
  const plain = /^[a-z\d].*[a-z\d]$|^[a-z\d]$|:/i.test(text) ? plainHost(text) : undefined
  // A URL reads `10.1` and `0x7f.1` as other addresses than they look like.
  const isAsWritten = plain !== undefined && (isIPv6(plain) || plain === text.toLowerCase())
  if (plain !== undefined && isAsWritten && !isWildcard(plain)) return plain
  context.addIssue(
    text.includes('%')
      ? 'must be an address without a zone, which means nothing to other machines: leave out what begins with %'
      : plain !== undefined && isWildcard(plain)
        ? 'must be the name or the address by which others reach this machine; 0.0.0.0 and :: are for TRANSOM_HOST'
        : 'must be a name or an address alone, without scheme and port: kvs.example',
  )
  return z.NEVER
})

/** The variables, for the table of all settings. */
export const signalingVariables = {
  TRANSOM_SIGNALING_PORT: setting(
    'signaling',
    'Port of the signaling service. `0`: any free one.',
    wholeNumber(0, 65_535, 8443),
  ),
  TRANSOM_SIGNALING_HOST: setting(
    'first',
    'Name or address of this machine, as cameras reach its signaling service.',
    host.optional(),
    'this machine',
  ),
  TRANSOM_SIGNALING_URL: setting(
    'signaling',
    'Its address for cameras, when that is not `https://` with host and port: `https://kvs.example`.',
    siteAddress('https://kvs.example').optional(),
    'made of host and port',
  ),
  TRANSOM_SIGNALING_REGION: setting(
    'signaling',
    "Region in the settings of cameras and viewers. AWS's own (`eu-west-1`) for phones, which accept no other.",
    z
      .string()
      .regex(/^[a-z0-9-]{1,64}$/, 'must be a region as AWS writes them: eu-west-1')
      .default('local'),
  ),
  TRANSOM_SIGNALING_TLS: setting(
    'signaling',
    '`off` behind a proxy that ends TLS.',
    z.enum(['on', 'off']).default('on'),
  ),
  TRANSOM_SIGNALING_CERT: setting(
    'signaling',
    'Your own certificate, a PEM file.',
    z.string().optional(),
    'made at the first start',
  ),
  TRANSOM_SIGNALING_KEY: setting(
    'signaling',
    'Its private key, a PEM file.',
    z.string().optional(),
    'made at the first start',
  ),
  TRANSOM_SIGNALING_CA: setting(
    'signaling',
    'Its authority for cameras, a PEM file.',
    z.string().optional(),
    'made at the first start',
  ),
  TRANSOM_SIGNALING_LIMITS: setting(
    'signaling',
    "Limits other than AWS's, as JSON ([which](docs/signaling.md)).",
    z
      .string()
      .default('{}')
      .transform((text, context) => {
        try {
          return limits.parse(JSON.parse(text))
        } catch (error) {
          const why = error instanceof z.ZodError ? faultsOf(error) : 'it is no JSON'
          context.addIssue(`must be a JSON object of limits, such as {"viewersPerChannel":20}: ${why}`)
          return z.NEVER
        }
      }),
  ),
  TRANSOM_TURN_URLS: setting(
    'turn',
    'Addresses of a coturn with `use-auth-secret`, with commas: `turn:turn.example:3478?transport=udp`.',
    z.string().optional(),
  ),
  TRANSOM_TURN_SECRET: setting('turn', 'Its `static-auth-secret`.', z.string().optional()),
  TRANSOM_TURN_TTL_S: setting('turn', 'Seconds for which its credentials are given.', wholeNumber(60, 86_400, 300)),
}

const variables = z.object(signalingVariables)

/** The settings, read: what `startSignalingService` is to be started with. */
export interface SignalingSettings {
  readonly port: number
  /** What cameras and viewers are told to sign for; the service accepts any. */
  readonly region: string
  readonly advertisedHost: string | undefined
  readonly advertisedUrl: string | undefined
  readonly tls: Tls
  readonly turn: TurnServers | undefined
  readonly limits: Partial<SignalingLimits>
}

/**
 * The settings of the service out of its variables; `defaults` for limits that are not set. Throws an `Error` that
 * says which variables belong together.
 */
export function toSignalingSettings(env: z.infer<typeof variables>, defaults: SignalingLimits): SignalingSettings {
  const { rates, ...others } = env.TRANSOM_SIGNALING_LIMITS
  return {
    port: env.TRANSOM_SIGNALING_PORT,
    region: env.TRANSOM_SIGNALING_REGION,
    advertisedHost: env.TRANSOM_SIGNALING_HOST,
    advertisedUrl: env.TRANSOM_SIGNALING_URL,
    tls: toTls(env),
    turn: toTurn(env),
    limits: { ...given(others), ...(rates && { rates: { ...defaults.rates, ...given(rates) } }) },
  }
}

function toTls(env: z.infer<typeof variables>): Tls {
  const { TRANSOM_SIGNALING_CERT: certPath, TRANSOM_SIGNALING_KEY: keyPath, TRANSOM_SIGNALING_CA: caPath } = env
  const ca = caPath === undefined ? {} : { caPath }
  if ((certPath === undefined) !== (keyPath === undefined)) {
    throw new Error('TRANSOM_SIGNALING_CERT and TRANSOM_SIGNALING_KEY belong together: set both or none')
  }
  if (env.TRANSOM_SIGNALING_TLS === 'off') {
    if (certPath !== undefined) throw new Error('TRANSOM_SIGNALING_TLS is off: what is TRANSOM_SIGNALING_CERT for?')
    return { kind: 'none', ...ca }
  }
  if (certPath !== undefined && keyPath !== undefined) return { kind: 'files', certPath, keyPath, ...ca }
  if (caPath !== undefined) {
    throw new Error(
      'TRANSOM_SIGNALING_CA is the authority of TRANSOM_SIGNALING_CERT, or of a proxy (TRANSOM_SIGNALING_TLS=off): set one of them too, or leave it out',
    )
  }
  return { kind: 'own' }
}

function toTurn(env: z.infer<typeof variables>): TurnServers | undefined {
  const { TRANSOM_TURN_URLS: text, TRANSOM_TURN_SECRET: secret, TRANSOM_TURN_TTL_S: ttlS } = env
  if (text === undefined && secret === undefined) return undefined
  const urls = text?.split(',').map((url) => url.trim()) ?? []
  if (secret === undefined || urls.length === 0 || urls.some((url) => !/^(turns?|stun):[^\s]+$/.test(url))) {
    throw new Error(
      'TRANSOM_TURN_URLS and TRANSOM_TURN_SECRET belong together: turn:turn.example:3478?transport=udp,turn:…, and the secret of coturn',
    )
  }
  return { urls, secret, ttlS }
}

/** Without what was left out. */
function given<T extends object>(values: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>
  }
}
