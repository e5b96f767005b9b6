/** A camera that is set otherwise while somebody looks: the view goes on with true pictures, and the next answer names what comes now. */
import { afterEach, expect, test } from '@jest/globals'
import { annexB } from '../../../src/gateway/h264.ts'
import { createWorld, type TestViewer, type World } from '../world.ts'
import { createFakeCamera, h264, idr, pps, sps, type FakeCamera } from './camera.ts'
import { brightnessOf, decodePictures, recordMoving, sendMoving, type Kind } from './moving.ts'
import { until } from '../../until.ts'

let camera: FakeCamera
let world: World | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
  await camera.close()
})

const plays = () => camera.requests.filter(({ method }) => method === 'PLAY').length
const profileOf = ({ connection }: TestViewer) =>
  /profile-level-id=(\w+)/.exec(connection.remoteDescription?.sdp ?? '')?.[1]
const picturesOf = ({ video }: TestViewer) => {
  const units: Buffer[][] = [[]]
  for (const { header, payload } of video.packets) {
    units.at(-1)?.push(payload)
    if (header.marker) units.push([])
  }
  return units.filter((payloads) => payloads.length > 0)
}

test.each<[Kind, string]>([
  ['H.264', '42c00d'],
  ['4:2:2', '42e01f'],
  ['H.265', '42e01f'],
  ['MJPEG', '42e01f'],
])('to %s over a reconnect', async (kind, profile) => {
  const habits = { quiet: true, sdp: h264 }
  camera = await createFakeCamera(habits)
  world = await createWorld()
  await world.startCamera(`rtsp://127.0.0.1:${camera.port}/live`)
  await until(() => world!.logged.some(({ event }) => event === 'gateway.camera-online'))
  const arriving = world.view('echo-1')
  await until(() => plays() === 1)
  for (const [index, payload] of [sps, pps, idr].entries())
    camera.send(0, { payload, timestamp: 0, marker: index === 2 })
  const first = await arriving
  await until(() => picturesOf(first).length === 1)
  expect(profileOf(first)).toBe('42c01f')

  const { sdp, pictures } = await recordMoving(kind, 12)
  habits.sdp = sdp
  camera.cut()
  await until(() => plays() === 2)
  // As they are taken: what waits for long is not encoded.
  for (let sent = 0; sent < pictures.length; sent += 2) {
    sendMoving(camera, { pictures: pictures.slice(sent, sent + 2) })
    await until(() => picturesOf(first).length - 1 >= sent - 2)
  }
  await until(() => picturesOf(first).length - 1 >= pictures.length - 4)
  const after = picturesOf(first).slice(1)
  const shown = await decodePictures(after.map((payloads) => annexB({ at: 0, isKey: false, payloads })))
  expect(shown[0]).toMatchObject({ width: 320, height: 240 })
  // JPEG has the full range of brightness, displays expect 16 to 235.
  const wanted = (index: number) => (kind === 'MJPEG' ? 16 + (brightnessOf(index) * 219) / 255 : brightnessOf(index))
  for (const [index, { brightness }] of shown.entries())
    expect(Math.abs(brightness - wanted(index))).toBeLessThanOrEqual(3)

  expect(profileOf(await world.view('nest-1'))).toBe(profile)
})
