/**
 * A vendor's fleet: the packaged Lambda functions in environments of their own, each frozen (SIGSTOP) between two requests;
 * DynamoDB and KVS that count what they are asked; Amazon's and Google's clouds.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { build } from 'esbuild'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { createGrantRecords } from '../../src/bridge/alexa/grant-records.ts'
import { createAlexaGrants } from '../../src/bridge/alexa/grants.ts'
import { bundleOf, type functions } from '../../src/bridge/aws/bundles.ts'
import { createCameras } from '../../src/bridge/cameras/cameras.ts'
import { createGoogleLinks } from '../../src/bridge/google/links.ts'
import { withKeyId } from '../../src/bridge/oauth/provider/keyring.ts'
import { createDynamoStore } from '../../src/bridge/store/dynamo.ts'
import { dynamoTable } from '../../src/bridge/store/dynamo-table.ts'
import { cameraId, type AccountId, type Camera } from '../../src/core/ports.ts'
import { client as lwaClient, startAmazon } from '../alexa/amazon.ts'
import { cSdkAnswer, hostCandidate } from '../broker/fixtures.ts'
import { startFakeGoogle } from '../google/fake-google.ts'
import { frameOf, keys as awsKeys, startFakeKvs } from '../kvs/fake-kvs.ts'
import { startCountedDynamo } from './counted-dynamo.ts'

export type FunctionName = (typeof functions)[number]
export type Fleet = Awaited<ReturnType<typeof createFleet>>

/** API Gateway's reply, as far as the tests read it. */
export interface Reply {
  readonly statusCode?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly cookies?: readonly string[]
  readonly body?: string
  readonly isBase64Encoded?: boolean
  readonly error?: string
}

const region = 'eu-west-1'
export const publicUrl = 'https://bridge.example'
const tableName = 'transom-test'
export const clients = [
  {
    clientId: 'alexa',
    clientSecret: 'x'.repeat(24),
    assistant: 'alexa',
    redirectUris: ['https://pitangui.amazon.com/api/skill/link/T'],
  },
  {
    clientId: 'google',
    clientSecret: 'x'.repeat(24),
    assistant: 'google',
    redirectUris: ['https://oauth-redirect.googleusercontent.com/r/t'],
  },
] as const

export async function createFleet(names: readonly FunctionName[]) {
  const directory = mkdtempSync(join(tmpdir(), 'transom-fleet-'))
  const [dynamo, kvs, amazon, google] = await Promise.all([
    startCountedDynamo(),
    startFakeKvs(),
    startAmazon(),
    startFakeGoogle(Date.now),
  ])
  for (const name of names) await build({ ...bundleOf(name), outdir: join(directory, name), logLevel: 'silent' })
  writeFileSync(join(directory, 'ca.pem'), kvs.access.ca)
  kvs.script.frame = (socket, { clientId }) => {
    socket.send(frameOf('SDP_ANSWER', { type: 'answer', sdp: cSdkAnswer }))
    for (const candidate of [hostCandidate, ''])
      socket.send(frameOf('ICE_CANDIDATE', { candidate, sdpMid: '0' }, { senderClientId: clientId }))
  }

  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), kty: 'EC' } as const
  const sealing = randomBytes(32).toString('base64')
  const env = {
    PATH: process.env['PATH'],
    NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem'),
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: awsKeys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: awsKeys.secretAccessKey,
    AWS_SESSION_TOKEN: awsKeys.sessionToken,
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    AWS_ENDPOINT_URL_KINESIS_VIDEO: kvs.access.endpoint,
    TRANSOM_TABLE: tableName,
    TRANSOM_PUBLIC_URL: publicUrl,
    TRANSOM_KEYS: JSON.stringify({ signing: [{ ...jwk, alg: 'ES256' }], cookies: ['c'.repeat(32)], sealing }),
    TRANSOM_CLIENTS: JSON.stringify(clients),
    TRANSOM_LWA_CLIENT_ID: lwaClient.clientId,
    TRANSOM_LWA_CLIENT_SECRET: lwaClient.clientSecret,
    TRANSOM_LWA_TOKEN_URL: amazon.tokenUrl,
    TRANSOM_ALEXA_EVENTS_URL: amazon.gatewayUrls.NA,
    TRANSOM_GOOGLE_SERVICE_ACCOUNT: JSON.stringify(google.keyFile),
    TRANSOM_HOME_GRAPH_URL: google.url,
  }

  const database = new DynamoDBClient({
    region,
    endpoint: dynamo.endpoint,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  })
  await database.send(new CreateTableCommand(dynamoTable(tableName)))
  const base = { clock: Date.now, log: () => {} }
  const client = DynamoDBDocumentClient.from(database)
  const store = createDynamoStore({ client, tableName, clock: Date.now })
  const cameras = createCameras(store, undefined, createSecretKey(sealing, 'base64'))
  const grants = createAlexaGrants({
    ...base,
    store,
    key: createSecretKey(sealing, 'base64'),
    lwa: { ...lwaClient, tokenUrl: amazon.tokenUrl },
  })
  const running: Environment[] = []

  return {
    dynamo,
    kvs,
    amazon,
    google,
    store,
    /** A new execution environment of a function, frozen until it is called. `more`: settings beside those of the fleet. */
    environment(name: FunctionName, more: Readonly<Record<string, string>> = {}): Environment {
      const made = startEnvironment(join(directory, name, 'index.mjs'), name, { ...env, ...more })
      running.push(made)
      return made
    },
    /** Adds a doorbell; its key is its id. All of them are on the one channel that there is. */
    async addCamera(owner: AccountId, id: string, more: Partial<Camera> = {}): Promise<Camera> {
      const camera: Camera = {
        id: cameraId(id),
        accountId: owner,
        name: id,
        kind: 'doorbell',
        channel: { channelName: 'door', road: 'viewer' },
        manufacturer: 'Vendor',
        model: 'VB-2',
        hasSpeaker: true,
        ...more,
      }
      await cameras.put(camera, id)
      const known = google.devices.get(owner) ?? []
      google.devices.set(owner, [...known, { id }])
      return camera
    },
    /** The customer has enabled the skill, and linked with Google, or one of the two. */
    async link(owner: AccountId, assistants: readonly ('alexa' | 'google')[] = ['alexa', 'google']): Promise<void> {
      if (assistants.includes('alexa')) {
        amazon.state.codes.add(`code-${owner}`)
        const accepted = { accountId: owner, linkId: undefined, code: `code-${owner}`, region: 'NA' } as const
        await grants.accept(accepted, AbortSignal.timeout(60_000))
      }
      if (assistants.includes('google')) await createGoogleLinks({ store, clock: Date.now }).open(owner)
    },
    /** Amazon's access token for the account is over; the refresh token is good. */
    async expire(owner: AccountId): Promise<void> {
      const records = createGrantRecords({ ...base, store, key: createSecretKey(sealing, 'base64') })
      await records.change(owner, (grant) => ({ ...grant, expiresAt: 0 }))
    },
    /** A token of a link that is made with it, as our own server issues them. */
    async token(owner: AccountId, clientId: 'alexa' | 'google'): Promise<string> {
      const [iat, grantId] = [Math.floor(Date.now() / 1000), randomUUID()]
      const grant = { accountId: owner, clientId, iat, exp: iat + 100 * 365 * 24 * 3600 }
      await store.collection('oauth-Grant').put(grantId, grant, { group: owner })
      return new SignJWT({ client_id: clientId, scope: 'camera', grant_id: grantId })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: withKeyId(jwk).kid })
        .setIssuer(`${publicUrl}/oauth`)
        .setAudience(publicUrl)
        .setSubject(owner)
        .setIssuedAt(iat)
        .setExpirationTime('1h')
        .sign(privateKey)
    },
    async close() {
      await Promise.all(running.map(async (one) => one.end()))
      client.destroy()
      await Promise.all([dynamo.close(), kvs.close(), amazon[Symbol.asyncDispose](), google.close()])
      rmSync(directory, { recursive: true })
    },
  }
}

export interface Environment {
  /** Thaws it for this event, and freezes it with its reply. */
  invoke(event: unknown, remainingMs?: number): Promise<Reply>
  /** What it wrote, line by line. */
  readonly lines: readonly string[]
  end(): Promise<void>
}

function startEnvironment(file: string, name: string, env: NodeJS.ProcessEnv): Environment {
  const script = join(import.meta.dirname, 'environment.ts')
  const child: ChildProcess = spawn(process.execPath, [script, file, name], {
    env,
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  })
  const lines: string[] = []
  for (const input of [child.stdout!, child.stderr!])
    createInterface({ input }).on('line', (line) => void (line !== '' && lines.push(line)))
  child.kill('SIGSTOP')
  return {
    lines,
    async invoke(event, remainingMs = 29_000) {
      const replied = new Promise<Reply>((resolve, reject) => {
        child.once('message', (message: { readonly reply: Reply }) => resolve(message.reply))
        child.once('exit', () => reject(new Error(`the environment ended: ${lines.slice(-5).join('\n')}`)))
      })
      child.kill('SIGCONT')
      child.stdin?.write(`${JSON.stringify({ event, remainingMs })}\n`)
      const reply = await replied
      child.kill('SIGSTOP')
      child.removeAllListeners('exit')
      return reply
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** What API Gateway makes of a request (payload format 2.0). */
export function httpEvent(method: 'GET' | 'POST', path: string, token: string, body: object): object {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', host: 'bridge.example' },
    requestContext: { http: { method, path, sourceIp: '198.51.100.7', protocol: 'HTTP/1.1' } },
    body: JSON.stringify(body),
    isBase64Encoded: false,
  }
}

/** A camera's report; its key is its id. */
export const report = (camera: string, news: object): object =>
  httpEvent('POST', `/cameras/${camera}/events`, camera, news)

/** Someone rings. */
export const press = (camera: string, eventId: string = randomUUID()): object =>
  report(camera, { kind: 'press', eventId, at: Date.now() })
