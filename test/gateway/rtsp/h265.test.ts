/** A camera with H.265: displays that play it get it untouched, the others at the same time as H.264. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { annexB } from '../../../src/gateway/h264.ts'
import { h265Type } from '../../../src/gateway/h265.ts'
import { createH265Depacketizer } from '../../../src/gateway/rtsp/h265.ts'
import { annexB as withStartCodes } from '../../../src/gateway/rtsp/nal-units.ts'
import { createWorld, type TestViewer, type World } from '../world.ts'
import { createFakeCamera, h264, idr, pps, sps, type FakeCamera } from './camera.ts'
import { brightnessOf, decodePictures, recordMoving, sendMoving, type Moving } from './moving.ts'
import { until } from '../../until.ts'

const count = 12
let moving: Moving
let habits: { quiet: true; sdp: string }
let camera: FakeCamera
let world: World
beforeEach(async () => {
  moving = await recordMoving('H.265', count)
  habits = { quiet: true, sdp: withSets(moving) }
  camera = await createFakeCamera(habits)
  world = await createWorld()
  await world.startCamera(`rtsp://127.0.0.1:${camera.port}/live`)
  await until(() => world.logged.some(({ event }) => event === 'gateway.camera-online'))
})
afterEach(async () => {
  await world.close()
  await camera.close()
})

/** Its description gives the parameter sets (RFC 7798 section 7.1). */
function withSets({ sdp, pictures }: Moving): string {
  const sets = pictures[0]!.payloads.filter((payload) => [32, 33, 34].includes(h265Type(payload)))
  const [vps = '', spsText = '', ppsText = ''] = sets.map((set) => set.toString('base64'))
  return sdp.replace('a=control', `a=fmtp:96 sprop-vps=${vps};sprop-sps=${spsText};sprop-pps=${ppsText}\r\na=control`)
}

const plays = () => camera.requests.filter(({ method }) => method === 'PLAY').length
const answerOf = ({ connection }: TestViewer) => connection.remoteDescription?.sdp ?? ''
const payloadsOf = ({ video }: TestViewer) => video.packets.map(({ payload }) => payload)
const markers = ({ video }: TestViewer) => video.packets.filter(({ header }) => header.marker).length

/** What a display shows of H.265 that came in order. */
async function brightness({ video }: TestViewer): Promise<number[]> {
  const depacketize = createH265Depacketizer()
  const units = video.packets.flatMap(({ header: { timestamp, marker, payloadType, sequenceNumber, ssrc }, payload }) =>
    depacketize({ payload, timestamp, marker, payloadType, sequenceNumber, ssrc }, false),
  )
  return (
    await decodePictures(
      units.map(({ nals }) => withStartCodes(nals)),
      'HEVC',
    )
  ).map((shown) => shown.brightness)
}
const expectTrue = (shown: readonly number[], length: number) => {
  expect(shown).toHaveLength(length)
  for (const [index, one] of shown.entries()) expect(Math.abs(one - brightnessOf(index))).toBeLessThanOrEqual(3)
}

test('is shown untouched, also to who comes later, and encoded only for who cannot play it', async () => {
  const arriving = world.view('safari-1', { h265Level: 93 })
  await until(() => plays() === 1)
  sendMoving(camera, { pictures: moving.pictures.slice(0, 6) })
  const first = await arriving
  expect(answerOf(first)).toMatch(
    /a=rtpmap:(\d+) H265\/90000\r\n[^]*a=fmtp:\1 level-id=60;profile-id=1;tier-flag=0;tx-mode=SRST\r\n/,
  )
  await until(() => markers(first) === 6)
  expect(h265Type(payloadsOf(first)[0]!)).toBe(48)

  // From the group that is kept.
  const second = await world.view('safari-2', { h265Level: 180 })
  await until(() => markers(second) === 6)
  sendMoving(camera, { pictures: moving.pictures.slice(6) })
  await until(() => markers(first) === count && markers(second) === count)
  expectTrue(await brightness(first), count)
  expectTrue(await brightness(second), count)
  expect(payloadsOf(second)).toEqual(payloadsOf(first))
  expect(world.logged.some(({ event }) => event === 'gateway.source-faulty')).toBe(false)
})

test('a display with room for a lower level only, or for none, gets H.264 beside one that gets H.265', async () => {
  const arriving = world.view('safari-1', { h265Level: 93 })
  await until(() => plays() === 1)
  sendMoving(camera, { pictures: moving.pictures.slice(0, 4) })
  const modern = await arriving
  const [old, echo] = [await world.view('old', { h265Level: 30 }), await world.view('echo-1')]
  for (const viewer of [old, echo]) expect(answerOf(viewer)).toContain('profile-level-id=42e01f')
  // As they are taken: what waits for long is not encoded, and a decoder holds some back.
  for (let sent = 4; sent < count; sent += 2) {
    sendMoving(camera, { pictures: moving.pictures.slice(sent, sent + 2) })
    await until(() => markers(modern) === sent + 2 && markers(echo) >= sent - 2 && markers(old) >= sent - 2)
  }
  expectTrue(await brightness(modern), count)
  const shown = await decodePictures([annexB({ at: 0, isKey: true, payloads: payloadsOf(echo) })])
  expect(shown[0]).toMatchObject({ width: 320, height: 240 })
})

test('a camera that describes no parameter sets is listened to, so that already its first answer is H.265', async () => {
  const bare = await createFakeCamera({ quiet: true, sdp: moving.sdp })
  const other = await createWorld()
  try {
    await other.startCamera(`rtsp://127.0.0.1:${bare.port}/live`)
    await until(() => bare.requests.some(({ method }) => method === 'PLAY'))
    sendMoving(bare, { pictures: moving.pictures.slice(0, 1) })
    await until(() => other.logged.some(({ event }) => event === 'gateway.camera-online'))
    expect(bare.requests.at(-1)?.method).toBe('TEARDOWN')
    expect(answerOf(await other.view('safari-1', { h265Level: 93 }))).toContain('H265/90000')
  } finally {
    await other.close()
    await bare.close()
  }
})

test('a view in H.265 ends when the camera is set to H.264, and the next one gets that', async () => {
  const arriving = world.view('safari-1', { h265Level: 93 })
  await until(() => plays() === 1)
  sendMoving(camera, { pictures: moving.pictures.slice(0, 2) })
  const first = await arriving
  await until(() => markers(first) === 2)
  habits.sdp = h264
  camera.cut()
  await until(() => plays() === 2)
  for (const [index, payload] of [sps, pps, idr].entries())
    camera.send(0, { payload, timestamp: 0, marker: index === 2 })
  await until(() => world.events.some((event) => event.kind === 'viewer' && event.state === 'left'))
  expect(answerOf(await world.view('safari-1', { h265Level: 93 }))).toContain('profile-level-id=42c01f')
})
