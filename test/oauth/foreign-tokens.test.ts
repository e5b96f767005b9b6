/** Verify-only: tokens of somebody else's authorization server, checked by its published keys. */
import { createHmac } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT, type CryptoKey } from 'jose'
import { createForeignVerifier } from '../../src/bridge/oauth/provider/foreign-tokens.ts'
import type { VerifyToken } from '../../src/core/ports.ts'

const issuer = 'https://login.vendor.example'
const options = { issuer, audience: 'cameras', jwksUrl: `${issuer}/jwks.json` }
let keys: Record<'old' | 'new' | 'rsa' | 'strange', { privateKey: CryptoKey; publicKey: CryptoKey }>
let published: JWK[]
let fetches = 0
let isAway = false
let verify: VerifyToken

beforeAll(async () => {
  const made = await Promise.all(
    ['ES256', 'ES256', 'RS256', 'ES256'].map((alg) => generateKeyPair(alg, { extractable: true })),
  )
  keys = { old: made[0]!, new: made[1]!, rsa: made[2]!, strange: made[3]! }
})
const jwk = async (name: keyof typeof keys, alg = 'ES256') => ({
  ...(await exportJWK(keys[name].publicKey)),
  kid: name,
  alg,
  use: 'sig',
})
beforeEach(async () => {
  published = [await jwk('old'), await jwk('rsa', 'RS256')]
  fetches = 0
  isAway = false
  verify = createForeignVerifier(
    {
      ...options,
      fetch: async () => {
        fetches += 1
        if (isAway) throw new TypeError('fetch failed')
        return new Response(JSON.stringify({ keys: published }), { headers: { 'content-type': 'application/json' } })
      },
    },
    Date.now,
  )
})

const claims = { sub: 'customer-1', client_id: 'alexa-skill', scope: 'camera talk' }
const sign = (more: object = {}, header: object = {}, key: keyof typeof keys = 'old') =>
  new SignJWT({ iss: issuer, aud: 'cameras', exp: Math.floor(Date.now() / 1000) + 600, ...claims, ...more })
    .setProtectedHeader({ alg: key === 'rsa' ? 'RS256' : 'ES256', kid: key, typ: 'at+jwt', ...header })
    .sign(keys[key].privateKey)

const answered = async () => new Response(JSON.stringify({ keys: published }))
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

test('a good token says who, by which client, for what; RS256 and the older claim names too', async () => {
  const grant = { accountId: 'customer-1', clientId: 'alexa-skill', scopes: ['camera', 'talk'] }
  expect(await verify(await sign())).toEqual(grant)
  expect(await verify(await sign({}, { typ: 'JWT' }, 'rsa'))).toEqual(grant)
  const older = await sign({ client_id: undefined, azp: 'alexa-skill', scope: undefined, scp: ['camera', 'talk'] })
  expect(await verify(older)).toEqual(grant)
  expect(fetches).toBe(1)
})

test('the account may stand in another claim, and a scope may be demanded', async () => {
  const strict = createForeignVerifier(
    { ...options, accountClaim: 'tenant_user', scope: 'camera', fetch: answered },
    Date.now,
  )
  expect(await strict(await sign({ tenant_user: 'u-7' }))).toMatchObject({ accountId: 'u-7' })
  await expect(strict(await sign())).rejects.toMatchObject({ code: 'unauthorized' })
  await expect(strict(await sign({ tenant_user: 'u-7', scope: 'email' }))).rejects.toMatchObject({
    code: 'unauthorized',
  })
})

describe('is refused:', () => {
  test.each([
    ['another issuer', { iss: 'https://elsewhere.example' }, {}],
    ['another audience', { aud: 'thermostats' }, {}],
    ['no audience', { aud: undefined }, {}],
    ['no account', { sub: undefined }, {}],
    ['an account that is no text', { sub: 7 }, {}],
    ['no end', { exp: undefined }, {}],
    ['not good yet', { nbf: 99_999_999_999 }, {}],
    ['an ID token', { nonce: 'n' }, { typ: 'JWT' }],
    ['a logout token', {}, { typ: 'logout+jwt' }],
    ['an unknown key', {}, { kid: 'nobody' }],
  ])('%s', async (_what, more, header) => {
    await expect(verify(await sign(more, header))).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('a signature by a key that is not published, even under a published name', async () => {
    await expect(verify(await sign({}, { kid: 'old' }, 'strange'))).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('no signature, and an HMAC made with the public key', async () => {
    const payload = (await sign()).split('.')[1] ?? ''
    const hs256 = `${base64({ alg: 'HS256', kid: 'rsa', typ: 'at+jwt' })}.${payload}`
    const hmac = createHmac('sha256', await exportSPKI(keys.rsa.publicKey))
      .update(hs256)
      .digest('base64url')
    for (const token of [
      `${base64({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
      `${hs256}.${hmac}`,
      'a.b',
      '',
      'x'.repeat(9000),
    ]) {
      await expect(verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
    }
  })
})

test('an expired token is told apart', async () => {
  await expect(verify(await sign({ exp: 1_000_000_000 }))).rejects.toMatchObject({ code: 'token_expired' })
})

test('a key server that is away is our trouble and not the token’s', async () => {
  isAway = true
  await expect(verify(await sign())).rejects.toMatchObject({ code: 'internal' })
  isAway = false
  expect(await verify(await sign())).toMatchObject({ accountId: 'customer-1' })
})
