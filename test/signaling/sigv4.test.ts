/** The verifier against the AWS SDK's signer, and against requests that were changed after it. */
import { createHash, createHmac } from 'node:crypto'
import { Sha256 } from '@aws-crypto/sha256-js'
import { describe, expect, test } from '@jest/globals'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import { verifySigV4, type SignedRequest } from '../../src/signaling/sigv4.ts'

const now = Date.parse('2026-11-22T12:00:00Z')
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const find = async (id: string) =>
  id === credentials.accessKeyId ? { id, secret: credentials.secretAccessKey } : undefined
const signer = (region = 'eu-west-1') =>
  new SignatureV4({ service: 'kinesisvideo', region, credentials, sha256: Sha256 })

async function signed(body = '{"a":1}', headers: Record<string, string> = {}, at = now): Promise<SignedRequest> {
  const request = await signer().sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: 'kvs.example',
      path: '/describeSignalingChannel',
      headers: { host: 'kvs.example:8443', 'content-type': 'application/json', ...headers },
      body,
    },
    { signingDate: new Date(at) },
  )
  return {
    method: 'POST',
    target: '/describeSignalingChannel',
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), [value]])),
    body: Buffer.from(body),
  }
}

async function presigned(query: Record<string, string>, region?: string, expiresIn = 299): Promise<SignedRequest> {
  const headers = { host: 'kvs.example' }
  const request = await signer(region).presign(
    { method: 'GET', protocol: 'wss:', hostname: 'kvs.example', path: '/', headers, query },
    { expiresIn, signingDate: new Date(now) },
  )
  const pairs = Object.entries(request.query ?? {}).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`,
  )
  return { method: 'GET', target: `/?${pairs.join('&')}`, headers: { host: ['kvs.example'] }, body: Buffer.alloc(0) }
}

const verify = async (request: SignedRequest, at = now) => (await verifySigV4(request, find, at)).credential

const sha256 = (data: string) => createHash('sha256').update(data).digest('hex')
const invalid = { type: 'InvalidSignatureException', status: 403 }
const incomplete = { type: 'IncompleteSignatureException', status: 403 }
const target = async (change: (target: string) => string) => {
  const request = await presigned({ 'X-Amz-ChannelARN': 'arn:aws:x', 'X-Amz-ClientId': 'one' })
  return { ...request, target: change(request.target) }
}
const headers = async (change: Record<string, string[] | undefined>) => {
  const request = await signed()
  return { ...request, headers: { ...request.headers, ...change } }
}
const authorization = async (change: (value: string) => string) =>
  headers({ authorization: [change((await signed()).headers['authorization']?.[0] ?? '')] })

describe('a request that is as it was signed', () => {
  test('names its credential, by header and by query, for any region', async () => {
    expect(await verify(await signed())).toEqual({ id: 'AKIDEXAMPLE', secret: credentials.secretAccessKey })
    expect(await verify(await presigned({}, 'cn-north-1'))).toMatchObject({ id: 'AKIDEXAMPLE' })
  })

  test('may hold any text in its query and in its signed headers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }), { maxKeys: 4 }),
        fc.stringMatching(/^[ -~]{0,40}$/),
        async (query, value) => {
          delete query['__proto__']
          await verify(await presigned(query))
          await verify(await signed('', { 'x-amz-any': value }))
        },
      ),
      { numRuns: 50 },
    )
  })

  test('may carry a session token that was not signed', async () => {
    const request = await signed()
    await verify({ ...request, headers: { ...request.headers, 'x-amz-security-token': ['token'] } })
  })

  test('holds for five minutes in both directions', async () => {
    await verify(await signed(), now + 300_000)
    await verify(await signed(), now - 300_000)
    await expect(verify(await signed(), now + 301_000)).rejects.toThrow(
      'Signature expired: 20261122T120000Z is now earlier than 20261122T120001Z (20261122T120501Z - 5 min.)',
    )
    await expect(verify(await signed(), now - 301_000)).rejects.toThrow(
      'Signature not yet current: 20261122T120000Z is still later than 20261122T115959Z (20261122T115459Z + 5 min.)',
    )
  })

  test('holds no longer than it says', async () => {
    await verify(await presigned({}, undefined, 30), now + 30_000)
    await expect(verify(await presigned({}, undefined, 30), now + 31_000)).rejects.toThrow('Signature expired')
  })

  test('holds as long as it says, by query: a clock may be slow, and a page may wait', async () => {
    const week = await presigned({}, undefined, 604_800)
    await verify(week, now + 604_800_000)
    await expect(verify(week, now + 604_801_000)).rejects.toThrow('- 604800 s)')
    await expect(verify(week, now - 301_000)).rejects.toThrow('Signature not yet current')
  })

  test.each([
    ['escapes less, as on iOS', (text: string) => text.replaceAll('%3A', ':').replaceAll('%2F', '/')],
    ['escapes in small letters', (text: string) => text.replaceAll('%3A', '%3a')],
  ])('may come from a signer that %s, and signs what it sends', async (_case, escape) => {
    const query = {
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-ChannelARN': escape(encodeURIComponent('arn:aws:kinesisvideo:eu-west-1:000000000000:channel/door/1')),
      'X-Amz-Credential': escape(encodeURIComponent('AKIDEXAMPLE/20261122/eu-west-1/kinesisvideo/aws4_request')),
      'X-Amz-Date': '20261122T120000Z',
      'X-Amz-Expires': '299',
      'X-Amz-SignedHeaders': 'host',
    }
    const text = Object.entries(query)
      .map(([name, value]) => `${name}=${value}`)
      .join('&')
    const canonical = ['GET', '/', text, 'host:kvs.example\n', 'host', sha256('')].join('\n')
    const scope = ['20261122', 'eu-west-1', 'kinesisvideo', 'aws4_request']
    const toSign = ['AWS4-HMAC-SHA256', '20261122T120000Z', scope.join('/'), sha256(canonical)].join('\n')
    const signature = [...scope, toSign].reduce(
      (key, part) => createHmac('sha256', key).update(part).digest(),
      Buffer.from(`AWS4${credentials.secretAccessKey}`),
    )
    const request = {
      method: 'GET',
      target: `/?${text}&X-Amz-Signature=${signature.toString('hex')}`,
      headers: { host: ['kvs.example'] },
      body: Buffer.alloc(0),
    }
    expect(await verify(request)).toMatchObject({ id: 'AKIDEXAMPLE' })
    const changed = { ...request, target: request.target.replace('door', 'roof') }
    await expect(verify(changed)).rejects.toMatchObject(invalid)
  })
})

describe('a request that is not as it was signed is refused', () => {
  test.each([
    ['another body', async () => ({ ...(await signed()), body: Buffer.from('{"a":2}') }), invalid],
    ['another method', async () => ({ ...(await signed()), method: 'PUT' }), invalid],
    ['another path', async () => ({ ...(await signed()), target: '/deleteSignalingChannel' }), invalid],
    ['an added query', async () => ({ ...(await signed()), target: '/describeSignalingChannel?a=b' }), invalid],
    ['another host', () => headers({ host: ['other.example'] }), invalid],
    ['a signed header twice', () => headers({ 'content-type': ['application/json', 'text/plain'] }), invalid],
    ['a signed header missing', () => headers({ 'content-type': undefined }), incomplete],
    ['another date', () => headers({ 'x-amz-date': ['20261122T120001Z'] }), invalid],
    ['a date of another day', () => headers({ 'x-amz-date': ['20261121T120000Z'] }), incomplete],
    ['a date that does not exist', () => headers({ 'x-amz-date': ['20261122T250000Z'] }), incomplete],
    ['no date', () => headers({ 'x-amz-date': undefined }), incomplete],
    ['no signature', () => headers({ authorization: undefined }), { type: 'MissingAuthenticationTokenException' }],
    ['a bearer token', () => headers({ authorization: ['Bearer x'] }), incomplete],
    ['host not signed', () => authorization((value) => value.replace('host;', '')), incomplete],
    ['another service', () => authorization((value) => value.replace('kinesisvideo', 's3')), incomplete],
    ['another region than signed', () => authorization((value) => value.replace('eu-west-1', 'eu-west-2')), invalid],
    ['half a signature', () => authorization((value) => value.slice(0, -32)), incomplete],
    ['another client id', () => target((value) => value.replace('=one', '=two')), invalid],
    ['another lifetime', () => target((value) => value.replace('=299', '=298')), invalid],
    ['a lifetime of more than a week', () => target((value) => value.replace('=299', '=604801')), incomplete],
    ['no lifetime', () => target((value) => value.replace('Expires', 'Expired')), incomplete],
    ['an added parameter', () => target((value) => `${value}&X-Amz-ClientId=two`), invalid],
    ['a broken escape', () => target((value) => `${value}&x=%ff`), { type: 'InvalidArgumentException' }],
    ['an unknown key', () => target((value) => value.replace('AKID', 'DIKA')), { type: 'UnrecognizedClientException' }],
  ])('%s', async (_case, request, error) => {
    await expect(verify(await request())).rejects.toMatchObject(error)
  })

  test('whatever stands in the header, the refusal is a service error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (value, search) => {
        const request = {
          method: 'POST',
          target: `/?${search}`,
          headers: { authorization: [value] },
          body: Buffer.alloc(0),
        }
        await expect(verify(request)).rejects.toMatchObject({ name: 'ServiceError' })
      }),
      { numRuns: 200 },
    )
  })
})

test('parts of the Authorization header may stand without a space between them', async () => {
  const request = await signed()
  const compact = request.headers['authorization']?.[0]?.replaceAll(', ', ',')
  await verify({ ...request, headers: { ...request.headers, authorization: [compact ?? ''] } })
})
