/** A small, strict KVS for tests: verifies every signature by its own computation, records what it was sent, misbehaves on demand. */
import { createHash, createHmac, webcrypto } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import type { KvsAccess } from '../../src/kvs/access.ts'

export interface Refusal {
  readonly status: number
  readonly type: string
  readonly text?: string
}

/** JSON for a REST call, or a refusal, or nothing ever. */
type Reply = { readonly json: object } | Refusal | 'hang'

/** What the fake does; tests replace the parts they need. */
export interface Script {
  /** A call gets this instead of its regular reply; `hang` leaves it without one. */
  rest(path: string, body: Record<string, unknown>): Reply | undefined
  upgrade(query: URLSearchParams): Refusal | 'hang' | undefined
  /** A frame arrived on a channel's socket. */
  frame(socket: WebSocket, frame: Frame): void
}

export interface Frame {
  readonly action: string
  readonly payload: unknown
  readonly correlationId?: string
  readonly recipientClientId?: string
  readonly clientId: string | null
}

export interface FakeKvs {
  readonly access: KvsAccess & { readonly endpoint: string; readonly ca: string }
  readonly script: Script
  /** The names of those that exist; at first `door` alone. */
  readonly channels: Set<string>
  /** Paths of the REST calls, and `upgrade` for each WebSocket asked for, in order. */
  readonly log: string[]
  readonly frames: Frame[]
  readonly upgrades: URLSearchParams[]
  readonly sockets: ReadonlySet<WebSocket>
  /** Gives the channel a new ARN, as deleting and creating it would. */
  recreate(): void
  connections(): Promise<number>
  close(): Promise<void>
}

const region = 'eu-west-1'
export const keys = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG',
  sessionToken: 'a+token/with=signs==',
}

/** base64 of JSON, as on the wire. */
export const payloadOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')
/** A frame of the service. */
export const frameOf = (messageType: string, value: unknown, more: object = {}) =>
  JSON.stringify({ messageType, messagePayload: payloadOf(value), ...more })

export async function startFakeKvs(): Promise<FakeKvs> {
  const { cert, key } = await createCertificate()
  const server = createServer({ cert, key })
  const webSockets = new WebSocketServer({ noServer: true })
  const log: string[] = []
  const frames: Frame[] = []
  const upgrades: URLSearchParams[] = []
  let creation = 1
  const channels = new Set(['door'])
  const isOfChannel = (arn: unknown): boolean => [...channels].some((name) => arnOf(name, creation) === arn)
  const script: Script = { rest: () => undefined, upgrade: () => undefined, frame: () => {} }

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const path = request.url ?? ''
      log.push(path)
      const body = JSON.parse(text) as Record<string, unknown>
      const reply = verifyHeaders(request, text) ?? script.rest(path, body) ?? regular(path, body)
      if (reply === 'hang') return
      const refused = 'status' in reply
      const content = JSON.stringify(refused ? { Message: reply.text ?? 'refused' } : reply.json)
      response.writeHead(refused ? reply.status : 200, {
        'content-type': 'application/json',
        'content-length': content.length,
        ...(refused ? { 'x-amzn-errortype': reply.type } : {}),
      })
      response.end(content)
    })
  })

  function regular(path: string, body: Record<string, unknown>): Reply {
    const { port } = server.address() as AddressInfo
    switch (path) {
      case '/describeSignalingChannel': {
        const name = String(body.ChannelName)
        if (!channels.has(name)) return { status: 404, type: 'ResourceNotFoundException' }
        const info = { ChannelName: name, ChannelARN: arnOf(name, creation), CreationTime: 1795345896.263 }
        return { json: { ChannelInfo: info } }
      }
      case '/getSignalingChannelEndpoint':
        if (!isOfChannel(body.ChannelARN)) return { status: 404, type: 'ResourceNotFoundException' }
        return {
          json: {
            ResourceEndpointList: [
              { Protocol: 'WSS', ResourceEndpoint: `wss://localhost:${port}/viewer` },
              { Protocol: 'HTTPS', ResourceEndpoint: `https://localhost:${port}` },
            ],
          },
        }
      case '/v1/get-ice-server-config':
        if (!isOfChannel(body.ChannelARN)) return { status: 404, type: 'ResourceNotFoundException' }
        return {
          json: {
            IceServerList: [
              { Uris: ['turn:192.0.2.1:443?transport=udp'], Username: '1795:u=', Password: 'p', Ttl: 300 },
              { Uris: ['turns:192.0.2.2:443?transport=tcp'], Username: '1796:u=', Password: 'q', Ttl: 300 },
            ],
          },
        }
      default:
        return { status: 400, type: 'UnknownOperationException' }
    }
  }

  server.on('upgrade', (request: IncomingMessage, socket, head: Buffer) => {
    const query = new URL(request.url ?? '', 'https://fake').searchParams
    log.push('upgrade')
    upgrades.push(query)
    const verdict =
      verifyQuery(request) ??
      (isOfChannel(query.get('X-Amz-ChannelARN')) ? undefined : { status: 404, type: 'ResourceNotFoundException' }) ??
      script.upgrade(query)
    if (verdict === 'hang') return
    if (verdict) {
      const content = JSON.stringify({ Message: verdict.text ?? 'refused' })
      socket.end(
        `HTTP/1.1 ${verdict.status} No\r\nx-amzn-errortype: ${verdict.type}:\r\ncontent-length: ${content.length}\r\n\r\n${content}`,
      )
      return
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => {})
      webSocket.on('message', (data: Buffer) => {
        const { action, messagePayload, ...ids } = JSON.parse(data.toString()) as Record<string, string>
        const payload: unknown = JSON.parse(Buffer.from(messagePayload ?? '', 'base64').toString())
        const frame = { action: action ?? '', payload, ...ids, clientId: query.get('X-Amz-ClientId') }
        frames.push(frame)
        script.frame(webSocket, frame)
      })
    })
  })

  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const { port } = server.address() as AddressInfo
  return {
    access: { region, credentials: keys, endpoint: `https://localhost:${port}`, ca: cert },
    script,
    channels,
    log,
    frames,
    upgrades,
    sockets: webSockets.clients,
    recreate: () => {
      creation = 2
    },
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    close: () =>
      new Promise((resolve) => {
        for (const socket of webSockets.clients) socket.terminate()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const arnOf = (name: string, creation: number) =>
  `arn:aws:kinesisvideo:${region}:123456789012:channel/${name}/179534589626${creation}`

/** A certificate for `localhost`, or for this address, that is its own authority. */
export async function createCertificate(address?: string): Promise<{ cert: string; key: string }> {
  // The package needs this one to be there before it is loaded.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const pair = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost',
    signingAlgorithm: algorithm,
    keys: pair,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.SubjectAlternativeNameExtension([
        address === undefined ? { type: 'dns', value: 'localhost' } : { type: 'ip', value: address },
      ]),
    ],
  })
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', pair.privateKey), 'PRIVATE KEY')
  return { cert: made.toString('pem'), key }
}

// ── SigV4, from the AWS general reference, "Create a signed AWS API request" ─────────────────────────────────────────

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
const rfc3986 = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
const forged: Refusal = { status: 403, type: 'AccessDeniedException', text: 'the signature does not match' }

function signature(
  request: IncomingMessage,
  signed: readonly string[],
  query: URLSearchParams,
  hash: string,
  date: string,
) {
  const canonicalQuery = [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${rfc3986(name)}=${rfc3986(value)}`)
    .sort()
    .join('&')
  const headers = signed.map((name) => `${name}:${String(request.headers[name]).trim()}\n`).join('')
  const path = new URL(request.url ?? '', 'https://fake').pathname
  const canonical = [request.method, path, canonicalQuery, headers, signed.join(';'), hash].join('\n')
  const scope = `${date.slice(0, 8)}/${region}/kinesisvideo/aws4_request`
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')
  const key = [region, 'kinesisvideo', 'aws4_request'].reduce(
    hmac,
    hmac(`AWS4${keys.secretAccessKey}`, date.slice(0, 8)),
  )
  return hmac(key, text).toString('hex')
}

function verifyHeaders(request: IncomingMessage, body: string): Refusal | undefined {
  const { authorization = '', 'x-amz-date': date = '', 'x-amz-security-token': token } = request.headers
  const signed = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? []
  const given = /Signature=([0-9a-f]{64})$/.exec(authorization)?.[1]
  const right = signature(request, signed, new URLSearchParams(), sha256(body), String(date))
  return given === right && token === keys.sessionToken ? undefined : forged
}

function verifyQuery(request: IncomingMessage): Refusal | undefined {
  const query = new URL(request.url ?? '', 'https://fake').searchParams
  const date = query.get('X-Amz-Date') ?? ''
  const right = signature(request, ['host'], query, sha256(''), date)
  const isRight =
    query.get('X-Amz-Signature') === right &&
    query.get('X-Amz-SignedHeaders') === 'host' &&
    query.get('X-Amz-Expires') === '299' &&
    query.get('X-Amz-Security-Token') === keys.sessionToken &&
    query.get('X-Amz-Credential') === `${keys.accessKeyId}/${date.slice(0, 8)}/${region}/kinesisvideo/aws4_request`
  return isRight ? undefined : forged
}
