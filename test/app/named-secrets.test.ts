/** Settings that name a secret: read once from where AWS keeps them, or refused with the setting's name. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { withSecrets } from '../../src/bridge/aws/named-settings.ts'

/** Parameter Store and Secrets Manager on loopback; what they were asked. */
const asked: { target: unknown; scope: string; body: unknown }[] = []
let server: Server
let env: Record<string, string> = {}
const before = { id: process.env['AWS_ACCESS_KEY_ID'], key: process.env['AWS_SECRET_ACCESS_KEY'] }

function answerTo(body: { readonly Name?: string; readonly SecretId?: string; readonly WithDecryption?: boolean }) {
  if (body.Name === '/prod/keys' && body.WithDecryption === true) return { Parameter: { Value: 'the keys' } }
  if (body.SecretId === 'prod/lwa') return { SecretString: 'the secret' }
  if (body.SecretId === 'prod/binary') return { SecretBinary: 'AA==' }
  return undefined
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString())
      const [, scope = ''] =
        /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/(\S+),/.exec(request.headers.authorization ?? '') ?? []
      asked.push({ target: request.headers['x-amz-target'], scope, body })
      if (body.Name === '/silent') return
      const answer = answerTo(body)
      response.writeHead(answer === undefined ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(JSON.stringify(answer ?? { __type: 'com.amazonaws#ParameterNotFound', message: 'secret words' }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  env = { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL_SSM: url, AWS_ENDPOINT_URL_SECRETS_MANAGER: url }
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret' })
})
afterAll(async () => {
  if (before.id === undefined) delete process.env['AWS_ACCESS_KEY_ID']
  if (before.key === undefined) delete process.env['AWS_SECRET_ACCESS_KEY']
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(() => void (asked.length = 0))

test('each is read once, signed, and put in its place; others stay as they are', async () => {
  const given = {
    ...env,
    TRANSOM_KEYS: 'ssm:/prod/keys',
    TRANSOM_OPERATOR_KEY: 'ssm:/prod/keys',
    TRANSOM_LWA_CLIENT_SECRET: 'secretsmanager:prod/lwa',
    TRANSOM_NAME: 'Vendor',
    OTHER: 'ssm:/not/ours',
  }
  expect(await withSecrets(given)).toEqual({
    ...given,
    TRANSOM_KEYS: 'the keys',
    TRANSOM_OPERATOR_KEY: 'the keys',
    TRANSOM_LWA_CLIENT_SECRET: 'the secret',
  })
  expect(asked).toHaveLength(2)
  expect(asked).toContainEqual({
    target: 'AmazonSSM.GetParameter',
    scope: 'eu-west-1/ssm/aws4_request',
    body: { Name: '/prod/keys', WithDecryption: true },
  })
  expect(asked).toContainEqual({
    target: 'secretsmanager.GetSecretValue',
    scope: 'eu-west-1/secretsmanager/aws4_request',
    body: { SecretId: 'prod/lwa' },
  })
})

test('an environment without names is not asked about', async () => {
  expect(await withSecrets({ ...env, TRANSOM_NAME: 'Vendor' })).toEqual({ ...env, TRANSOM_NAME: 'Vendor' })
  expect(asked).toEqual([])
})

test('each that cannot be read is named with the reason, and no secret is', async () => {
  const reading = withSecrets({
    ...env,
    TRANSOM_KEYS: 'ssm:/prod/keys',
    TRANSOM_OPERATOR_KEY: 'ssm:/missing',
    TRANSOM_LWA_CLIENT_SECRET: 'secretsmanager:prod/binary',
  })
  await expect(reading).rejects.toThrow(
    /^TRANSOM_OPERATOR_KEY: cannot read ssm:\/missing: the answer is 400 ParameterNotFound\nTRANSOM_LWA_CLIENT_SECRET: cannot read secretsmanager:prod\/binary: the answer has no text$/,
  )
  await expect(reading).rejects.not.toThrow(/the keys|secret words/)
})

test('one that is not answered is given up at the deadline', async () => {
  await expect(withSecrets({ ...env, TRANSOM_KEYS: 'ssm:/silent' }, 200)).rejects.toThrow(
    'TRANSOM_KEYS: cannot read ssm:/silent',
  )
})
