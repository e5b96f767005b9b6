/** The requests of the C SDK's camera, byte for byte as far as they matter, over a plain TLS socket and in its order. */
import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { WebSocket } from 'ws'
import { base64, region, run, type Key, type Running } from './running-service.ts'
import { until } from '../until.ts'

let running: Running
let key: Key
beforeAll(async () => {
  running = await run()
  key = await running.service.createCredentials({ kind: 'camera', channelName: 'ScaryTestChannel' })
})
afterAll(() => running.close())

const algorithm = 'AWS4-HMAC-SHA256'
const amzDate = (at: number) => new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '')
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** A signer of its own, so that the verifier is not tested against itself. */
function sign(canonical: string, date: string): { scope: string; signature: string } {
  const parts = [date.slice(0, 8), region, 'kinesisvideo', 'aws4_request']
  const scope = parts.join('/')
  let signing: string | Buffer = `AWS4${key.secretAccessKey}`
  for (const part of [...parts, [algorithm, date, scope, sha256(canonical)].join('\n')]) {
    signing = createHmac('sha256', signing).update(part).digest()
  }
  return { scope, signature: signing.toString('hex') }
}

async function open(): Promise<TLSSocket> {
  const { hostname, port } = new URL(running.service.endpoint)
  const socket = connect({ host: hostname, port: Number(port), ca: running.ca, ALPNProtocols: ['http/1.1'] })
  await once(socket, 'secureConnect')
  return socket
}

/** Sends a call as section 6.2 describes it and returns what the first read of the answer holds. */
async function post(path: string, body: string, at = Date.now()) {
  const { host } = new URL(running.service.endpoint)
  const agent = 'AWS-WEBRTC-KVS-AGENT/1.14.0/1.14.0 GCC/12.2.0 Linux/6.1 x86_64'
  const date = amzDate(at)
  const signedHeaders = 'host;user-agent;x-amz-date'
  const { scope, signature } = sign(
    ['POST', path, '', `host:${host}\nuser-agent:${agent}\nx-amz-date:${date}\n`, signedHeaders, sha256(body)].join(
      '\n',
    ),
    date,
  )
  const socket = await open()
  expect(socket.alpnProtocol).toBe('http/1.1')
  socket.write(
    [
      `POST ${path} HTTP/1.1`,
      'Pragma: no-cache',
      'Cache-Control: no-cache',
      `host: ${host}`,
      `Authorization: ${algorithm} Credential=${key.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
      `content-length: ${body.length}`,
      'content-type: application/json',
      `user-agent: ${agent}`,
      `x-amz-date: ${date}`,
      'x-amz-security-token: of-no-use-here',
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
  const [first] = await once(socket, 'data', { signal: AbortSignal.timeout(60_000) })
  await once(socket, 'end', { signal: AbortSignal.timeout(60_000) })
  const [head = '', json = ''] = String(first).split('\r\n\r\n')
  expect(head).toContain(`Content-Length: ${Buffer.byteLength(json)}`)
  expect(head).toMatch(/\r\nx-amzn-RequestId: [0-9a-f-]{36}\r\n/)
  expect(head).toMatch(/\r\nDate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r\n/)
  return { status: Number(head.split(' ')[1]), head, answer: JSON.parse(json) }
}

function channelUrl(wss: string, arn: string): string {
  const { host } = new URL(wss)
  const date = amzDate(Date.now())
  const scope = [date.slice(0, 8), region, 'kinesisvideo', 'aws4_request'].join('/')
  const query = Object.entries({
    'X-Amz-Algorithm': algorithm,
    'X-Amz-ChannelARN': arn,
    'X-Amz-Credential': `${key.accessKeyId}/${scope}`,
    'X-Amz-Date': date,
    'X-Amz-Expires': '604800',
    'X-Amz-SignedHeaders': 'host',
  })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
  const { signature } = sign(['GET', '/', query, `host:${host}\n`, 'host', sha256('')].join('\n'), date)
  return `${wss}/?${query}&X-Amz-Signature=${signature}`
}

test('a camera starts: describe, create, describe, endpoints, ICE servers, WebSocket, and answers an offer', async () => {
  const describe = '{\n\t"ChannelName": "ScaryTestChannel"\n}'
  const unknown = await post('/describeSignalingChannel', describe)
  expect(unknown.status).toBe(404)
  expect(unknown.head).toContain('\r\nx-amzn-errortype: ResourceNotFoundException\r\n')

  const created = await post(
    '/createSignalingChannel',
    '{\n\t"ChannelName": "ScaryTestChannel",\n\t"ChannelType": "SINGLE_MASTER"\n\t,\n\t"SingleMasterConfiguration": {\n\t\t"MessageTtlSeconds": 60\n\t}\n}',
  )
  expect(created).toMatchObject({ status: 200, answer: { ChannelARN: expect.any(String) } })
  const arn: string = created.answer.ChannelARN
  const described = await post('/describeSignalingChannel', describe)
  expect(described.answer.ChannelInfo).toMatchObject({ ChannelARN: arn, ChannelStatus: 'ACTIVE', Version: '1' })

  const endpoints = await post(
    '/getSignalingChannelEndpoint',
    `{\n\t"ChannelARN": "${arn}",\n\t"SingleMasterChannelEndpointConfiguration": {\n\t\t"Protocols": ["WSS", "HTTPS"],\n\t\t"Role": "MASTER"\n\t}\n}`,
  )
  const wss: string = endpoints.answer.ResourceEndpointList[0].ResourceEndpoint
  const ice = await post(
    '/v1/get-ice-server-config',
    `{\n\t"ChannelARN": "${arn}",\n\t"ClientId": "ProducerMaster",\n\t"Service": "TURN"\n}`,
  )
  expect(ice.answer.IceServerList[0].Uris).toHaveLength(1)

  const socket = new WebSocket(channelUrl(wss, arn), 'wss', { ca: running.ca })
  const got: string[] = []
  socket.on('message', (data: Buffer) => got.push(data.toString('utf8')))
  await once(socket, 'open')
  expect(socket.protocol).toBe('wss')
  const viewer = await running.connect(running.key, { 'X-Amz-ChannelARN': arn, 'X-Amz-ClientId': 'echo' })
  viewer.send({ action: 'SDP_OFFER', messagePayload: base64('offer') })
  await until(() => got.length === 1)
  expect(JSON.parse(got[0] ?? '')).toMatchObject({ messageType: 'SDP_OFFER', senderClientId: 'echo' })
  socket.send(
    `{\n\t"action": "SDP_ANSWER",\n\t"RecipientClientId": "echo",\n\t"MessagePayload": "${base64('answer')}",\n\t"CorrelationId": "17"\n}`,
  )
  expect(await viewer.next()).toEqual({ messageType: 'SDP_ANSWER', messagePayload: base64('answer') })
  socket.terminate()
})

test.each([
  ['behind', -301_000, 'Signature expired'],
  ['ahead', 305_000, 'Signature not yet current'],
])('a camera whose clock is %s is told so with 403', async (_case, offMs, text) => {
  const refused = await post('/describeSignalingChannel', '{"ChannelName":"ScaryTestChannel"}', Date.now() + offMs)
  expect(refused).toMatchObject({ status: 403, answer: { Message: expect.stringContaining(text) } })
})

test('a handshake by hand gets its 101 and the subprotocol', async () => {
  const arn = await running.service.ensureChannel('ScaryTestChannel')
  const url = new URL(channelUrl(running.service.endpoint.replace('https', 'wss'), arn))
  const socket = await open()
  socket.write(
    [
      `GET ${url.pathname}${url.search} HTTP/1.1`,
      `Host: ${url.host}`,
      'Pragma: no-cache',
      'Cache-Control: no-cache',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol: wss',
      'Sec-WebSocket-Version: 13',
      '\r\n',
    ].join('\r\n'),
  )
  const [first] = await once(socket, 'data', { signal: AbortSignal.timeout(60_000) })
  expect(String(first)).toMatch(/^HTTP\/1\.1 101 /)
  expect(String(first)).toContain('Sec-WebSocket-Protocol: wss')
  socket.destroy()
})
