/** The endpoints beside the linking itself: metadata at the root, userinfo, introspection. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { request } from 'node:http'
import * as oauth from 'oauth4webapi'
import type { BasicCollection, Store, Stored } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { wrapped } from '../store/wrapped.ts'
import { ada, alexa, google, type House, openHouse } from './house.ts'
import { authorizationUrl, authorize, codeFields, link, refresh, requestTokens } from './visitor.ts'

const operatorKey = 'operator-key-of-the-tests-32-characters'
const insecure = { [oauth.allowInsecureRequests]: true }
let house: House
beforeAll(async () => {
  house = await openHouse({ operatorKey })
})
afterAll(() => house.close())

const askUserinfo = (token: string, method = 'GET') =>
  fetch(`${house.issuer}/userinfo`, { method, headers: { authorization: `Bearer ${token}` } })

const introspect = async (token: string, key = operatorKey) => {
  const headers = { authorization: `Bearer ${key}` }
  const reply = await fetch(`${house.issuer}/introspection`, {
    method: 'POST',
    headers,
    body: new URLSearchParams({ token }),
  })
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> }
}

describe('metadata', () => {
  test('stand at the root well-known path too, as RFC 8414 puts them for an issuer with a path', async () => {
    const issuer = new URL(house.issuer)
    const found = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
    )
    const below = await fetch(`${house.issuer}/.well-known/openid-configuration`).then((reply) => reply.json())
    expect(found).toEqual(below)
    expect(found).toMatchObject({
      userinfo_endpoint: `${house.issuer}/userinfo`,
      introspection_endpoint: `${house.issuer}/introspection`,
      jwks_uri: `${house.issuer}/jwks`,
    })
  })

  test('for another path are not ours', async () => {
    for (const path of ['/oauth-authorization-server', '/oauth-authorization-server/other', '/change-password']) {
      expect((await fetch(`${house.origin}/.well-known${path}`)).status).toBe(404)
    }
  })
})

/** Sends a request line as it stands, which `fetch` would not. */
async function sendLine(target: string, headers: Readonly<Record<string, string>> = {}) {
  const { hostname, port } = new URL(house.origin)
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly location: string; readonly text: string }>()
  request({ hostname, port, path: target, headers }, (reply) => {
    let text = ''
    reply.on('data', (part: Buffer) => (text += part.toString()))
    reply.on('end', () => resolve({ location: reply.headers.location ?? '', text }))
  })
    .on('error', reject)
    .end()
  return promise
}

describe('whatever server a request names, links lead to the issuer', () => {
  const lies = [
    ['an absolute-form request line', 'http://elsewhere.example', {}],
    ['one in capitals', 'HTTPS://ELSEWHERE.example:8443', {}],
    ['one with a user', 'http://user:password@elsewhere.example', {}],
    ['a Host', '', { host: 'elsewhere.example' }],
    ['an X-Forwarded-Host', '', { 'x-forwarded-host': 'elsewhere.example', 'x-forwarded-proto': 'https' }],
    ['a list of them', '', { 'x-forwarded-host': 'elsewhere.example, localhost', 'x-forwarded-port': '8443' }],
    ['a Forwarded', '', { forwarded: 'host=elsewhere.example;proto=https' }],
    ['an X-Original-URL', '', { 'x-original-url': '//elsewhere.example/', 'x-rewrite-url': '//elsewhere.example/' }],
  ] as const

  test.each(lies)('%s: metadata', async (_what, prefix, headers) => {
    const honest = await fetch(`${house.issuer}/.well-known/openid-configuration`).then((reply) => reply.json())
    for (const path of [
      '/oauth/.well-known/openid-configuration',
      '/oauth/.well-known/oauth-authorization-server',
      '/.well-known/oauth-authorization-server/oauth',
      '/.well-known/openid-configuration/oauth',
    ]) {
      expect(JSON.parse((await sendLine(`${prefix}${path}`, headers)).text)).toEqual(honest)
    }
  })

  test.each(lies)('%s: the way to the sign-in page, and its forms', async (_what, prefix, headers) => {
    const path = authorizationUrl(house, google).slice(house.origin.length)
    const { location } = await sendLine(`${prefix}${path}`, headers)
    expect(new URL(location, house.origin).href).toMatch(`${house.issuer}/interaction/`)
    const { text } = await sendLine(`${prefix}/oauth/account`, headers)
    expect(text).toContain('action="/oauth/account/login"')
    expect(text).not.toMatch(/elsewhere/i)
  })

  test.each(['*', 'elsewhere.example:443', 'mailto:nobody@elsewhere.example'])('%s is no page', async (target) => {
    expect((await sendLine(target)).text).not.toMatch(/elsewhere/i)
  })
})

describe('userinfo', () => {
  test.each([
    ['alexa', alexa],
    ['google', google],
  ])('says whose token of %s it is', async (_name, client) => {
    const { access_token } = await link(house, client)
    for (const method of ['GET', 'POST']) {
      const reply = await askUserinfo(access_token, method)
      expect(await reply.json()).toEqual({ sub: house.account, name: ada.name, preferred_username: ada.login })
    }
  })

  test('refuses any other by 401 as RFC 6750 says', async () => {
    const { refresh_token } = await link(house, google)
    for (const token of ['nonsense', refresh_token, '']) {
      const reply = await askUserinfo(token)
      expect([reply.status, reply.headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"'])
    }
    expect((await askUserinfo('x', 'DELETE')).status).toBe(405)
  })
})

describe('introspection', () => {
  test('tells the operator about access and refresh tokens while they are good', async () => {
    for (const client of [alexa, google]) {
      const tokens = await link(house, client)
      const facts = { active: true, sub: house.account, client_id: client.clientId, scope: 'camera' }
      const access = await introspect(tokens.access_token)
      expect(access.body).toMatchObject({ ...facts, token_type: 'Bearer' })
      expect(Number(access.body['exp']) - Date.now() / 1000).toBeGreaterThan(3500)
      expect((await introspect(tokens.refresh_token)).body).toMatchObject({ ...facts, token_type: 'refresh_token' })
      await house.oauth().unlink(house.account, client.clientId)
      expect((await introspect(tokens.access_token)).body).toEqual({ active: false })
      expect((await introspect(tokens.refresh_token)).body).toEqual({ active: false })
    }
    expect((await introspect('nonsense')).body).toEqual({ active: false })
    expect((await introspect('a.b.c')).body).toEqual({ active: false })
  })

  test('is for the operator alone', async () => {
    const { access_token } = await link(house, google)
    expect((await introspect(access_token, access_token)).status).toBe(401)
    expect((await introspect(access_token, operatorKey.slice(1))).status).toBe(401)
  })
})

describe('what the owner is told', () => {
  test('linking, unlinking from any side, and a code used twice are in the history', async () => {
    const unlinked: string[] = []
    const own = await openHouse({
      onUnlinked: async (account, assistant, { isLast }) => void (isLast && unlinked.push(`${account} ${assistant}`)),
    })
    const kinds = async () => (await own.oauth().audit.read(own.account)).map(({ kind, detail }) => [kind, detail])
    try {
      const first = await link(own, alexa)
      const second = await link(own, alexa)
      await requestTokens(own, alexa, { token: first.refresh_token }, '/token/revocation')
      expect(await kinds()).toEqual([
        ['unlinked', 'Amazon Alexa'],
        ['linked', 'Amazon Alexa'],
        ['linked', 'Amazon Alexa'],
      ])
      // One link of the household is left.
      expect(unlinked).toEqual([])
      await own.oauth().unlinkAssistant(own.account, 'alexa')
      expect(unlinked).toEqual([`${own.account} alexa`])
      expect(await refresh(own, alexa, second.refresh_token)).toMatchObject({ body: { error: 'invalid_grant' } })

      const code = (await authorize(own, google)).searchParams.get('code')
      const fields = codeFields(code, google.redirectUris[0] ?? '')
      await requestTokens(own, google, fields)
      own.advance(31_000)
      await requestTokens(own, google, fields)
      expect((await kinds())[0]).toEqual(['token-reused', 'Google'])
      expect(unlinked.at(-1)).toBe(`${own.account} google`)
    } finally {
      await own.close()
    }
  })

  test('the end of the last link is told also where lists are a moment behind, as in DynamoDB', async () => {
    const unlinked: string[] = []
    const own = await openHouse({
      store: withLateLists(createSqliteStore(':memory:', Date.now)),
      onUnlinked: async (_account, assistant, { isLast }) => void (isLast && unlinked.push(assistant)),
    })
    try {
      for (const client of [alexa, alexa, google]) await link(own, client)
      await own.oauth().unlinkAssistant(own.account, 'alexa')
      expect(unlinked).toEqual(['alexa'])
    } finally {
      await own.close()
    }
  })

  test('a hook that fails costs nobody the unlinking, and is logged', async () => {
    const own = await openHouse({
      onUnlinked: async () => {
        throw new Error('Google is away')
      },
    })
    const { refresh_token } = await link(own, google)
    await own.oauth().unlink(own.account, 'google')
    expect(await refresh(own, google, refresh_token)).toMatchObject({ body: { error: 'invalid_grant' } })
    expect(own.log.some(({ event }) => event === 'oauth.unlink-untold')).toBe(true)
    await own.close()
  })
})

/** What was removed is still listed. */
function withLateLists(store: Store): Store {
  return wrapped(store, <T>(kind: string, records: BasicCollection<T>) => {
    const listed = new Map<string, Stored<T>[]>()
    return {
      ...records,
      async list(group, page) {
        const now = await records.list(group, page)
        if (kind !== 'oauth-Grant' || page?.after !== undefined) return now
        const late = (listed.get(group) ?? []).filter(({ id }) => !now.some((one) => one.id === id))
        listed.set(group, [...now])
        return [...now, ...late]
      },
    }
  })
}
