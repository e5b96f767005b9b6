/** What people do with their whole account by themselves: take their data along, and delete it. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { User } from '../../src/bridge/oauth/people/users.ts'
import { nobody } from '../../src/bridge/oauth/people/sign-in.ts'
import { exported } from '../../src/core/wire/operator.ts'
import { ada, alexa, google, type House, openHouse } from './house.ts'
import { createVisitor, formOf, link, refresh, signIn, type Answer, type Visitor } from './visitor.ts'

const bob = { login: 'bob', password: 'battery staple', name: 'Bob' }
let house: House
let visitor: Visitor
/** What followed, in its order. */
let happened: string[]
let isBroken = false
beforeEach(async () => {
  happened = []
  isBroken = false
  house = await openHouse({
    ofAccount: {
      export: async () => ({ cameras: [{ id: 'front', name: 'Front door' }] }),
      onLeave: async ({ login }: User) => {
        if (isBroken) throw new Error('the cameras cannot be removed')
        happened.push(`${login} leaves`)
      },
      onLeft: async ({ login }: User) => void happened.push(`${login} left`),
    },
    onUnlinked: async (_account, assistant) => void happened.push(`${assistant} unlinked`),
  })
  visitor = createVisitor()
})
afterEach(() => house.close())

const at = (path = '') => `${house.issuer}/account${path}`
const enter = (who: Visitor, as = ada) => who.get(at()).then((page) => signIn(who, page, as))
const deletionForm = async (who = visitor) => formOf(await who.get(at('/delete')), '/account/delete')
const attempt = async (password: string, more: Record<string, string> = {}): Promise<Answer> => {
  const { action, fields } = await deletionForm()
  return visitor.post(action, { ...fields, password, ...more })
}
const exists = async () => (await house.oauth().users.find(ada.login)) !== undefined

describe('the data of an account', () => {
  test('are a file that nobody else gets, and the download is in the history', async () => {
    await link(house, google)
    const page = await enter(visitor)
    expect(page.text).toContain('href="/oauth/account/data"')
    const file = await visitor.get(at('/data'))
    expect(file.headers.get('content-disposition')).toBe('attachment; filename=account.json')
    expect(file.headers.get('content-type')).toMatch(/^application\/json/)
    expect(exported.parse(JSON.parse(file.text))).toMatchObject({
      account: { login: ada.login, name: ada.name },
      cameras: [{ id: 'front' }],
      links: [{ name: 'Google' }],
    })
    expect(file.text).not.toMatch(/passwordHash|\$scrypt/i)
    expect((await visitor.get(at())).text).toContain('Data downloaded')
    const stranger = await createVisitor().get(at('/data'))
    expect(stranger.text).toContain('You were signed out')
    expect(stranger.headers.get('content-disposition')).toBeNull()
  })
})

describe('deleting an account', () => {
  test('asks first, and needs the password: then sessions, links and the account end, as by the operator', async () => {
    const [one, two] = [await link(house, alexa), await link(house, google)]
    const other = createVisitor()
    await enter(other)
    const page = await enter(visitor)
    expect(page.text).toContain('href="/oauth/account/delete"')
    const asked = await visitor.get(at('/delete'))
    for (const said of ['What is deleted', 'What stays', 'Download my data first', `${ada.name} (${ada.login})`])
      expect(asked.text).toContain(said)
    // The way back.
    expect(asked.text).toContain('<a href="/oauth/account">Keep my account</a>')

    const done = await attempt(ada.password)
    expect(done.text).toContain('Your account was deleted')
    expect(done.text).toContain('Sign in to see')
    expect(visitor.cookies.map(({ name }) => name)).not.toContain('transom_session')
    expect(happened).toEqual([
      `${ada.login} leaves`,
      ...['alexa unlinked', 'google unlinked'].sort((a, b) => happened.indexOf(a) - happened.indexOf(b)),
      `${ada.login} left`,
    ])
    expect(await exists()).toBe(false)
    expect((await other.get(at())).text).toContain('Sign in to see')
    expect(await refresh(house, alexa, one.refresh_token)).toMatchObject({ body: { error: 'invalid_grant' } })
    expect(await refresh(house, google, two.refresh_token)).toMatchObject({ body: { error: 'invalid_grant' } })
    const [line] = await house.oauth().audit.read(nobody)
    expect(line).toMatchObject({ kind: 'account-removed', detail: `${house.account}, on the account page` })
    expect((await enter(visitor)).status).toBe(422)
  })

  test('a wrong password, none, or that of somebody else deletes nothing, and is said on the page that asked', async () => {
    await house.oauth().users.create(bob)
    await enter(visitor)
    for (const [password, more] of [
      ['wrong', {}],
      ['', {}],
      [bob.password, { username: bob.login }],
    ] as const) {
      const refused = await attempt(password, more)
      expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('The password is wrong')])
      expect(refused.text).toContain('What is deleted')
    }
    expect([await exists(), happened]).toEqual([true, []])
  })

  test('is slowed down like a login when the password is guessed', async () => {
    await enter(visitor)
    for (let guess = 0; guess < 5; guess += 1) expect((await attempt(`guess ${guess}`)).status).toBe(422)
    const slowed = await attempt(ada.password)
    expect([slowed.status, slowed.headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^\d+$/)])
    expect(await exists()).toBe(true)
  })

  test('is done by no form without its token, of another browser, or of nobody, and by no link', async () => {
    await house.oauth().users.create(bob)
    await enter(visitor)
    const { action, fields } = await deletionForm()
    const form = { ...fields, password: ada.password }
    expect((await visitor.post(action, { ...form, csrf: 'x'.repeat(43) })).status).toBe(400)
    const stranger = createVisitor()
    await enter(stranger, bob)
    expect((await stranger.post(action, form)).status).toBe(400)
    expect((await createVisitor().post(action, form)).text).toContain('You were signed out')
    for (const path of ['/delete?password=correct+horse', '/delete/upstream?ticket=x', '/delete/passkey'])
      await visitor.get(at(path))
    expect(await exists()).toBe(true)
  })

  test('a password given a minute ago for something else is not enough, and neither is a passkey of nobody', async () => {
    const page = await enter(visitor)
    const confirm = formOf(page, '/confirm')
    await visitor.post(confirm.action, { ...confirm.fields, password: ada.password })
    const { fields } = await deletionForm()
    for (const credential of ['', 'no json', '{"id":"x","type":"public-key","response":{}}']) {
      const refused = await visitor.post(at('/delete/passkey'), { ...fields, credential })
      expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('This passkey is not known here')])
    }
    expect((await attempt('')).status).toBe(422)
    expect(await exists()).toBe(true)
  })

  test('that fails half-way can be done again', async () => {
    await enter(visitor)
    isBroken = true
    expect((await attempt(ada.password)).status).toBe(503)
    expect(await exists()).toBe(true)
    isBroken = false
    expect((await attempt(ada.password)).text).toContain('Your account was deleted')
  })

  test('sent twice at once deletes once, and nobody is shown a fault', async () => {
    await enter(visitor)
    const { action, fields } = await deletionForm()
    const form = { ...fields, password: ada.password }
    const both = await Promise.all([visitor.post(action, form), visitor.post(action, form)])
    for (const { text } of both) expect(text).toMatch(/Your account was deleted|You were signed out|password is wrong/)
    expect(await exists()).toBe(false)
  })

  test('says to the last person what it means, and to others not', async () => {
    await enter(visitor)
    expect((await visitor.get(at('/delete'))).text).toContain('You are the last person on this bridge')
    await house.oauth().users.create(bob)
    expect((await visitor.get(at('/delete'))).text).not.toContain('You are the last person')
  })

  test('is asked in the language of the reader', async () => {
    await enter(visitor)
    const page = await visitor.get(at('/delete'), { 'accept-language': 'de' })
    expect(page.text).toContain('<html lang="de">')
    expect(page.text).toMatch(/Dein Konto löschen[\s\S]*Was bleibt[\s\S]*Mein Konto behalten/)
  })
})
