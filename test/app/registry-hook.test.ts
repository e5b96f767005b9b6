/** A vendor's registry of cameras as the settings name it: over HTTP, as a Lambda function, or plugged in by an entry of its own. */
import { createHash, createHmac, generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { createVendorRegistry } from '../../examples/vendor/registry.ts'
import { openOnAws } from '../../src/bridge/aws/aws.ts'
import { groundOnAws } from '../../src/bridge/aws/ground.ts'
import { createRegistryHook } from '../../src/bridge/aws/registry-hook.ts'
import { readRegistryPlace } from '../../src/bridge/aws/registry-place.ts'
import { accountId } from '../../src/core/ports.ts'

const secret = 's'.repeat(32)
const arn = 'arn:aws:lambda:eu-west-1:123456789012:function:cameras:live'
const ada = accountId('ada')
const at = 1_732_000_000_500
const porch = { id: 'porch', name: 'Porch', channelName: 'device-7', warranty: 'ignored' }

/** The vendor's side on loopback: what it was asked, and what it answers. */
interface Asked {
  readonly path: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}
const asked: Asked[] = []
let answer: { readonly status: number; readonly headers?: Record<string, string>; readonly body: string }
let server: Server
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const before = { id: process.env['AWS_ACCESS_KEY_ID'], key: process.env['AWS_SECRET_ACCESS_KEY'] }

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      asked.push({ path: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() })
      response.writeHead(answer.status, answer.headers).end(answer.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret' })
})
afterAll(async () => {
  if (before.id === undefined) delete process.env['AWS_ACCESS_KEY_ID']
  else process.env['AWS_ACCESS_KEY_ID'] = before.id
  if (before.key === undefined) delete process.env['AWS_SECRET_ACCESS_KEY']
  else process.env['AWS_SECRET_ACCESS_KEY'] = before.key
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(() => {
  asked.length = 0
  answer = { status: 200, body: JSON.stringify({ cameras: [porch, { id: 'yard', name: 'Yard', kind: 'camera' }] }) }
})

const hooks = {
  http: () => createRegistryHook({ kind: 'http', url: `${url()}/transom`, secret }, { clock: () => at }),
  lambda: () => createRegistryHook(readRegistryPlace(arn, undefined)!, { clock: () => at, lambdaUrl: url() }),
}
const ways = ['http', 'lambda'] as const
const ask = (way: (typeof ways)[number]) => hooks[way]().camerasOf(ada, AbortSignal.timeout(60_000))

test.each(ways)('by %s it is asked for an account, and its cameras get the usual defaults', async (way) => {
  const usual = { kind: 'doorbell', manufacturer: 'Transom', model: 'KVS camera', hasSpeaker: true }
  expect(await ask(way)).toEqual([
    { ...usual, id: 'porch', name: 'Porch', channel: { channelName: 'device-7', road: 'viewer' } },
    { ...usual, id: 'yard', name: 'Yard', kind: 'camera', channel: { channelName: 'yard', road: 'viewer' } },
  ])
  expect(asked.map(({ body }) => JSON.parse(body) as unknown)).toEqual([{ account: 'ada' }])
})

test('over HTTP the question is signed like a camera’s event', async () => {
  await ask('http')
  const timestamp = '1732000000'
  const mac = createHmac('sha256', secret).update(`${timestamp}.{"account":"ada"}`).digest('hex')
  expect(asked).toMatchObject([
    { path: '/transom', headers: { 'x-transom-timestamp': timestamp, 'x-transom-signature': `v1=${mac}` } },
  ])
})

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** AWS Signature Version 4 as the service checks it (Signature Version 4 signing process, canonical request). */
function signatureOf({ path = '', headers, body }: Asked): string {
  const [, scope = '', names = ''] =
    /Credential=AKID\/([^,]+), SignedHeaders=([^,]+)/.exec(headers.authorization ?? '') ?? []
  const fields = names.split(';').map((name) => `${name}:${String(headers[name])}\n`)
  // Every service but S3 encodes each segment once more.
  const canonicalPath = path.split('/').map(encodeURIComponent).join('/')
  const canonical = ['POST', canonicalPath, '', fields.join(''), names, hash(body)].join('\n')
  const key = scope.split('/').reduce((last: string | Buffer, part) => hmac(last, part), 'AWS4secret')
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash(canonical)].join('\n')
  return hmac(key, text).toString('hex')
}

test('a function is invoked by its ARN, in its own region, signed by the role', async () => {
  await ask('lambda')
  const [question] = asked
  expect(question).toMatchObject({
    path: `/2015-03-31/functions/${encodeURIComponent(arn)}/invocations`,
    headers: { authorization: expect.stringMatching(/\/\d{8}\/eu-west-1\/lambda\/aws4_request/) },
  })
  expect(question?.headers.authorization).toContain(`Signature=${signatureOf(question!)}`)
})

test.each([
  ['an error', { status: 500, body: '{"cameras":[]}' }, 'the answer is 500'],
  ['a redirect', { status: 302, headers: { location: '/other' }, body: '' }, 'fetch failed'],
  ['no JSON', { status: 200, body: 'Hello' }, 'is missing'],
  ['no list', { status: 200, body: '{}' }, 'cameras: is missing'],
  ['a camera without a name', { status: 200, body: '{"cameras":[{"id":"porch"}]}' }, 'cameras[0].name: is missing'],
  ['an id that is none', { status: 200, body: '{"cameras":[{"id":"..","name":"x"}]}' }, 'cameras[0].id'],
  ['more than it may', { status: 200, body: ' '.repeat(1_048_577) }, 'larger than 1048576 bytes'],
])('%s is no answer, and says why', async (_case, given, message) => {
  answer = given
  for (const way of ways) await expect(ask(way)).rejects.toThrow(message)
})

test('a function that throws has status 200, and is no answer either', async () => {
  answer = { status: 200, headers: { 'x-amz-function-error': 'Unhandled' }, body: '{"errorMessage":"oops"}' }
  await expect(ask('lambda')).rejects.toThrow('the function failed: Unhandled')
})

const env = () => {
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const keys = { signing: [jwk], cookies: ['c'.repeat(32)], sealing: randomBytes(32).toString('base64') }
  return {
    AWS_REGION: 'us-east-1',
    TRANSOM_TABLE: 't',
    TRANSOM_PUBLIC_URL: 'https://bridge.example',
    TRANSOM_KEYS: JSON.stringify(keys),
    TRANSOM_CLIENTS: '[]',
  }
}
const ground = (more: Readonly<Record<string, string>>) => groundOnAws({ ...env(), ...more }, Date.now, () => {})

test('without the setting there is none, and either way of naming one is enough', () => {
  expect(ground({ TRANSOM_REGISTRY: '', TRANSOM_REGISTRY_SECRET: '' }).registry).toBeUndefined()
  expect(ground({ TRANSOM_REGISTRY: arn }).registry).toBeDefined()
  const place = { TRANSOM_REGISTRY: 'https://devices.vendor.example/transom' }
  expect(ground({ ...place, TRANSOM_REGISTRY_SECRET: secret }).registry).toBeDefined()
  expect(() => ground(place)).toThrow('TRANSOM_REGISTRY_SECRET')
})

test.each([
  ['http://devices.vendor.example/', 'TRANSOM_REGISTRY: must be an https URL'],
  ['arn:aws:lambda:eu-west-1:123456789012:layer:x', 'TRANSOM_REGISTRY: must be an https URL'],
  ['cameras', 'TRANSOM_REGISTRY: must be an https URL'],
])('%s names none', (place, message) => {
  expect(() => ground({ TRANSOM_REGISTRY: place, TRANSOM_REGISTRY_SECRET: secret })).toThrow(message)
})

test('a vendor’s own entry plugs in a registry of its own, before that of the settings', async () => {
  const device = { serial: 'SN-1', nickname: 'Gate', hasButton: false, firmware: '1.2' }
  const registry = createVendorRegistry(async (user) => (user === 'ada' ? [device] : []))
  expect(await registry.camerasOf(ada, AbortSignal.timeout(60_000))).toMatchObject([
    { id: 'SN-1', name: 'Gate', kind: 'camera', channel: { channelName: 'device-SN-1' } },
  ])
  const ports = { registry }
  expect(groundOnAws({ ...env(), TRANSOM_REGISTRY: arn }, Date.now, () => {}, ports).registry).toBe(registry)
  const { bridge } = openOnAws(env(), Date.now, () => {}, ports)
  await bridge.close()
})
