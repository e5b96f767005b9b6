/** What follows in the bridge when the last link of an account with an assistant ends. */
import { expect, test } from '@jest/globals'
import { createStreamTokens } from '../../src/bridge/google/stream-token.ts'
import { openWholeHouse } from './whole-house.ts'

test("Alexa's event tokens are dropped with the link that brought them, and not before", async () => {
  await using house = await openWholeHouse()
  const { bridge, store } = house
  const ada = await house.addUser('ada')
  const granted = () => store.collection('alexa-link').get(ada)
  await house.link(ada, 'alexa')
  await house.link(ada, 'alexa', 'second-skill')
  await house.link(ada, 'google')
  await bridge.oauth.unlinkAssistant(ada, 'google')
  await bridge.oauth.unlink(ada, 'alexa')
  expect(await granted()).toBeDefined()
  // Another link is still there, and these were not its tokens.
  await house.link(ada, 'alexa')
  await house.link(ada, 'alexa', 'second-skill')
  await bridge.oauth.unlink(ada, 'second-skill')
  expect(await bridge.oauth.isLinked(ada, 'alexa')).toBe(true)
  expect(await granted()).toBeUndefined()
  // Nor does anything stay that cannot say what brought it.
  await store.collection('alexa-link').put(ada, { sealed: '' })
  await bridge.oauth.unlink(ada, 'alexa')
  expect(await granted()).toBeUndefined()
})

test('Google is told, its display is hung up, and a stream that it was promised begins no more', async () => {
  await using house = await openWholeHouse()
  const ada = await house.addUser('ada')
  const door = await house.addCamera(ada)
  await house.link(ada, 'google')
  const tokens = createStreamTokens({ store: house.store, clock: Date.now })
  const token = await tokens.mint(ada, door.id)
  await tokens.redeemToBegin(token)
  await house.bridge.oauth.unlinkAssistant(ada, 'google')
  await expect(tokens.redeemToBegin(token)).rejects.toMatchObject({ code: 'unauthorized' })
  await house.bridge.settled()
  expect(house.google.calls).toContainEqual(expect.objectContaining({ call: 'delete', account: ada }))
})
