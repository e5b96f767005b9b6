/** Settings of the bridge wherever it runs, from the environment: their variables, and what they mean to it. */
import * as z from 'zod'
import { alexaRegions, type AlexaRegion } from '../alexa/region.ts'
import type { ViewLimits } from '../broker/places.ts'
import type { Budgets } from '../broker/story.ts'
import type { IceServer } from 'transom-core/ports'
import { linkingEnvironment, toLinkingConfig, type LinkingConfig } from './linking-settings.ts'
import { onOff, proxyHops, readVariables, setting, wholeNumber } from 'transom-core/setting-shapes'

/** Nothing is answered in less; nobody waits for longer. */
const budget = (fallback: number) => wholeNumber(200, 60_000, fallback)
/** RFC 7064 and 7065. A browser throws on any other, and on TURN without credentials. */
const iceUrl = z.string().regex(/^(stuns?|turns?):[^\s?]+(\?transport=(udp|tcp))?$/)
const iceServer = z
  .object({
    urls: z.union([iceUrl, z.array(iceUrl).min(1)]).transform((urls) => (typeof urls === 'string' ? [urls] : urls)),
    username: z.string().optional(),
    credential: z.string().optional(),
  })
  .refine(({ urls, username, credential }) => !urls.some((url) => url.startsWith('turn')) || (username && credential))

/** Scheme, host and port, as a browser sends it in `Origin`. */
const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text && /^https?:/.test(text)

/** Also one that goes by an older or a newer name, as Europe/Kyiv; no offset, which Node would take. */
const isTimeZone = (zone: string) => {
  try {
    return /^[a-z]/i.test(new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone)
  } catch {
    return false
  }
}

/** The variables, for the table of all settings. */
export const bridgeVariables = {
  TRANSOM_BEHIND_PROXY: setting(
    'first',
    '`on` behind exactly one trusted reverse proxy; behind several in a row, how many (`2` for CloudFront before API Gateway).',
    proxyHops,
    '`off`',
  ),
  TRANSOM_CONSOLE: setting('bridge', '`off`: no page, no API for it, no client that signs in to it.', onOff('on')),
  TRANSOM_ICE_SERVERS: setting(
    'bridge',
    'STUN and TURN servers of your own, for cameras and displays, as JSON: `[{"urls":"turn:…","username":"…","credential":"…"}]`.',
    z
      .string()
      .default('[]')
      .transform((text, context) => {
        try {
          return z.array(iceServer).parse(JSON.parse(text))
        } catch {
          context.addIssue(
            'must be a JSON array of RTCIceServer objects, TURN with credentials: [{"urls":"stun:stun.example:3478"}]',
          )
          return z.NEVER
        }
      }),
  ),
  TRANSOM_ALEXA_BUDGET_MS: setting(
    'tuning',
    "Milliseconds from Alexa's request to the answer, at most.",
    budget(5_000),
  ),
  TRANSOM_GOOGLE_BUDGET_MS: setting(
    'tuning',
    'Milliseconds from the offer of a Google display to the answer, at most.',
    budget(2_000),
  ),
  // At 0 no candidate of a camera that trickles would ever be in an answer.
  TRANSOM_SETTLE_CAP_MS: setting(
    'tuning',
    'Milliseconds for which candidates of a camera are collected after its answer, at most.',
    wholeNumber(50, 60_000, 1_500),
  ),
  TRANSOM_QUIET_MS: setting(
    'tuning',
    'Milliseconds without a candidate after which the collection ends.',
    wholeNumber(0, 60_000, 200),
  ),
  TRANSOM_VIEWS_NEGOTIATING: setting(
    'tuning',
    'Views that one account may be opening at once, all its displays together.',
    wholeNumber(1, 1_000, 3),
  ),
  TRANSOM_VIEWS_CONNECTED: setting('tuning', 'Views that it may have open at once.', wholeNumber(1, 1_000, 4)),
  TRANSOM_TALK_BACK_ON_GOOGLE: setting(
    'google',
    "`off` answers Google's displays `sendonly`, whatever they offer.",
    onOff('on'),
  ),
  TRANSOM_LWA_CLIENT_ID: setting(
    'alexa',
    'Client id under "Send Alexa Events" on the permissions page of the skill.',
    z.string().optional(),
  ),
  TRANSOM_LWA_CLIENT_SECRET: setting('alexa', 'Its secret.', z.string().optional()),
  TRANSOM_LWA_TOKEN_URL: setting('vendors', 'Login with Amazon.', z.url().optional(), "Amazon's"),
  TRANSOM_ALEXA_EVENTS_URL: setting('vendors', "Alexa's event gateway.", z.url().optional(), "Amazon's, by region"),
  TRANSOM_ALEXA_REGION: setting(
    'alexa',
    '`NA`, `EU` or `FE`: of customers whose region the Lambda function does not tell.',
    z.enum(alexaRegions).default('NA'),
  ),
  TRANSOM_ALEXA_SKILL_ID: setting(
    'alexa',
    'The companion skill answers requests for this skill only. Without it `/alexa/skill` does not exist.',
    z.string().startsWith('amzn1.ask.skill.').optional(),
  ),
  TRANSOM_FORWARDER_SECRET: setting(
    'alexa',
    'Shared with the forwarding Lambda function of `skills/alexa`: unsigned directives are then refused. 32 characters or more.',
    z.string().min(32).optional(),
  ),
  TRANSOM_TIME_ZONE: setting(
    'alexa',
    'For the hours in which cameras record, and for "today" where an Echo does not tell its own: `Europe/Berlin`.',
    z
      .string()
      .default(Intl.DateTimeFormat().resolvedOptions().timeZone)
      .refine(isTimeZone, 'must be a time zone: Europe/Berlin'),
    "this machine's",
  ),
  TRANSOM_GOOGLE_SERVICE_ACCOUNT: setting(
    'google',
    'Key file of the service account for Home Graph, or its content.',
    z.string().optional(),
  ),
  TRANSOM_HOME_GRAPH_URL: setting('vendors', 'Home Graph.', z.url().optional(), "Google's"),
  TRANSOM_HOME_GRAPH_PER_MINUTE: setting(
    'tuning',
    'Calls of Home Graph a minute that Google allows your project, of all bridges together. Presses go first; what else is reported is kept within it.',
    wholeNumber(10, 10_000_000, 6_000),
  ),
  TRANSOM_GOOGLE_RECONCILE_MS: setting(
    'tuning',
    "Milliseconds between comparisons of Home Graph's states with the true ones. `0`: never.",
    wholeNumber(0, 86_400_000, 3_600_000).refine(
      (ms) => ms === 0 || ms >= 60_000,
      'must be 60000 or more (each round asks Home Graph about every camera), or 0 for never',
    ),
  ),
  TRANSOM_GOOGLE_ORIGINS: setting(
    'google',
    "Web pages that may use the signaling URL beside Google's own player, with commas.",
    z
      .string()
      .default('')
      .transform((text) => text.split(/[\s,]+/).filter(Boolean))
      .refine(
        (origins) => origins.every(isOrigin),
        'must be origins of web pages, with commas: https://receiver.example',
      ),
  ),
  TRANSOM_PUSH_CONTACT: setting(
    'bridge',
    'Where push services reach whoever runs the bridge: `mailto:you@example.org` or an `https://` address. Without it and without a public https URL no notifications are sent.',
    z
      .string()
      .regex(/^(mailto:[^\s@]+@[^\s@]+|https:\/\/[^\s/]+\S*)$/, 'must be a mailto: or https:// address')
      .optional(),
    'the public URL, if it is https',
  ),
  TRANSOM_PUSH_SERVICES: setting(
    'bridge',
    'Push services, as `host` or `host:port` with commas, that devices may use beside those of Google, Mozilla, Apple and Microsoft: your own UnifiedPush server, for example.',
    z
      .string()
      .default('')
      .transform((text) =>
        text
          .toLowerCase()
          .split(/[\s,]+/)
          .filter(Boolean),
      )
      .refine(
        (hosts) => hosts.every((host) => URL.parse(`https://${host}`)?.host === host),
        'must be hosts with commas, without https://: push.example.org',
      ),
  ),
  ...linkingEnvironment,
} as const

const variables = z.object(bridgeVariables)

/** The settings of a bridge, read and checked. Milliseconds where the name ends in `Ms`. */
export interface BridgeConfig {
  /** How many proxies stand before the bridge. */
  readonly behindProxy: number
  /** The page of the bridge, and what serves it. */
  readonly console: boolean
  readonly push: {
    /** `mailto:` or `https:`. */
    readonly contact: string | undefined
    /** Hosts that notifications may be sent to beside those of browsers. */
    readonly services: readonly string[]
  }
  /** STUN and TURN servers for cameras and displays. */
  readonly iceServers: readonly IceServer[]
  readonly budgets: Budgets
  /** Of one account, all its displays and tokens together. */
  readonly views: ViewLimits
  readonly linking: LinkingConfig
  readonly alexa: {
    readonly budgetMs: number
    readonly lwa: { readonly clientId?: string; readonly clientSecret?: string; readonly tokenUrl?: string }
    readonly gatewayUrl: string | undefined
    /** Of customers of whom it is not known otherwise. */
    readonly region: AlexaRegion
    readonly skillId: string | undefined
    /** Shared with the forwarding Lambda; its door is shut without it. */
    readonly forwarderSecret: string | undefined
    /** Of customers whose Echo does not tell. */
    readonly timeZone: string
  }
  readonly google: {
    readonly budgetMs: number
    readonly talkBack: boolean
    /** Path of the service account's key file (JSON), or what is in it. */
    readonly serviceAccount: string | undefined
    readonly homeGraphUrl: string | undefined
    readonly homeGraphPerMinute: number
    /** How often what Home Graph believes is compared with what is true; 0 for never. */
    readonly reconcileMs: number
    /** Whose pages may use the signaling URL beside Google's own. */
    readonly origins: readonly string[]
  }
}

/** The settings of a bridge out of its variables. Throws an `Error` that says which variables belong together. */
export function toBridgeConfig(env: z.infer<typeof variables>): BridgeConfig {
  if ((env.TRANSOM_LWA_CLIENT_ID === undefined) !== (env.TRANSOM_LWA_CLIENT_SECRET === undefined)) {
    throw new Error(
      "TRANSOM_LWA_CLIENT_ID and TRANSOM_LWA_CLIENT_SECRET belong together: set both, from the skill's Permissions page, or none",
    )
  }
  return {
    behindProxy: env.TRANSOM_BEHIND_PROXY,
    console: env.TRANSOM_CONSOLE,
    push: { contact: env.TRANSOM_PUSH_CONTACT, services: env.TRANSOM_PUSH_SERVICES },
    iceServers: env.TRANSOM_ICE_SERVERS.map(({ urls, username, credential }) => ({
      urls,
      ...(username !== undefined && { username }),
      ...(credential !== undefined && { credential }),
    })),
    views: { negotiating: env.TRANSOM_VIEWS_NEGOTIATING, connected: env.TRANSOM_VIEWS_CONNECTED },
    budgets: {
      settleCapMs: env.TRANSOM_SETTLE_CAP_MS,
      quietMs: env.TRANSOM_QUIET_MS,
      replyMs: 100,
      absentMs: 3_000,
      lifetimeMs: 3_600_000,
    },
    linking: toLinkingConfig(env),
    alexa: {
      budgetMs: env.TRANSOM_ALEXA_BUDGET_MS,
      lwa: {
        ...(env.TRANSOM_LWA_CLIENT_ID !== undefined && { clientId: env.TRANSOM_LWA_CLIENT_ID }),
        ...(env.TRANSOM_LWA_CLIENT_SECRET !== undefined && { clientSecret: env.TRANSOM_LWA_CLIENT_SECRET }),
        ...(env.TRANSOM_LWA_TOKEN_URL !== undefined && { tokenUrl: env.TRANSOM_LWA_TOKEN_URL }),
      },
      gatewayUrl: env.TRANSOM_ALEXA_EVENTS_URL,
      region: env.TRANSOM_ALEXA_REGION,
      skillId: env.TRANSOM_ALEXA_SKILL_ID,
      forwarderSecret: env.TRANSOM_FORWARDER_SECRET,
      timeZone: env.TRANSOM_TIME_ZONE,
    },
    google: {
      budgetMs: env.TRANSOM_GOOGLE_BUDGET_MS,
      talkBack: env.TRANSOM_TALK_BACK_ON_GOOGLE,
      serviceAccount: env.TRANSOM_GOOGLE_SERVICE_ACCOUNT,
      homeGraphUrl: env.TRANSOM_HOME_GRAPH_URL,
      homeGraphPerMinute: env.TRANSOM_HOME_GRAPH_PER_MINUTE,
      reconcileMs: env.TRANSOM_GOOGLE_RECONCILE_MS,
      origins: env.TRANSOM_GOOGLE_ORIGINS,
    },
  }
}

/** Reads the bridge's settings alone from an environment. Throws as `readVariables` and `toBridgeConfig` do. */
export const readBridgeConfig = (env: Readonly<Record<string, string | undefined>>): BridgeConfig =>
  toBridgeConfig(readVariables(variables, env))
