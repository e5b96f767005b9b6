import { expect, test } from '@jest/globals'
import { createAudit } from '../../src/bridge/oauth/people/audit.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'

const day = 86_400_000

test('refused logins are counted by the day, in one record, and push out nothing that the owner did', async () => {
  let now = Date.UTC(2026, 10, 1, 12)
  const store = createSqliteStore(':memory:', () => now)
  const audit = createAudit(
    store,
    () => now,
    () => {},
  )
  await audit.write('ada', 'linked', 'Google')
  for (let n = 0; n < 30; n += 1) {
    now += day
    for (let guess = 0; guess < 10; guess += 1) await audit.refused('ada', `from 192.0.2.${guess}`)
  }
  await audit.refused('bob', 'from 192.0.2.1')
  const history = await audit.read('ada')
  expect(history.at(-1)).toEqual({ kind: 'linked', at: Date.UTC(2026, 10, 1, 12), detail: 'Google' })
  expect(history).toHaveLength(15)
  expect(history[0]).toEqual({ kind: 'login-failed', at: now, detail: '10 times that day, last from 192.0.2.9' })
  expect(await store.collection('audit').list('ada')).toHaveLength(1)
  expect(await audit.read('bob')).toEqual([{ kind: 'login-failed', at: now, detail: 'from 192.0.2.1' }])
})
