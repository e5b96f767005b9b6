/** Which grants are links: what the record says, and for those from before it said so, how long they last. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { AdapterPayload } from 'oidc-provider'
import { grantsOf } from '../../src/bridge/oauth/provider/adapter.ts'
import { alexa, type House, openHouse } from './house.ts'
import { authorize, link } from './visitor.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

const hour = 3600
const century = 100 * 365 * 24 * hour

test.each([
  ['an old grant that lasts a century', { exp: century }, true],
  ['an old grant that lasts an hour', { exp: hour }, false],
  ['a short grant that says it is a link', { exp: hour, isLink: true }, true],
  ['a long grant that says it is none', { exp: century, isLink: false }, false],
])('%s', async (account, facts, isLink) => {
  const grants = house.store.collection<AdapterPayload>('oauth-Grant')
  await grants.put(account, { clientId: 'alexa', iat: 0, ...facts }, { group: account })
  expect(await grantsOf(house.store, account)).toMatchObject([{ grantId: account, isLink }])
})

test('a redeemed code makes its grant say that it is a link, one that is only agreed to says nothing', async () => {
  const grants = house.store.collection<AdapterPayload>('oauth-Grant')
  await authorize(house, alexa)
  const promised = await grants.list(house.account)
  expect(promised.map(({ value }) => value['isLink'])).toEqual([undefined])
  await link(house, alexa)
  const redeemed = (await grants.list(house.account)).filter(({ id }) => id !== promised[0]?.id)
  expect(redeemed.map(({ value }) => value['isLink'])).toEqual([true])
})
