/** Clients that an operator adds, rotates and removes while the server runs, by the registry and by its API. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import type { OAuthClient } from '../../src/bridge/oauth/client.ts'
import { createClients } from '../../src/bridge/oauth/provider/clients.ts'
import { ada, alexa, google, type House, openHouse } from './house.ts'
import { authorizationUrl, authorize, codeFields, createVisitor, link, refresh, signIn } from './visitor.ts'

const operatorKey = 'operator-key-of-the-tests-32-characters'
const redirectUris = ['https://layla.amazon.com/api/skill/link/M2BBBBBBBBBBBB']
let house: House
beforeAll(async () => {
  house = await openHouse({ operatorKey })
})
afterAll(() => house.close())

async function add(
  more: Partial<Parameters<ReturnType<House['oauth']>['clients']['add']>[0]> = {},
): Promise<OAuthClient> {
  const { clients } = house.oauth()
  const made = await clients.add({ assistant: 'alexa', redirectUris, ...more })
  const { isPublic: _, ...facts } = more
  return { assistant: 'alexa', redirectUris, clientSecret: '', ...facts, ...made }
}

describe('a client in the store', () => {
  test('links like one of the configuration, beside others of its assistant', async () => {
    const skill = await add()
    const other = await add({ clientId: 'second-skill' })
    expect(skill.clientId).toMatch(/^alexa-[0-9a-f]{12}$/)
    for (const client of [skill, other]) {
      const { access_token, refresh_token } = await link(house, client)
      expect(await house.oauth().verifyToken(access_token)).toMatchObject({ clientId: client.clientId })
      expect((await refresh(house, client, refresh_token)).status).toBe(200)
      expect(await refresh(house, alexa, refresh_token)).toMatchObject({ body: { error: 'invalid_grant' } })
    }
  })

  test('is known by its secret, of which only a hash is kept', async () => {
    const { clientSecret, ...client } = await add()
    expect(clientSecret).toMatch(/^[0-9a-f]{48}$/)
    expect(house.written.join('\n')).not.toContain(clientSecret)
    const { refresh_token } = await link(house, { ...client, clientSecret })
    const wrong = { ...client, clientSecret: `${clientSecret.slice(0, -1)}x` }
    expect(await refresh(house, wrong, refresh_token)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    const literal = { ...client, clientSecret: 'kept as a hash' }
    expect(await refresh(house, literal, refresh_token)).toMatchObject({ status: 401 })
  })

  test('gets a new secret; the old one is good for the overlap, and no longer', async () => {
    const client = await add()
    const { refresh_token } = await link(house, client)
    const rotated = { ...client, ...(await house.oauth().clients.rotate(client.clientId, 60_000)) }
    for (const known of [client, rotated]) expect((await refresh(house, known, refresh_token)).status).toBe(200)
    house.advance(61_000)
    expect(await refresh(house, client, refresh_token)).toMatchObject({ status: 401 })
    expect((await refresh(house, rotated, refresh_token)).status).toBe(200)
  })

  test('that is removed is refused, and its tokens stop within a minute', async () => {
    const client = await add()
    const { access_token, refresh_token } = await link(house, client)
    await house.oauth().verifyToken(access_token)
    await house.oauth().clients.remove(client.clientId)
    expect(await refresh(house, client, refresh_token)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    })
    house.advance(60_001)
    await expect(house.oauth().verifyToken(access_token)).rejects.toMatchObject({ code: 'unauthorized' })
    expect((await createVisitor().get(authorizationUrl(house, client))).status).toBe(400)
  })

  test('that is removed takes its links along: each owner reads it, and the assistant is told with the last one', async () => {
    const unlinked: string[] = []
    const own = await openHouse({
      onUnlinked: async (account, kind, { isLast }) => void (isLast && unlinked.push(`${account} ${kind}`)),
    })
    try {
      const { clients, audit } = own.oauth()
      const made = await clients.add({ assistant: 'google', redirectUris, clientId: 'second' })
      const second = { ...google, ...made, redirectUris, clientSecret: made.clientSecret ?? '' }
      const [mine, theirs] = [await link(own, second), await link(own, google)]
      await link(own, second)
      await clients.remove('second')
      expect((await audit.read(own.account)).slice(0, 2)).toMatchObject([
        { kind: 'unlinked', detail: 'Google' },
        { kind: 'unlinked', detail: 'Google' },
      ])
      // Another client of the same assistant is left, and with it what the assistant was granted.
      expect(unlinked).toEqual([])
      await own.oauth().verifyToken(theirs.access_token)
      await expect(own.oauth().verifyToken(mine.access_token)).rejects.toMatchObject({ code: 'unauthorized' })
      await own.oauth().unlink(own.account, 'google')
      expect(unlinked).toEqual([`${own.account} google`])

      const again = await clients.add({ assistant: 'google', redirectUris, clientId: 'second' })
      const renewed = { ...second, clientSecret: again.clientSecret ?? '' }
      expect(await refresh(own, renewed, mine.refresh_token)).toMatchObject({ body: { error: 'invalid_grant' } })
      expect((await refresh(own, renewed, (await link(own, renewed)).refresh_token)).status).toBe(200)
    } finally {
      await own.close()
    }
  })

  test('whose removal fails half-way is gone all the same, and the removal can be repeated', async () => {
    const own = await openHouse()
    try {
      const { clients, audit } = own.oauth()
      const made = await clients.add({ assistant: 'google', redirectUris, clientId: 'second' })
      await link(own, { ...google, ...made, redirectUris, clientSecret: made.clientSecret ?? '' })
      await createClients(own.store, [], Date.now).retire('second')
      expect(await clients.find('second')).toBeUndefined()
      expect(JSON.stringify(await clients.list())).not.toContain('second')
      await expect(clients.rotate('second')).rejects.toMatchObject({ code: 'invalid_request' })
      await clients.remove('second')
      expect((await audit.read(own.account))[0]).toMatchObject({ kind: 'unlinked' })
      await expect(clients.remove('second')).rejects.toMatchObject({ code: 'invalid_request' })
    } finally {
      await own.close()
    }
  })

  test('of the configuration is changed there only', async () => {
    const { clients } = house.oauth()
    await expect(clients.rotate('alexa')).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(clients.remove('alexa')).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(add({ clientId: 'alexa' })).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(clients.rotate('nobody')).rejects.toMatchObject({ code: 'invalid_request' })
  })

  test.each([
    ['a wildcard', { redirectUris: ['https://*.amazon.com/'] }],
    ['no redirect', { redirectUris: [] }],
    ['a space in its id', { clientId: 'a b' }],
    ['no secret though it can keep one', { isPublic: true }],
  ])('with %s is not made', async (_what, more) => {
    await expect(add(more)).rejects.toMatchObject({ code: 'invalid_request' })
  })
})

describe('a client of the kind other', () => {
  const back = 'http://localhost:7777/back'
  const app = { assistant: 'other', redirectUris: [back], name: 'House Panel' } as const

  test('is named on the pages, and must use PKCE', async () => {
    const client = await add(app)
    const refused = await createVisitor().get(authorizationUrl(house, client))
    expect(new URL(refused.headers.get('location') ?? '').searchParams.get('error')).toBe('invalid_request')
    const verifier = oauth.generateRandomCodeVerifier()
    const challenge = {
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }
    const page = await createVisitor().get(authorizationUrl(house, client, challenge))
    expect(page.text).toContain('House Panel asks to be linked')
  })

  test('that is public shows no secret and needs none', async () => {
    const client = await add({ ...app, isPublic: true })
    expect(client.clientSecret).toBe('')
    const verifier = oauth.generateRandomCodeVerifier()
    const code = (
      await authorize(house, client, {
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
    ).searchParams.get('code')
    const body = new URLSearchParams({ ...codeFields(code, back), client_id: client.clientId, code_verifier: verifier })
    const answer = await fetch(`${house.issuer}/token`, { method: 'POST', body })
    expect(answer.status).toBe(200)
  })

  test('that is public is a page: it redeems its code from the origin that codes are sent to, and from no other', async () => {
    const client = await add({ ...app, isPublic: true })
    const verifier = oauth.generateRandomCodeVerifier()
    const challenge = await oauth.calculatePKCECodeChallenge(verifier)
    const redeem = async (origin: string) => {
      const back = await authorize(house, client, { code_challenge: challenge, code_challenge_method: 'S256' })
      const fields = codeFields(back.searchParams.get('code'), app.redirectUris[0])
      const body = new URLSearchParams({ ...fields, client_id: client.clientId, code_verifier: verifier })
      const { status, headers } = await fetch(`${house.issuer}/token`, { method: 'POST', body, headers: { origin } })
      return [status, headers.get('access-control-allow-origin')]
    }
    expect(await redeem('http://localhost:7777')).toEqual([200, 'http://localhost:7777'])
    expect((await redeem('http://localhost:8888'))[0]).toBe(400)
  })
})

test('a placeholder is gone once there is a real client of its assistant, and back when that is removed', async () => {
  const own = await openHouse({
    clients: [
      { ...alexa, isPlaceholder: true },
      { ...google, isPlaceholder: true },
    ],
  })
  try {
    const { clients } = own.oauth()
    const ids = async () => [
      (await clients.list()).map(({ clientId }) => clientId),
      await Promise.all(['alexa', 'google'].map(async (id) => (await clients.find(id)) !== undefined)),
    ]
    expect(await ids()).toEqual([
      ['alexa', 'google'],
      [true, true],
    ])
    const { clientId } = await clients.add({ assistant: 'alexa', redirectUris })
    expect(await ids()).toEqual([
      ['google', clientId],
      [false, true],
    ])
    expect((await createVisitor().get(authorizationUrl(own, alexa))).status).toBe(400)
    await clients.remove(clientId)
    own.advance(30_001)
    expect(await ids()).toEqual([
      ['alexa', 'google'],
      [true, true],
    ])
  } finally {
    await own.close()
  }
})

describe('a tenant', () => {
  test('has logins of its own, which open nothing of another', async () => {
    const { users } = house.oauth()
    const north = { ...ada, name: 'Ada of the north', tenant: 'north', password: 'northern horse' }
    const northern = await users.create(north)
    expect(northern).not.toBe(house.account)
    const client = await add({ tenant: 'north' })

    const visitor = createVisitor()
    const refused = await signIn(visitor, await visitor.get(authorizationUrl(house, client)), ada)
    expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('Login or password is wrong.')])
    expect((await signIn(visitor, refused, north)).text).toContain('Ada of the north')
    // The same browser is signed in to the tenant, and asked again for a client of nobody's.
    expect((await visitor.get(authorizationUrl(house, alexa))).text).toContain('Sign in to Transom')

    const account = `${house.issuer}/account?tenant=north`
    expect((await visitor.get(account)).text).toContain('<h1>Ada of the north</h1>')
    // Who is signed in as somebody of another tenant, or of none, is asked who they are in this one.
    const other = createVisitor()
    await signIn(other, await other.get(`${house.issuer}/account`), ada)
    expect((await signIn(other, await other.get(account), north)).text).toContain('<h1>Ada of the north</h1>')
  })
})

const call = (method: string, path: string, body?: object, key = operatorKey) =>
  fetch(`${house.issuer}/admin/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })

describe('the API', () => {
  test('is shut without the right key, and does not exist where no key is set', async () => {
    expect((await call('GET', 'clients', undefined, 'wrong')).status).toBe(401)
    const plain = await openHouse()
    const headers = { authorization: 'Bearer x' }
    expect((await fetch(`${plain.issuer}/admin/clients`, { headers })).status).toBe(404)
    await plain.close()
  })

  test('adds, lists, rotates and removes; secrets are in the answers that make them and nowhere else', async () => {
    const made = await call('POST', 'clients', { assistant: 'google', redirectUris, name: 'Second project' })
    expect(made.status).toBe(201)
    const { clientId, clientSecret } = (await made.json()) as { clientId: string; clientSecret: string }
    const listed = await (await call('GET', 'clients')).text()
    expect(listed).toContain(clientId)
    expect(listed).not.toContain('secret')
    const rotated = await (await call('POST', `clients/${clientId}/rotate`, { overlapMs: 0 })).text()
    expect(rotated).toMatch(/^\{"clientSecret":"[0-9a-f]{48}"\}$/)
    expect(rotated).not.toContain(clientSecret)
    expect((await call('DELETE', `clients/${clientId}`)).status).toBe(204)
    expect((await call('DELETE', `clients/${clientId}`)).status).toBe(400)
    expect((await call('POST', 'clients', { assistant: 'siri', redirectUris })).status).toBe(400)
  })

  test('adds people, invites them, resets passwords and reads histories', async () => {
    const person = { login: 'zoe', password: 'zoe at home', name: 'Zoe' }
    const added = await call('POST', 'users', person)
    expect(added.status).toBe(201)
    const { accountId } = (await added.json()) as { accountId: string }
    expect((await call('POST', 'users', person)).status).toBe(400)
    for (const path of ['invitations', 'resets']) {
      const { link: url } = (await (await call('POST', path, { login: 'zoe' })).json()) as { link: string }
      expect((await fetch(url)).status).toBe(200)
    }
    expect((await call('POST', 'resets', { login: 'nobody' })).status).toBe(400)
    await house.oauth().audit.write(accountId, 'signed-up')
    expect(await (await call('GET', 'history?login=zoe')).json()).toMatchObject({ history: [{ kind: 'signed-up' }] })
  })
})
