/** What follows in the house from what happens in it. */
import { expect, test } from '@jest/globals'
import { createHouse, type WhatFollows } from '../../src/bridge/assembly/happenings.ts'
import { accountId } from '../../src/core/ports.ts'
import { frontDoor } from '../alexa/world.ts'
import { openWholeHouse } from './whole-house.ts'

const nothing: WhatFollows = {
  cameraChanged: [],
  cameraRemoved: [],
  cameraNews: [],
  cameraMoment: [],
  recordingChanged: [],
  cameraRang: [],
  buttonStuck: [],
  cameraOnline: [],
  cameraOffline: [],
  shareChanged: [],
  shareRemoved: [],
  shareDropped: [],
  sessionMoved: [],
  sessionEnded: [],
  alexaUnlinked: [],
  googleUnlinked: [],
  alexaLinkRemoved: [],
  googleLinkRemoved: [],
  accountLeaves: [],
  accountLeft: [],
}

test('what follows is done one after the other, and ends where something fails', async () => {
  const house = createHouse()
  const done: string[] = []
  await house.happened('cameraRemoved', frontDoor)
  house.follow({
    ...nothing,
    cameraRemoved: [
      async ({ id }) => {
        await Promise.resolve()
        done.push(`first ${id}`)
      },
      () => void done.push('second'),
      () => Promise.reject(new Error('the store is down')),
      () => void done.push('never'),
    ],
  })
  await house.happened('cameraChanged', frontDoor)
  await expect(house.happened('cameraRemoved', frontDoor)).rejects.toThrow('the store is down')
  expect(done).toEqual([`first ${frontDoor.id}`, 'second'])
})

test('of a camera that is removed nothing is left: picture, state, presses, shares and invitations', async () => {
  await using house = await openWholeHouse()
  const { bridge, store } = house
  const [ada, bob] = [await house.addUser('ada'), await house.addUser('bob')]
  const camera = await house.addCamera(ada)
  await bridge.snapshots.put(camera, Buffer.from([0xff, 0xd8, 0xff]))
  await bridge.events.receive(camera, { kind: 'press', eventId: '1', at: Date.now() })
  await bridge.shares.share(ada, camera.id, bob, { mayTalk: true })
  await bridge.cameras.remove(camera.id)
  const left = ['snapshot', 'camera-state'].map((kind) => store.collection(kind).get(camera.id))
  expect(await Promise.all(left)).toEqual([undefined, undefined])
  expect(await bridge.visits.visits(camera, 0)).toEqual([])
  expect(await bridge.shares.visible.find(accountId(bob), camera.id)).toBeUndefined()
  expect(await bridge.shares.received(bob)).toEqual([])
})

test('a press rings before it is kept; an old one, one of too many and other news do not', async () => {
  await using house = await openWholeHouse()
  const camera = await house.addCamera(await house.addUser('ada'))
  const { receive } = house.bridge.events
  const at = Date.now()
  await receive(camera, { kind: 'press', eventId: 'old', at: at - 60_000 })
  await receive(camera, { kind: 'motion', eventId: 'm', isDetected: true, at })
  expect(house.rung).toEqual([])
  const presses = Array.from({ length: 40 }, (_, n) => receive(camera, { kind: 'press', eventId: String(n), at }))
  const accepted = (await Promise.allSettled(presses)).filter(({ status }) => status === 'fulfilled')
  expect(accepted.length).toBeGreaterThan(0)
  expect(accepted.length).toBeLessThan(presses.length)
  expect(house.rung).toEqual(accepted.map(() => camera.id))
})
