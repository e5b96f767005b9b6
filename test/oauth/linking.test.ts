/** Account linking as Alexa and Google do it, with a certified client library and by the plain requests they send. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { wrapped } from '../store/wrapped.ts'
import { alexa, google, type House, openHouse } from './house.ts'
import {
  agree,
  authorizationUrl,
  authorize,
  codeFields,
  createVisitor,
  formOf,
  link,
  refresh,
  requestTokens,
  signIn,
} from './visitor.ts'

const insecure = { [oauth.allowInsecureRequests]: true }
let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

async function discover(): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(house.issuer)
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
}

describe('with oauth4webapi', () => {
  test.each([
    ['alexa', alexa, oauth.ClientSecretBasic(alexa.clientSecret)],
    ['alexa, secret in the body', alexa, oauth.ClientSecretPost(alexa.clientSecret)],
    ['google', google, oauth.ClientSecretPost(google.clientSecret)],
  ])('%s links with PKCE, refreshes and revokes', async (_name, { clientId, redirectUris }, authentication) => {
    const server = await discover()
    const client = { client_id: clientId }
    const redirectUri = redirectUris.at(-1) ?? ''
    const verifier = oauth.generateRandomCodeVerifier()
    const state = oauth.generateRandomState()
    const back = await authorize(
      house,
      { ...(clientId === 'alexa' ? alexa : google), redirectUris: [redirectUri] },
      {
        state,
        scope: 'camera',
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      },
    )
    const parameters = oauth.validateAuthResponse(server, client, back, state)
    const tokens = await oauth.processAuthorizationCodeResponse(
      server,
      client,
      await oauth.authorizationCodeGrantRequest(
        server,
        client,
        authentication,
        parameters,
        redirectUri,
        verifier,
        insecure,
      ),
    )
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 3600, scope: 'camera' })
    expect(await house.oauth().verifyToken(tokens.access_token)).toEqual({
      accountId: house.account,
      clientId,
      scopes: ['camera'],
      linkId: expect.any(String),
      // Google's tokens are opaque, and say nothing of themselves.
      ...(clientId === 'alexa' && { clientKind: 'alexa' }),
    })

    const again = await oauth.processRefreshTokenResponse(
      server,
      client,
      await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token ?? '', insecure),
    )
    expect(again.refresh_token).toBe(tokens.refresh_token)
    expect(again.access_token).not.toBe(tokens.access_token)
    await house.oauth().verifyToken(again.access_token)
    await house.oauth().verifyToken(tokens.access_token)

    await oauth.processRevocationResponse(
      await oauth.revocationRequest(server, client, authentication, tokens.refresh_token ?? '', insecure),
    )
    await expect(house.oauth().verifyToken(again.access_token)).rejects.toMatchObject({ code: 'unauthorized' })
    await expect(
      oauth.processRefreshTokenResponse(
        server,
        client,
        await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token ?? '', insecure),
      ),
    ).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  test('both metadata documents below the issuer say the same', async () => {
    const openid = await fetch(`${house.issuer}/.well-known/openid-configuration`).then((r) => r.json())
    const rfc8414 = await fetch(`${house.issuer}/.well-known/oauth-authorization-server`).then((r) => r.json())
    expect(rfc8414).toEqual(openid)
    expect(openid).toMatchObject({
      issuer: house.issuer,
      authorization_endpoint: `${house.issuer}/auth`,
      token_endpoint: `${house.issuer}/token`,
      revocation_endpoint: `${house.issuer}/token/revocation`,
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    })
  })
})

describe('the plain requests of the assistants', () => {
  test('without scope and PKCE the default scope is granted', async () => {
    expect((await link(house, alexa)).scope).toBe('camera')
    expect((await link(house, google)).scope).toBe('camera')
  })

  test('an empty scope counts as none, an unknown one beside ours is dropped', async () => {
    for (const scope of ['', 'camera profile:read']) {
      const back = await authorize(house, google, { scope })
      const redirectUri = google.redirectUris[0] ?? ''
      const { body } = await requestTokens(house, google, codeFields(back.searchParams.get('code'), redirectUri))
      expect(body.scope).toBe('camera')
    }
  })

  test.each([900, 6000])('a state of %d characters comes back as it was sent', async (length) => {
    const state = `+/=%25 &ü${'AbC-._~9'.repeat(length / 8)}`
    const back = await authorize(house, alexa, { state, user_locale: 'de-DE' })
    expect(back.searchParams.get('state')).toBe(state)
    expect(back.origin + back.pathname).toBe(alexa.redirectUris[0])
  })

  test('Alexa gets JWTs and Google opaque tokens', async () => {
    expect((await link(house, alexa)).access_token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    expect((await link(house, google)).access_token).toMatch(/^[\w-]{43}$/)
  })

  test('fifty refreshes at once all succeed, with fifty different access tokens', async () => {
    for (const client of [alexa, google]) {
      const { refresh_token } = await link(house, client)
      const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(house, client, refresh_token)))
      expect(answers.map(({ status }) => status)).toEqual(Array<number>(50).fill(200))
      expect(new Set(answers.map(({ body }) => body.access_token)).size).toBe(50)
    }
  })

  test('a link outlives a restart and years', async () => {
    const { refresh_token } = await link(house, google)
    house.restart()
    expect((await refresh(house, google, refresh_token)).status).toBe(200)
    house.advance(20 * 365 * 86_400_000)
    const late = await refresh(house, google, refresh_token)
    house.advance(-20 * 365 * 86_400_000)
    expect(late.status).toBe(200)
  })

  test('every link asks for consent, also when the browser is signed in already', async () => {
    const visitor = createVisitor()
    const done = await agree(visitor, await signIn(visitor, await visitor.get(authorizationUrl(house, alexa))))
    expect(done.headers.get('location')).toContain('code=')
    const second = await visitor.get(authorizationUrl(house, google))
    expect(second.text).toContain('Link Transom to Google?')
    expect(formOf(second, '/agree').fields['csrf']).toMatch(/^.{43}$/)
  })
})

describe('unlinking', () => {
  test('ends all links of that account with that client, and only those', async () => {
    const first = await link(house, google)
    const second = await link(house, google)
    const other = await link(house, alexa)
    await house.oauth().verifyToken(first.access_token)
    await house.oauth().unlink(house.account, 'google')
    for (const { access_token, refresh_token } of [first, second]) {
      await expect(house.oauth().verifyToken(access_token)).rejects.toMatchObject({ code: 'unauthorized' })
      expect(await refresh(house, google, refresh_token)).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      })
    }
    await house.oauth().verifyToken(other.access_token)
    expect((await refresh(house, alexa, other.refresh_token)).status).toBe(200)
    expect(house.log.filter(({ event }) => event === 'oauth.unlinked').length).toBeGreaterThanOrEqual(2)
  })

  test('two links from one browser are ended one by one', async () => {
    const first = await link(house, google)
    const second = await link(house, google)
    const answer = await requestTokens(house, google, { token: first.access_token }, '/token/revocation')
    expect(answer.status).toBe(200)
    expect((await refresh(house, google, first.refresh_token)).status).toBe(400)
    expect((await refresh(house, google, second.refresh_token)).status).toBe(200)
  })

  test('by a token ends just its link, as DISCONNECT of one member of a household does', async () => {
    const [first, second] = [await link(house, google), await link(house, google)]
    await house.oauth().unlinkToken(first.access_token)
    expect((await refresh(house, google, first.refresh_token)).status).toBe(400)
    const kept = await refresh(house, google, second.refresh_token)
    expect(kept.status).toBe(200)
    expect(await house.oauth().isLinked(house.account, 'google')).toBe(true)
    await house.oauth().unlink(house.account, 'google')
    expect(await house.oauth().isLinked(house.account, 'google')).toBe(false)
    // A token that is nobody's, or no longer anybody's, ends nothing.
    await house.oauth().unlinkToken(first.access_token)
    await house.oauth().unlinkToken('x.y.z')
  })

  test('leaves nothing of the link in the store', async () => {
    const { access_token } = await link(house, google)
    const grants = house.store.collection('oauth-Grant')
    expect((await grants.list(house.account)).length).toBeGreaterThan(0)
    await house.oauth().unlink(house.account, 'google')
    await house.oauth().unlink(house.account, 'alexa')
    expect(await grants.list(house.account)).toEqual([])
    await expect(house.oauth().verifyToken(access_token)).rejects.toMatchObject({ code: 'unauthorized' })
  })
})

async function alive(own: House, links: readonly { refresh_token: string }[]): Promise<readonly boolean[]> {
  const refreshed = await Promise.all(links.map(({ refresh_token }) => refresh(own, alexa, refresh_token)))
  return refreshed.map(({ status }) => status === 200)
}

describe('of many links of one account with one assistant', () => {
  const day = 24 * 3_600_000

  test('the ten stay that were made or used last', async () => {
    const own = await openHouse()
    const links = []
    for (let count = 0; count < 12; count++) links.push(await link(own, alexa))
    const other = await link(own, google)
    own.advance(2 * day)
    // The oldest is the one in use.
    await refresh(own, alexa, links[0]!.refresh_token)
    links.push(await link(own, alexa))
    expect(await own.store.collection('oauth-Grant').list(own.account)).toHaveLength(11)
    const kept = await alive(own, links)
    expect([kept[0], kept[12], kept.filter(Boolean).length]).toEqual([true, true, 10])
    expect((await refresh(own, google, other.refresh_token)).status).toBe(200)
    await own.close()
  })

  test('none ends that was made or used within a day, whatever the clock did meanwhile', async () => {
    const own = await openHouse()
    const links = []
    for (let count = 0; count < 15; count++) {
      links.push(await link(own, alexa))
      own.advance(-60_000)
    }
    expect(await alive(own, links)).toEqual(links.map(() => true))
    await own.close()
  })
})

test('linking needs no list that is up to date: in DynamoDB each may be a moment behind', async () => {
  const store = createSqliteStore(':memory:', Date.now)
  const late = wrapped(store, (_kind, records) => ({ ...records, list: async () => [] }))
  const own = await openHouse({ store: late })
  try {
    for (const client of [alexa, google]) {
      const { access_token, refresh_token } = await link(own, client)
      expect(await own.oauth().verifyToken(access_token)).toMatchObject({ clientId: client.clientId })
      expect((await refresh(own, client, refresh_token)).status).toBe(200)
    }
  } finally {
    await own.close()
  }
})

test('a grant that nobody redeems goes away by itself, a redeemed one stays', async () => {
  const grants = house.store.collection('oauth-Grant')
  await link(house, alexa)
  const kept = (await grants.list(house.account)).length
  await authorize(house, alexa)
  expect(await grants.list(house.account)).toHaveLength(kept + 1)
  house.advance(2 * 3_600_000)
  const later = await grants.list(house.account)
  house.advance(-2 * 3_600_000)
  expect(later).toHaveLength(kept)
})

test('the log says who linked and holds no secret', async () => {
  const { access_token, refresh_token } = await link(house, google)
  expect(house.log).toContainEqual({
    level: 'info',
    event: 'oauth.linked',
    fields: { clientId: 'google', accountId: house.account },
  })
  const text = JSON.stringify(house.log)
  for (const secret of [access_token, refresh_token, google.clientSecret, alexa.clientSecret, 'correct horse']) {
    expect(text).not.toContain(secret)
  }
})

test('the store never sees a token, code, password or session cookie in the clear', async () => {
  const visitor = createVisitor()
  const done = await agree(visitor, await signIn(visitor, await visitor.get(authorizationUrl(house, google))))
  const code = new URL(done.headers.get('location') ?? '').searchParams.get('code') ?? ''
  const { body } = await requestTokens(house, google, codeFields(code, google.redirectUris[0] ?? ''))
  const session = visitor.cookies.find(({ name }) => name === 'transom_session')?.value
  // The signed-in browser begins another request: that record holds the session it belongs to.
  await visitor.get(authorizationUrl(house, google))
  const text = house.written.join('\n')
  for (const kind of ['oauth-Session', 'oauth-Interaction', 'oauth-AuthorizationCode', 'oauth-RefreshToken', 'user']) {
    expect(text).toContain(`["${kind}"`)
  }
  for (const secret of [body.access_token, body.refresh_token, code, session, 'correct horse']) {
    expect(secret).toBeTruthy()
    expect(text.includes(secret ?? '')).toBe(false)
  }
})
