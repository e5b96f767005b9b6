/** What a bridge stands on, on AWS: DynamoDB, Kinesis Video Streams, secrets from the environment. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import * as z from 'zod'
import { createKvsSignaling } from 'transom-kvs/signaling'
import type { CameraRegistry, Clock, Log } from 'transom-core/ports'
import type { BridgeDeps } from '../assembly/ground.ts'
import { createDynamoStore } from '../store/dynamo.ts'
import { readBridgeConfig } from '../settings/bridge-config.ts'
import { setting } from 'transom-core/setting-shapes'
import { faultsOf } from 'transom-core/wire/faults'
import { isRegistryPlace, readRegistryPlace, type RegistryPlace } from './registry-place.ts'

/** Settings by their names, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Of one attempt at DynamoDB, in milliseconds. Two of them fit into the shortest time that anybody waits for us: Google's
 * display, for two seconds.
 */
const attemptLimits = { connectionTimeout: 500, requestTimeout: 800 }

const json = <T extends z.ZodType>(shape: T) =>
  z.string().transform((text, context): z.output<T> => {
    try {
      return shape.parse(JSON.parse(text))
    } catch (error) {
      context.addIssue(
        error instanceof z.ZodError
          ? `in its JSON, ${faultsOf(error)}`
          : 'must be JSON; docs/aws.md shows how it is made',
      )
      return z.NEVER
    }
  })

/** What only the AWS deployment reads; all else is as in `bridge-config.ts`. */
export const awsVariables = {
  AWS_REGION: setting('aws', 'The region, which Lambda sets.', z.string(), 'required'),
  TRANSOM_TABLE: setting('aws', 'The DynamoDB table, which `serverless.yml` makes and sets.', z.string(), 'required'),
  TRANSOM_PUBLIC_URL: setting(
    'aws',
    'Address at which browsers and assistants reach the bridge: `https://bridge.vendor.example`.',
    z.url({ protocol: /^https$/ }),
    'required',
  ),
  TRANSOM_KEYS: setting(
    'aws',
    'The bridge’s own keys, made once as below: `{"signing":[private ES256 JWK, …],"cookies":["…"],"sealing":"32 bytes in base64"}`, the first of a list in use. Keep them where you keep secrets: without them all links and sealed camera keys are lost.',
    json(
      z.object({
        signing: z.array(z.looseObject({ kty: z.literal('EC') })).min(1),
        cookies: z.array(z.string().min(32)).min(1),
        sealing: z.base64().length(44),
      }),
    ),
    'required',
  ),
  TRANSOM_CLIENTS: setting(
    'aws',
    'OAuth clients that are typed in instead of made by `npx transom client add`, as JSON: `[{"clientId","clientSecret","assistant","redirectUris"}]`.',
    json(
      z.array(
        z.object({
          clientId: z.string(),
          clientSecret: z.string(),
          assistant: z.enum(['alexa', 'google']),
          redirectUris: z.array(z.url()).min(1),
        }),
      ),
    ),
    '`[]`, by `serverless.yml`',
  ),
  TRANSOM_REGISTRY: setting(
    'aws',
    'Your own registry of cameras, asked instead of cameras being entered here ([how](docs/aws.md#a-registry-of-your-own)): an https URL, or the ARN of a Lambda function.',
    z.string().refine(isRegistryPlace, 'must be an https URL or the ARN of a Lambda function').optional(),
  ),
  TRANSOM_REGISTRY_SECRET: setting(
    'aws',
    'Signs what `TRANSOM_REGISTRY` is asked, where that is a URL.',
    z.string().min(32, 'must have 32 characters or more').optional(),
  ),
} as const

const awsEnvironment = z.object(awsVariables)

/** What a vendor's own entry may plug in instead of what is here, or beside it. */
export type Ports = Partial<
  Pick<BridgeDeps, 'registry' | 'presence' | 'onNews' | 'onRing' | 'onSession' | 'removeCamera'>
>

/**
 * Connects nothing yet: the first request does. Throws an `Error` that names each bad setting. `ports` count before what the
 * settings say.
 */
export function groundOnAws(env: Environment, clock: Clock, log: Log, ports: Ports = {}): BridgeDeps {
  // What is empty is not set.
  const parsed = awsEnvironment.safeParse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== '')))
  if (!parsed.success) throw new Error(faultsOf(parsed.error))
  const place = readRegistryPlace(parsed.data.TRANSOM_REGISTRY, parsed.data.TRANSOM_REGISTRY_SECRET)
  const { AWS_REGION: region, TRANSOM_TABLE, TRANSOM_PUBLIC_URL, TRANSOM_KEYS, TRANSOM_CLIENTS } = parsed.data
  const aws = Object.keys(awsEnvironment.shape)
  const given = readBridgeConfig(Object.fromEntries(Object.entries(env).filter(([name]) => !aws.includes(name))))
  // A timer of an hour means nothing to a process that sleeps between requests: a schedule does it.
  const config = { ...given, google: { ...given.google, reconcileMs: 0 } }
  const credentials = defaultProvider()
  const requestHandler = new NodeHttpHandler({ ...attemptLimits, throwOnRequestTimeout: true })
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({ region, credentials, requestHandler, maxAttempts: 2 }),
  )
  const publicUrl = TRANSOM_PUBLIC_URL.replace(/\/+$/, '')
  const store = createDynamoStore({ client, tableName: TRANSOM_TABLE, clock })
  return {
    config,
    publicUrl,
    keys: TRANSOM_KEYS,
    clients: TRANSOM_CLIENTS,
    store,
    // A new environment asks the table where a channel is: KVS takes 300 such questions a second for a whole account.
    signaling: createKvsSignaling({ region, credentials }, { memory: store.collection('kvs-channel'), clock, log }),
    // AWS tells nobody whether a camera master is connected.
    presence: () => undefined,
    ...(place && { registry: registryOnDemand(place, env, clock) }),
    clock,
    log,
    ...ports,
  }
}

/** What asks it is loaded with the first question. */
function registryOnDemand(place: RegistryPlace, env: Environment, clock: Clock): CameraRegistry {
  let hook: Promise<CameraRegistry> | undefined
  const open = async (): Promise<CameraRegistry> => {
    const { createRegistryHook } = await import('./registry-hook.ts')
    return createRegistryHook(place, { clock, lambdaUrl: env['AWS_ENDPOINT_URL_LAMBDA'] })
  }
  return { camerasOf: async (account, signal) => (await (hook ??= open())).camerasOf(account, signal) }
}
