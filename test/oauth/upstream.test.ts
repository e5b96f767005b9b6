/** Login by another OpenID Connect provider: a second, real one, which knows nothing of us but a client. */
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import express from 'express'
import { Provider } from 'oidc-provider'
import { alexa, google, type House, openHouse } from './house.ts'
import {
  agree,
  authorizationUrl,
  codeFields,
  createVisitor,
  formOf,
  requestTokens,
  type Answer,
  type Visitor,
} from './visitor.ts'

interface UpstreamServer {
  readonly issuer: string
  /** Who is signed in there, and what else goes wrong. */
  person: { sub: string; name: string; email: string }
  fault: 'none' | 'denied' | 'away'
  redirectUri: string
  close(): Promise<void>
}

/** A certified provider with one person signed in, behind a middleman that can spoil its answers. */
async function openUpstream(): Promise<UpstreamServer> {
  const app = express()
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const address = server.address()
  const issuer = `http://localhost:${typeof address === 'object' && address !== null ? address.port : 0}`
  const self: UpstreamServer = {
    issuer,
    person: { sub: 'grace', name: 'Grace Hopper', email: 'grace@navy.example' },
    fault: 'none',
    redirectUri: '',
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  let provider: Provider | undefined
  app.use(async (req, res) => {
    if (self.fault === 'away' && !req.path.startsWith('/.well-known')) return void res.destroy()
    provider ??= new Provider(issuer, {
      clients: [
        {
          client_id: 'transom',
          client_secret: 'upstream-secret-of-the-tests',
          redirect_uris: [self.redirectUri],
          response_types: ['code'],
          grant_types: ['authorization_code'],
        },
      ],
      conformIdTokenClaims: false,
      claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
      findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ ...self.person, sub }) }),
      interactions: { url: (_ctx, interaction) => `/interact/${interaction.uid}` },
      features: { devInteractions: { enabled: false } },
      cookies: { keys: ['k'] },
      loadExistingGrant: async (ctx) => {
        const grant = new ctx.oidc.provider.Grant({
          accountId: ctx.oidc.session?.accountId ?? '',
          clientId: ctx.oidc.client?.clientId ?? '',
        })
        grant.addOIDCScope('openid profile email')
        await grant.save()
        return grant
      },
    })
    if (req.path.startsWith('/interact/')) {
      const result =
        self.fault === 'denied'
          ? { error: 'access_denied' }
          : { login: { accountId: self.person.sub, remember: false } }
      return void provider.interactionFinished(req, res, result)
    }
    return provider.callback()(req, res)
  })
  return self
}

let upstream: UpstreamServer
let house: House
beforeAll(async () => {
  // The other provider says that its keys and its memory are for development, which is what they are for.
  for (const level of ['warn', 'info'] as const) jest.spyOn(console, level).mockImplementation(() => {})
  upstream = await openUpstream()
  house = await openHouse({
    upstream: {
      issuer: upstream.issuer,
      clientId: 'transom',
      clientSecret: 'upstream-secret-of-the-tests',
      name: 'Navy ID',
      allowHttp: true,
    },
  })
  upstream.redirectUri = `${house.issuer}/upstream/callback`
})
afterAll(async () => {
  jest.restoreAllMocks()
  await house.close()
  await upstream.close()
})

/** Through the upstream's pages and back to ours; `stopAt` gives the answer whose redirect goes there. */
async function through(visitor: Visitor, page: Answer, stopAt = 'nowhere'): Promise<Answer> {
  const { action, fields } = formOf(page, '/upstream')
  let answer = await visitor.post(action, fields)
  for (let hops = 0; hops < 5; hops += 1) {
    const location = answer.headers.get('location')
    if (location === null || location.includes(stopAt)) return answer
    answer = await visitor.get(location)
  }
  return answer
}

test('the sign-in page leads to the provider and asks for no password', async () => {
  const page = await createVisitor().get(authorizationUrl(house, google))
  expect(page.text).toContain('Continue with Navy ID')
  expect(page.text).not.toContain('type="password"')
  // The form ends at another site, so the page must let it.
  expect(page.headers.get('content-security-policy')).not.toContain('form-action')
})

test('a person of the provider links; the same person is the same account the next time', async () => {
  const accounts = []
  for (const client of [google, alexa, google]) {
    const visitor = createVisitor()
    const consent = await through(visitor, await visitor.get(authorizationUrl(house, client)))
    expect(consent.text).toContain('Signed in as <strong>Grace Hopper</strong>')
    expect(consent.text).toContain('grace@navy.example')
    const back = new URL((await agree(visitor, consent)).headers.get('location') ?? '')
    const { body } = await requestTokens(
      house,
      client,
      codeFields(back.searchParams.get('code'), client.redirectUris[0] ?? ''),
    )
    accounts.push((await house.oauth().verifyToken(body.access_token ?? '')).accountId)
  }
  expect(new Set(accounts).size).toBe(1)
  upstream.person = { sub: 'alan', name: 'Alan', email: 'grace@navy.example' }
  const visitor = createVisitor()
  const consent = await through(visitor, await visitor.get(authorizationUrl(house, google)))
  expect(consent.text).toContain('Signed in as <strong>Alan</strong>')
  upstream.person = { sub: 'grace', name: 'Grace Hopper', email: 'grace@navy.example' }
})

test('no one-time link of ours goes past the provider', async () => {
  const own = await openHouse({
    consoleUri: 'https://bridge.example/',
    upstream: { issuer: upstream.issuer, clientId: 'transom', name: 'Navy ID', allowHttp: true },
  })
  try {
    expect(await own.oauth().entryLink(own.account)).toBeUndefined()
    expect((await createVisitor().get(`${own.issuer}/enter/some-code`)).status).toBe(404)
  } finally {
    await own.close()
  }
})

test('the account page is reached the same way', async () => {
  const visitor = createVisitor()
  const page = await through(visitor, await visitor.get(`${house.issuer}/account`))
  expect(page.text).toContain('<h1>Grace Hopper</h1>')
})

describe('nobody is signed in', () => {
  const sorry = 'Navy ID did not sign you in.'

  test('when the person refuses there, and the request can go on', async () => {
    upstream.fault = 'denied'
    const visitor = createVisitor()
    const again = await through(visitor, await visitor.get(authorizationUrl(house, google)))
    upstream.fault = 'none'
    expect([again.status, again.text]).toEqual([422, expect.stringContaining(sorry)])
    expect((await through(visitor, again)).text).toContain('Grace Hopper')
  })

  test('when the provider cannot be asked for the tokens', async () => {
    const visitor = createVisitor()
    const left = await through(visitor, await visitor.get(authorizationUrl(house, google)), '/upstream/callback')
    upstream.fault = 'away'
    const again = await visitor.get(left.headers.get('location') ?? '')
    upstream.fault = 'none'
    expect([again.status, again.text]).toEqual([422, expect.stringContaining(sorry)])
  })

  test.each([
    ['another code', (url: URL) => url.searchParams.set('code', 'x'.repeat(43))],
    ['another issuer (a mix-up)', (url: URL) => url.searchParams.set('iss', 'https://evil.example')],
    ['two states', (url: URL) => url.searchParams.append('state', 'x')],
  ])('by an answer with %s', async (_what, change) => {
    const visitor = createVisitor()
    const left = await through(visitor, await visitor.get(authorizationUrl(house, google)), '/upstream/callback')
    const url = new URL(left.headers.get('location') ?? '')
    change(url)
    expect((await visitor.get(url.href)).text).toContain(sorry)
  })

  test('by an answer with an unknown state, or one that comes twice', async () => {
    const visitor = createVisitor()
    const left = await through(visitor, await visitor.get(authorizationUrl(house, google)), '/upstream/callback')
    const url = left.headers.get('location') ?? ''
    expect((await visitor.get(url.replace(/state=[^&]*/, 'state=unknown'))).status).toBe(400)
    expect((await visitor.get(url)).text).toContain('Grace Hopper')
    const twice = await visitor.get(url)
    expect([twice.status, twice.text]).toEqual([400, expect.stringContaining('expired')])
  })

  test("by somebody else's answer: a stranger cannot sign a victim in to the stranger's account", async () => {
    const stranger = createVisitor()
    const left = await through(stranger, await stranger.get(authorizationUrl(house, google)), '/upstream/callback')
    const victim = createVisitor()
    await victim.get(authorizationUrl(house, google))
    const answer = await victim.get(left.headers.get('location') ?? '')
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('expired')])
  })

  test('by the password form, which this server does not have', async () => {
    const visitor = createVisitor()
    const page = await visitor.get(authorizationUrl(house, google))
    const { action, fields } = formOf(page, '/upstream')
    const answer = await visitor.post(action.replace('/upstream', '/login'), {
      ...fields,
      login: 'Ada@Example.com',
      password: 'correct horse',
    })
    expect(answer.text).toContain('Continue with Navy ID')
  })
})

const exists = async (login: string): Promise<boolean> =>
  (await house.oauth().users.list({ limit: 100 })).some((one) => one.login === login)

test('an account is deleted by signing in at the provider again: as the same person, in the browser that asked', async () => {
  const grace = upstream.person
  const visitor = createVisitor()
  const enter = async () => through(visitor, await visitor.get(`${house.issuer}/account`))
  const page = async () => visitor.get(`${house.issuer}/account/delete`)
  upstream.person = { sub: 'hedy', name: 'Hedy Lamarr', email: 'hedy@film.example' }
  expect((await enter()).text).toContain('Hedy Lamarr')
  expect((await page()).text).not.toContain('type="password"')
  expect((await page()).headers.get('content-security-policy')).not.toContain('form-action')

  const sent = await through(visitor, await page(), '/auth')
  expect(new URL(sent.headers.get('location') ?? '').searchParams.get('max_age')).toBe('0')
  // Somebody else signs in there: the same browser for us, a new one for the provider.
  upstream.person = grace
  const ours = createVisitor(visitor.cookies.filter(({ name }) => name.startsWith('transom_')))
  expect((await through(ours, await page())).text).toContain('Navy ID did not sign you in')
  upstream.fault = 'denied'
  expect((await through(visitor, await page())).text).toContain('Navy ID did not sign you in')
  upstream.fault = 'none'
  upstream.person = { sub: 'hedy', name: 'Hedy Lamarr', email: 'hedy@film.example' }
  expect(await exists('hedy@film.example')).toBe(true)
  expect((await through(visitor, await page())).text).toContain('Your account was deleted')
  expect(await exists('hedy@film.example')).toBe(false)
  upstream.person = grace
})
