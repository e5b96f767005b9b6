/** Signed requests: once each, whichever process they come to. */
import { expect, test } from '@jest/globals'
import { createSignatures, sign } from '../../src/bridge/signature.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'

const key = 'key'
const request = (at: number, body: string) => {
  const timestamp = `${Math.floor(at / 1000)}`
  return { timestamp, body, signature: sign(key, timestamp, body) }
}

test('a request is refused a second time for as long as its own time does not refuse it, also by another process', async () => {
  let now = 1_000_000_000
  const clock = () => now
  const store = createSqliteStore(':memory:', clock)
  const signatures = createSignatures({ store, clock })
  // As far ahead as a clock may be: it would pass for ten minutes.
  const ahead = request(now + 300_000, 'ahead')
  await signatures.check(key, ahead)
  for (const passed of [0, 300_000, 299_999, 1]) {
    now += passed
    await signatures.check(key, request(now, `${now}`))
    for (const process of [signatures, createSignatures({ store, clock })])
      await expect(process.check(key, ahead)).rejects.toThrow('accepted before')
  }
  now += 1_000
  await expect(signatures.check(key, ahead)).rejects.toThrow('another time')
  await store.close()
})

test('of two that come at once one is refused', async () => {
  const store = createSqliteStore(':memory:', () => 5_000)
  const signatures = createSignatures({ store, clock: () => 5_000 })
  const once = request(5_000, 'x')
  const came = await Promise.allSettled([signatures.check(key, once), signatures.check(key, once)])
  expect(came.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  await store.close()
})

test('what is signed otherwise leaves nothing in the store', async () => {
  const store = createSqliteStore(':memory:', () => 5_000)
  const signatures = createSignatures({ store, clock: () => 5_000 })
  await expect(signatures.check('another key', request(5_000, 'x'))).rejects.toThrow('not right')
  await signatures.check(key, request(5_000, 'x'))
  await store.close()
})

test('what was not carried out may come again', async () => {
  const store = createSqliteStore(':memory:', () => 5_000)
  const signatures = createSignatures({ store, clock: () => 5_000 })
  const once = request(5_000, 'x')
  await signatures.check(key, once)
  await signatures.forget(once)
  await signatures.check(key, once)
  await store.close()
})
