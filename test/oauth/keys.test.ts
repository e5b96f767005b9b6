/** Signing keys that change while tokens are out. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { decodeProtectedHeader } from 'jose'
import { createOAuth } from '../../src/bridge/oauth/server.ts'
import { alexa, type House, openHouse } from './house.ts'
import { link, refresh } from './visitor.ts'

const sealingKey = randomBytes(32).toString('base64')
let house: House
beforeAll(async () => {
  house = await openHouse({ sealingKey })
})
afterAll(() => house.close())

const kidOf = (token: string) => decodeProtectedHeader(token).kid
const published = async () => {
  const { keys } = (await (await fetch(`${house.issuer}/jwks`)).json()) as { keys: { kid: string; d?: string }[] }
  expect(keys.filter(({ d }) => d !== undefined)).toEqual([])
  return keys.map(({ kid }) => kid)
}

test('a rotation is announced before it signs, and breaks no token before its end', async () => {
  const { access_token: old, refresh_token } = await link(house, alexa)
  const again = async () => (await refresh(house, alexa, refresh_token)).body.access_token ?? ''
  const { kid, signsFrom } = await house.oauth().keyring.rotate()
  expect(kid).not.toBe(kidOf(old))

  // A minute later every process has looked; the old key still signs.
  house.advance(60_001)
  expect(await published()).toEqual([kidOf(old), kid])
  expect(kidOf(await again())).toBe(kidOf(old))

  house.advance(signsFrom - Date.now() + 1000)
  const young = await again()
  expect(kidOf(young)).toBe(kid)
  await house.oauth().verifyToken(young)
  await house.oauth().verifyToken(old)

  // The last token of the old key is over; then the key goes.
  house.advance(3_600_000)
  await expect(house.oauth().verifyToken(old)).rejects.toMatchObject({ code: 'token_expired' })
  house.advance(400_000)
  expect(await published()).toEqual([kid])
  expect(kidOf(await again())).toBe(kid)

  // Also for a process that starts now, with the old key still in its configuration.
  house.restart()
  expect(await published()).toEqual([kid])
  expect(kidOf(await again())).toBe(kid)
})

test('a stored key is sealed, and with the wrong sealing key the known keys stay in use', async () => {
  await house.oauth().keyring.rotate()
  const records = house.written.filter((line) => line.startsWith('["oauth-key"'))
  expect(records.length).toBeGreaterThan(0)
  expect(records.join('')).not.toMatch(/"d":/)
  const lines: string[] = []
  const stranger = createOAuth({
    issuer: house.issuer,
    store: house.store,
    clients: [alexa],
    signingKeys: house.signingKeys,
    cookieKeys: ['k'],
    sealingKey: randomBytes(32).toString('base64'),
    clock: Date.now,
    log: (_level, event) => lines.push(event),
  })
  await expect(stranger.verifyToken('nonsense')).rejects.toMatchObject({ code: 'unauthorized' })
  expect(lines).toContain('oauth.keys-unread')
})

test('without a sealing key nothing is rotated', async () => {
  const plain = await openHouse()
  await expect(plain.oauth().keyring.rotate()).rejects.toThrow('sealing key')
  await plain.close()
})
