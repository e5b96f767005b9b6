/** Signing in to the page of the bridge: by code and PKCE, by the one-time link of the start, and out again. */
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ada, alexa, openHouse, type House } from './house.ts'
import { authorizationUrl, createVisitor, formsOf, type Answer, type Visitor } from './visitor.ts'

const consoleUri = 'https://bridge.example/'
const verifier = 'v'.repeat(43)
const page = { clientId: 'console', clientSecret: '', assistant: 'other', redirectUris: [consoleUri] } as const
const pkce = {
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
  scope: 'camera',
}

let house: House
beforeEach(async () => {
  house = await openHouse({ consoleUri })
})
afterEach(() => house.close())

const link = async (): Promise<string> => (await house.oauth().entryLink(house.account))!

async function enter(visitor: Visitor, url: string): Promise<Answer> {
  const [form] = formsOf(await visitor.get(url))
  return visitor.post(form!.action, form!.fields)
}

/** What the page does: asks, and redeems the code where no question was left. */
async function signIn(visitor: Visitor): Promise<Tokens> {
  const answer = await visitor.get(authorizationUrl(house, page, pkce))
  const back = new URL(answer.headers.get('location')!)
  expect(`${back.origin}${back.pathname}`).toBe(consoleUri)
  return token({
    grant_type: 'authorization_code',
    code: back.searchParams.get('code')!,
    redirect_uri: consoleUri,
    code_verifier: verifier,
  })
}

interface Tokens {
  readonly status: number
  readonly access_token: string
  readonly refresh_token: string
  readonly error?: string
}

async function token(fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Tokens> {
  const response = await fetch(`${house.issuer}/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams({ client_id: 'console', ...fields }),
  })
  return { status: response.status, ...((await response.json()) as Omit<Tokens, 'status'>) }
}
const refresh = (refreshToken: string) => token({ grant_type: 'refresh_token', refresh_token: refreshToken })
const verified = (accessToken: string) =>
  house
    .oauth()
    .verifyToken(accessToken)
    .then(({ accountId }) => accountId)
    .catch(({ code }: { code: string }) => code)

describe('the one-time link', () => {
  test('signs in, and the page is let in without a question', async () => {
    const visitor = createVisitor()
    const answer = await enter(visitor, await link())
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toBe(consoleUri)
    const tokens = await signIn(visitor)
    expect(await verified(tokens.access_token)).toBe(house.account)
    expect(await house.oauth().audit.read(house.account)).toMatchObject([{ kind: 'signed-in' }])
  })

  test('is not used up by who only looks at it', async () => {
    const url = await link()
    for (let look = 0; look < 3; look++) expect((await createVisitor().get(url)).status).toBe(200)
    expect((await enter(createVisitor(), url)).status).toBe(303)
  })

  test('works once, also when two press at the same instant', async () => {
    const url = await link()
    const [one, other] = [createVisitor(), createVisitor()]
    const forms = await Promise.all([one, other].map(async (visitor) => formsOf(await visitor.get(url))[0]!))
    const answers = await Promise.all([
      one.post(forms[0]!.action, forms[0]!.fields),
      other.post(forms[1]!.action, forms[1]!.fields),
    ])
    expect(answers.map(({ status }) => String(status)).sort()).toEqual(['303', '404'])
    expect((await createVisitor().get(url)).status).toBe(404)
  })

  test('ends when the next one is made, and after a day', async () => {
    const older = await link()
    const newer = await link()
    expect((await createVisitor().get(older)).status).toBe(404)
    house.advance(24 * 3_600_000 + 1)
    expect((await createVisitor().get(newer)).status).toBe(404)
  })

  test('cannot be read out of the store', async () => {
    const code = (await link()).split('/').at(-1)!
    expect(house.written.some((record) => record.includes('oauth-entry'))).toBe(true)
    expect(house.written.some((record) => record.includes(code))).toBe(false)
  })

  test('signs nobody in whom its sender sends to it: the form is of one browser', async () => {
    const url = await link()
    const [form] = formsOf(await createVisitor().get(url))
    const victim = createVisitor()
    expect((await victim.post(form!.action, form!.fields)).status).toBe(400)
    await victim.get(url)
    expect((await victim.post(form!.action, form!.fields)).status).toBe(400)
    expect(victim.cookies.some(({ name }) => name === 'transom_session')).toBe(false)
    expect((await enter(createVisitor(), url)).status).toBe(303)
  })

  test('begins a session of its own: one that was planted in the browser is worth nothing', async () => {
    const planter = createVisitor()
    await enter(planter, await link())
    const cookie = planter.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
    const whereto = async () => {
      const ask = { redirect: 'manual', headers: { cookie } } as const
      return (await fetch(authorizationUrl(house, page, pkce), ask)).headers.get('location')
    }
    expect(await whereto()).toContain('code=')
    await enter(planter, await link())
    expect(await whereto()).toContain('/interaction/')
  })

  test('comes again when the store fails at the press', async () => {
    const visitor = createVisitor()
    const url = await link()
    const [form] = formsOf(await visitor.get(url))
    house.breakStore(true)
    expect((await visitor.post(form!.action, form!.fields)).status).toBe(503)
    house.breakStore(false)
    expect((await visitor.post(form!.action, form!.fields)).status).toBe(303)
  })
})

describe('the page as a client', () => {
  test('lets who has login and password in without asking for consent', async () => {
    const visitor = createVisitor()
    const asked = await visitor.get(authorizationUrl(house, page, pkce))
    expect(asked.text).toContain('Sign in to see your cameras.')
    const [form] = formsOf(asked)
    const answer = await visitor.post(form!.action, { ...form!.fields, login: ada.login, password: ada.password })
    expect(answer.headers.get('location')).toMatch(/^https:\/\/bridge\.example\/\?.*code=/)
  })

  test.each([
    ['another redirect URI', { redirect_uri: `${consoleUri}elsewhere` }, 400],
    ['no PKCE', { code_challenge: '', code_challenge_method: '' }, 303],
    ['a verifier in the open', { code_challenge: verifier, code_challenge_method: 'plain' }, 303],
  ])('is refused with %s', async (_name, more, status) => {
    const visitor = createVisitor()
    await enter(visitor, await link())
    const answer = await visitor.get(authorizationUrl(house, page, { ...pkce, ...more }))
    expect(answer.status).toBe(status)
    const location = answer.headers.get('location')
    expect(location === null || new URL(location).searchParams.get('error')).toBe(
      location === null ? true : 'invalid_request',
    )
  })

  test('redeems a code by its verifier only, and once', async () => {
    const visitor = createVisitor()
    await enter(visitor, await link())
    const answer = await visitor.get(authorizationUrl(house, page, pkce))
    const code = new URL(answer.headers.get('location')!).searchParams.get('code')!
    const fields = { grant_type: 'authorization_code', code, redirect_uri: consoleUri }
    expect(await token({ ...fields, code_verifier: 'w'.repeat(43) })).toMatchObject({ error: 'invalid_grant' })
    expect(await token({ ...fields, code_verifier: verifier })).toMatchObject({ status: 200 })
    expect(await token({ ...fields, code_verifier: verifier })).toMatchObject({ error: 'invalid_grant' })
  })

  test('asks for tokens from its own origin, and no other page does', async () => {
    const visitor = createVisitor()
    await enter(visitor, await link())
    const { refresh_token } = await signIn(visitor)
    const fields = { grant_type: 'refresh_token', refresh_token }
    expect(await token(fields, { origin: 'https://evil.example' })).toMatchObject({ error: 'invalid_request' })
    expect(await token(fields, { origin: new URL(consoleUri).origin })).toMatchObject({ status: 200 })
  })

  test('is signed out after a day, however often its tokens were renewed', async () => {
    const visitor = createVisitor()
    await enter(visitor, await link())
    const first = await signIn(visitor)
    house.advance(23 * 3_600_000)
    const renewed = await refresh(first.refresh_token)
    expect(renewed.status).toBe(200)
    expect(renewed.refresh_token).not.toBe(first.refresh_token)
    house.advance(2 * 3_600_000)
    expect(await refresh(renewed.refresh_token)).toMatchObject({ error: 'invalid_grant' })
    expect(await verified(renewed.access_token)).toMatch(/unauthorized|token_expired/)
  })

  test('is no link: it is not shown, not counted, and nothing is kept of its use', async () => {
    const visitor = createVisitor()
    for (let time = 0; time < 12; time++) {
      await enter(visitor, await link())
      await verified((await signIn(visitor)).access_token)
    }
    expect(house.written.filter((record) => record.includes('oauth-link-use'))).toEqual([])
    const kinds = (await house.oauth().audit.read(house.account)).map(({ kind }) => kind)
    expect(kinds).toEqual(Array(12).fill('signed-in'))
  })

  test('is signed out by a new password', async () => {
    const visitor = createVisitor()
    await enter(visitor, await link())
    const { access_token, refresh_token } = await signIn(visitor)
    expect(await verified(access_token)).toBe(house.account)
    const code = await house.oauth().tickets.issue({ kind: 'reset', accountId: house.account }, 3_600_000)
    const [form] = formsOf(await visitor.get(`${house.issuer}/welcome/${code}`))
    await visitor.post(form!.action, { ...form!.fields, password: 'another horse' })
    expect(await verified(access_token)).toBe('unauthorized')
    expect(await refresh(refresh_token)).toMatchObject({ error: 'invalid_grant' })
  })

  test('leaves: its tokens are revoked, and the next sign-in is asked for', async () => {
    const visitor = createVisitor()
    await enter(visitor, await link())
    const { access_token, refresh_token } = await signIn(visitor)
    const revoked = await fetch(`${house.issuer}/token/revocation`, {
      method: 'POST',
      headers: { origin: new URL(consoleUri).origin },
      body: new URLSearchParams({ client_id: 'console', token: refresh_token }),
    })
    expect(revoked.status).toBe(200)
    expect(await verified(access_token)).toBe('unauthorized')
    const refused = await visitor.post(`${house.issuer}/leave`, {}, { 'sec-fetch-site': 'cross-site' })
    expect(refused.status).toBe(400)
    expect((await visitor.post(`${house.issuer}/leave`, {}, { 'sec-fetch-site': 'same-origin' })).status).toBe(204)
    expect((await visitor.get(authorizationUrl(house, page, pkce))).text).toContain('Sign in to see your cameras.')
  })

  test('is signed out where its browser is signed out on the account page, and nowhere else', async () => {
    const [desk, phone] = [createVisitor(), createVisitor()]
    await enter(desk, await link())
    await enter(phone, await link())
    const [here, there] = [await signIn(desk), await signIn(phone)]
    const [form] = formsOf(await desk.get(`${house.issuer}/account`)).filter(({ action }) =>
      action.endsWith('/sessions/end'),
    )
    await desk.post(form!.action, form!.fields)
    expect(await verified(there.access_token)).toBe('unauthorized')
    expect(await refresh(there.refresh_token)).toMatchObject({ error: 'invalid_grant' })
    expect((await phone.get(authorizationUrl(house, page, pkce))).text).toContain('Sign in to see your cameras.')
    expect(await verified(here.access_token)).toBe(house.account)
  })

  test('does not exist where there is no page', async () => {
    const without = await openHouse()
    try {
      expect(await without.oauth().entryLink(without.account)).toBeUndefined()
      expect((await createVisitor().get(authorizationUrl(without, page, pkce))).status).toBe(400)
      expect((await createVisitor().get(`${without.issuer}/enter/${'x'.repeat(32)}`)).status).toBe(404)
    } finally {
      await without.close()
    }
  })

  test('takes nothing from an assistant: another kind of client still needs consent', async () => {
    const visitor = createVisitor()
    await enter(visitor, await link())
    expect((await visitor.get(authorizationUrl(house, alexa, { scope: 'camera' }))).text).toContain('Agree and link')
  })
})
