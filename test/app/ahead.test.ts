/** What is prepared at a camera before anybody asks for its picture: all of it where a process stays, nothing where it is frozen. */
import { expect, test } from '@jest/globals'
import { accountId } from '../../src/core/ports.ts'
import { openWholeHouse } from './whole-house.ts'

/** Google asks to show the camera, and somebody rings: both of which may be followed by a view. */
async function askAndRing(isLive: boolean) {
  await using house = await openWholeHouse({}, isLive)
  const ada = accountId('ada')
  const camera = await house.addCamera(ada)
  const token = await house.link(ada, 'google')
  house.warmed.length = 0
  const params = { StreamToChromecast: true, SupportedStreamProtocols: ['webrtc'] }
  const execution = [{ command: 'action.devices.commands.GetCameraStream', params }]
  const commands = [{ devices: [{ id: camera.id }], execution }]
  const body = { requestId: '1', inputs: [{ intent: 'action.devices.EXECUTE', payload: { commands } }] }
  const reply = await house.bridge.fulfillment(body, { authorization: `Bearer ${token}` })
  expect(JSON.stringify(reply.body)).toContain('cameraStreamSignalingUrl')
  await house.bridge.events.receive(camera, { kind: 'press', eventId: 'p', at: Date.now() })
  await house.bridge.settled()
  return house.warmed
}

test('a process that stays opens the line when Google asks, and finds the channel when somebody rings', async () => {
  expect(await askAndRing(true)).toEqual(['front-door for a viewer', 'front-door'])
})

test('a process that is frozen with its reply opens nothing that it could not close', async () => {
  expect(await askAndRing(false)).toEqual([])
})
