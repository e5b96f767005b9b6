/** What the bridge answers to a camera that says how a viewer fares: by this reply alone it can hang up a view. */
import { expect, test } from '@jest/globals'
import type { CameraMessage } from '../../src/core/ports.ts'
import { cameraEventReply } from '../../src/core/wire/camera-event.ts'
import { anna, frontDoor } from '../alexa/world.ts'
import { cSdkAnswer, echoOffer, echoRules, hostCandidate } from '../broker/fixtures.ts'
import { openHouse, type House } from './house.ts'

async function* answering(): AsyncIterable<CameraMessage> {
  yield { kind: 'answer', sdp: cSdkAnswer }
  yield { kind: 'candidate', candidate: hostCandidate, sdpMid: '0' }
  yield { kind: 'end-of-candidates' }
}

async function view({ broker }: House): Promise<void> {
  const receivedAt = Date.now()
  const who = { assistant: 'alexa', accountId: anna, camera: frontDoor, reference: 'r' } as const
  await broker.negotiate({ ...who, offer: echoOffer, receivedAt, answerBy: receivedAt + 5_000, rules: echoRules })
}

const report = async ({ tell, viewers }: House, state: string, viewerId = viewers[0]) => {
  const response = await tell({ kind: 'viewer', viewerId, state, at: Date.now() })
  return [response.status, cameraEventReply.parse(await response.json())]
}

test('a connected viewer whose session is over is to be ended, and no other', async () => {
  await using house = await openHouse({ camera: answering })
  await view(house)
  expect(await report(house, 'connected')).toEqual([202, {}])
  await house.broker.endCamera(anna, frontDoor.id, 'not shared any more')
  expect(await report(house, 'connected')).toEqual([202, { ended: true }])
  expect(await report(house, 'connected', 'somebody-elses')).toEqual([202, {}])
  expect(await report(house, 'left')).toEqual([202, {}])
})

test('what is no report of a viewer is answered as ever', async () => {
  await using house = await openHouse()
  const response = await house.tell({ kind: 'press', eventId: 'e1', at: Date.now() })
  expect([response.status, await response.json()]).toEqual([202, {}])
})

test('without the key of the camera nobody learns whether a session is over', async () => {
  await using house = await openHouse({ camera: answering })
  await view(house)
  await house.broker.endCamera(anna, frontDoor.id, 'not shared any more')
  const event = { kind: 'viewer', viewerId: house.viewers[0], state: 'connected', at: Date.now() }
  const response = await house.tell(event, 'front-door', { authorization: 'Bearer wrong' })
  expect(response.status).toBe(401)
  expect(await response.json()).not.toHaveProperty('ended')
  const fields = { door: 'camera', cameraId: 'front-door' }
  expect(house.lines).toContainEqual({ level: 'warn', event: 'admission.wrong-key', fields })
})
