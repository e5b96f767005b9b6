/** Still pictures: small JPEGs of what the camera sees now, at the start, now and then, and on demand. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { loadFfmpeg } from '../../src/gateway/ffmpeg.ts'
import type { MediaSource } from '../../src/gateway/media.ts'
import { createSource, shareSource, type SharedSource } from '../../src/gateway/source.ts'
import { startStills } from '../../src/gateway/still.ts'
import { makeMovie } from './movie.ts'
import { createFakeCamera, h264 } from './rtsp/camera.ts'
import { recordMoving, sendMoving } from './rtsp/moving.ts'
import { until } from '../until.ts'

const log = (): void => {}

/** The first so many stills, each later one asked for when the one before has come. */
async function stillsOf(source: SharedSource, count: number): Promise<readonly Buffer[]> {
  const found: Buffer[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const stills = startStills({
    source,
    log,
    async leave(jpeg) {
      found.push(jpeg)
      if (found.length === count) resolve()
      else stills.take()
    },
  })
  await promise
  await stills.close()
  return found
}

/** Width, height, and the brightness of every pixel. */
async function decoded(jpeg: Buffer): Promise<{ width: number; height: number; luma: Buffer }> {
  const ffmpeg = await loadFfmpeg()
  const codec = ffmpeg.Codec.findDecoder(ffmpeg.AV_CODEC_ID_MJPEG)
  using decoder = new ffmpeg.CodecContext()
  decoder.allocContext3(codec)
  await decoder.open2(codec, null)
  using packet = new ffmpeg.Packet()
  packet.alloc()
  packet.data = jpeg
  await decoder.sendPacket(packet)
  await decoder.sendPacket(null)
  using frame = new ffmpeg.Frame()
  frame.alloc()
  ffmpeg.FFmpegError.throwIfError(await decoder.receiveFrame(frame), 'decoding a JPEG')
  const { width, height } = frame
  return { width, height, luma: frame.toBuffer().subarray(0, width * height) }
}

test('a still is a small picture of this very moment, and the camera rests between two', async () => {
  const source = shareSource(createSource('synthetic', 'front-door', Date.now, log), log)
  const [one, other] = await stillsOf(source, 2)
  const [first, second] = [await decoded(one!), await decoded(other!)]
  expect(first).toMatchObject({ width: 640, height: 360 })
  expect(one!.length).toBeLessThan(60_000)
  expect(one!.subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]))
  // The lantern is bright, the eaves above it are dark: a picture, not a grey area.
  expect(first.luma[85 * 640 + 522]!).toBeGreaterThan(200)
  expect(first.luma[10 * 640 + 300]!).toBeLessThan(80)
  // Where the clock is, they differ; in the sky they do not.
  const differs = (x: number, y: number, width: number, height: number): boolean => {
    for (let row = y; row < y + height; row += 1)
      for (let column = x; column < x + width; column += 1)
        if (Math.abs(first.luma[row * 640 + column]! - second.luma[row * 640 + column]!) > 60) return true
    return false
  }
  expect(differs(18, 283, 250, 60)).toBe(true)
  expect(differs(200, 60, 200, 60)).toBe(false)
  expect(source.recent()).toEqual([])
  await source.close()
})

test('a recorded camera of another size and profile keeps its shape', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'still-test-'))
  const path = join(directory, 'movie.mp4')
  await makeMovie({ path, seconds: 2 })
  const source = shareSource(createSource(path, 'movie', Date.now, log), log)
  const [jpeg] = await stillsOf(source, 1)
  expect(await decoded(jpeg!)).toMatchObject({ width: 320, height: 240 })
  await source.close()
  rmSync(directory, { recursive: true, force: true })
})

/** A camera that is there and sends nothing. */
const dark: MediaSource = {
  describe: async () => ({ profileLevelId: '42e01f', hasSpeaker: false, sound: ['opus'] as const }),
  close: async () => {},
  requestKeyFrame: () => false,
  run: (_sink, signal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
    }),
}

test('waiting for a picture that does not come ends with the camera', async () => {
  const source = shareSource(dark, log)
  const logged: string[] = []
  const stills = startStills({ source, leave: async () => {}, log: (_level, event) => void logged.push(event) })
  await stills.close()
  await source.close()
  expect(logged).toEqual([])
})

test('a bridge that does not take one is offered the next', async () => {
  const source = shareSource(createSource('synthetic', 'front-door', Date.now, log), log)
  const logged: string[] = []
  let offered = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  const stills = startStills({
    source,
    everyMs: 10,
    log: (_level, event) => void logged.push(event),
    async leave() {
      offered += 1
      if (offered === 1) throw new Error('the bridge answered 503')
      resolve()
    },
  })
  await promise
  await stills.close()
  await source.close()
  expect(logged[0]).toBe('gateway.still-missed')
})

test('a network camera is not pulled for it: only the stream that others watch, or one that is wished for', async () => {
  const moving = await recordMoving('H.264', 3)
  const camera = await createFakeCamera({ sdp: h264, quiet: true })
  const source = shareSource(createSource(`rtsp://127.0.0.1:${camera.port}/live`, 'door', Date.now, log), log)
  const left: Buffer[] = []
  const stills = startStills({ source, log, leave: async (jpeg) => void left.push(jpeg), everyMs: 20 })
  const count = (name: string) => camera.requests.filter(({ method }) => method === name).length
  try {
    await until(() => source.state()?.kind === 'good')
    await until(() => count('DESCRIBE') > 0)
    expect([count('PLAY'), left.length]).toEqual([0, 0])

    const leave = source.join({ video: () => undefined, audio: () => undefined })
    await until(() => count('PLAY') === 1)
    sendMoving(camera, moving)
    await until(() => left.length > 0)
    leave()
    await until(() => count('TEARDOWN') === 1)

    const before = left.length
    stills.take()
    await until(() => count('PLAY') === 2)
    sendMoving(camera, moving)
    await until(() => left.length > before)
  } finally {
    await stills.close()
    await source.close()
    await camera.close()
  }
})

/** A source that is not pulled from while nobody watches, and has stills of its own; it never delivers. */
function withStills(stills: (Buffer | undefined)[]) {
  let runs = 0
  const source: MediaSource = {
    checkEachMs: 60_000,
    describe: async () => ({ profileLevelId: '42c01f', hasSpeaker: false, sound: [] }),
    run: (_sink, signal) => {
      runs += 1
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    },
    requestKeyFrame: () => false,
    still: async () => stills.shift(),
    close: async () => {},
  }
  return { source: shareSource(source, log), runs: () => runs }
}

test('the camera’s own stills are left as they are, without a stream, and made small where they are large', async () => {
  const small = Buffer.from([0xff, 0xd8, 0xff, 0xd9])
  const synthetic = shareSource(createSource('synthetic', 'front-door', Date.now, log), log)
  const [picture] = await stillsOf(synthetic, 1)
  await synthetic.close()
  // A JPEG goes on being one with what follows its end.
  const large = Buffer.concat([picture!, Buffer.alloc(300_000)])
  const { source, runs } = withStills([small, large])
  const [one, other] = await stillsOf(source, 2)
  expect(one).toEqual(small)
  expect(await decoded(other!)).toMatchObject({ width: 640, height: 360 })
  expect(other!.length).toBeLessThan(60_000)
  expect(runs()).toBe(0)
  await source.close()
})
