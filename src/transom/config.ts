/** Settings of the embedded bridge: what the bridge reads anywhere, and what only a machine of its own has. */
import { resolve } from 'node:path'
import * as z from 'zod'
import { defaultLimits } from 'transom-signaling/limits'
import { bridgeVariables, toBridgeConfig, type BridgeConfig } from 'transom-bridge/settings/bridge-config'
import { gatewayVariables } from 'transom-gateway/settings'
import { logLevels, type LogLevel } from 'transom-core/log'
import { isNetwork } from 'transom-core/networks'
import {
  dataDirectory,
  listenHost,
  onOff,
  readVariables,
  setting,
  siteAddress,
  wholeNumber,
} from 'transom-core/setting-shapes'
import type { Limits } from './recordings/retention.ts'
import { httpsVariables, toHttpsSettings, type HttpsSettings } from './tls/settings.ts'
import { signalingVariables, toSignalingSettings, type SignalingSettings } from 'transom-signaling/settings'

const gigabyte = 1_000_000_000

const mqttTopic = (otherwise: string) =>
  z
    .string()
    .regex(/^[^#+/][^#+]*$/, 'must be a topic without wildcards')
    .default(otherwise)

/** Every setting, by the name of its environment variable. */
export const settingVariables = {
  TRANSOM_DATA: setting(
    'first',
    'Folder for everything that is kept: accounts, links, keys, cameras. Back it up.',
    dataDirectory,
  ),
  TRANSOM_HOST: setting(
    'first',
    'Address on which the bridge listens. `0.0.0.0` for the whole network.',
    listenHost.default('127.0.0.1'),
  ),
  TRANSOM_PORT: setting('bridge', 'Port of the bridge. `0`: any free one.', wholeNumber(0, 65_535, 8080)),
  TRANSOM_PUBLIC_URL: setting(
    'first',
    'Address at which browsers and assistants reach the bridge. Alexa and Google need `https://`.',
    siteAddress('https://bridge.example.org').optional(),
    'made of host and port',
  ),
  ...httpsVariables,
  ...signalingVariables,
  TRANSOM_DOORBELL: setting('cameras', '`off`: no built-in doorbell.', onOff('on')),
  TRANSOM_SOURCE: setting(
    'cameras',
    'What the built-in doorbell shows: `synthetic`, a media file, or `rtsp://…` or `rtsps://…` with `/`, `?`, `#` and `@` in user and password percent-encoded.',
    z.string().default('synthetic'),
  ),
  TRANSOM_SOURCE_CERTIFICATE: setting(
    'cameras',
    '`first`: of an `rtsps://` camera only the certificate is accepted that it showed first, also after a restart; `npx transom camera trust ID` accepts its next one. `any`: each.',
    z.enum(['first', 'any']).default('first'),
  ),
  TRANSOM_RELAY_AT_HAND: setting(
    'cameras',
    '`on`: each camera that a gateway reads keeps one relay on its TURN server while it is online, for the next display. The first answer then has a relay without a round trip; it costs one allocation for each camera.',
    onOff('off'),
  ),
  TRANSOM_SOURCE_NETWORKS: setting(
    'cameras',
    'Networks in which cameras may be, for gateways: `192.168.1.0/24, fd00::/8`. Names and redirects lead nowhere else.',
    z
      .string()
      .transform((text) => text.split(/[\s,]+/).filter(Boolean))
      .refine((networks) => networks.every(isNetwork), 'must be networks: 192.168.1.0/24, fd00::/8')
      .optional(),
    'anywhere',
  ),
  TRANSOM_RECORDINGS_DAYS: setting(
    'cameras',
    'Days for which recordings are kept ([how](docs/recordings.md)).',
    wholeNumber(1, 3_650, 30),
  ),
  TRANSOM_RECORDINGS_GB: setting(
    'cameras',
    'Gigabytes of recordings that are kept in all; the oldest are deleted first.',
    wholeNumber(1, 1_000_000, 50),
  ),
  TRANSOM_RECORDINGS_GB_PER_CAMERA: setting(
    'cameras',
    'Gigabytes of recordings that are kept of one camera.',
    wholeNumber(1, 1_000_000, 20),
  ),
  TRANSOM_SIMULATOR: setting(
    'bridge',
    'Plays Amazon and Google where their credentials are not set, and displays in a browser.',
    z.enum(['on', 'off']).optional(),
    '`on`; with a public URL `off`',
  ),
  TRANSOM_LOG_LEVEL: setting(
    'bridge',
    'What the log leaves out: `warn` all that is `info`, `error` all but errors.',
    z.enum(logLevels).default('info'),
  ),
  TRANSOM_METRICS: setting(
    'bridge',
    'Who may read `/metrics` without a key ([how](docs/operating.md)): `local`, this machine where no proxy stands before the bridge; `open`, everybody; `off`, nobody, and it does not exist.',
    z.enum(['local', 'open', 'off']).default('local'),
  ),
  TRANSOM_METRICS_KEY: setting(
    'bridge',
    'Key with which Prometheus reads `/metrics` from anywhere; it opens nothing else.',
    z
      .string()
      .regex(/^[\w.~+/-]{20,200}=*$/, 'must be 20 to 200 of A-Z a-z 0-9 - . _ ~ + /')
      .optional(),
  ),
  TRANSOM_MQTT_URL: setting(
    'cameras',
    'MQTT broker from which camera events come ([how](docs/alexa.md)).',
    z.url({ protocol: /^(mqtts?|wss?)$/ }).optional(),
  ),
  TRANSOM_MQTT_TOPIC: setting('cameras', 'First part of their topics.', mqttTopic('transom')),
  ...gatewayVariables,
  TRANSOM_MQTT_FRIGATE: setting(
    'cameras',
    'First part of the topics on which Frigate publishes its events and reviews; `off`: they are not read.',
    mqttTopic('frigate'),
  ),
  TRANSOM_MQTT_HOME_ASSISTANT: setting(
    'cameras',
    "First part of Home Assistant's discovery topics, on which cameras are announced; `off`: they are not.",
    mqttTopic('homeassistant'),
  ),
  ...bridgeVariables,
} as const

const variables = z.object(settingVariables)

type Variables = z.infer<typeof variables>

export interface Config extends BridgeConfig {
  readonly dataDir: string
  readonly host: string
  readonly port: number
  /** The origin by which browsers and assistants reach the bridge; made of host and port when not set. */
  readonly publicUrl: string | undefined
  /** How it speaks HTTPS itself on its port; undefined: it speaks plain HTTP there. */
  readonly https: HttpsSettings | undefined
  /** With HTTPS: another port that speaks plain HTTP. */
  readonly httpPort: number | undefined
  readonly signaling: SignalingSettings
  readonly doorbell: {
    readonly isOn: boolean
    readonly source: string
  }
  readonly sources: {
    /** Whether rtsps cameras may show another certificate than at first. */
    readonly hasAnyCertificate: boolean
    /** Whether each keeps one TURN allocation while it is online. */
    readonly hasRelayAtHand: boolean
    /** The networks in which cameras may be (CIDR); `undefined`: anywhere. */
    readonly networks: readonly string[] | undefined
  }
  /** How long recordings are kept, and how many bytes of them. */
  readonly recordings: Limits
  /** Whether the simulator may play displays, and the vendors' clouds for which there are no credentials. */
  readonly simulator: boolean
  readonly logLevel: LogLevel
  readonly metrics: {
    /** Who may read them without a key. */
    readonly access: 'local' | 'open' | 'off'
    readonly key: string | undefined
  }
  /** Where camera events come in by MQTT; undefined: they do not. */
  readonly mqtt:
    | {
        readonly url: string
        readonly topic: string
        /** First part of Frigate's topics; `undefined`: they are not read. */
        readonly frigate: string | undefined
        /** First part of Home Assistant's discovery topics; `undefined`: nothing is announced there. */
        readonly homeAssistant: string | undefined
      }
    | undefined
}

/** Reads the settings. Throws an `Error` that names each bad variable and what it should be. */
export function readConfig(given: Readonly<Record<string, string | undefined>>): Config {
  const env = readVariables(variables, given)
  if (env.TRANSOM_PORT !== 0 && env.TRANSOM_PORT === env.TRANSOM_SIGNALING_PORT) {
    throw new Error('TRANSOM_PORT and TRANSOM_SIGNALING_PORT are the same: give each a port of its own')
  }
  return {
    ...toBridgeConfig(env),
    dataDir: resolve(env.TRANSOM_DATA),
    host: env.TRANSOM_HOST,
    port: env.TRANSOM_PORT,
    publicUrl: env.TRANSOM_PUBLIC_URL,
    https: toHttpsSettings(env, env.TRANSOM_PUBLIC_URL, env.TRANSOM_BEHIND_PROXY > 0),
    httpPort: env.TRANSOM_HTTP_PORT,
    signaling: toSignalingSettings(env, defaultLimits),
    doorbell: {
      isOn: env.TRANSOM_DOORBELL,
      source: env.TRANSOM_SOURCE,
    },
    sources: {
      hasAnyCertificate: env.TRANSOM_SOURCE_CERTIFICATE === 'any',
      hasRelayAtHand: env.TRANSOM_RELAY_AT_HAND,
      networks: env.TRANSOM_SOURCE_NETWORKS,
    },
    recordings: {
      keptMs: env.TRANSOM_RECORDINGS_DAYS * 86_400_000,
      bytesInAll: env.TRANSOM_RECORDINGS_GB * gigabyte,
      bytesPerCamera: env.TRANSOM_RECORDINGS_GB_PER_CAMERA * gigabyte,
    },
    simulator: maySimulate(env),
    logLevel: env.TRANSOM_LOG_LEVEL,
    metrics: { access: env.TRANSOM_METRICS, key: env.TRANSOM_METRICS_KEY },
    mqtt: mqttOf(env),
  }
}

const unlessOff = (topic: string) => (topic === 'off' ? undefined : topic)

function mqttOf(env: Variables): Config['mqtt'] {
  if (env.TRANSOM_MQTT_URL === undefined) return undefined
  return {
    url: env.TRANSOM_MQTT_URL,
    topic: env.TRANSOM_MQTT_TOPIC,
    frigate: unlessOff(env.TRANSOM_MQTT_FRIGATE),
    homeAssistant: unlessOff(env.TRANSOM_MQTT_HOME_ASSISTANT),
  }
}

/** A bridge that the world can reach speaks to the real vendors, unless its operator says otherwise. */
function maySimulate(env: Variables): boolean {
  // The simulator links accounts with our own server, which is shut where somebody else issues the tokens.
  if (env.TRANSOM_TOKEN_ISSUER !== undefined) return false
  return env.TRANSOM_SIMULATOR === undefined ? env.TRANSOM_PUBLIC_URL === undefined : env.TRANSOM_SIMULATOR === 'on'
}
