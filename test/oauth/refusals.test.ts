/** What the server refuses, and how: a refusal must be certain, and must not be confused with our own failure. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import { alexa, google, type House, openHouse } from './house.ts'
import {
  authorizationUrl,
  authorize,
  codeFields,
  createVisitor,
  formsOf,
  link,
  refresh,
  requestTokens,
} from './visitor.ts'

const redirectUri = google.redirectUris[0] ?? ''
let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

async function newCode(more: Record<string, string> = {}): Promise<string> {
  return (await authorize(house, google, more)).searchParams.get('code') ?? ''
}

describe('the authorization endpoint', () => {
  test.each([
    ['another host', 'https://evil.example/r/doorbell'],
    ['a longer path', `${redirectUri}/more`],
    ['another letter case', redirectUri.toUpperCase()],
    ['a query', `${redirectUri}?next=1`],
    ['a slash more', `${redirectUri}/`],
    ['user information', redirectUri.replace('https://', 'https://evil@')],
    ['another client', alexa.redirectUris[0] ?? ''],
    ['plain http', redirectUri.replace('https', 'http')],
    ['a script', 'javascript:alert(1)'],
    ['nothing', ''],
  ])('does not redirect to %s', async (_what, target) => {
    const answer = await createVisitor().get(authorizationUrl(house, google, { redirect_uri: target }))
    expect(answer.status).toBe(400)
    expect(answer.headers.get('location')).toBeNull()
    expect(answer.text).toContain('This request cannot be answered')
  })

  test('an unknown client gets a page, whatever its name contains', async () => {
    const query = { client_id: '<img src=x onerror=alert(1)>'.repeat(30) }
    const answer = await createVisitor().get(authorizationUrl(house, google, query))
    expect(answer.status).toBe(400)
    expect(answer.text).not.toContain('<img')
  })

  test.each([
    ['implicit', { response_type: 'token' }, 'unsupported_response_type'],
    ['a scope that does not exist', { scope: 'everything' }, 'invalid_scope'],
    ['plain PKCE', { code_challenge: 'x'.repeat(43), code_challenge_method: 'plain' }, 'invalid_request'],
    ['another resource', { resource: 'https://elsewhere.example' }, 'invalid_target'],
    ['no page at all', { prompt: 'none' }, 'login_required'],
  ])('tells the client about %s, with its state', async (_what, query: Record<string, string>, error) => {
    const answer = await createVisitor().get(authorizationUrl(house, google, query))
    const back = new URL(answer.headers.get('location') ?? '')
    expect(back.origin + back.pathname).toBe(redirectUri)
    const values = new URLSearchParams(back.hash === '' ? back.search : back.hash.slice(1))
    expect([values.get('error'), values.get('state')]).toEqual([error, 'opaque-state'])
  })

  test('that somebody is not signed in is no refusal in the log, where a client asks without a page; all else is', async () => {
    const from = house.log.length
    await createVisitor().get(authorizationUrl(house, google, { prompt: 'none' }))
    await createVisitor().get(authorizationUrl(house, google, { prompt: 'none', scope: 'everything' }))
    expect(house.log.slice(from)).toMatchObject([
      { level: 'info', event: 'oauth.not-signed-in', fields: { clientId: 'google', code: 'login_required' } },
      { level: 'warn', event: 'oauth.refused', fields: { code: 'invalid_scope' } },
    ])
  })

  test('links stay with the issuer whatever the Host header says', async () => {
    const answer = await fetch(authorizationUrl(house, google), {
      redirect: 'manual',
      headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    })
    expect(answer.headers.get('location')).toMatch(/^\/oauth\/interaction\//)
    expect(house.written.at(-1)).toContain(`"returnTo":"${house.issuer}/auth/`)
  })
})

describe('an authorization code', () => {
  test('sent twice is refused the second time, and the link of the first stays', async () => {
    const code = await newCode()
    const first = await requestTokens(house, google, codeFields(code, redirectUri))
    const second = await requestTokens(house, google, codeFields(code, redirectUri))
    expect(second).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect((await refresh(house, google, first.body.refresh_token ?? '')).status).toBe(200)
  })

  test('sent ten times at once gives exactly one link, which stays', async () => {
    const fields = codeFields(await newCode(), redirectUri)
    const answers = await Promise.all(Array.from({ length: 10 }, () => requestTokens(house, google, fields)))
    const [won, ...others] = answers.toSorted((a, b) => a.status - b.status)
    expect(others).toHaveLength(9)
    for (const other of others) expect(other).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect((await refresh(house, google, won?.body.refresh_token ?? '')).status).toBe(200)
  })

  test('sent again after the grace takes the link with it', async () => {
    const code = await newCode()
    const { body } = await requestTokens(house, google, codeFields(code, redirectUri))
    house.advance(31_000)
    expect((await requestTokens(house, google, codeFields(code, redirectUri))).status).toBe(400)
    expect(await refresh(house, google, body.refresh_token ?? '')).toMatchObject({ body: { error: 'invalid_grant' } })
    await expect(house.oauth().verifyToken(body.access_token ?? '')).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('expires', async () => {
    const code = await newCode()
    house.advance(600_001)
    const answer = await requestTokens(house, google, codeFields(code, redirectUri))
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  test('is worth nothing to another client, at another redirect URI, or altered; and stays good for its own', async () => {
    const code = await newCode()
    const attempts = [
      await requestTokens(house, alexa, codeFields(code, redirectUri)),
      await requestTokens(house, google, codeFields(code, google.redirectUris[1] ?? '')),
      await requestTokens(
        house,
        google,
        codeFields(`${code.slice(0, -1)}${code.endsWith('A') ? 'B' : 'A'}`, redirectUri),
      ),
      await requestTokens(house, google, codeFields('x'.repeat(5000), redirectUri)),
    ]
    for (const answer of attempts) expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect((await requestTokens(house, google, codeFields(code, redirectUri))).status).toBe(200)
  })

  test('with a PKCE challenge needs its verifier', async () => {
    const verifier = oauth.generateRandomCodeVerifier()
    const code_challenge = await oauth.calculatePKCECodeChallenge(verifier)
    const code = await newCode({ code_challenge, code_challenge_method: 'S256' })
    for (const more of [{}, { code_verifier: oauth.generateRandomCodeVerifier() }]) {
      const answer = await requestTokens(house, google, { ...codeFields(code, redirectUri), ...more })
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    }
    const right = { ...codeFields(code, redirectUri), code_verifier: verifier }
    expect((await requestTokens(house, google, right)).status).toBe(200)
  })
})

describe('the token endpoint', () => {
  test('refuses a wrong secret by 401, and the link stays', async () => {
    const { refresh_token } = await link(house, google)
    for (const client of [google, alexa]) {
      const wrong = { ...client, clientSecret: 'wrong0123456789abcdef' }
      expect(await refresh(house, wrong, refresh_token)).toMatchObject({
        status: 401,
        body: { error: 'invalid_client' },
      })
    }
    const nobody = { ...google, clientId: 'nobody' }
    expect(await refresh(house, nobody, refresh_token)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    })
    expect((await refresh(house, google, refresh_token)).status).toBe(200)
  })

  test("refuses another client's refresh token and an altered one", async () => {
    const { refresh_token } = await link(house, google)
    expect(await refresh(house, alexa, refresh_token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect(await refresh(house, google, `${refresh_token}x`)).toMatchObject({ body: { error: 'invalid_grant' } })
    expect((await refresh(house, google, refresh_token)).status).toBe(200)
  })

  test('knows no other grants', async () => {
    for (const grant_type of ['password', 'client_credentials', 'implicit', '']) {
      const { status, body } = await requestTokens(house, google, { grant_type, username: 'a', password: 'b' })
      expect([status, body.error]).not.toContain(200)
      expect(body.access_token).toBeUndefined()
    }
  })

  test('takes no large body', async () => {
    const answer = await requestTokens(house, google, {
      grant_type: 'refresh_token',
      refresh_token: 'x'.repeat(60_000),
    })
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })

  test('an answer is not to be kept by any cache', async () => {
    const { refresh_token } = await link(house, google)
    const { headers } = await refresh(house, google, refresh_token)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
  })
})

describe('the revocation endpoint', () => {
  test("refuses another client's token, and takes an unknown one for revoked", async () => {
    const { refresh_token } = await link(house, google)
    expect((await requestTokens(house, alexa, { token: refresh_token }, '/token/revocation')).status).toBe(400)
    expect((await requestTokens(house, google, { token: 'unknown' }, '/token/revocation')).status).toBe(200)
    expect((await refresh(house, google, refresh_token)).status).toBe(200)
  })
})

describe('while the store is down', () => {
  test('nothing looks like a refusal, and everything works again after', async () => {
    const { access_token, refresh_token } = await link(house, google)
    const code = await newCode()
    house.breakStore(true)
    try {
      for (const answer of [
        await refresh(house, google, refresh_token),
        await requestTokens(house, google, codeFields(code, redirectUri)),
        await requestTokens(house, google, { token: refresh_token }, '/token/revocation'),
      ]) {
        expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } })
        expect(answer.headers.get('retry-after')).toBe('5')
      }
      const page = await createVisitor().get(authorizationUrl(house, google))
      expect([page.status, page.text]).toEqual([503, expect.stringContaining('Something went wrong here')])
      await expect(house.oauth().verifyToken(access_token)).rejects.not.toMatchObject({ code: 'unauthorized' })
    } finally {
      house.breakStore(false)
    }
    expect((await refresh(house, google, refresh_token)).status).toBe(200)
    expect((await requestTokens(house, google, codeFields(code, redirectUri))).status).toBe(200)
    expect(house.log.some(({ level, event }) => level === 'error' && event === 'oauth.outage')).toBe(true)
  })
})

test('whatever goes wrong on the way of a one-time link, its code is not in the log', async () => {
  const withConsole = await openHouse({ consoleUri: 'http://localhost/' })
  const { issuer, log } = withConsole
  const code = 'one-time-code-that-still-opens'
  try {
    for (const way of ['welcome', 'enter', 'interaction', 'auth', 'somewhere']) {
      const urls = [`${issuer}/${way}/${code}`, `${issuer}/${way}/${code}%`, `${issuer}/${way}/${code}/more`]
      for (const url of urls) {
        withConsole.breakStore(true)
        await createVisitor().get(url)
        await createVisitor().post(url, { csrf: 'not ours', password: 'x'.repeat(20_000) })
        withConsole.breakStore(false)
        await createVisitor().get(url)
        await createVisitor().post(url, { csrf: 'not ours' })
      }
    }
  } finally {
    await withConsole.close()
  }
  expect(log.length).toBeGreaterThan(10)
  expect(JSON.stringify(log)).not.toContain(code)
})

test('nor is one that comes when too many choose a password, and it still opens', async () => {
  const crowded = await openHouse()
  const codes = await Promise.all(
    Array.from({ length: 40 }, () => crowded.oauth().tickets.issue({ kind: 'invitation' }, 3_600_000)),
  )
  try {
    const visits = await Promise.all(
      codes.map(async (code, n) => {
        const visitor = createVisitor()
        const url = `${crowded.issuer}/welcome/${code}`
        const { fields } = formsOf(await visitor.get(url))[0]!
        return () => visitor.post(url, { ...fields, login: `user${n}`, name: 'N', password: 'kestrel on the wire' })
      }),
    )
    const answers = await Promise.all(visits.map((post) => post()))
    const turnedAway = answers.findIndex(({ status }) => status === 429)
    expect(turnedAway).toBeGreaterThanOrEqual(0)
    expect(crowded.log).toContainEqual(
      expect.objectContaining({ event: 'oauth.refused', fields: expect.objectContaining({ path: '/welcome' }) }),
    )
    const log = JSON.stringify(crowded.log)
    expect(codes.filter((code) => log.includes(code))).toEqual([])
    expect((await visits[turnedAway]!()).status).toBe(200)
  } finally {
    await crowded.close()
  }
})

const from = (address: string) => ({ 'x-forwarded-for': address })

test('what such a flood carries is bounded, too: from everywhere, with as much of it as a request may hold', async () => {
  const flooded = await openHouse({ behindProxy: 1 })
  try {
    const url = new URL(authorizationUrl(flooded, google))
    url.searchParams.set('state', 'x'.repeat(8 * 1_024))
    const [before, startedAt] = [flooded.written.length, performance.now()]
    const statuses: number[] = []
    for (let n = 0; n < 250; n += 1)
      statuses.push((await fetch(url, { redirect: 'manual', headers: from(`198.51.100.${n}`) })).status)
    const mostKiB = 1_000 + (10 * (performance.now() - startedAt)) / 1_000
    const begun = statuses.filter((status) => status === 303).length
    expect(begun).toBeGreaterThan(100)
    expect(begun * 9).toBeLessThanOrEqual(mostKiB)
    expect(flooded.written.length - before).toBe(begun)
    expect(statuses.at(-1)).toBe(429)
  } finally {
    await flooded.close()
  }
})

test.each([
  [1, 100],
  [3, 300],
])('at %i starts a second at most, %i at once are let begin', async (startsPerSecond, atOnce) => {
  const busy = await openHouse({ behindProxy: 1, startsPerSecond })
  try {
    const url = authorizationUrl(busy, google)
    const startedAt = performance.now()
    let begun = 0
    let last = 303
    while (last === 303) {
      last = (await fetch(url, { redirect: 'manual', headers: from(`198.51.100.${begun % 200}`) })).status
      if (last === 303) begun += 1
    }
    expect(last).toBe(429)
    expect(begun).toBeGreaterThanOrEqual(atOnce)
    expect(begun).toBeLessThanOrEqual(atOnce + 1 + (startsPerSecond * (performance.now() - startedAt)) / 1_000)
  } finally {
    await busy.close()
  }
})

test('a flood of links that begin and never end is bounded, by network and in all', async () => {
  const flooded = await openHouse({ behindProxy: 1 })
  try {
    const url = authorizationUrl(flooded, google)
    const statuses: number[] = []
    const before = flooded.written.length
    for (let n = 0; n < 200; n += 1)
      statuses.push((await fetch(url, { redirect: 'manual', headers: from('198.51.100.1') })).status)
    const begun = statuses.filter((status) => status === 303).length
    expect(begun).toBeGreaterThanOrEqual(120)
    expect(begun).toBeLessThan(200)
    expect(flooded.written.length - before).toBe(begun)
    const refused = await fetch(url, { redirect: 'manual', headers: from('198.51.100.1') })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5'])
    expect((await fetch(url, { redirect: 'manual', headers: from('203.0.113.1') })).status).toBe(303)
  } finally {
    await flooded.close()
  }
})
