/**
 * Settings by name: `ssm:/transom-prod/keys` is read from Parameter Store, `secretsmanager:transom-prod/keys` from Secrets
 * Manager. Signed as a WebSocket of KVS is: that is loaded anyway, and two more clients of the SDK would make each package larger.
 */
import { Sha256 } from '@aws-crypto/sha256-js'
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { SignatureV4 } from '@smithy/signature-v4'
import * as z from 'zod'
import { boundedFetch, whyFailed } from 'transom-core/fetch'
import type { Environment } from './ground.ts'

/** A start of a function has ten seconds in all. */
const defaultMs = 3_000

const services = {
  ssm: {
    host: 'ssm',
    endpoint: 'AWS_ENDPOINT_URL_SSM',
    target: 'AmazonSSM.GetParameter',
    body: (name: string) => ({ Name: name, WithDecryption: true }),
    value: z.object({ Parameter: z.object({ Value: z.string() }) }).transform(({ Parameter }) => Parameter.Value),
  },
  secretsmanager: {
    host: 'secretsmanager',
    endpoint: 'AWS_ENDPOINT_URL_SECRETS_MANAGER',
    target: 'secretsmanager.GetSecretValue',
    body: (name: string) => ({ SecretId: name }),
    value: z.object({ SecretString: z.string() }).transform(({ SecretString }) => SecretString),
  },
} as const

interface Reference {
  readonly service: (typeof services)[keyof typeof services]
  readonly name: string
}

/** Undefined for a value that names no secret. */
function referenceOf(value: string | undefined): Reference | undefined {
  const [, kind, name = ''] = /^(ssm|secretsmanager):(.+)$/s.exec(value ?? '') ?? []
  if (kind === 'ssm') return { service: services.ssm, name }
  return kind === 'secretsmanager' ? { service: services.secretsmanager, name } : undefined
}

/**
 * The environment with each `TRANSOM_…` that names a secret replaced by that secret. Each is read once, all side by side, within
 * `ms` milliseconds. Throws an `Error` that names each setting which cannot be read, and says why; never with a secret.
 */
export async function readSecrets(env: Environment, ms = defaultMs): Promise<Environment> {
  const named = Object.entries(env).flatMap(([variable, value]) => {
    const reference = variable.startsWith('TRANSOM_') ? referenceOf(value) : undefined
    return reference === undefined || value === undefined ? [] : [{ variable, value, reference }]
  })
  const read = createReader(env, ms)
  const byValue = new Map(named.map(({ value, reference }) => [value, reference]))
  const values = [...byValue].map(async ([value, reference]) => [value, await read(reference)] as const)
  const results = await Promise.allSettled(values)
  const secrets = new Map(results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])))
  const reasons = new Map([...byValue.keys()].map((value, index) => [value, results[index]]))
  const faults = named.flatMap(({ variable, value }) => {
    const result = reasons.get(value)
    return result?.status === 'rejected' ? [`${variable}: cannot read ${value}: ${whyFailed(result.reason)}`] : []
  })
  if (faults.length > 0) throw new Error(faults.join('\n'))
  return { ...env, ...Object.fromEntries(named.map(({ variable, value }) => [variable, secrets.get(value)])) }
}

/** Reads one secret by the service's JSON protocol: POST, the operation in `X-Amz-Target`, signed by SigV4. */
function createReader(env: Environment, ms: number) {
  const region = env['AWS_REGION'] ?? ''
  const credentials = defaultProvider()
  const ask = boundedFetch({ ms })
  return async ({ service, name }: Reference): Promise<string> => {
    const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
    const url = new URL(env[service.endpoint] ?? `https://${service.host}.${region}.${domain}`)
    const signer = new SignatureV4({ service: service.host, region, credentials, sha256: Sha256 })
    const request = {
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: '/',
      headers: { host: url.host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': service.target },
      body: JSON.stringify(service.body(name)),
    }
    const { headers } = await signer.sign(request)
    const { host: _, ...sent } = headers
    const response = await ask(url, { method: 'POST', headers: sent, body: request.body })
    const reply: unknown = await response.json().catch(() => undefined)
    if (!response.ok) {
      const type = z.object({ __type: z.string() }).safeParse(reply).data?.__type.replace(/^.*#/, '')
      throw new Error(`the answer is ${response.status}${type === undefined ? '' : ` ${type}`}`)
    }
    const value = service.value.safeParse(reply)
    if (!value.success) throw new Error('the answer has no text')
    return value.data
  }
}
