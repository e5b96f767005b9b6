/**
 * RTSP cameras against a real server, GStreamer's. Not part of `npm test`, since it needs Debian's packages
 * python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good; CI installs them and runs
 *   jest --testMatch '<rootDir>/test/gateway/*.ci.ts'
 * Without the server every test here fails: none is skipped.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import type { AudioPacket, VideoUnit } from '../../src/gateway/media.ts'
import { createNetworkSource } from '../../src/gateway/network-source.ts'
import { makeMovie } from './movie.ts'
import { shareSource, type SharedSource } from '../../src/gateway/source.ts'
import { createWorld, type World } from './world.ts'
import { until } from '../until.ts'

const directory = mkdtempSync(join(tmpdir(), 'gateway-rtsp-'))
const never = new AbortController().signal
let server: ChildProcess
let port: string
let world: World | undefined
let shared: SharedSource | undefined

beforeAll(async () => {
  const movie = join(directory, 'movie.mp4')
  await makeMovie({ path: movie, seconds: 4 })
  // Debian's own Python: another one on the path has no GStreamer.
  server = spawn('/usr/bin/python3', [join(import.meta.dirname, 'rtsp-server.py'), movie, 'me', 's3cret'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await Promise.race([
    once(server.stdout!, 'data') as Promise<[Buffer]>,
    once(server, 'exit').then(() => Promise.reject(new Error('the RTSP server did not start; see its packages above'))),
  ])
  port = line.toString().trim()
})
afterEach(async () => {
  await world?.close()
  await shared?.close()
  world = shared = undefined
})
afterAll(() => {
  server.kill()
  rmSync(directory, { recursive: true })
})

const camera = (path: string, login = 'me:s3cret@', log: string[] = []) =>
  createNetworkSource(`rtsp://${login}127.0.0.1:${port}${path}`, Date.now, (_level, event, fields) => {
    log.push(JSON.stringify({ event, ...fields }))
  })

test('its H.264 and G.711 pass through untouched, its G.711 comes as Opus too, and after it ended it is called again', async () => {
  const log: string[] = []
  const source = camera('/door', 'me:s3cret@', log)
  expect(await source.describe(never)).toMatchObject({ profileLevelId: '4d400d', hasSpeaker: false })
  shared = shareSource(source, (_level, event, fields) => void log.push(JSON.stringify({ event, ...fields })))
  const video: VideoUnit[] = []
  const opus: AudioPacket[] = []
  const telephone: AudioPacket[] = []
  const audio = (packet: AudioPacket) => (packet.codec === 'opus' ? opus : telephone).push(packet)
  const leave = shared.join({ video: (unit) => video.push(unit), audio })
  await until(() => video.length > 0)
  expect(video[0]!.isKey).toBe(true)
  await until(() => opus.length > 60)
  expect(video[0]!.payloads[0]!.toString('hex', 3, 7)).toBe('674d400d')
  expect(opus.slice(1, 50).every(({ at }, index) => Math.round(at - opus[index]!.at) === 20)).toBe(true)
  // A byte is a sample, eight to the millisecond.
  expect(telephone.length).toBeGreaterThan(5)
  const lasts = (index: number) => Math.round(telephone[index]!.payload.length / 8)
  expect(telephone.slice(1, 5).map(({ at }, index) => Math.round(at - telephone[index]!.at) - lasts(index))).toEqual([
    0, 0, 0, 0,
  ])
  for (const { at } of [opus.at(-1)!, telephone.at(-1)!]) expect(Math.abs(video.at(-1)!.at - at)).toBeLessThan(1_000)

  // The movie lasts four seconds.
  await until(() => video.length > 60)
  leave()
  await shared.close()
  expect(log.join()).not.toContain('s3cret')
})

test.each([
  ['that is not there', '/nowhere', undefined, 'source_not_found', /no such stream \(404\)/],
  ['with another password', '/door', 'me:wrong@', 'source_password', /refuses the user name or the password/],
])('a camera %s is refused with a word that helps', async (_name, path, login, code, message) => {
  const error = await camera(path, login)
    .describe(never)
    .catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
  expect(String(error)).not.toMatch(/s3cret|wrong/)
})

test('a camera without H.264 is encoded for displays', async () => {
  const source = camera('/jpeg')
  expect(await source.describe(never)).toMatchObject({ profileLevelId: '42e01f', reencoding: { of: 'MJPEG' } })
  shared = shareSource(source, () => undefined)
  const video: VideoUnit[] = []
  const leave = shared.join({ video: (unit) => video.push(unit), audio: () => undefined })
  await until(() => video.length > 10)
  expect(video[0]!.isKey).toBe(true)
  // Its parameter sets name Constrained Baseline (RFC 6184 section 8.1).
  const nals = video[0]!.payloads.map((payload) => payload.toString('hex', 0, 7))
  expect(nals.join(' ')).toMatch(/6742[c-f]0/)
  leave()
})

test('a viewer sees the camera over the whole way', async () => {
  world = await createWorld()
  await world.startCamera(`rtsp://me:s3cret@127.0.0.1:${port}/door`)
  await until(() => world!.logged.some(({ event }) => event === 'gateway.camera-online'))
  const viewer = await world.view('echo-1')
  await until(() => viewer.video.packets.filter(({ header }) => header.marker).length > 15 && viewer.audio.length > 40)
  expect(viewer.video.packets[0]!.payload.toString('hex', 3, 7)).toBe('674d400d')
})
