/** A signaling service on loopback for one test file, with the clients that tests play, all freed at the end. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Sha256 } from '@aws-crypto/sha256-js'
import { KinesisVideoClient } from '@aws-sdk/client-kinesis-video'
import { KinesisVideoSignalingClient } from '@aws-sdk/client-kinesis-video-signaling'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { SignatureV4 } from '@smithy/signature-v4'
import { WebSocket } from 'ws'
import type { Log, Store } from '../../src/core/ports.ts'
import type { SignalingLimits } from '../../src/signaling/limits.ts'
import {
  startSignalingService,
  type SignalingService,
  type SignalingServiceOptions,
} from '../../src/signaling/service.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { until } from '../until.ts'

export interface Key {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface Running {
  readonly service: SignalingService
  readonly store: Store
  readonly directory: string
  readonly ca: string
  /** A key of an application. */
  readonly key: Key
  readonly logged: readonly { level: string; event: string; fields: Readonly<Record<string, unknown>> }[]
  control(key?: Key): KinesisVideoClient
  signaling(key?: Key): KinesisVideoSignalingClient
  /** The URL of a WebSocket, signed like the JavaScript SDK does. */
  presign(key: Key, query: Record<string, string>, options?: Presigning): Promise<string>
  connect(key: Key, query: Record<string, string>, options?: Presigning): Promise<Client>
  close(): Promise<void>
}

interface Presigning {
  readonly at?: number
  readonly expiresIn?: number
  readonly path?: string
}

/** A WebSocket client that remembers what it got. */
export interface Client {
  readonly socket: WebSocket
  send(message: object): void
  /** The next message that nobody has read yet. */
  next(): Promise<Record<string, unknown>>
  readonly unread: readonly string[]
  readonly closed: Promise<{ code: number; reason: string }>
}

export const region = 'eu-west-1'
/** For tests that do much at once. */
export const noRates: SignalingLimits['rates'] = (() => {
  const any = { perSecond: 1e9, burst: 1e9 }
  return {
    accountWrite: any,
    accountRead: any,
    channelCall: any,
    channelConnect: any,
    keyCall: any,
    wrongKey: any,
    socketDescription: any,
    socketCandidate: any,
  }
})()
/** As a payload: the service must not care what it is. */
export const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')

export async function run(options: Partial<SignalingServiceOptions> = {}): Promise<Running> {
  const directory = options.certificateDir ?? (await mkdtemp(join(tmpdir(), 'signaling-')))
  const clock = options.clock ?? Date.now
  const store = options.store ?? createSqliteStore(':memory:', clock)
  const logged: { level: string; event: string; fields: Readonly<Record<string, unknown>> }[] = []
  const log: Log = (level, event, fields) => logged.push({ level, event, fields: fields ?? {} })
  const discard = async () => {
    if (!options.store) await store.close()
    if (!options.certificateDir) await rm(directory, { recursive: true, force: true })
  }
  const service = await startSignalingService({
    host: '127.0.0.1',
    port: 0,
    region,
    iceServers: [],
    log,
    ...options,
    certificateDir: directory,
    store,
    clock,
  }).catch(async (error: unknown) => {
    await discard()
    throw error
  })
  const key = await service.createCredentials({ kind: 'application' })
  const owned: { destroy(): void }[] = []
  const sockets: WebSocket[] = []

  const sdk = (credentials: Key) => {
    const requestHandler = new NodeHttpHandler({ httpsAgent: { ca: service.ca } })
    owned.push(requestHandler)
    return { region, endpoint: service.endpoint, credentials, requestHandler }
  }
  const presign: Running['presign'] = async (
    credentials,
    query,
    { at = clock(), expiresIn = 299, path = '/' } = {},
  ) => {
    const url = new URL(service.endpoint)
    const signer = new SignatureV4({ service: 'kinesisvideo', region, credentials, sha256: Sha256 })
    const signed = await signer.presign(
      { method: 'GET', protocol: 'wss:', hostname: url.hostname, path, headers: { host: url.host }, query },
      { expiresIn, signingDate: new Date(at) },
    )
    const pairs = Object.entries(signed.query ?? {}).map(
      ([name, value]) => `${name}=${encodeURIComponent(String(value))}`,
    )
    return `wss://${url.host}${path}?${pairs.join('&')}`
  }
  return {
    service,
    store,
    directory,
    ca: service.ca ?? '',
    key,
    logged,
    presign,
    control: (credentials = key) => new KinesisVideoClient(sdk(credentials)),
    signaling: (credentials = key) => new KinesisVideoSignalingClient({ ...sdk(credentials), maxAttempts: 1 }),
    async connect(credentials, query, options) {
      const socket = new WebSocket(await presign(credentials, query, options), { ca: service.ca })
      sockets.push(socket)
      const client = clientOf(socket)
      await once(socket, 'open')
      return client
    },
    async close() {
      for (const socket of sockets) socket.terminate()
      for (const handler of owned) handler.destroy()
      await service.close()
      await discard()
    },
  }
}

/** Status, error type and body of an upgrade that was refused. */
export async function refusal(url: string, ca: string): Promise<{ status: number; type: string; message: string }> {
  const socket = new WebSocket(url, { ca })
  try {
    const [, response] = await once(socket, 'unexpected-response', { signal: AbortSignal.timeout(60_000) })
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    return { status: response.statusCode, type: response.headers['x-amzn-errortype'], message: body.Message }
  } finally {
    socket.on('error', () => {})
    socket.terminate()
  }
}

function clientOf(socket: WebSocket): Client {
  const unread: string[] = []
  socket.on('message', (data: Buffer) => unread.push(data.toString('utf8')))
  socket.on('error', () => {})
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') }))
  })
  return {
    socket,
    unread,
    closed,
    send: (message) => socket.send(JSON.stringify(message)),
    async next() {
      await until(() => unread.length > 0)
      return JSON.parse(unread.shift() ?? '')
    },
  }
}
