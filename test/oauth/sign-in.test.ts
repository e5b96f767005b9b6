/** Signing in under a flood: few at a time, a queue, and a refusal that costs nothing. */
import { expect, test } from '@jest/globals'
import { createAttempts } from '../../src/bridge/oauth/people/attempts.ts'
import { createAudit } from '../../src/bridge/oauth/people/audit.ts'
import { createPasskeys } from '../../src/bridge/oauth/people/passkeys.ts'
import { createSignIn, type SignInResult } from '../../src/bridge/oauth/people/sign-in.ts'
import { createUsers } from '../../src/bridge/oauth/people/users.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { wrapped } from '../store/wrapped.ts'

const password = 'correct horse battery'
const stranger = { idFor: () => undefined, remember: () => {} }

async function setUp() {
  const base = { clock: Date.now, log: () => {} }
  const counted: string[] = []
  const store = wrapped(createSqliteStore(':memory:', Date.now), (kind, records) => ({
    ...records,
    put: async (...args) => (counted.push(kind), records.put(...args)),
  }))
  const real = createUsers(store, Date.now)
  const account = await real.create({ login: 'ada', password, name: 'Ada' })
  const checks = { running: 0, most: 0 }
  const users = {
    ...real,
    async authenticate(...given: Parameters<typeof real.authenticate>) {
      checks.most = Math.max(checks.most, (checks.running += 1))
      try {
        return await real.authenticate(...given)
      } finally {
        checks.running -= 1
      }
    },
  }
  const signIn = createSignIn({
    users,
    passkeys: createPasskeys({ ...base, store, issuer: 'https://bridge.example/oauth', name: 'T', isOff: false }),
    attempts: createAttempts(store, Date.now),
    audit: createAudit(store, Date.now, () => {}),
    log: () => {},
  })
  return { signIn, account, counted, checks }
}

const isRefused = (result: SignInResult) => result.kind === 'refused' && result.status === 429

test('of a hundred who sign in at once two are checked at a time, twenty wait, and the others are told when to come', async () => {
  const { signIn, counted, checks } = await setUp()
  const attempt = (n: number) =>
    signIn.password({ login: `user${n}`, password, browser: stranger, clientId: 'c', address: `192.0.2.${n}` })
  const results = await Promise.all(Array.from({ length: 100 }, (_, n) => attempt(n)))
  const refused = results.filter(isRefused)
  expect(checks.most).toBeLessThanOrEqual(2)
  expect([78, 79]).toContain(refused.length)
  expect(refused[0]).toMatchObject({ status: 429, retryAfterS: 2 })
  // Who was turned away is not written down anywhere.
  expect(counted.filter((kind) => kind === 'login-attempts')).toHaveLength(100 - refused.length)
})

test('a flood from one network leaves the others their turn', async () => {
  const { signIn, account } = await setUp()
  const flood = Array.from({ length: 100 }, (_, n) =>
    signIn.password({ login: `x${n}`, password, browser: stranger, clientId: 'c', address: '192.0.2.1' }),
  )
  const owner = { login: 'ada', password, clientId: 'c' }
  const elsewhere = await signIn.password({ ...owner, browser: stranger, address: '203.0.113.1' })
  expect(elsewhere).toMatchObject({ user: { accountId: account } })
  expect((await Promise.all(flood)).filter(isRefused)).toHaveLength(95)
})

test('a browser that is known has its turn also behind the address of the flood', async () => {
  const { signIn, account } = await setUp()
  const flood = Array.from({ length: 10 }, (_, n) =>
    signIn.password({ login: `x${n}`, password, browser: stranger, clientId: 'c', address: '192.0.2.1' }),
  )
  const browser = { idFor: () => 'known-browser-01', remember: () => {} }
  const known = await signIn.password({ login: 'ada', password, browser, clientId: 'c', address: '192.0.2.1' })
  expect(known).toMatchObject({ user: { accountId: account } })
  expect((await Promise.all(flood)).filter(isRefused)).toHaveLength(5)
})
