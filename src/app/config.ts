/** Settings from the environment, checked once at the start; an unknown value says what would be right. */
import { resolve } from 'node:path'
import { z } from 'zod'
import { alexaRegions, type AlexaRegion } from '../alexa/region.ts'
import type { Budgets } from '../broker/story.ts'
import type { IceServer } from '../ports.ts'
import { defaultLimits } from '../signaling/limits.ts'
import { linkingEnvironment, toLinkingConfig, type LinkingConfig } from './linking-settings.ts'
import { siteAddress, wholeNumber } from './setting-shapes.ts'
import { signalingVariables, toSignalingSettings, type SignalingSettings } from './signaling-settings.ts'

/** Nothing is answered in less; nobody waits for longer. */
const budget = (fallback: number) => wholeNumber(200, 60_000, fallback)
const onOff = (fallback: 'on' | 'off') =>
  z
    .enum(['on', 'off'])
    .default(fallback)
    .transform((value) => value === 'on')

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

/** Every setting, by the name of its environment variable. The README's table is made from this order. */
const environment = z.object({
  TRANSOM_DATA: z.string().default('./data'),
  TRANSOM_HOST: z.string().default('127.0.0.1'),
  TRANSOM_PORT: wholeNumber(0, 65_535, 8080),
  TRANSOM_PUBLIC_URL: siteAddress('https://bridge.example.org').optional(),
  TRANSOM_BEHIND_PROXY: onOff('off'),
  ...signalingVariables,
  TRANSOM_CONSOLE: onOff('on'),
  TRANSOM_DOORBELL: onOff('on'),
  TRANSOM_SOURCE: z.string().default('synthetic'),
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
  TRANSOM_SIMULATOR: z.enum(['on', 'off']).optional(),
  TRANSOM_MQTT_URL: z.url({ protocol: /^(mqtts?|wss?)$/ }).optional(),
  TRANSOM_MQTT_TOPIC: z
    .string()
    .regex(/^[^#+/][^#+]*$/, 'must be a topic without wildcards')
    .default('transom'),
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
})

type Environment = z.infer<typeof environment>

export interface Config {
  readonly dataDir: string
  readonly host: string
  readonly port: number
  /** The origin by which browsers and assistants reach the bridge; made of host and port when not set. */
  readonly publicUrl: string | undefined
  readonly behindProxy: boolean
  readonly signaling: SignalingSettings
  /** The page of the bridge, and what serves it. */
  readonly console: boolean
  readonly doorbell: { readonly isOn: boolean; readonly source: string }
  /** STUN and TURN servers for cameras and displays. */
  readonly iceServers: readonly IceServer[]
  readonly budgets: Budgets
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
  /** Whether the simulator may play displays, and the vendors' clouds for which there are no credentials. Embedded only. */
  readonly simulator: boolean
  /** Where camera events come in by MQTT; undefined: they do not. */
  readonly mqtt: { readonly url: string; readonly topic: string } | undefined
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

/**
 * Reads the settings. Throws an `Error` that names each bad variable and what it should be, and any `TRANSOM_` variable
 * that means nothing, because a misspelled setting would be silently ignored.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith('TRANSOM_') && !(name in environment.shape) && !name.startsWith('TRANSOM_TEST_'),
  )
  if (unknown.length > 0)
    throw new Error(`unknown setting ${unknown.join(', ')}; known are ${Object.keys(environment.shape).join(', ')}`)
  // An empty value in a .env file means "not set".
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = environment.safeParse(given)
  if (!parsed.success) {
    throw new Error(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'))
  }
  return toConfig(parsed.data)
}

function toConfig(env: Environment): Config {
  if (env.TRANSOM_PORT !== 0 && env.TRANSOM_PORT === env.TRANSOM_SIGNALING_PORT) {
    throw new Error('TRANSOM_PORT and TRANSOM_SIGNALING_PORT are the same: give each a port of its own')
  }
  if ((env.TRANSOM_LWA_CLIENT_ID === undefined) !== (env.TRANSOM_LWA_CLIENT_SECRET === undefined)) {
    throw new Error(
      "TRANSOM_LWA_CLIENT_ID and TRANSOM_LWA_CLIENT_SECRET belong together: set both, from the skill's Permissions page, or none",
    )
  }
  return {
    dataDir: resolve(env.TRANSOM_DATA),
    host: env.TRANSOM_HOST,
    port: env.TRANSOM_PORT,
    publicUrl: env.TRANSOM_PUBLIC_URL,
    behindProxy: env.TRANSOM_BEHIND_PROXY,
    signaling: toSignalingSettings(env, defaultLimits),
    console: env.TRANSOM_CONSOLE,
    doorbell: { isOn: env.TRANSOM_DOORBELL, source: env.TRANSOM_SOURCE },
    iceServers: env.TRANSOM_ICE_SERVERS.map(({ urls, username, credential }) => ({
      urls,
      ...(username !== undefined && { username }),
      ...(credential !== undefined && { credential }),
    })),
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
    simulator: maySimulate(env),
    mqtt: env.TRANSOM_MQTT_URL === undefined ? undefined : { url: env.TRANSOM_MQTT_URL, topic: env.TRANSOM_MQTT_TOPIC },
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

/** A bridge that the world can reach speaks to the real vendors, unless its operator says otherwise. */
function maySimulate(env: Environment): boolean {
  // The simulator links accounts with our own server, which is shut where somebody else issues the tokens.
  if (env.TRANSOM_TOKEN_ISSUER !== undefined) return false
  return env.TRANSOM_SIMULATOR === undefined ? env.TRANSOM_PUBLIC_URL === undefined : env.TRANSOM_SIMULATOR === 'on'
}
