/** Settings of the bridge wherever it runs, from the environment: their variables, and what they mean to it. */
import * as z from 'zod'
import { alexaRegions, type AlexaRegion } from '../alexa/region.ts'
import type { ViewLimits } from '../broker/places.ts'
import type { Budgets } from '../broker/story.ts'
import type { IceServer } from 'transom-core/ports'
import { linkingEnvironment, toLinkingConfig, type LinkingConfig } from './linking-settings.ts'
import { onOff, readVariables, wholeNumber } from 'transom-core/setting-shapes'

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
  TRANSOM_BEHIND_PROXY: onOff('off'),
  TRANSOM_CONSOLE: onOff('on'),
  TRANSOM_ICE_SERVERS: z
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
  TRANSOM_ALEXA_BUDGET_MS: budget(5_000),
  TRANSOM_GOOGLE_BUDGET_MS: budget(2_000),
  // At 0 no candidate of a camera that trickles would ever be in an answer.
  TRANSOM_SETTLE_CAP_MS: wholeNumber(50, 60_000, 1_500),
  TRANSOM_QUIET_MS: wholeNumber(0, 60_000, 200),
  TRANSOM_VIEWS_NEGOTIATING: wholeNumber(1, 1_000, 3),
  TRANSOM_VIEWS_CONNECTED: wholeNumber(1, 1_000, 4),
  TRANSOM_TALK_BACK_ON_GOOGLE: onOff('on'),
  TRANSOM_LWA_CLIENT_ID: z.string().optional(),
  TRANSOM_LWA_CLIENT_SECRET: z.string().optional(),
  TRANSOM_LWA_TOKEN_URL: z.url().optional(),
  TRANSOM_ALEXA_EVENTS_URL: z.url().optional(),
  TRANSOM_ALEXA_REGION: z.enum(alexaRegions).default('NA'),
  TRANSOM_ALEXA_SKILL_ID: z.string().startsWith('amzn1.ask.skill.').optional(),
  TRANSOM_FORWARDER_SECRET: z.string().min(32).optional(),
  TRANSOM_TIME_ZONE: z
    .string()
    .default(Intl.DateTimeFormat().resolvedOptions().timeZone)
    .refine(isTimeZone, 'must be a time zone: Europe/Berlin'),
  TRANSOM_GOOGLE_SERVICE_ACCOUNT: z.string().optional(),
  TRANSOM_HOME_GRAPH_URL: z.url().optional(),
  TRANSOM_GOOGLE_RECONCILE_MS: wholeNumber(0, 86_400_000, 3_600_000).refine(
    (ms) => ms === 0 || ms >= 60_000,
    'must be 60000 or more (each round asks Home Graph about every camera), or 0 for never',
  ),
  TRANSOM_GOOGLE_ORIGINS: z
    .string()
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter(Boolean))
    .refine(
      (origins) => origins.every(isOrigin),
      'must be origins of web pages, with commas: https://receiver.example',
    ),
  ...linkingEnvironment,
} as const

const variables = z.object(bridgeVariables)

export interface BridgeConfig {
  readonly behindProxy: boolean
  /** The page of the bridge, and what serves it. */
  readonly console: boolean
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
    /** How often what Home Graph believes is compared with what is true; 0 for never. */
    readonly reconcileMs: number
    /** Whose pages may use the signaling URL beside Google's own. */
    readonly origins: readonly string[]
  }
}

/** Throws an `Error` that says which variables belong together. */
export function toBridgeConfig(env: z.infer<typeof variables>): BridgeConfig {
  if ((env.TRANSOM_LWA_CLIENT_ID === undefined) !== (env.TRANSOM_LWA_CLIENT_SECRET === undefined)) {
    throw new Error(
      "TRANSOM_LWA_CLIENT_ID and TRANSOM_LWA_CLIENT_SECRET belong together: set both, from the skill's Permissions page, or none",
    )
  }
  return {
    behindProxy: env.TRANSOM_BEHIND_PROXY,
    console: env.TRANSOM_CONSOLE,
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
      reconcileMs: env.TRANSOM_GOOGLE_RECONCILE_MS,
      origins: env.TRANSOM_GOOGLE_ORIGINS,
    },
  }
}

/** Reads the bridge's settings alone. Throws as `readVariables` and `toBridgeConfig`. */
export const readBridgeConfig = (env: Readonly<Record<string, string | undefined>>): BridgeConfig =>
  toBridgeConfig(readVariables(variables, env))
