/** Signed requests: once each, and room for a thousand of them in a second. */
import { expect, test } from '@jest/globals'
import { createSignatures, sign } from '../../src/bridge/doors/signature.ts'

const key = 'key'
const request = (at: number, body: string) => {
  const timestamp = `${Math.floor(at / 1000)}`
  return { timestamp, body, signature: sign(key, timestamp, body) }
}

test('a request is refused a second time for as long as its own time does not refuse it', () => {
  let now = 1_000_000_000
  const signatures = createSignatures(() => now)
  // As far ahead as a clock may be: it would pass for ten minutes.
  const ahead = request(now + 300_000, 'ahead')
  signatures.check(key, ahead)
  for (const passed of [0, 300_000, 299_999, 1]) {
    now += passed
    signatures.check(key, request(now, `${now}`))
    expect(() => signatures.check(key, ahead)).toThrow('accepted before')
  }
  now += 1_000
  expect(() => signatures.check(key, ahead)).toThrow('another time')
})

test('a thousand in a second are taken, for as long as they come', () => {
  let now = 1_000_000_000
  const signatures = createSignatures(() => now)
  for (let index = 0; index < 120_000; index++) {
    now += 1
    signatures.check(key, request(now, `${index}`))
  }
})

test('a flood is refused until the window has passed', () => {
  let now = 1_000_000_000
  const signatures = createSignatures(() => now)
  const flood = () => {
    for (let index = 0; ; index++) signatures.check(key, request(now, `${index}`))
  }
  expect(flood).toThrow(expect.objectContaining({ code: 'rate_limited' }))
  now += 302_000
  signatures.check(key, request(now, 'later'))
})

test('what was not carried out may come again', () => {
  const signatures = createSignatures(() => 5_000)
  const once = request(5_000, 'x')
  signatures.check(key, once)
  signatures.forget(once)
  signatures.check(key, once)
})
