/** Credentials by a device certificate: what is asked, what is made of the answer, and what a refusal says. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { fetchIotCredentials, type IotDevice } from '../../src/gateway/iot-credentials.ts'
import { createCertificate } from '../kvs/fake-kvs.ts'

const keys = {
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: 'secret',
  sessionToken: 'token',
  expiration: '2030-01-18T09:18:06Z',
}
let device: IotDevice
let answer: { readonly status: number; readonly body: string }
let asked: { readonly url: string | undefined; readonly thing: unknown; readonly hasCertificate: boolean } | undefined
const directory = mkdtempSync(join(tmpdir(), 'transom-iot-'))
const authority = await createCertificate()
const server = createServer(
  { ...authority, requestCert: true, rejectUnauthorized: false },
  (request: IncomingMessage, response) => {
    const { fingerprint256 } = (request.socket as TLSSocket).getPeerCertificate()
    asked = {
      url: request.url,
      thing: request.headers['x-amzn-iot-thingname'],
      hasCertificate: fingerprint256 !== undefined,
    }
    response.writeHead(answer.status).end(answer.body)
  },
)
const path = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const own = await createCertificate()
  device = {
    endpoint: `localhost:${(server.address() as AddressInfo).port}`,
    roleAlias: 'camera-gateway',
    thingName: 'garage',
    certificatePath: path('device.pem', own.cert),
    privateKeyPath: path('device.key', own.key),
    caPath: path('ca.pem', authority.cert),
  }
})
afterAll(() => {
  server.close()
  server.closeAllConnections()
  rmSync(directory, { recursive: true })
})
beforeEach(() => {
  asked = undefined
  answer = { status: 200, body: JSON.stringify({ credentials: keys }) }
})

test('are asked for by mutual TLS, in the name of the thing, and expire when AWS says so', async () => {
  expect(await fetchIotCredentials(device)).toEqual({ ...keys, expiration: new Date('2030-01-18T09:18:06Z') })
  expect(asked).toEqual({ url: '/role-aliases/camera-gateway/credentials', thing: 'garage', hasCertificate: true })
})

test.each([
  [403, '{"message":"Access Denied"}', 'answers 403: check the role alias'],
  [500, '', 'answers 500'],
  [200, 'no JSON', 'sends no credentials'],
  [200, '{"credentials":{"accessKeyId":"a"}}', 'sends no credentials'],
  [200, 'x'.repeat(70_000), 'the reply is too large'],
])('an answer %s %.30s is a fault of the credentials', async (status, body, message) => {
  answer = { status, body }
  await expect(fetchIotCredentials(device)).rejects.toMatchObject({
    name: 'CredentialsProviderError',
    message: expect.stringContaining(message),
  })
})

test('a server that somebody else signed is not told who asks', async () => {
  const { caPath: _none, ...trusting } = device
  await expect(fetchIotCredentials(trusting)).rejects.toThrow('cannot be reached')
  expect(asked).toBeUndefined()
})
