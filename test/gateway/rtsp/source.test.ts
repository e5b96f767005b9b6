/** A network camera as a source, against one on loopback that is as strict as real ones. */
import { afterEach, describe, expect, test } from '@jest/globals'
import type { AudioPacket, MediaInfo, MediaSource, VideoUnit } from '../../../src/gateway/media.ts'
import { createNetworkSource } from '../../../src/gateway/network-source.ts'
import {
  backChannel,
  createFakeCamera,
  h264,
  idr,
  pcma,
  pps,
  slice,
  sps,
  type FakeCamera,
  type Habits,
} from './camera.ts'
import { until } from '../../until.ts'

const never = new AbortController().signal
const profile = { profileLevelId: '42c01f', hasSpeaker: false, sound: ['opus', 'PCMU'] }
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

interface World {
  readonly camera: FakeCamera
  readonly source: MediaSource
  readonly logged: string[]
  methods(): readonly string[]
}

async function open(habits: Habits = {}, userInfo = ''): Promise<World> {
  const camera = await createFakeCamera(habits)
  const logged: string[] = []
  const source = createNetworkSource(
    `rtsp://${userInfo}127.0.0.1:${camera.port}/live`,
    Date.now,
    (_level, event, fields) => logged.push(JSON.stringify({ event, ...fields })),
  )
  closing.push(
    () => camera.close(),
    () => source.close(),
  )
  return { camera, source, logged, methods: () => camera.requests.map(({ method }) => method) }
}

function play({ source }: World) {
  const end = new AbortController()
  const video: VideoUnit[] = []
  const audio: AudioPacket[] = []
  const described: MediaInfo[] = []
  const running = source.run(
    {
      video: (unit) => video.push(unit),
      audio: (packet) => audio.push(packet),
      described: (info) => described.push(info),
    },
    end.signal,
  )
  const ended = running.then(
    () => undefined,
    (error: unknown) => error,
  )
  const stop = async () => {
    end.abort()
    return ended
  }
  closing.push(async () => void (await stop()))
  return { video, audio, described, ended, stop }
}

const nalTypes = (unit: VideoUnit): readonly number[] => unit.payloads.map((payload) => payload[0]! & 0x1f)

describe('pictures', () => {
  test('are asked for as they are now: no Range, which some servers take for a place to seek to', async () => {
    const world = await open()
    await world.source.describe(never)
    const { video } = play(world)
    await until(() => video.length === 1)
    const [asked] = world.camera.requests.filter(({ method }) => method === 'PLAY')
    expect(asked!.headers.has('range')).toBe(false)
  })

  test.each(['tcp', 'udp'] as const)(
    'by %s begin with the first key frame, and the session ends with TEARDOWN',
    async (transport) => {
      const world = await open({ transport })
      expect(await world.source.describe(never)).toEqual(profile)
      const { video, described, stop } = play(world)
      await until(() => video.length === 1)
      expect(video[0]!.isKey).toBe(true)
      expect(nalTypes(video[0]!)).toEqual([24, 5])
      world.camera.send(0, { payload: slice, timestamp: 3_000, marker: true })
      await until(() => video.length === 2)
      expect(video[1]!.isKey).toBe(false)
      expect(video[1]!.at - video[0]!.at).toBeCloseTo(3_000 / 90)
      expect(described).toEqual([profile])
      expect(await stop()).toBeUndefined()
      // One connection for the look and the view.
      expect(world.methods().filter((method) => method === 'DESCRIBE')).toHaveLength(1)
      expect(world.methods().at(-1)).toBe('TEARDOWN')
      await until(() => world.camera.connections() === 0)
    },
  )

  test('that nobody looked at before, and that are left at once, end with TEARDOWN all the same', async () => {
    const world = await open()
    const { video, stop } = play(world)
    await until(() => video.length === 1)
    expect(await stop()).toBeUndefined()
    expect(world.methods()).toEqual(['DESCRIBE', 'SETUP', 'PLAY', 'TEARDOWN'])
    const early = play(world)
    await until(() => world.methods().filter((method) => method === 'SETUP').length === 2)
    expect(await early.stop()).toBeUndefined()
    await until(() => world.methods().at(-1) === 'TEARDOWN')
    await until(() => world.camera.connections() === 0)
  })

  test('of a camera that does not describe its profile are looked at for it', async () => {
    const world = await open({ sdp: 'm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n' })
    expect(await world.source.describe(never)).toEqual(profile)
    expect(world.methods().at(-1)).toBe('TEARDOWN')
  })

  test('that change their profile say so', async () => {
    const world = await open()
    const { described, video } = play(world)
    await until(() => video.length === 1)
    const high = Buffer.from('67640028acd940780227e5c05a808080a0000003002000000781e30632c0', 'hex')
    for (const [index, nal] of [high, pps, idr].entries())
      world.camera.send(0, { payload: nal, timestamp: 90_000, marker: index === 2 })
    await until(() => video.length === 2)
    expect(described.at(-1)).toEqual({ profileLevelId: '640028', hasSpeaker: false, sound: ['opus', 'PCMU'] })
    expect(await world.source.describe(never)).toMatchObject({ profileLevelId: '640028' })
  })

  test('whose description names a profile and holds no SPS have the one that comes', async () => {
    const named =
      'm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 profile-level-id=640028\r\na=control:trackID=0\r\n'
    const { camera, source } = await open({ sdp: named })
    const looking = source.describe(never)
    await until(() => camera.requests.some(({ method }) => method === 'PLAY'))
    for (const [index, nal] of [sps, pps, idr].entries())
      camera.send(0, { payload: nal, timestamp: 0, marker: index === 2 })
    expect(await looking).toMatchObject({ profileLevelId: '42c01f' })
  })

  test.each([
    ['MPEG-4 video', 'm=video 0 RTP/AVP 97\r\na=rtpmap:97 MP4V-ES/90000\r\n', /MP4V-ES/],
    ['no video', pcma, /no video/],
  ])('a camera with %s is a named fault', async (_name, sdp, message) => {
    const { source } = await open({ sdp })
    expect(await source.describe(never).catch((error: unknown) => error)).toMatchObject({
      code: 'source_codec',
      message: expect.stringMatching(message),
    })
  })

  test('of several tracks are those in H.264', async () => {
    const world = await open({ sdp: `m=video 0 RTP/AVP 97\r\na=rtpmap:97 H265/90000\r\na=control:other\r\n${h264}` })
    const { video } = play(world)
    await until(() => video.length === 1)
    expect(
      world.camera.requests.filter(({ method }) => method === 'SETUP').map(({ url }) => url.split('/').at(-1)),
    ).toEqual(['trackID=0'])
  })
})

describe('sound', () => {
  test('as G.711 comes as Opus, and untouched for who takes that', async () => {
    const world = await open({ sdp: h264 + pcma })
    expect(await world.source.describe(never)).toMatchObject({ sound: ['opus', 'PCMA'] })
    const { video, audio: all } = play(world)
    await until(() => video.length === 1)
    for (let index = 0; index < 10; index += 1)
      world.camera.send(1, { payload: Buffer.alloc(160, 0x55 + index), timestamp: index * 160 })
    const of = (codec: string) => all.filter((packet) => packet.codec === codec)
    await until(() => of('opus').length >= 8 && of('PCMA').length === 10)
    const audio = of('opus')
    expect(audio.slice(1).every(({ at }, index) => Math.round(at - audio[index]!.at) === 20)).toBe(true)
    expect(of('PCMA').map(({ payload }) => payload)).toEqual(
      Array.from({ length: 10 }, (_, index) => Buffer.alloc(160, 0x55 + index)),
    )
    expect(of('PCMA').map(({ at }) => at - of('PCMA')[0]!.at)).toEqual(of('PCMA').map((_, index) => index * 20))
  })

  test.each([
    ['an unknown codec', '96', 'a=rtpmap:96 SPEEX/16000\r\n', /SPEEX, which is not known here/],
    ['AAC without its config', '96', 'a=rtpmap:96 MPEG4-GENERIC/16000\r\n', /MPEG4-GENERIC, which/],
  ])('in %s is silence, and why is said', async (_what, payloadType, rtpmap, why) => {
    const world = await open({ sdp: `${h264}m=audio 0 RTP/AVP ${payloadType}\r\n${rtpmap}a=control:trackID=1\r\n` })
    const info = await world.source.describe(never)
    expect(info).toMatchObject({ sound: ['opus', 'PCMU'], soundFault: expect.stringMatching(why) })
  })

  test('that is announced and does not come is silence, and a back channel is no microphone', async () => {
    const world = await open({ sdp: h264 + backChannel })
    const { video, audio } = play(world)
    await until(() => video.length === 1)
    for (let index = 1; index <= 10; index += 1)
      world.camera.send(0, { payload: slice, timestamp: index * 9_000, marker: true })
    await until(() => video.length === 11)
    expect(audio.length).toBeGreaterThan(20)
    const silent = { opus: 'f8fffe', PCMU: 'ff'.repeat(160), PCMA: '' }
    expect(audio.every(({ codec, payload }) => payload.toString('hex') === silent[codec])).toBe(true)
    expect(world.methods().filter((method) => method === 'SETUP')).toHaveLength(1)
  })
})

describe('a password', () => {
  const login = { user: 'admin', password: 'p:a/s#5?' }
  test.each([
    ['MD5', ['Digest realm="c", nonce="NONCE"']],
    ['MD5 with qop', ['Digest realm="c", nonce="NONCE", qop="auth", algorithm=MD5']],
    [
      'SHA-256 before MD5',
      ['Digest realm="c", nonce="NONCE", algorithm=SHA-256', 'Digest realm="c", nonce="NONCE", algorithm=MD5'],
    ],
    [
      'MD5 before SHA-256',
      [
        'Digest realm="c", nonce="NONCE", algorithm=MD5',
        'Digest realm="c", nonce="NONCE", algorithm=SHA-256, qop="auth"',
      ],
    ],
    ['SHA-256 alone', ['Digest realm="c", nonce="NONCE", algorithm=SHA-256, qop="auth"']],
    ['SHA-256 alone, as a session', ['Digest realm="c", nonce="NONCE", algorithm=SHA-256-sess, qop="auth"']],
    ['SHA-512-256 alone', ['Digest realm="c", nonce="NONCE", algorithm=SHA-512-256, qop="auth"']],
    ['SHA-512-256 alone, without qop', ['Digest realm="c", nonce="NONCE", algorithm=SHA-512-256']],
    ['Basic', ['Basic realm="c"']],
    ['Basic beside a Digest that nobody knows', ['Digest realm="c", nonce="NONCE", algorithm=SHA3', 'Basic realm="c"']],
  ])('is shown by %s', async (_name, challenges) => {
    const { source } = await open({ login, challenges }, 'admin:p:a/s#5?@')
    expect(await source.describe(never)).toEqual(profile)
  })

  test('that was accepted is shown again to a camera that changes its nonce without a word', async () => {
    const world = await open({ login, changesNonce: true, sdp: h264 + pcma }, 'admin:p:a/s#5?@')
    const { video, stop } = play(world)
    await until(() => video.length > 0)
    expect(await stop()).toBeUndefined()
    expect(world.methods().at(-1)).toBe('TEARDOWN')
  })

  test('in a challenge over two lines is shown', async () => {
    const { source } = await open(
      { login, challenges: ['Digest realm="c",\r\n\tnonce="NONCE",\r\n algorithm=MD5'] },
      'admin:p:a/s#5?@',
    )
    expect(await source.describe(never)).toEqual(profile)
  })

  test.each([
    ['an algorithm', 'Digest realm="c", nonce="NONCE", algorithm=SHA3-256, qop="auth"', 'not known here (SHA3-256)'],
    ['a protection', 'Digest realm="c", nonce="NONCE", algorithm=MD5, qop="auth-int"', 'not known here (its nonce'],
    ['a challenge', 'Digest realm="c", algorithm=MD5', 'not known here (its nonce'],
    ['a way', 'Bearer realm="c"', 'neither by Digest nor by Basic'],
  ])('is not sent in %s that is not known, and the cause says what to choose', async (_name, challenge, words) => {
    const { source, camera } = await open({ login, challenges: [challenge] }, 'admin:p:a/s#5?@')
    const error: unknown = await source.describe(never).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'source_password', message: expect.stringContaining(words) })
    expect(error).toMatchObject({
      message: expect.stringMatching(/: choose Digest with MD5 or SHA-256 in its settings$/),
    })
    expect(camera.requests.some(({ headers }) => headers.has('authorization'))).toBe(false)
  })

  test('that is wrong is tried once, then not before some time, and stands nowhere', async () => {
    const { source, camera, logged } = await open({ login }, 'admin:s3cret@')
    for (let look = 0; look < 5; look += 1) {
      const error = await source.describe(never).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'source_password' })
      expect(String(error) + logged.join('')).not.toContain('s3cret')
    }
    expect(camera.requests.filter(({ headers }) => headers.has('authorization'))).toHaveLength(1)
  })

  test('does not go along to another host', async () => {
    const other = await open({ login: { user: 'admin', password: 's3cret' } })
    const { source } = await open({ redirect: `rtsp://127.0.0.1:${other.camera.port}/live` }, 'admin:s3cret@')
    expect(await source.describe(never).catch((error: unknown) => error)).toMatchObject({ code: 'source_password' })
    expect(other.camera.requests.some(({ headers }) => headers.has('authorization'))).toBe(false)
  })
})

describe('a fault has its own word', () => {
  test.each([
    ['source_not_found', { statuses: { DESCRIBE: 404 } }],
    ['source_busy', { statuses: { DESCRIBE: 453 } }],
    ['source_garbled', { statuses: { DESCRIBE: 500 } }],
    ['source_garbled', { redirect: 'rtsp://127.0.0.1:1/' }],
    ['source_garbled', { hostile: Buffer.from(`RTSP/1.0 200 OK\r\nX: ${'a'.repeat(30_000)}`) }],
    ['source_garbled', { hostile: Buffer.from('HTTP/1.0 200 OK\r\n\r\n') }],
  ])('%s: %j', async (code, habits: Habits) => {
    const { source } = await open(habits)
    const error = await source.describe(never).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'redirect' in habits ? 'source_refused' : code })
  })

  test('one that is unplugged between two looks, and one that is while it plays', async () => {
    const world = await open()
    await world.source.describe(never)
    const { ended, video } = play(world)
    await until(() => video.length === 1)
    await world.camera.unplug()
    expect(await ended).toMatchObject({ code: 'source_stopped' })
    expect(await world.source.describe(never).catch((error: unknown) => error)).toMatchObject({
      code: 'source_refused',
    })
  })

  test('one that does not know the back channel is asked without it', async () => {
    const { source, camera } = await open({ onRequire: 551 })
    expect(await source.describe(never)).toEqual(profile)
    expect(camera.requests.map(({ headers }) => headers.has('require'))).toEqual([true, false])
  })
})

test('a look at a camera that nobody watches asks on the connection that is open', async () => {
  const world = await open()
  await world.source.describe(never)
  await world.source.describe(never)
  expect(world.methods()).toEqual(['DESCRIBE', 'OPTIONS'])
})

test('a session is kept alive as the camera wants it', async () => {
  const world = await open({ timeoutS: 1 })
  const { video } = play(world)
  await until(() => video.length === 1)
  await until(() => world.methods().includes('GET_PARAMETER') && world.methods().includes('OPTIONS'))
  const kept = world.camera.requests.find(({ method }) => method === 'GET_PARAMETER')
  expect(kept?.headers.get('session')).toEqual(['7'])
})
