/** Google's streamlined linking, by assertions as Google signs them and a key server that is ours. */
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose'
import { alexa, google, type House, openHouse } from './house.ts'
import { refresh, requestTokens } from './visitor.ts'

const audience = '1234.apps.googleusercontent.com'
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
let key: CryptoKey
let strange: CryptoKey
let house: House
let closed: House
const jwks = createServer()
beforeAll(async () => {
  const made = await generateKeyPair('RS256', { extractable: true })
  strange = (await generateKeyPair('RS256')).privateKey
  key = made.privateKey
  const published = { ...(await exportJWK(made.publicKey)), kid: 'g1', alg: 'RS256', use: 'sig' }
  jwks.on('request', (_req, res) =>
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [published] })),
  )
  await new Promise<void>((resolve) => jwks.listen(0, 'localhost', resolve))
  const address = jwks.address()
  const jwksUrl = `http://localhost:${typeof address === 'object' && address !== null ? address.port : 0}/certs`
  house = await openHouse({ streamlined: { audience: [audience], jwksUrl, mayCreate: true } })
  closed = await openHouse({ streamlined: { audience: [audience], jwksUrl } })
  await house.oauth().users.create({ login: 'kim@gmail.com', password: 'kim at home', name: 'Kim' })
  await house.oauth().users.create({ login: 'lee@work.example', password: 'lee at work', name: 'Lee' })
})
afterAll(async () => {
  await Promise.all([house.close(), closed.close()])
  jwks.closeAllConnections()
  await new Promise((resolve) => jwks.close(resolve))
})

const kim = { sub: '111', email: 'Kim@gmail.com', email_verified: true, name: 'Kim' }
const assert = (person: object, change: object = {}, signer = key) =>
  new SignJWT({
    iss: 'https://accounts.google.com',
    aud: audience,
    iat: Math.floor(Date.now() / 1000),
    exp: Math.floor(Date.now() / 1000) + 600,
    ...person,
    ...change,
  })
    .setProtectedHeader({ alg: 'RS256', kid: 'g1' })
    .sign(signer)
const ask = async (intent: string, person: object, change: object = {}, signer = key, at = house) =>
  requestTokens(at, google, {
    grant_type: jwtBearer,
    intent,
    scope: 'camera',
    assertion: await assert(person, change, signer),
  })

describe('check', () => {
  test('says whether there is such an account', async () => {
    expect(await ask('check', kim)).toMatchObject({ status: 200, body: { account_found: true } })
    const nobody = { sub: '999', email: 'nobody@gmail.com' }
    expect(await ask('check', nobody)).toMatchObject({ status: 404, body: { account_found: false } })
  })

  test('trusts an address only where Google is the authority for it', async () => {
    const lee = { sub: '222', email: 'lee@work.example' }
    expect((await ask('check', { ...lee, email_verified: true })).status).toBe(404)
    expect((await ask('check', { ...lee, email_verified: false, hd: 'work.example' })).status).toBe(404)
    expect((await ask('check', { ...lee, email_verified: true, hd: 'another.example' })).status).toBe(404)
    expect((await ask('check', { ...lee, email_verified: true, hd: 'Work.Example' })).status).toBe(200)
    // The mailbox is whoever's; the Workspace says nothing of it.
    const elsewhere = { sub: '223', email: 'kim@gmail.com.evil.example', email_verified: true, hd: 'evil.example' }
    expect((await ask('check', elsewhere)).status).toBe(404)
  })

  test('does not believe a login that somebody chose for themselves', async () => {
    const zoe = { login: 'zoe@gmail.com', password: 'zoe at home', name: 'Zoe', isSelfNamed: true } as const
    await house.oauth().users.create(zoe)
    const person = { sub: '777', email: 'zoe@gmail.com', email_verified: true }
    expect((await ask('check', person)).status).toBe(404)
    expect(await ask('get', person)).toMatchObject({ status: 401, body: { error: 'linking_error' } })
  })
})

describe('get', () => {
  test('links the account, and knows the person by the identity from then on', async () => {
    const { status, body } = await ask('get', kim)
    expect([status, body.token_type, body.expires_in, body.scope]).toEqual([200, 'Bearer', 3600, 'camera'])
    const account = (await house.oauth().users.find('kim@gmail.com'))?.accountId
    expect(await house.oauth().verifyToken(body.access_token ?? '')).toEqual({
      accountId: account,
      clientId: 'google',
      scopes: ['camera'],
      linkId: expect.any(String),
    })
    const again = await refresh(house, google, body.refresh_token ?? '')
    expect(again.status).toBe(200)
    await house.oauth().verifyToken(again.body.access_token ?? '')
    expect((await house.oauth().audit.read(account ?? ''))[0]).toMatchObject({ kind: 'linked' })
    expect((await ask('check', { sub: '111', email: 'new-address@elsewhere.example' })).status).toBe(200)
    await house.oauth().unlinkAssistant(account!, 'google')
    expect(await refresh(house, google, body.refresh_token ?? '')).toMatchObject({ body: { error: 'invalid_grant' } })
  })

  test('the link lasts as long as any other', async () => {
    const { body } = await ask('get', kim)
    house.advance(10 * 365 * 86_400_000)
    const late = await refresh(house, google, body.refresh_token ?? '')
    house.advance(-10 * 365 * 86_400_000)
    expect(late.status).toBe(200)
  })

  test('of nobody, and of an address that another identity has, is a linking error', async () => {
    expect(await ask('get', { sub: '998', email: 'nobody@gmail.com' })).toMatchObject({
      status: 401,
      body: { error: 'linking_error' },
    })
  })
})

describe('create', () => {
  test('makes the account once; later it exists', async () => {
    const max = { sub: '333', email: 'max@gmail.com', email_verified: true, name: 'Max' }
    const { status, body } = await ask('create', max)
    expect(status).toBe(200)
    const { accountId } = await house.oauth().verifyToken(body.access_token ?? '')
    expect(await house.oauth().users.findByAccount(accountId)).toMatchObject({ name: 'Max', login: 'max@gmail.com' })
    expect(await ask('create', max)).toMatchObject({
      status: 401,
      body: { error: 'linking_error', login_hint: 'max@gmail.com' },
    })
    expect((await ask('get', max)).status).toBe(200)
  })

  test('is off unless the operator wants it', async () => {
    const answer = await ask('create', { sub: '444', email: 'a@gmail.com' }, {}, key, closed)
    expect(answer).toMatchObject({ status: 401, body: { error: 'linking_error' } })
  })
})

describe('an assertion is refused', () => {
  test.each([
    ['of another issuer', { iss: 'https://evil.example' }],
    ['for another audience', { aud: 'other.apps.googleusercontent.com' }],
    ['that has expired', { exp: 1_000_000_000 }],
    ['without an end', { exp: undefined }],
    ['about nobody', { sub: undefined }],
  ])('%s', async (_what, change) => {
    expect(await ask('get', kim, change)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  test('signed by somebody else', async () => {
    expect(await ask('get', kim, {}, strange)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  test('from Alexa, with a wrong secret, or where streamlined linking is off', async () => {
    const fields = { grant_type: jwtBearer, intent: 'get', assertion: await assert(kim) }
    expect((await requestTokens(house, alexa, fields)).body.access_token).toBeUndefined()
    expect((await requestTokens(house, { ...google, clientSecret: 'wrong0123456789abcdef' }, fields)).status).toBe(401)
    const plain = await openHouse()
    expect(await requestTokens(plain, google, fields)).toMatchObject({
      status: 400,
      body: { error: 'unsupported_grant_type' },
    })
    await plain.close()
  })

  test('with an intent that does not exist', async () => {
    expect(await ask('delete', kim)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })
})
