/** What a bridge stands on, on AWS: DynamoDB, Kinesis Video Streams, secrets from the environment. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import * as z from 'zod'
import { createKvsSignaling } from 'transom-kvs/signaling'
import type { Clock, Log } from 'transom-core/ports'
import type { BridgeDeps } from '../assembly/ground.ts'
import { createDynamoStore } from '../store/dynamo.ts'
import { readBridgeConfig } from '../settings/bridge-config.ts'
import { setting } from 'transom-core/setting-shapes'
import { faultsOf } from 'transom-core/wire/faults'

/** As `process.env`. */
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
} as const

const awsEnvironment = z.object(awsVariables)

/** Connects nothing yet: the first request does. Throws an `Error` that names each bad setting. */
export function groundOnAws(env: Environment, clock: Clock, log: Log): BridgeDeps {
  const parsed = awsEnvironment.safeParse(env)
  if (!parsed.success) throw new Error(faultsOf(parsed.error))
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
    clock,
    log,
  }
}
