/** A camera with H.265 where FFmpeg is not installed: displays that play it get it, the others a refusal in plain words. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import * as ffmpeg from '../../../src/gateway/ffmpeg.ts'
import { until } from '../../until.ts'
import { echoOffer } from '../offers.ts'
import type { World } from '../world.ts'
import { createFakeCamera, type FakeCamera } from './camera.ts'
import { recordMoving, sendMoving } from './moving.ts'

// The pictures of this test are encoded with it; all else asks first whether it is there.
jest.unstable_mockModule('../../../src/gateway/ffmpeg.ts', () => ({ ...ffmpeg, hasFfmpeg: async () => false }))
const { createWorld } = await import('../world.ts')

let camera: FakeCamera
let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(async () => {
  await world.close()
  await camera.close()
})

test('a display that plays H.265 is shown it, beside one that plays H.264 and is told why it gets none', async () => {
  const { sdp, pictures } = await recordMoving('H.265', 6)
  camera = await createFakeCamera({ quiet: true, sdp })
  const plays = () => camera.requests.filter(({ method }) => method === 'PLAY').length
  await world.startCamera(`rtsp://127.0.0.1:${camera.port}/live`)
  await until(() => plays() === 1)
  sendMoving(camera, { pictures: pictures.slice(0, 1) })
  await until(() => world.logged.some(({ event }) => event === 'gateway.camera-online'))

  const arriving = world.view('safari-1', { h265Level: 93 })
  await until(() => plays() === 2)
  sendMoving(camera, { pictures })
  const { video, connection } = await arriving
  expect(connection.remoteDescription?.sdp).toContain('H265/90000')
  await until(() => video.packets.filter(({ header }) => header.marker).length === pictures.length)

  const echo = await world.callIn('echo-1')
  echo.send({ kind: 'offer', sdp: echoOffer })
  const refused = await until(() =>
    world.events
      .flatMap((event) => (event.kind === 'viewer' && event.viewerId === 'echo-1' ? [event.cause] : []))
      .at(-1),
  )
  expect(refused).toMatchObject({
    code: 'no_common_codec',
    message: expect.stringContaining('FFmpeg is not installed'),
  })
  expect(world.logged.some(({ event }) => event === 'gateway.source-faulty')).toBe(false)
})
