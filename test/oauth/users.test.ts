/** Accounts, passwords, the brake on guessing, and the checks on what the server is set up with. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Store } from '../../src/core/ports.ts'
import { createAttempts, type Attempts } from '../../src/bridge/oauth/people/attempts.ts'
import { checkClients } from '../../src/bridge/oauth/client.ts'
import { personFaults } from '../../src/bridge/oauth/people/person-faults.ts'
import { hashPassword, passwordProblem, verifyPassword } from '../../src/bridge/oauth/people/password.ts'
import { createUsers } from '../../src/bridge/oauth/people/users.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { wrapped } from '../store/wrapped.ts'
import { google } from './house.ts'

test('people are listed each once and none is left out, whatever a crash has left between them', async () => {
  const store = createSqliteStore(':memory:', () => 0)
  const users = createUsers(store, () => 0)
  const logins = Array.from({ length: 12 }, (_, index) => `person-${index}`)
  for (const login of logins)
    await users.ofIdentity({ issuer: 'https://id.example', subject: login }, { login, name: login })
  // Before its account was written; and for a login that another was given.
  const places = store.collection<{ readonly key: string }>('user-place')
  const digits = Array.from('0123456789abcdef')
  const [known] = (await Promise.all(digits.map(async (digit) => places.list(`people-${digit}`)))).flat()
  for (const digit of digits)
    for (const [id, key] of [
      [`${digit}0000000-before-all-others`, 'nobody'],
      [`${digit}fffffff-behind-all-others`, known?.value.key ?? ''],
    ] as const)
      await places.put(id, { key }, { group: `people-${digit}` })
  const found: string[] = []
  for (let page = await users.list({ limit: 5 }); page.length > 0;) {
    found.push(...page.map(({ login }) => login))
    expect(found.length).toBeLessThanOrEqual(logins.length)
    page = await users.list({ limit: 5, after: page.at(-1)?.accountId })
  }
  expect(found.toSorted()).toEqual(logins.toSorted())
  await store.close()
})

describe('a password', () => {
  test('is kept as an argon2id PHC string with its own salt', async () => {
    const stored = await hashPassword('correct horse')
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    expect(await hashPassword('correct horse')).not.toBe(stored)
    expect(await verifyPassword('correct horse', stored)).toBe(true)
    expect(await verifyPassword('Correct horse', stored)).toBe(false)
  })

  test('may be typed with another form of the same characters', async () => {
    expect(await verifyPassword('cafe\u0301 au lait', await hashPassword('caf\u00e9 au lait'))).toBe(true)
  })

  test('is verified with the cost it was stored with', async () => {
    // Made by the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1
    const stored = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
    expect(await verifyPassword('password', stored)).toBe(true)
    await expect(verifyPassword('password', 'password')).rejects.toThrow('PHC')
  })

  test('of nobody is never right, and is looked at all the same', async () => {
    const begunAt = performance.now()
    expect(await verifyPassword('', undefined)).toBe(false)
    const forNobody = performance.now() - begunAt
    expect(forNobody).toBeGreaterThan(2)
  })
})

describe('a new password', () => {
  const eve = { login: 'eve.adams@example.com', name: 'Eve Adams' }

  test.each([
    ['short', 'at least 8'],
    // Four characters, whatever a computer counts.
    ['\u{1F600}\u{1F600}\u{1F600}\u{1F600}', 'at least 8'],
    [' '.repeat(20), 'at least 8'],
    ['x'.repeat(257), 'at most 256'],
    ['password', 'most common'],
    ['PassWord1', 'most common'],
    ['12345678', 'most common'],
    [' Iloveyou1 ', 'most common'],
    ['\uFF11\uFF12\uFF13\uFF14\uFF15\uFF16\uFF17\uFF18', 'most common'],
    ...['00000000', 'aaaaaaaa', 'AbAbAbAb', '123123123', '101010101', '12341234'].map((one) => [one, 'most common']),
    ...['87654321', 'abcdefgh', '0123456789', 'HGFEDCBA'].map((one) => [one, 'most common']),
    ['Eve Adams', 'own name or login'],
    ['EVE.Adams', 'own name or login'],
    ['eve.adams@example.com', 'own name or login'],
  ])('%j is refused, in words for who chose it', async (password, why) => {
    const fault = await passwordProblem(password, eve)
    expect(fault && personFaults[fault]).toContain(why)
  })

  test.each([
    'correct horse',
    'x7#kQ!2z',
    '\u{1F600}\u{1F6AA}'.repeat(4) + '\u{1F514}',
    'abcdefgz',
    '12349123',
    'grüne Türen knarren',
  ])('%j is accepted', async (password) => {
    expect(await passwordProblem(password, eve)).toBeUndefined()
  })
})

describe('users', () => {
  let store: Store
  beforeEach(() => {
    store = createSqliteStore(':memory:', Date.now)
  })
  afterEach(() => store.close())

  test('have a random account id, and one login each, however it is written', async () => {
    const users = createUsers(store, Date.now)
    const account = await users.create({ login: 'José@Example.com', password: 'battery staple', name: 'José' })
    expect(account).not.toContain('jos')
    const user = { accountId: account, login: 'José@Example.com', name: 'José' }
    expect(await users.find('jose\u0301@EXAMPLE.com')).toEqual(user)
    expect(await users.findByAccount(account)).toEqual(user)
    expect(await users.authenticate('JOSÉ@example.com', 'battery staple')).toEqual(user)
    expect(await users.authenticate('jose@example.com', 'battery staple')).toBeUndefined()
    for (const login of ['', ' ', 'x'.repeat(10_000), '\uD800', '\uFDFA'.repeat(250)]) {
      expect(await users.find(login)).toBeUndefined()
    }
  })

  test('created at once with the same login: one wins', async () => {
    const users = createUsers(store, Date.now)
    const results = await Promise.allSettled(
      ['eve', 'EVE', ' eve '].map((login) => users.create({ login, password: 'battery staple', name: login })),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'invalid_request' } })
  })

  test.each([
    ['a short password', { password: 'short' }],
    ['no login', { login: ' ' }],
    ['a control character', { login: 'a\u0000b' }],
    ['a login that grows', { login: '\uFDFA'.repeat(250) }],
    ['no name', { name: '' }],
    ['a name that is written backwards', { name: '\u202Eeve' }],
    ['a name that shows nothing', { name: '\u200B' }],
    ['a name with half a character', { name: 'Eve \uD83D' }],
    ['a login that is no name in a path', { login: '..' }],
    ['a login that is no name in a path, written otherwise', { login: ' \u2024 ' }],
  ])('are not created with %s', async (_what, change) => {
    const input = { login: 'eve', password: 'battery staple', name: 'Eve', ...change }
    await expect(createUsers(store, Date.now).create(input)).rejects.toMatchObject({ code: 'invalid_request' })
  })
})

describe('attempts', () => {
  let now = 0
  const clock = () => now
  let store: Store
  let attempts: Attempts
  beforeEach(() => {
    now = 1_000_000
    store = createSqliteStore(':memory:', clock)
    attempts = createAttempts(store, clock)
  })
  const begin = (login: string, address: string, browser?: string) => attempts.begin(login, { address, browser })

  test('five guesses at a login from one address, then a wait that ends by itself', async () => {
    for (let guess = 0; guess < 5; guess += 1) expect(await begin('ada', '1.1.1.1')).toBe(0)
    now += 60_000
    expect(await begin('ada', '1.1.1.1')).toBe(240_000)
    expect(await begin('ada', '::ffff:1.1.1.1')).toBe(240_000)
    expect(await begin('ada', '2.2.2.2')).toBe(0)
    now += 240_000
    expect(await begin('ada', '1.1.1.1')).toBe(0)
  })

  test('count over all processes, also when they come at once', async () => {
    const lambdas = Array.from({ length: 40 }, () => createAttempts(store, clock))
    const waits = await Promise.all(lambdas.map((one) => one.begin('ada', { address: '1.1.1.1' })))
    expect(waits.filter((waitMs) => waitMs === 0).length).toBeLessThanOrEqual(5)
    expect(await createAttempts(store, clock).begin('eve', { address: '1.1.1.1' })).toBe(0)
  })

  test('cost one write, and none once they are refused', async () => {
    const puts: string[] = []
    const counted = wrapped(store, (kind, records) => ({
      ...records,
      put: async (...args) => (puts.push(kind), records.put(...args)),
    }))
    attempts = createAttempts(counted, clock)
    for (let guess = 0; guess < 20; guess += 1) await begin('ada', '1.1.1.1')
    expect(puts).toHaveLength(5)
  })

  test('one address cannot try many logins, a /64 is one address', async () => {
    for (let guess = 0; guess < 30; guess += 1) expect(await begin(`user${guess}`, `2001:db8::${guess}`)).toBe(0)
    expect(await begin('another', '2001:db8:0:0:ffff::1')).toBeGreaterThan(0)
    expect(await begin('another', '2001:db8:0:1::1')).toBe(0)
  })

  test('an attack from everywhere stops strangers, not the owner at an address known from before a restart', async () => {
    expect(await begin('ada', '192.0.2.1')).toBe(0)
    await attempts.succeeded('ada', { address: '192.0.2.1' })
    now += 30 * 24 * 3_600_000
    attempts = createAttempts(store, clock)
    for (let guess = 0; guess < 60; guess += 1) expect(await begin('ada', `10.0.0.${guess}`)).toBe(0)
    expect(await begin('ada', '10.0.1.1')).toBeGreaterThan(0)
    expect(await begin('ada', '192.0.2.1')).toBe(0)
  })

  test('a neighbour behind the same address does not stop a browser that is known, whatever he tries', async () => {
    for (let guess = 0; guess < 100; guess += 1) await begin(guess % 2 ? 'ada' : `user${guess}`, '192.0.2.1')
    expect(await begin('ada', '192.0.2.1')).toBeGreaterThan(0)
    for (let guess = 0; guess < 5; guess += 1) expect(await begin('ada', '192.0.2.1', 'a-known-browser-')).toBe(0)
    expect(await begin('ada', '192.0.2.1', 'a-known-browser-')).toBeGreaterThan(0)
  })

  test('successes do not use up anything', async () => {
    for (let round = 0; round < 100; round += 1) {
      expect(await begin('ada', '192.0.2.1')).toBe(0)
      await attempts.succeeded('ada', { address: '192.0.2.1' })
    }
  })
})

describe('a client', () => {
  test.each([
    ['a secret with special characters', { clientSecret: 'not-only-letters-and-digits' }],
    ['a short secret', { clientSecret: 'short' }],
    ['a redirect to plain http elsewhere', { redirectUris: ['http://bridge.example/r'] }],
    ['a redirect with a fragment', { redirectUris: ['https://bridge.example/r#x'] }],
    ['a redirect that is no URL', { redirectUris: ['*'] }],
    ['no redirect', { redirectUris: [] }],
  ])('with %s is not accepted', (_what, change) => {
    expect(() => checkClients([{ ...google, ...change }])).toThrow('OAuth client google')
  })

  test('may redirect to this machine for development', () => {
    expect(() => checkClients([{ ...google, redirectUris: ['http://localhost:8080/done'] }])).not.toThrow()
  })
})
