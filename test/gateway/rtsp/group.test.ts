/** A camera with a key frame each ten seconds: every viewer begins at one, whenever it comes and whatever the connection did. */
import { afterEach, expect, test } from '@jest/globals'
import { createWorld, type TestViewer, type World } from '../world.ts'
import { createFakeCamera, idr, pps, slice, sps, type FakeCamera } from './camera.ts'
import { until } from '../../until.ts'

let camera: FakeCamera
let world: World | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
  await camera.close()
})

const plays = () => camera.requests.filter(({ method }) => method === 'PLAY').length

/** What a viewer was sent, in order: `sets`, `key` or `slice`, with the last byte of its picture. */
const shown = ({ video }: TestViewer): readonly string[] =>
  video.packets.map(({ payload }) => {
    const type = payload[0]! & 0x1f
    return type === 24 ? 'sets' : `${type === 5 ? 'key' : 'slice'} ${payload.at(-1)}`
  })

let timestamp = 0
function sendKey(mark: number): void {
  timestamp += 3_000
  const payload = Buffer.concat([idr, Buffer.of(mark)])
  for (const [index, nal] of [sps, pps, payload].entries())
    camera.send(0, { payload: nal, timestamp, marker: index === 2 })
}
function sendSlices(...marks: readonly number[]): void {
  for (const mark of marks) {
    timestamp += 3_000
    camera.send(0, { payload: Buffer.concat([slice, Buffer.of(mark)]), timestamp, marker: true })
  }
}

test('the first viewer, the second, and one after a reconnect each begin with a key frame that the camera has sent already', async () => {
  camera = await createFakeCamera({ quiet: true })
  world = await createWorld()
  await world.startCamera(`rtsp://127.0.0.1:${camera.port}/live`)
  await until(() => world!.logged.some(({ event }) => event === 'gateway.camera-online'))

  // The camera sends once it plays, before the first viewer is connected.
  const arriving = world.view('echo-1')
  await until(() => plays() === 1)
  sendKey(1)
  sendSlices(2, 3)
  const first = await arriving
  await until(() => first.video.packets.length >= 4)
  expect(shown(first)).toEqual(['sets', 'key 1', 'slice 2', 'slice 3'])

  const second = await world.view('nest-1')
  await until(() => second.video.packets.length >= 4)
  expect(shown(second)).toEqual(['sets', 'key 1', 'slice 2', 'slice 3'])

  // It comes back in the middle of a group: what refers to pictures that nobody has is shown to nobody.
  camera.cut()
  await until(() => plays() === 2)
  sendSlices(4, 5)
  sendKey(6)
  sendSlices(7)
  const again = ['sets', 'key 1', 'slice 2', 'slice 3', 'sets', 'key 6', 'slice 7']
  await until(() => [first, second].every((viewer) => shown(viewer).includes('slice 7')))
  expect([shown(first), shown(second)]).toEqual([again, again])

  const third = await world.view('echo-2')
  await until(() => third.video.packets.length >= 3)
  expect(shown(third)).toEqual(['sets', 'key 6', 'slice 7'])
})
