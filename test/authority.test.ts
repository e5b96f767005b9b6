import { expect, test } from '@jest/globals'
import { createAuthority, onlyAssistant, opens, type Door } from '../src/bridge/authority.ts'
import { accountId, type ClientKind } from '../src/core/ports.ts'

const ada = accountId('ada')
const grant = { accountId: ada, clientId: 'c', scopes: ['camera'] }
const doors: readonly Door[] = ['alexa', 'google', 'api', 'page', 'picture', 'records']

const authorityOf = (kinds: readonly ClientKind[], scopes: readonly string[] = ['camera']) =>
  createAuthority({ verifyToken: async () => ({ ...grant, scopes }), kindsOf: async () => kinds })

test.each<[ClientKind, readonly Door[]]>([
  ['alexa', ['alexa', 'picture', 'records']],
  ['google', ['google', 'records']],
  ['other', ['api', 'picture', 'records']],
  ['console', ['api', 'page', 'picture', 'records']],
])('a token of a client of the kind %s opens %j and no other door', async (kind, its) => {
  const authority = authorityOf([kind])
  for (const door of doors) {
    const asked = authority.authorize(door, 'token')
    if (its.includes(door)) expect(await asked).toMatchObject({ accountId: ada, kinds: [kind] })
    else await expect(asked).rejects.toMatchObject({ code: 'unauthorized' })
    expect(opens({ kinds: [kind] }, door)).toBe(its.includes(door))
  }
})

test.each(doors)('%s is shut without a token, without the scope, and for a client that nobody knows', async (door) => {
  const all: readonly ClientKind[] = ['alexa', 'google', 'other', 'console']
  await expect(authorityOf(all).authorize(door, undefined)).rejects.toMatchObject({ code: 'unauthorized' })
  await expect(authorityOf(all, []).authorize(door, 'token')).rejects.toMatchObject({ code: 'unauthorized' })
  await expect(authorityOf(all, ['openid']).at(door)('token')).rejects.toMatchObject({ code: 'unauthorized' })
  await expect(authorityOf([]).authorize(door, 'token')).rejects.toMatchObject({ code: 'unauthorized' })
})

test("an assistant's token is told of nothing but that assistant's", () => {
  expect(onlyAssistant({ kinds: ['alexa'] })).toBe('alexa')
  expect(onlyAssistant({ kinds: ['google'] })).toBe('google')
  expect(onlyAssistant({ kinds: ['other'] })).toBeUndefined()
  expect(onlyAssistant({ kinds: ['other', 'alexa', 'google'] })).toBeUndefined()
})
