/** Access tokens at the bridge's doors: which are believed, for how long, and what is said about the others. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHmac } from 'node:crypto'
import { decodeJwt, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose'
import { createEnded } from '../../src/bridge/oauth/provider/ended.ts'
import { createOAuth } from '../../src/bridge/oauth/server.ts'
import { alexa, google, type House, openHouse } from './house.ts'
import { link, refresh } from './visitor.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

const verify = (token: string) => house.oauth().verifyToken(token)
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** What the server would sign, changed in one thing. */
async function forged(change: {
  claims?: object
  header?: object
  key?: Parameters<SignJWT['sign']>[0]
}): Promise<string> {
  const { access_token } = await link(house, alexa)
  const [signingKey] = house.signingKeys
  const key = change.key ?? (await importJWK({ ...signingKey }, 'ES256'))
  return new SignJWT({ ...decodeJwt(access_token), ...change.claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...change.header })
    .sign(key)
}

describe('a JWT', () => {
  test('of ours says who, by which client, for what', async () => {
    const { access_token } = await link(house, alexa)
    expect(await verify(access_token)).toEqual({
      accountId: house.account,
      clientId: 'alexa',
      clientKind: 'alexa',
      linkId: expect.any(String),
      scopes: ['camera'],
    })
    expect(decodeJwt(access_token)).toMatchObject({ iss: house.issuer, aud: house.origin, sub: house.account })
    expect(JSON.stringify(decodeJwt(access_token))).not.toContain('Ada')
  })

  test('signed like ours in every respect is believed, so the forgeries below fail for their one reason', async () => {
    expect(await verify(await forged({}))).toMatchObject({ accountId: house.account })
  })

  test('with a changed payload or signature is refused', async () => {
    const { access_token } = await link(house, alexa)
    const [header = '', , signature = ''] = access_token.split('.')
    const payload = base64({ ...decodeJwt(access_token), sub: 'somebody-else' })
    const flipped = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`
    for (const token of [
      `${header}.${payload}.${signature}`,
      `${access_token.slice(0, -signature.length)}${flipped}`,
      `${header}.${payload}.`,
    ]) {
      await expect(verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
    }
  })

  test('without a signature, or with one made from the public key, is refused', async () => {
    const { access_token } = await link(house, alexa)
    const payload = access_token.split('.')[1] ?? ''
    const jwks = await fetch(`${house.issuer}/jwks`).then((answer) => answer.text())
    const hs256 = `${base64({ alg: 'HS256', typ: 'at+jwt' })}.${payload}`
    for (const token of [
      `${base64({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
      `${hs256}.${createHmac('sha256', jwks).update(hs256).digest('base64url')}`,
    ]) {
      await expect(verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
    }
  })

  test.each([
    ['another issuer', { claims: { iss: 'https://elsewhere.example' } }],
    ['another audience', { claims: { aud: 'https://elsewhere.example' } }],
    ['no audience', { claims: { aud: undefined } }],
    ['another type', { header: { typ: 'JWT' } }],
    ['no account', { claims: { sub: undefined } }],
    ['no client', { claims: { client_id: undefined } }],
    ['no link', { claims: { grant_id: undefined } }],
    ['a time before it is good', { claims: { nbf: 99_999_999_999 } }],
    ['an id of an unknown key', { header: { kid: 'unknown' } }],
  ])('with %s is refused', async (_what, change) => {
    await expect(verify(await forged(change))).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('by another key is refused, expired or not', async () => {
    const { privateKey } = await generateKeyPair('ES256')
    for (const exp of [1_000_000_000, 99_999_999_999]) {
      const token = await forged({ key: privateKey, claims: { exp } })
      await expect(verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
    }
  })

  test('is not taken by the server signed with a key that was retired, and taken while both are listed', async () => {
    const { access_token } = await link(house, alexa)
    const fresh = await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey)
    const serverWith = (signingKeys: Parameters<typeof createOAuth>[0]['signingKeys']) =>
      createOAuth({
        issuer: house.issuer,
        store: house.store,
        clients: [alexa],
        signingKeys,
        cookieKeys: ['k'],
        clock: Date.now,
        log: () => {},
      })
    expect(await serverWith([fresh, ...house.signingKeys]).verifyToken(access_token)).toMatchObject({
      clientId: 'alexa',
    })
    await expect(serverWith([fresh]).verifyToken(access_token)).rejects.toMatchObject({ code: 'unauthorized' })
  })
})

describe('a JWT is verified without a read', () => {
  test('by a process that has looked once; every look is one for all tokens', async () => {
    const tokens = await Promise.all(Array.from({ length: 5 }, () => link(house, alexa)))
    house.restart()
    const before = house.read.length
    for (const { access_token } of tokens) await verify(access_token)
    expect(house.read.slice(before)).toEqual(['oauth-ended'])
    house.advance(30_000)
    for (const { access_token } of tokens) await verify(access_token)
    house.advance(-30_000)
    expect(house.read.slice(before)).toEqual(['oauth-ended', 'oauth-ended'])
  })

  test.each([
    ['is down', (own: House) => (own.breakStore(true), () => own.breakStore(false))],
    ['answers nobody', (own: House) => own.stallStore()],
  ])('also by a new process whose store %s', async (_what, harm) => {
    const own = await openHouse()
    try {
      const { access_token } = await link(own, alexa)
      const mend = harm(own)
      own.restart()
      expect(await own.oauth().verifyToken(access_token)).toMatchObject({ clientId: 'alexa' })
      own.advance(3_000_000)
      // Not everybody waits for a store that is out of order: together they would wait for minutes.
      for (let count = 0; count < 500; count += 1) await own.oauth().verifyToken(access_token)
      own.advance(-3_000_000)
      mend()
    } finally {
      await own.close()
    }
  })

  test('and a link that was removed before a process began is refused at first sight', async () => {
    const { access_token } = await link(house, alexa)
    await house.oauth().unlink(house.account, 'alexa')
    house.restart()
    await expect(verify(access_token)).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('a removal that fails half-way has stopped the tokens all the same', async () => {
    const { access_token } = await link(house, alexa)
    // What is written first is enough, whatever becomes of the rest.
    await createEnded(house.store, Date.now).noteLink(String(decodeJwt(access_token)['grant_id']))
    house.restart()
    await expect(verify(access_token)).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('an unknown key is no verdict while the keys cannot be read', async () => {
    const sealingKey = Buffer.alloc(32, 1).toString('base64')
    const own = await openHouse({ sealingKey })
    try {
      await own.oauth().keyring.rotate()
      own.advance(121_000)
      await own
        .oauth()
        .verifyToken('x')
        .catch(() => {})
      const { access_token } = await link(own, alexa)
      own.restart()
      own.breakStore(true)
      await expect(own.oauth().verifyToken(access_token)).rejects.toMatchObject({ code: 'internal' })
      own.breakStore(false)
      own.advance(5_000)
      expect(await own.oauth().verifyToken(access_token)).toMatchObject({ clientId: 'alexa' })
    } finally {
      await own.close()
    }
  })
})

describe('any token', () => {
  test.each([
    ['alexa', alexa],
    ['google', google],
  ])('of %s is told apart when it has expired, cached or not', async (_name, client) => {
    const cached = await link(house, client)
    const fresh = await link(house, client)
    await verify(cached.access_token)
    house.advance(3_601_000)
    try {
      for (const { access_token } of [cached, fresh]) {
        await expect(verify(access_token)).rejects.toMatchObject({ code: 'token_expired' })
      }
    } finally {
      house.advance(-3_601_000)
    }
  })

  test.each([
    ['alexa', alexa],
    ['google', google],
  ])('of %s stops within a minute when another process unlinks', async (_name, client) => {
    const { access_token } = await link(house, client)
    await verify(access_token)
    const elsewhere = createOAuth({
      issuer: house.issuer,
      store: house.store,
      clients: [client],
      signingKeys: house.signingKeys,
      cookieKeys: ['k'],
      clock: Date.now,
      log: () => {},
    })
    await elsewhere.unlink(house.account, client.clientId)
    await verify(access_token)
    house.advance(60_000)
    try {
      await expect(verify(access_token)).rejects.toMatchObject({ code: 'unauthorized' })
    } finally {
      house.advance(-60_000)
    }
  })

  test('that was verified a moment ago is verified without the store', async () => {
    const { access_token } = await link(house, google)
    await verify(access_token)
    house.breakStore(true)
    try {
      expect(await verify(access_token)).toMatchObject({ clientId: 'google' })
    } finally {
      house.breakStore(false)
    }
  })

  test('stays good when a newer one was fetched', async () => {
    const { access_token, refresh_token } = await link(house, google)
    await refresh(house, google, refresh_token)
    expect(await verify(access_token)).toMatchObject({ clientId: 'google' })
  })

  test.each([
    ['empty', ''],
    ['unknown', 'x'.repeat(43)],
    ['three dots', '...'],
    ['broken JSON', 'bm90.anNvbg.eA'],
    ['endless', 'x'.repeat(100_000)],
    ['no ASCII', '😀.😀.😀'],
    ['a lone surrogate', '\uD800'],
  ])('that is %s is refused', async (_what, token) => {
    await expect(verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('must be an access token: a refresh token is none', async () => {
    const { refresh_token } = await link(house, google)
    await expect(verify(refresh_token)).rejects.toMatchObject({ code: 'unauthorized' })
  })
})
