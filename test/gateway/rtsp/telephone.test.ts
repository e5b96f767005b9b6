/** A display that takes G.711 only, at network cameras. */
import { afterEach, describe, expect, test } from '@jest/globals'
import { decodeG711, encodeG711 } from '../../../src/gateway/g711.ts'
import { createWorld, type World } from '../world.ts'
import { backChannel, createFakeCamera, h264, pcma, slice, type FakeCamera } from './camera.ts'
import { until } from '../../until.ts'

/** 20 ms of a square wave. */
const voice = Int16Array.from({ length: 160 }, (_, index) => (index % 20 < 10 ? 8_192 : -8_192))

let camera: FakeCamera
let world: World
afterEach(async () => {
  await world.close()
  await camera.close()
})

async function open(sdp: string): Promise<void> {
  camera = await createFakeCamera({ sdp })
  world = await createWorld()
  await world.startCamera(`rtsp://127.0.0.1:${camera.port}/live`)
  await until(() => world.logged.some(({ event }) => event === 'gateway.camera-online'))
}

/** Sound of which each packet is another. */
const sent = Array.from({ length: 20 }, (_, index) => Buffer.alloc(160, 0x20 + index))
const play = () => {
  for (const [index, payload] of sent.entries()) camera.send(1, { payload, timestamp: index * 160 })
}

test('gets the G.711 of a camera as it is', async () => {
  await open(h264 + pcma)
  const viewer = await world.view('intercom', { sound: ['PCMA'] })
  await until(() => viewer.video.packets.length > 0)
  play()
  await until(() => viewer.audio.length >= sent.length)
  expect(viewer.audio.map(({ payload }) => payload)).toEqual(sent)
  const stamps = viewer.audio.map(({ header }) => header.timestamp)
  expect(stamps.map((stamp) => (stamp - stamps[0]!) >>> 0)).toEqual(sent.map((_, index) => index * 160))
})

test('that takes the other law gets the same sound in it', async () => {
  await open(h264 + pcma)
  const viewer = await world.view('intercom', { sound: ['PCMU'] })
  await until(() => viewer.video.packets.length > 0)
  play()
  await until(() => viewer.audio.length >= sent.length)
  const expected = sent.map((payload) => encodeG711('PCMU', decodeG711('PCMA', payload)))
  expect(viewer.audio.map(({ payload }) => payload)).toEqual(expected)
})

test('gets silence of a camera without sound', async () => {
  await open(h264)
  const viewer = await world.view('intercom', { sound: ['PCMA'] })
  await until(() => viewer.video.packets.length > 0)
  for (let index = 1; index <= 10; index += 1)
    camera.send(0, { payload: slice, timestamp: index * 9_000, marker: true })
  await until(() => viewer.audio.length > 0)
  expect(new Set(viewer.audio[0]!.payload)).toEqual(new Set([0xd5]))
})

describe('its talk', () => {
  test.each(['PCMU', 'PCMA'] as const)('in %s reaches the loudspeaker, which is PCMU', async (law) => {
    await open(h264 + backChannel)
    const viewer = await world.view('intercom', { sound: [law] })
    await viewer.say(Array.from({ length: 50 }, () => encodeG711(law, voice)))
    // They come all at once, and the talk catches up by two in the time of one.
    const fewest = 20
    await until(() => camera.played.length >= fewest)
    const expected = encodeG711('PCMU', decodeG711(law, encodeG711(law, voice)))
    for (const { payload } of camera.played) expect(payload).toEqual(expected)
    await until(() => world.events.some((event) => event.kind === 'viewer' && (event.heard?.packets ?? 0) >= fewest))
  })
})

test('has a cause where the sound of a camera is not known', async () => {
  await open(`${h264}m=audio 0 RTP/AVP 96\r\na=rtpmap:96 SPEEX/16000\r\na=control:trackID=1\r\n`)
  await world.view('intercom', { sound: ['PCMU'] })
  const isTold = () => world.events.find((event) => event.kind === 'viewer' && event.state === 'connected')
  await until(() => isTold() !== undefined)
  expect(isTold()).toMatchObject({ cause: { code: 'no_sound', message: expect.stringContaining('SPEEX') } })
})
