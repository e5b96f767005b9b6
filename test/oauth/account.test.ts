/** One's own account over plain HTTP, without a script: links, sharing, history, and the ways in for a new person. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createCameras, type Cameras } from '../../src/bridge/cameras/cameras.ts'
import { createConsent } from '../../src/bridge/cameras/consent.ts'
import { createShares, type Shares } from '../../src/bridge/cameras/sharing.ts'
import { cameraId, type AccountId } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createAttempts } from '../../src/bridge/oauth/people/attempts.ts'
import type { Passkeys } from '../../src/bridge/oauth/people/passkeys.ts'
import { createSignIn } from '../../src/bridge/oauth/people/sign-in.ts'
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
let cameras: Cameras
let shares: Shares
let visitor: Visitor
beforeAll(async () => {
  const store = createSqliteStore(':memory:', Date.now)
  cameras = createCameras(store)
  shares = createShares(store, cameras)
  house = await openHouse({
    sharing: (people) => createConsent({ ...people, store, cameras, shares, clock: Date.now }),
  })
  const channel = { channelName: 'front', road: 'viewer' } as const
  const kind = { kind: 'doorbell', channel, manufacturer: 'M', model: 'D', hasSpeaker: true } as const
  await cameras.put({ ...kind, id: cameraId('front'), accountId: house.account, name: 'Front <Door>' }, 'key')
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

async function enterBy(agent: string, as = ada) {
  const browser = createVisitor()
  const { action, fields } = formOf(await browser.get(`${house.issuer}/account`), '/login')
  await browser.post(action, { ...fields, login: as.login, password: as.password }, { 'user-agent': agent })
  return browser
}
const accountOf = (browser: Visitor) => browser.get(`${house.issuer}/account`)

describe('the browsers in which somebody is signed in', () => {
  const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'
  const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Safari/604.1'
  test('are listed by name, and ended one by one or all but this one', async () => {
    const desk = await enterBy(firefox)
    const phone = await enterBy(iphone)
    const page = await accountOf(desk)
    expect(page.text).toMatch(/Firefox on Windows<\/strong><span class="soft">This browser · Signed in \d+ \w+ 20/)
    expect(page.text).toMatch(/Safari on iPhone<\/strong><span class="soft">Signed in \d+ \w+ 20/)
    const [end] = formsOf(page).filter(({ action }) => action.endsWith('/sessions/end'))
    const after = await desk.post(end!.action, end!.fields)
    expect(after.text).toContain('This browser is signed out now')
    expect(after.text).not.toContain('Safari on iPhone')
    expect((await accountOf(phone)).text).toContain('Sign in to see')
    expect((await phone.get(authorizationUrl(house, google))).text).toContain('Sign in to')
    const others = [await enterBy(iphone), await enterBy('curl/8')]
    const all = formOf(await accountOf(desk), '/sessions/end-others')
    expect((await desk.post(all.action, all.fields)).text).toContain('Every other browser was signed out')
    for (const other of others) expect((await accountOf(other)).text).toContain('Sign in to see')
    expect((await accountOf(desk)).text).toContain('Firefox on Windows')
  })

  test("are not ended by somebody else, and tell nobody else's", async () => {
    const desk = await enterBy(firefox)
    const [record] = await house.store.collection('oauth-sign-in').list(house.account)
    const stranger = await enterBy(iphone, bob)
    const page = await accountOf(stranger)
    expect(page.text).not.toContain('Firefox')
    const { fields } = formOf(page, '/logout')
    const answer = await stranger.post(`${house.issuer}/account/sessions/end`, { ...fields, session: record?.id ?? '' })
    expect(answer.text).toContain('It no longer exists.')
    expect((await accountOf(desk)).text).toContain('Firefox on Windows')
  })

  test('need no second login: one for linking and for the account', async () => {
    const desk = await enterBy(firefox)
    expect((await desk.get(authorizationUrl(house, google))).text).toContain('Agree and link')
    const other = createVisitor()
    await signIn(other, await other.get(authorizationUrl(house, google)))
    expect((await accountOf(other)).text).toContain('This browser')
  })
})

describe('a new password', () => {
  const carol = { login: 'carol@example.com', password: 'staple battery', name: 'Carol' }

  test('needs the old one, ends every other session, and leaves this browser and the links', async () => {
    const own = await openHouse({ consoleUri: 'https://bridge.example/' })
    try {
      const account = await own.oauth().users.create(carol)
      const enterOwn = async () => {
        const one = createVisitor()
        return { one, page: await signIn(one, await one.get(`${own.issuer}/account`), carol) }
      }
      const [here, there] = [await enterOwn(), await enterOwn()]
      const { action, fields } = formOf(here.page, '/account/password')
      const change = (password: string, next: string) => here.one.post(action, { ...fields, password, next })
      const wrong = await change('wrong', 'another staple')
      expect([wrong.status, wrong.text]).toEqual([422, expect.stringContaining('The password is wrong')])
      const common = await change(carol.password, 'iloveyou1')
      expect([common.status, common.text]).toEqual([422, expect.stringContaining('most common passwords')])
      expect((await there.one.get(`${own.issuer}/account`)).text).toContain('Carol')

      expect((await change(carol.password, 'another staple')).text).toContain('Your password is changed')
      expect((await here.one.get(`${own.issuer}/account`)).text).toContain('Password changed')
      expect((await there.one.get(`${own.issuer}/account`)).text).toContain('Sign in to see')
      expect((await there.one.get(authorizationUrl(own, google))).text).toContain('Sign in to')
      const { users } = own.oauth()
      expect(await users.authenticate(carol.login, carol.password)).toBeUndefined()
      expect(await users.authenticate(carol.login, 'another staple')).toMatchObject({ accountId: account })
    } finally {
      await own.close()
    }
  })

  test('is slowed down like a login when the old one is guessed', async () => {
    const own = await openHouse()
    try {
      const page = await signIn(visitor, await visitor.get(`${own.issuer}/account`))
      for (const ending of ['/account/password', '/account/confirm']) {
        const { action, fields } = formOf(page, ending)
        const guess = () => visitor.post(action, { ...fields, password: 'guess', next: 'another staple' })
        const answers = [await guess(), await guess(), await guess(), await guess(), await guess(), await guess()]
        expect(answers.at(-1)?.status).toBe(429)
      }
    } finally {
      await own.close()
    }
  })
})

const record = (account: string) => ({
  accountId: account,
  credentialId: 'c',
  publicKey: '',
  counter: 0,
  createdAt: 1,
})

describe('a passkey', () => {
  test('is added after the password was given again, within five minutes', async () => {
    const page = await enter()
    const { fields } = formOf(page, '/logout')
    const ask = async () => (await visitor.post(`${house.issuer}/account/passkeys/options`, fields)).status
    expect(page.text).not.toContain('data-passkey="create"')
    expect(await ask()).toBe(403)
    expect((await visitor.post(`${house.issuer}/account/passkeys`, { ...fields, credential: '{}' })).text).toContain(
      'Please enter your password, or use a passkey',
    )
    expect((await send(page, '/account/confirm', { password: 'wrong' })).status).toBe(422)
    expect(await ask()).toBe(403)
    const confirmed = await send(page, '/account/confirm', { password: ada.password })
    expect(confirmed.text).toContain('data-passkey="create"')
    expect(await ask()).toBe(200)
    house.advance(5 * 60_000 + 1)
    expect(await ask()).toBe(403)
    house.advance(-5 * 60_000 - 1)
  })

  test('ends with a reset of the password, and the page says so', async () => {
    const own = await openHouse()
    try {
      const passkeys = own.store.collection('oauth-passkey')
      for (const id of ['one', 'two']) await passkeys.put(id, record(own.account), { group: own.account })
      await passkeys.put('of another', record('another'), { group: 'another' })
      const code = await own.oauth().tickets.issue({ kind: 'reset', accountId: own.account }, 3_600_000)
      const { action, fields } = formsOf(await visitor.get(`${own.issuer}/welcome/${code}`))[0]!
      const done = await visitor.post(action, { ...fields, password: 'a new password' })
      expect(done.text).toContain('earlier passkeys were removed')
      expect([await passkeys.list(own.account), (await passkeys.list('another')).length]).toEqual([[], 1])
      expect((await own.oauth().users.findByAccount(own.account))?.passkeysSince).toBeGreaterThan(0)
    } finally {
      await own.close()
    }
  })

  test('from before a reset signs nobody in, even if its record is still there', async () => {
    const user = { accountId: house.account, login: 'ada', name: 'Ada', passkeysSince: 2_000 }
    const signInAt = (createdAt: number) =>
      createSignIn({
        users: { ...house.oauth().users, findByAccount: async () => user },
        passkeys: { signIn: async () => ({ accountId: house.account, createdAt }) } as unknown as Passkeys,
        attempts: createAttempts(house.store, Date.now),
        audit: house.oauth().audit,
        log: () => {},
      }).passkey('asker', {}, { clientId: 'account', address: '' })
    expect(await signInAt(1_999)).toMatchObject({ status: 422 })
    expect(await signInAt(2_001)).toEqual({ kind: 'signed-in', user })
  })

  test('goes with a change of the password when the person wants that', async () => {
    const own = await openHouse()
    try {
      await own.store.collection('oauth-passkey').put('one', record(own.account), { group: own.account })
      const page = await signIn(visitor, await visitor.get(`${own.issuer}/account`))
      const { action, fields } = formOf(page, '/account/password')
      expect(page.text).toContain('Also remove my passkeys')
      const { passkeys: _box, ...kept } = fields
      const first = await visitor.post(action, { ...kept, password: ada.password, next: 'another staple' })
      expect(first.text).toContain('Confirm with a passkey')
      const again = formOf(first, '/account/password')
      const form = { ...again.fields, password: 'another staple', next: ada.password, passkeys: 'remove' }
      expect((await visitor.post(again.action, form)).text).not.toContain('Confirm with a passkey')
    } finally {
      await own.close()
    }
  })
})

describe('the account page', () => {
  test('asks who is there, then shows links with when and last use, and removes one', async () => {
    const one = await link(house, alexa)
    const two = await link(house, google)
    await house.oauth().verifyToken(two.access_token)
    const page = await enter()
    expect(page.text).toContain('<h1>Ada Lovelace</h1>')
    const today = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' }).format()
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
    expect(answer.text).toContain('It no longer exists.')
    expect((await refresh(house, alexa, refresh_token)).status).toBe(200)
  })

  test('shares a camera by login, to view or to talk, with consent, and ends it; names are escaped', async () => {
    const page = await enter()
    expect(page.text).toContain('Front &lt;Door&gt;')
    const own = await send(page, '/shares', { login: ada.login, talk: 'no' })
    expect(own.text).toContain('This could not be shared')
    const unknown = await send(page, '/shares', { login: 'nobody', talk: 'no' })
    const known = await send(page, '/shares', { login: 'BOB', talk: 'yes' })
    for (const answer of [unknown, known])
      expect(answer.text).toContain('The person with this login finds the invitation')
    expect(known.text.match(/Invited, no answer yet/g)).toHaveLength(2)

    const bobs = createVisitor()
    const invited = await signIn(bobs, await bobs.get(`${house.issuer}/account`), bob)
    expect(invited.text).toContain('Ada Lovelace (Ada@Example.com) shares it with you: you may view and talk')
    const accept = formOf(invited, '/invitations/accept')
    // Nobody accepts what is for somebody else.
    await visitor.post(`${house.issuer}/account/invitations/accept`, {
      ...formOf(known, '/logout').fields,
      invitation: accept.fields['invitation'] ?? '',
    })
    const account = (await house.oauth().users.find('bob'))!.accountId
    expect(await shares.visible.list(account)).toEqual([])
    const accepted = await bobs.post(accept.action, accept.fields)
    expect(accepted.text).toMatch(/Shared with you[\s\S]*Front &lt;Door&gt;[\s\S]*you may view and talk/)
    expect(await shares.visible.list(account)).toHaveLength(1)
    const leave = formOf(accepted, '/received/leave')
    expect((await bobs.post(leave.action, leave.fields)).text).toContain('You left')
    expect(await shares.visible.list(account)).toEqual([])
    expect((await visitor.get(`${house.issuer}/account`)).text).toContain('No longer shared, because the guest left')
  })

  test('a camera that is not theirs is refused on the page, which has not expired', async () => {
    const page = await enter()
    const refused = await send(page, '/shares', { camera: 'of-nobody', login: 'bob', talk: 'no' })
    expect([refused.status, refused.text]).toEqual([200, expect.stringContaining('This could not be shared')])
    expect(refused.text).not.toContain('expired')
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
    const cookie = visitor.cookies.find(({ name }) => name === 'transom_session')
    expect(cookie?.line).toMatch(/HttpOnly/i)
    expect(cookie?.line).toMatch(/SameSite=Lax/i)
    expect(cookie?.path).toBe('/oauth')
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
      expect(history).toMatchObject([
        { kind: 'login-failed', detail: expect.stringMatching(/^5 times that day, last from (::1|127|::ffff)/) },
      ])
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
