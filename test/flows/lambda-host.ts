/**
 * Stands in for AWS around the Lambda entries: DynamoDB (dynalite), the KVS-compatible service, a camera, and an HTTP door
 * that makes the events of API Gateway and of Alexa. A process of its own, because the entries read the environment; what a
 * test makes of it goes through a second door (`control.json`).
 */
import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer as createPlainServer, type IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import dynalite from 'dynalite'
import { createAlexaGrants } from '../../src/bridge/alexa/grants.ts'
import { newsForAlexa } from '../../src/bridge/alexa/news.ts'
import { createCameras } from '../../src/bridge/cameras/cameras.ts'
import { startCamera } from '../../src/gateway/camera.ts'
import { createReporter } from '../../src/gateway/report.ts'
import { createOAuth } from '../../src/bridge/oauth/server.ts'
import { createOutbox } from '../../src/bridge/outbox/outbox.ts'
import { cameraId, type Camera } from '../../src/core/ports.ts'
import { linkAccount } from '../../src/simulator/link.ts'
import { startSignalingService } from '../../src/signaling/service.ts'
import { createDynamoStore } from '../../src/bridge/store/dynamo.ts'
import { dynamoTable } from '../../src/bridge/store/dynamo-table.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { client as lwaClient, startAmazon } from '../alexa/amazon.ts'
import { discover } from '../alexa/directives.ts'

const [dataDir, certificateDir] = process.argv.slice(2) as [string, string]
const clock = Date.now
const log = (): void => {}
const region = 'us-east-1'
const host = '127.0.0.1'

const database = dynalite({ createTableMs: 0 })
await new Promise<void>((resolve) => database.listen(0, host, resolve))
const service = await startSignalingService({
  store: createSqliteStore(':memory:', clock),
  certificateDir,
  host,
  port: 0,
  region,
  iceServers: [],
  clock,
  log,
})
await service.ensureChannel('front-door')
const application = await service.createCredentials({ kind: 'application' })
const cameraCredentials = await service.createCredentials({ kind: 'camera', channelName: 'front-door' })

// API Gateway speaks TLS only, and cookies and links follow from that.
const pem = (name: string): Buffer => readFileSync(join(certificateDir, name))
const server = createServer({ key: pem('server-key.pem'), cert: pem('server.pem') })
await new Promise<void>((resolve) => server.listen(0, host, resolve))
const url = `https://localhost:${(server.address() as AddressInfo).port}`

const secret = randomBytes(24).toString('hex')
const clients = [
  {
    clientId: 'alexa',
    clientSecret: secret,
    assistant: 'alexa',
    redirectUris: ['https://pitangui.amazon.com/api/skill/link/T'],
  },
  {
    clientId: 'google',
    clientSecret: secret,
    assistant: 'google',
    redirectUris: ['https://oauth-redirect.googleusercontent.com/r/t'],
  },
] as const
const jwk = {
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  alg: 'ES256',
  kid: '1',
}
const keys = { signing: [jwk], cookies: [randomBytes(32).toString('hex')], sealing: randomBytes(32).toString('base64') }
const operatorKey = randomBytes(32).toString('hex')
const login = 'owner@example.com'
const password = randomBytes(12).toString('hex')

const amazon = await startAmazon()

Object.assign(process.env, {
  TRANSOM_LWA_CLIENT_ID: lwaClient.clientId,
  TRANSOM_LWA_CLIENT_SECRET: lwaClient.clientSecret,
  TRANSOM_LWA_TOKEN_URL: amazon.tokenUrl,
  TRANSOM_ALEXA_EVENTS_URL: amazon.gatewayUrls.NA,
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: application.accessKeyId,
  AWS_SECRET_ACCESS_KEY: application.secretAccessKey,
  AWS_ENDPOINT_URL_DYNAMODB: `http://${host}:${(database.address() as AddressInfo).port}`,
  AWS_ENDPOINT_URL_KINESIS_VIDEO: service.endpoint,
  TRANSOM_TABLE: 'transom-test',
  TRANSOM_PUBLIC_URL: url,
  TRANSOM_KEYS: JSON.stringify(keys),
  TRANSOM_CLIENTS: JSON.stringify(clients),
  TRANSOM_OPERATOR_KEY: operatorKey,
})
for (const name of ['TRANSOM_DATA', 'TRANSOM_PORT', 'TRANSOM_SIGNALING_PORT']) delete process.env[name]

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
const client = new DynamoDBClient({ region, credentials, endpoint: process.env['AWS_ENDPOINT_URL_DYNAMODB']! })
await client.send(new CreateTableCommand(dynamoTable('transom-test')))
const store = createDynamoStore({ client: DynamoDBDocumentClient.from(client), tableName: 'transom-test', clock })
const oauth = createOAuth({
  issuer: `${url}/oauth`,
  store,
  clients,
  signingKeys: keys.signing,
  cookieKeys: keys.cookies,
  clock,
  log,
})
const accountId = await oauth.users.create({ login, password, name: 'Owner' })
const cameraKey = randomBytes(32).toString('hex')
const door = cameraId('front-door')
const frontDoor: Camera = {
  id: door,
  accountId,
  name: 'Front Door',
  kind: 'doorbell',
  channel: { channelName: 'front-door', road: 'viewer' },
  manufacturer: 'Vendor',
  model: 'VB-2',
  hasSpeaker: true,
}
await createCameras(store).put(frontDoor, cameraKey)
// The customer has enabled the skill.
const key = createSecretKey(keys.sealing, 'base64')
await createAlexaGrants({ store, key, lwa: { ...lwaClient, tokenUrl: amazon.tokenUrl }, clock, log }).accept(
  { accountId, linkId: undefined, code: 'code-1', region: 'NA' },
  new AbortController().signal,
)

// Only now: an entry reads its settings when it is loaded, as in a new execution environment.
const lambda = {
  ...(await import('../../src/bridge/aws/alexa.ts')),
  ...(await import('../../src/bridge/aws/events.ts')),
  ...(await import('../../src/bridge/aws/http.ts')),
  ...(await import('../../src/bridge/aws/sweep.ts')),
  ...(await import('../../src/bridge/aws/reconcile.ts')),
}

/** Of Lambda's context object. */
const named = { awsRequestId: '8f507cfc-xmpl-4697-b07a-ac58fc914c95' }

server.on('request', (request, response) => {
  void serve(request).then(
    ({ statusCode = 200, headers = {}, multiValueHeaders = {}, cookies = [], body = '', isBase64Encoded }) => {
      response.writeHead(statusCode, {
        ...headers,
        ...multiValueHeaders,
        ...(cookies.length > 0 && { 'set-cookie': cookies }),
      })
      response.end(isBase64Encoded ? Buffer.from(body, 'base64') : body)
    },
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      response.writeHead(502).end()
    },
  )
})

/** API Gateway's response in payload format 2.0, as far as it is used. */
interface GatewayResponse {
  readonly statusCode?: number
  readonly headers?: Record<string, string>
  readonly multiValueHeaders?: Record<string, string[]>
  readonly cookies?: string[]
  readonly body?: string
  readonly isBase64Encoded?: boolean
}

async function serve(request: IncomingMessage): Promise<GatewayResponse> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const { pathname, searchParams } = new URL(request.url ?? '/', url)
  if (pathname === '/alexa')
    return {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(await lambda.alexa(JSON.parse(body.toString()), named)),
    }
  const { cookie, ...headers } = request.headers
  const event = {
    version: '2.0',
    routeKey: '$default',
    rawPath: pathname,
    rawQueryString: searchParams.toString(),
    ...(cookie !== undefined && { cookies: cookie.split('; ') }),
    headers,
    requestContext: { http: { method: request.method, path: pathname, sourceIp: host, protocol: 'HTTP/1.1' } },
    body: body.toString('base64'),
    isBase64Encoded: true,
  }
  return lambda.http(event, { ...named, getRemainingTimeInMillis: () => 29_000 })
}

/** What a test may say of what is to happen. */
interface Wanted {
  readonly eventId: string
  readonly remainingMs: number
  readonly eventsUrl: string
  readonly cameraKey: string
}

/** What a test can make happen; each answers with the presses that Alexa's gateway took so far. */
const controls: Record<string, (body: Wanted) => Promise<unknown>> = {
  // What Alexa learns of the account's cameras, as a customer who has just linked it.
  '/discover': async () => {
    const [{ clientId, clientSecret, redirectUris }] = clients
    const alexa = { clientId, clientSecret, redirectUri: redirectUris[0] }
    const options = { assistant: 'alexa', bridge: url, client: alexa, user: { login, password } } as const
    const { accessToken } = await linkAccount(options, AbortSignal.timeout(60_000))
    return { discovered: await lambda.alexa(discover(accessToken), named) }
  },
  // Over HTTPS, whose authority this process trusts.
  '/ring': async ({ eventsUrl, cameraKey: key, eventId }) => {
    const { status } = await fetch(eventsUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ kind: 'press', eventId, at: clock() }),
    })
    return { statusCode: status }
  },
  '/left-behind': async ({ eventId }) => {
    const frozen = createOutbox({
      store,
      deliver: { alexa: async () => ({ kind: 'retry', reason: 'not now' }) },
      clock,
      log,
    })
    await frozen.add(newsForAlexa(frontDoor, { kind: 'press', eventId, at: clock() }))
    await frozen.close()
  },
  '/press': async ({ eventId, remainingMs: left }) => {
    const at = clock()
    const { statusCode } = (await lambda.http(
      {
        version: '2.0',
        routeKey: '$default',
        rawPath: `/cameras/${door}/events`,
        rawQueryString: '',
        headers: { authorization: `Bearer ${cameraKey}`, 'content-type': 'application/json' },
        requestContext: {
          http: { method: 'POST', path: `/cameras/${door}/events`, sourceIp: host, protocol: 'HTTP/1.1' },
        },
        body: JSON.stringify({ kind: 'press', eventId, at }),
        isBase64Encoded: false,
      },
      { ...named, getRemainingTimeInMillis: () => left - (clock() - at) },
    )) as GatewayResponse
    return { statusCode, ms: clock() - at }
  },
  // A queue of the vendor's cloud: a press of this camera, and one of a camera that is none.
  '/queue': ({ eventId }) => {
    const record = (messageId: string, cameraId: string) => ({
      messageId,
      eventSource: 'aws:sqs',
      body: JSON.stringify({ cameraId, kind: 'press', eventId, at: clock() }),
    })
    const Records = [record('1', door), record('2', 'nobody')]
    return lambda.events({ Records }, { ...named, getRemainingTimeInMillis: () => 29_000 })
  },
  '/slow': async ({ remainingMs: ms }) => void (amazon.state.slowMs = ms),
  '/sweep': () => lambda.sweep({}, { ...named, getRemainingTimeInMillis: () => 10_000 }),
  '/reconcile': () => lambda.reconcile({}, { ...named, getRemainingTimeInMillis: () => 10_000 }),
}
const controlDoor = createPlainServer((request, response) => {
  void (async () => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const result = await controls[request.url ?? '']?.(JSON.parse(Buffer.concat(chunks).toString()))
    const announced = amazon.events.filter(({ event }) => event.header.name === 'DoorbellPress').length
    response.end(JSON.stringify({ announced, ...(result as object | undefined) }))
  })().catch((error: unknown) => response.writeHead(500).end(String(error)))
})
await new Promise<void>((resolve) => controlDoor.listen(0, host, resolve))
const control = `http://${host}:${(controlDoor.address() as AddressInfo).port}`
writeFileSync(join(dataDir, 'control.json'), JSON.stringify({ control, url, operatorKey, accountId }))

const camera = await startCamera({
  access: { region, endpoint: service.endpoint, ca: service.ca ?? '', credentials: cameraCredentials },
  channelName: 'front-door',
  source: 'synthetic',
  report: createReporter({ url: `${url}/cameras/${door}/events`, key: cameraKey, clock, log }),
  clock,
  log,
})

const byAssistant = clients.map(({ assistant, clientId, clientSecret, redirectUris }) => [
  assistant,
  { clientId, clientSecret, redirectUri: redirectUris[0] },
])
const settings = { bridge: url, user: { login, password }, clients: Object.fromEntries(byAssistant) }
writeFileSync(join(dataDir, 'simulator.json'), JSON.stringify(settings))
process.stdout.write('Transom is running on Lambda\n')

process.once('SIGINT', () => {
  void camera.close().finally(() => process.exit(0))
})
