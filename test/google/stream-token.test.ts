/** Stream tokens: unguessable, kept as a hash, bound to one account and camera, and gone when they should be. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { createStreamTokens } from '../../src/bridge/google/stream-token.ts'
import { accountId, cameraId } from '../../src/core/ports.ts'
import { ada, fakeHouse } from './fake-house.ts'

function open() {
  const house = fakeHouse()
  return {
    house,
    records: house.store.collection('stream-token'),
    tokens: createStreamTokens({ store: house.store, clock: () => house.now }),
  }
}

describe('a stream token', () => {
  test('is 256 random bits and is not itself in the store', async () => {
    const { records, tokens } = open()
    const [one, other] = [await tokens.mint(ada, cameraId('bell-1')), await tokens.mint(ada, cameraId('bell-1'))]
    expect(Buffer.from(one, 'base64url')).toHaveLength(32)
    expect(one).not.toBe(other)
    const stored = JSON.stringify(await records.list(ada))
    expect(stored).not.toContain(one)
    expect(stored).toContain(createHash('sha256').update(one).digest('base64url'))
  })

  test('names its account, its camera and its session', async () => {
    const { tokens } = open()
    const token = await tokens.mint(ada, cameraId('bell-1'))
    const grant = {
      accountId: ada,
      cameraId: 'bell-1',
      reference: createHash('sha256').update(token).digest('base64url').slice(0, 22),
    }
    expect(await tokens.redeemToBegin(token)).toMatchObject(grant)
    expect(await tokens.redeemToEnd(token)).toEqual(grant)
  })

  test('that began a stream may end it for a day, but begins none after two minutes', async () => {
    const { house, records, tokens } = open()
    const token = await tokens.mint(ada, cameraId('bell-1'))
    await (await tokens.redeemToBegin(token)).keepForEnd()
    await (await tokens.redeemToBegin(token)).keepForEnd()
    expect((await records.list(ada))[0]?.version).toBe(2)
    house.now += 23 * 3_600_000
    await expect(tokens.redeemToBegin(token)).rejects.toMatchObject({ code: 'token_expired' })
    expect(await tokens.redeemToEnd(token)).toMatchObject({ cameraId: 'bell-1' })
    house.now += 2 * 3_600_000
    await expect(tokens.redeemToEnd(token)).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('that was revoked meanwhile is not brought back by its stream', async () => {
    const { records, tokens } = open()
    const token = await tokens.mint(ada, cameraId('bell-1'))
    const { keepForEnd } = await tokens.redeemToBegin(token)
    await tokens.revoke(token)
    await keepForEnd()
    expect(await records.list(ada)).toEqual([])
  })

  test('is revoked with all others of its account, and only those', async () => {
    const { records, tokens } = open()
    const bob = accountId('account-bob')
    for (let count = 0; count < 250; count += 1) await tokens.mint(ada, cameraId('bell-1'))
    await tokens.mint(bob, cameraId('bell-2'))
    await tokens.revokeAll(ada)
    expect([await records.list(ada), await records.list(bob)]).toMatchObject([[], [{ value: { cameraId: 'bell-2' } }]])
  })
})
