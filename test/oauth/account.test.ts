/** One's own account over plain HTTP, without a script: links, sharing, history, and the ways in for a new person. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { AccountId } from '../../src/ports.ts'
import { ada, alexa, google, type House, openHouse } from './house.ts'
import {
  authorizationUrl,
  createVisitor,
  formOf,
  formsOf,
  link,
  refresh,
  signIn,
  type Answer,
  type Visitor,
} from './visitor.ts'

const bob = { login: 'bob', password: 'battery staple', name: 'Bob' }
let house: House
let shared: { camera: string; guest: string; mayTalk: boolean }[] = []
let visitor: Visitor
beforeAll(async () => {
  house = await openHouse({
    sharing: {
      cameras: async (owner) =>
        owner === house.account
          ? [
              {
                id: 'front',
                name: 'Front <Door>',
                guests: shared.map(({ guest, mayTalk }) => ({ accountId: guest, login: 'bob', mayTalk })),
              },
            ]
          : [],
      share: async (_owner, camera, guest, mayTalk) => void shared.push({ camera, guest, mayTalk }),
      unshare: async (_owner, _camera, guest) => void (shared = shared.filter((share) => share.guest !== guest)),
    },
  })
  await house.oauth().users.create(bob)
})
afterAll(() => house.close())
beforeEach(() => {
  visitor = createVisitor()
})

const enter = async (as = ada): Promise<Answer> => signIn(visitor, await visitor.get(`${house.issuer}/account`), as)
const send = (page: Answer, ending: string, more: Record<string, string> = {}): Promise<Answer> => {
  const { action, fields } = formOf(page, ending)
  return visitor.post(action, { ...fields, ...more })
}

describe('the account page', () => {
  test('asks who is there, then shows links with when and last use, and removes one', async () => {
    const one = await link(house, alexa)
    const two = await link(house, google)
    await house.oauth().verifyToken(two.access_token)
    const page = await enter()
    expect(page.text).toContain('<h1>Ada Lovelace</h1>')
    const today = new Date().toISOString().slice(0, 10)
    expect(page.text).toMatch(new RegExp(`Google</strong><span class="soft">Connected ${today} · last used ${today}`))
    expect(page.text).toContain('Amazon Alexa')
    const grants = formsOf(page).filter(({ action }) => action.endsWith('/links/end'))
    expect(grants).toHaveLength(2)
    const [linkOfGoogle] = (
      await house.store.collection<{ clientId: string }>('oauth-Grant').list(house.account)
    ).filter(({ value }) => value.clientId === 'google')
    const done = await send(page, '/links/end', { grant: linkOfGoogle?.id ?? '' })
    expect(done.text).toContain('It stops working within a minute')
    expect(await refresh(house, google, two.refresh_token)).toMatchObject({ body: { error: 'invalid_grant' } })
    await expect(house.oauth().verifyToken(two.access_token)).rejects.toMatchObject({ code: 'unauthorized' })
    expect((await refresh(house, alexa, one.refresh_token)).status).toBe(200)
    expect(done.text).toMatch(/Disconnected: Google[\s\S]*Connected: Google/)
  })

  test("does not end somebody else's link", async () => {
    const { refresh_token } = await link(house, alexa)
    const [grant] = await house.store.collection('oauth-Grant').list(house.account)
    const page = await enter(bob)
    const { fields } = formOf(page, '/logout')
    const answer = await visitor.post(`${house.issuer}/account/links/end`, { ...fields, grant: grant?.id ?? '' })
    expect(answer.text).toContain('does not exist any more')
    expect((await refresh(house, alexa, refresh_token)).status).toBe(200)
  })

  test('shares a camera by login, to view or to talk, and ends it; names are escaped', async () => {
    const page = await enter()
    expect(page.text).toContain('Front &lt;Door&gt;')
    expect((await send(page, '/shares', { login: 'nobody', talk: 'no' })).text).toContain(
      'Nobody else here has this login',
    )
    expect((await send(page, '/shares', { login: ada.login, talk: 'no' })).text).toContain('Nobody else')
    const after = await send(page, '/shares', { login: 'BOB', talk: 'yes' })
    expect(shared).toMatchObject([{ camera: 'front', mayTalk: true }])
    expect(after.text).toContain('May view and talk')
    expect((await send(after, '/shares/end')).text).not.toContain('May view and talk')
    expect(shared).toEqual([])
  })

  test('ends with its button, after an hour, and with a new password', async () => {
    const page = await enter()
    expect((await send(page, '/logout')).text).toContain('Sign in to see')
    expect((await visitor.get(`${house.issuer}/account`)).text).toContain('Sign in to see')

    await enter()
    house.advance(3_600_001)
    expect((await visitor.get(`${house.issuer}/account`)).text).toContain('Sign in to see')
    house.advance(-3_600_001)

    visitor = createVisitor()
    await enter(bob)
    const account = (await house.oauth().users.find('bob'))?.accountId as AccountId
    await house.oauth().users.setPassword(account, 'a newer password')
    expect((await visitor.get(`${house.issuer}/account`)).text).toContain('Sign in to see')
    await house.oauth().users.setPassword(account, bob.password)
  })

  test('takes no form without its token, of another browser, or of nobody', async () => {
    const page = await enter()
    const { action, fields } = formOf(page, '/logout')
    for (const csrf of ['', 'x'.repeat(43), fields['csrf']?.replace(/^./, '_') ?? '']) {
      expect((await visitor.post(action, { csrf })).status).toBe(400)
    }
    const stranger = createVisitor()
    await signIn(stranger, await stranger.get(`${house.issuer}/account`), bob)
    expect((await stranger.post(action, fields)).status).toBe(400)
    const nobody = await createVisitor().post(action, fields)
    expect(nobody.text).toContain('Sign in to see')
    const loginForm = formOf(await createVisitor().get(`${house.issuer}/account`), '/login')
    const forged = await createVisitor().post(loginForm.action, { ...loginForm.fields, ...ada })
    expect(forged.status).toBe(400)
    // Still signed in all the while.
    expect((await visitor.get(`${house.issuer}/account`)).text).toContain('Ada Lovelace')
  })

  test('keeps its cookie to itself', async () => {
    await enter()
    const cookie = visitor.cookies.find(({ name }) => name === 'transom_account')
    expect(cookie?.line).toMatch(/HttpOnly/i)
    expect(cookie?.line).toMatch(/SameSite=Lax/i)
    expect(cookie?.path).toBe('/oauth/account')
    expect(house.written.join()).not.toContain(cookie?.value ?? '')
  })

  test('slows guessing down and tells the owner', async () => {
    const own = await openHouse()
    try {
      for (let guess = 0; guess < 5; guess += 1) {
        const page = await signIn(visitor, await visitor.get(`${own.issuer}/account`), {
          ...ada,
          password: `guess ${guess}`,
        })
        expect(page.status).toBe(422)
      }
      expect((await signIn(visitor, await visitor.get(`${own.issuer}/account`))).status).toBe(429)
      const history = await own.oauth().audit.read(own.account)
      expect(history).toHaveLength(5)
      expect(history[0]).toMatchObject({
        kind: 'login-failed',
        detail: expect.stringMatching(/^from (::1|127|::ffff)/),
      })
    } finally {
      await own.close()
    }
  })
})

const invite = async () =>
  `${house.issuer}/welcome/${await house.oauth().tickets.issue({ kind: 'invitation' }, 3_600_000)}`

describe('an invitation', () => {
  test('makes one account, once, which can link', async () => {
    const url = await invite()
    const page = await visitor.get(url)
    expect(page.text).toContain('Create your account')
    const carol = { login: 'carol', password: 'staple battery', name: 'Carol' }
    const { action, fields } = formsOf(page)[0]!
    const both = await Promise.all([
      visitor.post(action, { ...fields, ...carol }),
      visitor.post(action, { ...fields, ...carol, login: 'carla' }),
    ])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404])
    expect((await visitor.get(url)).text).toContain('used up')
    const made = both[0].status === 200 ? carol : { ...carol, login: 'carla' }
    const consent = await signIn(visitor, await visitor.get(authorizationUrl(house, google)), made)
    expect(consent.text).toContain('Signed in as <strong>Carol</strong>')
  })

  test('can be sent again when the login is taken or the password short, and expires', async () => {
    const url = await invite()
    const { action, fields } = formsOf(await visitor.get(url))[0]!
    const taken = await visitor.post(action, {
      ...fields,
      login: 'ADA@example.com',
      name: 'A',
      password: 'long enough',
    })
    expect([taken.status, taken.text]).toEqual([422, expect.stringContaining('This login is taken')])
    const short = await visitor.post(action, { ...fields, login: 'dave', name: 'Dave', password: 'short' })
    expect([short.status, short.text]).toEqual([422, expect.stringContaining('at least 8 characters')])
    expect(short.text).toContain('value="dave"')
    expect(short.text).not.toContain('value="short"')
    expect((await visitor.post(action, { ...fields, csrf: 'x' })).status).toBe(400)
    house.advance(3_600_001)
    expect((await visitor.get(url)).status).toBe(404)
    house.advance(-3_600_001)
  })

  test('says why a password is not taken, and tells of a few taken logins only', async () => {
    const url = await invite()
    const { action, fields } = formsOf(await visitor.get(url))[0]!
    const asked = { ...fields, name: 'Dave', password: 'long enough' }
    const common = await visitor.post(action, { ...asked, login: 'dave', password: 'Password1' })
    expect([common.status, common.text]).toEqual([422, expect.stringContaining('one of the most common passwords')])
    for (let guess = 0; guess < 5; guess += 1) {
      expect((await visitor.post(action, { ...asked, login: ada.login })).text).toContain('This login is taken')
    }
    const after = await visitor.post(action, { ...asked, login: ada.login })
    expect([after.status, (await visitor.get(url)).status]).toEqual([404, 404])
  })
})

test('a reset sets a new password once, and the links stay', async () => {
  const own = await openHouse()
  try {
    const { refresh_token } = await link(own, google)
    const code = await own.oauth().tickets.issue({ kind: 'reset', accountId: own.account }, 3_600_000)
    const page = await visitor.get(`${own.issuer}/welcome/${code}`)
    const { action, fields } = formsOf(page)[0]!
    expect((await visitor.post(action, { ...fields, password: 'short' })).status).toBe(422)
    expect((await visitor.post(action, { ...fields, password: 'a new password' })).text).toContain(
      'Your password is set',
    )
    expect((await visitor.post(action, { ...fields, password: 'another one' })).status).toBe(404)
    const { users, audit } = own.oauth()
    expect(await users.authenticate(ada.login, ada.password)).toBeUndefined()
    expect(await users.authenticate(ada.login, 'a new password')).toMatchObject({ accountId: own.account })
    expect((await audit.read(own.account))[0]).toMatchObject({ kind: 'password-reset' })
    expect((await refresh(own, google, refresh_token)).status).toBe(200)
    expect(own.written.join()).not.toContain(code)
  } finally {
    await own.close()
  }
})
