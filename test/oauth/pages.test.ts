/** The pages over plain HTTP: what they say, what protects them, and every way through them. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createPages } from '../../src/bridge/oauth/pages/pages.ts'
import { en } from '../../src/bridge/oauth/pages/words/en.ts'
import { stylesheet } from '../../src/bridge/oauth/pages/style.ts'
import { hash } from 'node:crypto'
import { ada, alexa, google, type House, openHouse } from './house.ts'
import { agree, authorizationUrl, createVisitor, formOf, formsOf, signIn, type Visitor } from './visitor.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
  await house.oauth().users.create({ login: 'bob', password: 'battery staple', name: 'Bob' })
})
afterAll(() => house.close())

const bob = { login: 'bob', password: 'battery staple', name: 'Bob' }

describe('the way through', () => {
  test('the sign-in page names the assistant and asks for login and password', async () => {
    const page = await createVisitor().get(authorizationUrl(house, alexa))
    expect(page.status).toBe(200)
    expect(page.text).toContain('Amazon Alexa asks to be linked')
    expect(page.text).toContain('<html lang="en">')
    expect(page.text).toContain('<label for="login">')
    expect(page.text).toContain('<label for="password">')
    expect(page.text).toMatch(/autocomplete="username"[\s\S]*autocomplete="current-password"/)
  })

  test('the consent page names Google, the account and what is allowed', async () => {
    const visitor = createVisitor()
    const page = await signIn(visitor, await visitor.get(authorizationUrl(house, google)))
    for (const words of ['to Google?', 'Ada Lovelace', 'Ada@Example.com', 'Agree and link', 'Cancel', 'camera']) {
      expect(page.text).toContain(words)
    }
    expect(page.text).not.toContain('Google Assistant')
  })

  test('the login may be written in any case and width, the password may not', async () => {
    const right = createVisitor()
    const login = ' ＡＤＡ@example.COM '
    const page = await signIn(right, await right.get(authorizationUrl(house, google)), { ...ada, login })
    expect(page.text).toContain('Agree and link')
    const wrong = createVisitor()
    const again = await signIn(wrong, await wrong.get(authorizationUrl(house, google)), {
      ...ada,
      password: 'Correct Horse',
    })
    expect([again.status, again.text]).toEqual([422, expect.stringContaining('Login or password is wrong.')])
    expect(again.text).toContain('role="alert"')
    expect(again.text).toContain('value="Ada@Example.com"')
    expect(again.text).not.toContain('Correct Horse')
  })

  test.each(['sign-in', 'consent'])('cancelling on the %s page tells the assistant', async (where) => {
    const visitor = createVisitor()
    const first = await visitor.get(authorizationUrl(house, alexa))
    const page = where === 'consent' ? await signIn(visitor, first) : first
    const cancel = /<a class="button" href="([^"]+)">Cancel/.exec(page.text)?.[1] ?? ''
    const done = await visitor.get(new URL(cancel, page.url).href)
    const back = new URL(done.headers.get('location') ?? '')
    expect(back.origin + back.pathname).toBe(alexa.redirectUris[0])
    expect(back.searchParams.get('error')).toBe('access_denied')
    expect(back.searchParams.get('state')).toBe('opaque-state')
    expect(back.searchParams.get('code')).toBeNull()
  })

  test('another account can be chosen on the consent page, and the request goes on with it', async () => {
    const visitor = createVisitor()
    const page = await signIn(visitor, await visitor.get(authorizationUrl(house, google)))
    const { action, fields } = formOf(page, '/switch')
    const anew = await visitor.post(action, fields)
    expect(anew.text).toContain('Sign in to Transom')
    const consent = await signIn(visitor, anew, bob)
    expect(consent.text).toContain('Signed in as <strong>Bob</strong>')
    const done = await agree(visitor, consent)
    const back = new URL(done.headers.get('location') ?? '')
    expect([back.searchParams.has('code'), back.searchParams.get('state')]).toEqual([true, 'opaque-state'])
  })

  test('two requests in one browser do not mix, also with two people', async () => {
    const visitor = createVisitor()
    const one = await visitor.get(authorizationUrl(house, google, { state: 'one' }))
    const two = await visitor.get(authorizationUrl(house, alexa, { state: 'two' }))
    const consentOne = await signIn(visitor, one)
    expect(consentOne.text).toContain('Ada Lovelace')
    const consentTwo = await signIn(visitor, two, bob)
    expect(consentTwo.text).toContain('Signed in as <strong>Bob</strong>')
    const done = await agree(visitor, consentTwo)
    expect(done.headers.get('location')).toContain('state=two')
    // Ada's session is over, so her page cannot agree for anybody any more.
    const stale = await agree(visitor, consentOne)
    expect([stale.status, stale.headers.get('location')]).toEqual([400, null])
  })

  test('a browser signed in to an account that is gone is asked to sign in', async () => {
    await house.oauth().users.create({ login: 'cy', password: 'battery staple', name: 'Cy' })
    const visitor = createVisitor()
    const consent = await signIn(visitor, await visitor.get(authorizationUrl(house, google)), { ...bob, login: 'cy' })
    await house.store.collection('user').remove('cy')
    expect((await visitor.get(consent.url)).text).toContain('Sign in to Transom')
    expect((await agree(visitor, consent)).status).toBe(400)
    const anew = await visitor.get(authorizationUrl(house, google))
    expect(anew.text).toContain('Sign in to Transom')
    const done = await agree(visitor, await signIn(visitor, anew))
    expect(done.headers.get('location')).toContain('code=')
  })

  test('a page that is finished, unknown or of another browser has expired', async () => {
    const visitor = createVisitor()
    const consent = await signIn(visitor, await visitor.get(authorizationUrl(house, google)))
    const stranger = createVisitor()
    expect((await stranger.get(consent.url)).text).toContain('This page has expired')
    expect((await stranger.get(`${house.issuer}/interaction/none`)).status).toBe(400)
    await agree(visitor, consent)
    expect((await agree(visitor, consent)).text).toContain('This page has expired')
  })
})

test('a page that goes no further leads on: to the cameras and to the account', async () => {
  const visitor = createVisitor()
  const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
  const ends = [
    [404, await visitor.get(`${house.issuer}/account/elsewhere`, browser)],
    [404, await visitor.get(`${house.issuer}/elsewhere`, browser)],
    [404, await visitor.get(`${house.issuer}/welcome/used`, browser)],
    [400, await visitor.get(`${house.issuer}/interaction/none`, browser)],
  ] as const
  for (const [status, page] of ends) {
    expect([page.url, page.status]).toEqual([page.url, status])
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(page.text).toContain(`href="${house.issuer}/account"`)
  }
  // Programs are answered as before.
  const program = await visitor.get(`${house.issuer}/elsewhere`, { accept: '*/*' })
  expect([program.status, program.headers.get('content-type')]).toEqual([404, expect.stringContaining('text/plain')])
})

describe('protection', () => {
  test('a form without our token, or with that of another request, changes nothing', async () => {
    const visitor = createVisitor()
    const other = formOf(await visitor.get(authorizationUrl(house, alexa)), '/login').fields['csrf'] ?? ''
    const page = await visitor.get(authorizationUrl(house, google))
    const login = formOf(page, '/login')
    for (const csrf of [{}, { csrf: '' }, { csrf: 'x'.repeat(43) }, { csrf: other }]) {
      const answer = await visitor.post(login.action, { login: ada.login, password: ada.password, ...csrf })
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
    }
    const consent = await signIn(visitor, page)
    for (const ending of ['/agree', '/switch']) {
      const answer = await visitor.post(formOf(consent, ending).action, {})
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
    }
    expect((await agree(visitor, consent)).headers.get('location')).toContain('code=')
  })

  test('a form posted without the cookies of its browser changes nothing', async () => {
    const visitor = createVisitor()
    const consent = await signIn(visitor, await visitor.get(authorizationUrl(house, google)))
    const { action, fields } = formOf(consent, '/agree')
    expect((await createVisitor().post(action, fields)).status).toBe(400)
  })

  test('agreeing needs somebody signed in', async () => {
    const visitor = createVisitor()
    const login = formOf(await visitor.get(authorizationUrl(house, google)), '/login')
    const answer = await visitor.post(login.action.replace(/login$/, 'agree'), login.fields)
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  })

  test('a forged or altered cookie is worth nothing', async () => {
    const visitor = createVisitor()
    const page = await visitor.get(authorizationUrl(house, google))
    const uid = new URL(page.url).pathname.split('/').at(-1) ?? ''
    const forged = await fetch(page.url, {
      headers: { cookie: `transom_interaction=${uid}; transom_interaction.sig=x` },
    })
    expect(forged.status).toBe(400)
  })

  test('a session that somebody planted in a browser is not the one that signing in begins', async () => {
    const mallory = { ...ada, login: 'mallory', name: 'Mallory' }
    await house.oauth().users.create(mallory)
    const attacker = createVisitor()
    await signIn(attacker, await attacker.get(authorizationUrl(house, google)), mallory)
    const victim = createVisitor(attacker.cookies.filter(({ name }) => name.startsWith('transom_session')))
    const planted = await victim.get(authorizationUrl(house, google, { prompt: 'login' }))
    expect((await signIn(victim, planted)).text).toContain('Ada Lovelace')
    const [theirs, ours] = [attacker, victim].map(
      ({ cookies }) => cookies.find(({ name }) => name === 'transom_session')?.value,
    )
    expect(ours).toBeTruthy()
    expect(ours).not.toBe(theirs)
    const after = await attacker.get(authorizationUrl(house, google))
    expect(after.text).not.toContain('Ada')
  })

  test('cookies are for us only: HttpOnly, SameSite=Lax, below the issuer; Secure when the issuer is https', async () => {
    const visitor = createVisitor()
    await signIn(visitor, await visitor.get(authorizationUrl(house, google)))
    expect(visitor.cookies.length).toBeGreaterThanOrEqual(6)
    for (const { line, path } of visitor.cookies) {
      expect(line).toMatch(/httponly/i)
      expect(line).toMatch(/samesite=lax/i)
      expect(line).not.toMatch(/secure/i)
      expect(path).toMatch(/^\/oauth/)
    }
    const https = await openHouse({ issuer: 'https://bridge.example/oauth' })
    try {
      const plain = await fetch(authorizationUrl({ ...https, issuer: `${https.origin}/oauth` }, google), {
        redirect: 'manual',
      })
      expect(plain.status).toBe(303)
      for (const line of plain.headers.getSetCookie()) expect(line).toMatch(/; secure/i)
    } finally {
      await https.close()
    }
  })

  test('every answer forbids frames, scripts, caching and referrers', async () => {
    const visitor = createVisitor()
    const login = await visitor.get(authorizationUrl(house, google))
    const consent = await signIn(visitor, login)
    const refused = await visitor.get(authorizationUrl(house, google, { redirect_uri: 'https://evil.example' }))
    const expired = await visitor.get(`${house.issuer}/interaction/none`)
    for (const { headers } of [login, consent, refused, expired]) {
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).toContain(`style-src 'sha256-${hash('sha256', stylesheet, 'base64')}'`)
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('cache-control')).toContain('no-store')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
    expect(login.headers.get('content-security-policy')).toContain("form-action 'self'")
    expect(login.text).toContain(`<style>${stylesheet}</style>`)
    expect(`${login.text}${consent.text}`).not.toMatch(/\son\w+=|javascript:/i)
    // The one script is ours, comes from us, and is allowed nowhere else.
    expect(login.text.match(/<script[^>]*>/g)).toEqual([`<script src="${house.issuer}/passkey.js" defer>`])
    expect(login.headers.get('content-security-policy')).toContain(
      `script-src ${house.issuer}/passkey.js; connect-src 'self'`,
    )
    expect(consent.text).not.toContain('<script')
    expect(consent.headers.get('content-security-policy')).not.toContain('script-src')
  })

  test('nothing typed or stored becomes markup', () => {
    const nasty = `"><script>alert('&')</script>`
    const pages = createPages({
      brand: { name: nasty, privacyUrl: nasty },
      ways: { account: nasty, cameras: nasty },
      words: en,
    })
    const paths = { agree: nasty, cancel: nasty, switchAccount: nasty, csrf: nasty }
    const user = { accountId: house.account, login: nasty, name: nasty }
    for (const page of [
      pages.signIn({
        asker: { kind: 'other', name: nasty },
        action: nasty,
        cancel: nasty,
        csrf: nasty,
        login: nasty,
        problem: { kind: 'provider', name: nasty },
      }),
      pages.consent({ asker: { kind: 'google', name: 'Google' }, user, cameras: [nasty], ...paths }),
      pages.refused(nasty, nasty),
      pages.expired(),
      pages.outage(),
      pages.lost(),
    ]) {
      expect(page).not.toContain('<script')
      expect(page).toContain('&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)')
    }
  })

  test('a form larger than any honest one is not read', async () => {
    const visitor = createVisitor()
    const { action, fields } = formOf(await visitor.get(authorizationUrl(house, google)), '/login')
    const large = await visitor.post(action, { ...fields, login: 'a', password: 'x'.repeat(20_000) })
    expect(large.status).toBe(413)
    const long = await visitor.post(action, { ...fields, login: 'a', password: 'x'.repeat(300) })
    expect(long.status).toBe(422)
    expect(formsOf(long)).toHaveLength(1)
  })
})

describe('guessing passwords', () => {
  test.each([
    [1, ''],
    // CloudFront's address, which API Gateway adds behind the client's.
    [2, ', 130.176.1.1'],
  ])('is stopped from where it comes, behind %i proxies; the owner elsewhere still gets in', async (hops, added) => {
    const proxied = await openHouse({ behindProxy: hops })
    try {
      const attempt = async (address: string, password: string) => {
        const visitor = createVisitor()
        const { action, fields } = formOf(await visitor.get(authorizationUrl(proxied, google)), '/login')
        return visitor.post(
          action,
          { ...fields, login: ada.login, password },
          { 'x-forwarded-for': `${address}${added}` },
        )
      }
      for (let guess = 0; guess < 5; guess += 1)
        expect((await attempt('203.0.113.7', `guess ${guess}`)).status).toBe(422)
      const stopped = await attempt('203.0.113.7', ada.password)
      expect([stopped.status, stopped.text]).toEqual([429, expect.stringContaining('Too many attempts')])
      expect(Number(stopped.headers.get('retry-after'))).toBeGreaterThan(0)
      expect((await attempt('198.51.100.1', ada.password)).text).toContain('Agree and link')
      // A forged first entry does not help: only what our own proxy added counts.
      expect((await attempt('198.51.100.9, 203.0.113.7', ada.password)).status).toBe(429)
      proxied.advance(5 * 60_000)
      expect((await attempt('203.0.113.7', ada.password)).text).toContain('Agree and link')
      const events = proxied.log.map(({ event }) => event)
      expect(events.filter((event) => event === 'oauth.login-failed')).toHaveLength(5)
      expect(events.filter((event) => event === 'oauth.login-slowed')).toHaveLength(2)
    } finally {
      await proxied.close()
    }
  })

  test('from the same address does not stop a browser in which the owner signed in before', async () => {
    const own = await openHouse()
    try {
      const owners = createVisitor()
      const attempt = async (visitor: Visitor, password: string) => {
        const { action, fields } = formOf(
          await visitor.get(authorizationUrl(own, google, { prompt: 'login' })),
          '/login',
        )
        return visitor.post(action, { ...fields, login: ada.login, password })
      }
      expect((await attempt(owners, ada.password)).status).toBe(200)
      const strangers = createVisitor()
      for (let guess = 0; guess < 5; guess += 1) expect((await attempt(strangers, 'guess')).status).toBe(422)
      expect((await attempt(strangers, ada.password)).status).toBe(429)
      // A cookie of one's own making, or of another login, is none.
      const known = owners.cookies.filter(({ name }) => name === 'transom_browser')
      expect(known).toHaveLength(1)
      const altered = known.map((cookie) => ({ ...cookie, value: `A${cookie.value.slice(1)}B` }))
      expect((await attempt(createVisitor(altered), ada.password)).status).toBe(429)
      expect((await attempt(owners, ada.password)).text).toContain('Agree and link')
    } finally {
      await own.close()
    }
  })
})
