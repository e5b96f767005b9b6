/** Pictures that displays cannot play come as H.264 that each can: all of them, in order, and with their own content. */
import { afterEach, expect, test } from '@jest/globals'
import { H264RtpPayload } from 'werift'
import type { MediaInfo, VideoUnit } from '../../../src/gateway/media.ts'
import { createMeter, fit } from '../../../src/gateway/reencode.ts'
import { createNetworkSource } from '../../../src/gateway/network-source.ts'
import { createWorld } from '../world.ts'
import { createFakeCamera, type FakeCamera } from './camera.ts'
import { brightnessOf, decodePictures, movingRate, recordMoving, sendMoving, type Kind, type Moving } from './moving.ts'
import { until } from '../../until.ts'

const never = new AbortController().signal
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function watch(sdp: string) {
  const camera = await createFakeCamera({ sdp, quiet: true })
  const source = createNetworkSource(`rtsp://127.0.0.1:${camera.port}/live`, Date.now, () => undefined)
  const end = new AbortController()
  const video: VideoUnit[] = []
  const described: MediaInfo[] = []
  const running = () =>
    source.run(
      { video: (unit) => video.push(unit), audio: () => undefined, described: (info) => described.push(info) },
      end.signal,
    )
  let ended: Promise<unknown> = Promise.resolve()
  closing.push(
    () => camera.close(),
    () => source.close(),
    async () => {
      end.abort()
      await ended
    },
  )
  return {
    camera,
    source,
    video,
    described,
    async play() {
      ended = running().catch((error: unknown) => error)
      await until(() => camera.requests.some(({ method }) => method === 'PLAY'))
    },
  }
}

function annexB({ payloads }: VideoUnit): Buffer {
  let fragment: Buffer | undefined
  return Buffer.concat(
    payloads.flatMap((payload) => {
      const read = H264RtpPayload.deSerialize(payload, fragment)
      fragment = read.fragment
      return read.payload ? [read.payload] : []
    }),
  )
}

const count = 12
const kinds: readonly Kind[] = ['H.265', 'H.265 with B-frames', 'MJPEG', '4:2:2', '4:4:4', 'B-frames']

/** Sends them as they are taken: what waits for long is not shown. A decoder holds back as many as may come out of order. */
async function sendAll(camera: FakeCamera, pictures: Moving['pictures'], video: readonly VideoUnit[]): Promise<void> {
  for (let sent = 0; sent < pictures.length; sent += 2) {
    sendMoving(camera, { pictures: pictures.slice(sent, sent + 2) })
    await until(() => video.length >= sent - 2)
  }
}

test.each(kinds)('%s', async (kind) => {
  const { sdp, pictures } = await recordMoving(kind, count)
  const { camera, source, video, described, play } = await watch(sdp)
  await play()
  await sendAll(camera, pictures, video)
  await until(() => described.at(-1)?.reencoding !== undefined)
  expect(described.at(-1)).toMatchObject({ profileLevelId: '42e01f', reencoding: { of: kind.split(' ')[0] } })
  expect(await source.describe(never)).toMatchObject({ profileLevelId: '42e01f' })
  // Those before the first B-frame were passed through.
  const encoded = video.slice(video.findLastIndex(({ isKey }) => isKey))
  const shown = await decodePictures(encoded.map(annexB))
  expect(shown).toHaveLength(encoded.length)
  expect(shown.length).toBeGreaterThanOrEqual(count - 6)
  const indexes = encoded.map(({ at }) => Math.round(((at - video[0]!.at) * movingRate) / 1_000))
  expect(indexes).toEqual(Array.from(indexes, (_, index) => indexes[0]! + index))
  // JPEG has the full range of brightness, displays expect 16 to 235.
  const wanted = (index: number) => (kind === 'MJPEG' ? 16 + (brightnessOf(index) * 219) / 255 : brightnessOf(index))
  for (const [at, { brightness }] of shown.entries())
    expect(Math.abs(brightness - wanted(indexes[at]!))).toBeLessThan(4)
})

test('H.264 in order passes through, and above 1080p it comes in 720p', async () => {
  const small = await recordMoving('H.264', 3)
  const plain = await watch(small.sdp)
  await plain.play()
  sendMoving(plain.camera, small)
  await until(() => plain.video.length === 3)
  expect(plain.described).toHaveLength(1)
  expect(plain.described[0]).not.toHaveProperty('reencoding')

  const large = await recordMoving('4K', 3)
  const world = await watch(large.sdp)
  await world.play()
  await sendAll(world.camera, large.pictures, world.video)
  await until(() => world.video.length > 0)
  expect((await decodePictures(world.video.map(annexB)))[0]).toMatchObject({ width: 1_280, height: 720 })
  expect(world.described.at(-1)?.reencoding?.of).toBe('more than 1080p at 60 Hz')
})

test('a key frame is made when a display asks for one', async () => {
  const { sdp, pictures } = await recordMoving('H.265', 12)
  const { camera, source, video, play } = await watch(sdp)
  await play()
  sendMoving(camera, { pictures: pictures.slice(0, 3) })
  await until(() => video.length === 3)
  expect(source.requestKeyFrame()).toBe(true)
  sendMoving(camera, { pictures: pictures.slice(3, 6) })
  await until(() => video.length === 6)
  expect(video.map(({ isKey }) => isKey)).toEqual([true, false, false, true, false, false])
})

test.each([
  [1_280, 720, 1_280, 720],
  [2_560, 1_920, 1_104, 828],
  [1_536, 2_048, 828, 1_104],
  [640, 480, 640, 480],
  [7_680, 1_080, 1_280, 180],
])('%i by %i becomes %i by %i', (width, height, ...wanted) => {
  const size = fit(width, height)
  expect(Math.abs(size.width - wanted[0]) + Math.abs(size.height - wanted[1])).toBeLessThan(40)
  expect(Math.ceil(size.width / 16) * Math.ceil(size.height / 16)).toBeLessThanOrEqual(3_600)
  expect([size.width % 2, size.height % 2]).toEqual([0, 0])
})

test('the cost is the share of the time that decoding and encoding took', () => {
  const said: number[] = []
  let at = 0
  const busy = createMeter(
    (percent) => said.push(percent),
    () => at,
  )
  for (; at <= 10_000; at += 40) busy(10)
  for (; at <= 15_000; at += 40) busy(30)
  expect(said).toEqual([25, 25, 75])
})

test('a display of an H.265 camera is answered with what it is sent, and the bridge learns that it is encoded anew', async () => {
  const { sdp, pictures } = await recordMoving('H.265', 4)
  const camera = await createFakeCamera({ sdp, quiet: true })
  const world = await createWorld()
  closing.push(
    () => camera.close(),
    () => world.close(),
  )
  const plays = () => camera.requests.filter(({ method }) => method === 'PLAY').length
  await world.startCamera(`rtsp://127.0.0.1:${camera.port}/live`)
  await until(() => plays() === 1)
  sendMoving(camera, { pictures: pictures.slice(0, 1) })
  await until(() => world.logged.some(({ event }) => event === 'gateway.camera-online'))
  const arriving = world.view('echo-1')
  await until(() => plays() === 2)
  sendMoving(camera, { pictures })
  const { video, connection } = await arriving
  await until(() => video.packets.length > 0)
  expect(connection.remoteDescription?.sdp).toContain('profile-level-id=42e01f')
  expect(video.packets[0]!.payload.toString('hex', 3, 7)).toBe('6742e01f')
  expect(world.events).toContainEqual(expect.objectContaining({ kind: 'source', reencoding: { of: 'H.265' } }))
})
