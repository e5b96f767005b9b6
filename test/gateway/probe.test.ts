/** What a probe says of cameras on loopback, measured by the timestamps of their packets. */
import { afterEach, expect, test } from '@jest/globals'
import { probeCamera } from '../../src/gateway/probe.ts'
import { createFakeOnvif } from './onvif/device.ts'
import { backChannel, createFakeCamera, h264, idr, pcma, slice, sps, type FakeCamera } from './rtsp/camera.ts'
import { until } from '../until.ts'
import { startWhepServer } from './whep/server.ts'

const never = new AbortController().signal
/** As x264 writes it: 1920 by 1088, of which 8 lines are cut off. */
const fullHd = Buffer.from('6742c028d900780227e5c044000003000400000300c83c60c920', 'hex').toString('base64')
const login = { user: 'admin', password: 'pa/55' }
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function camera(habits: Parameters<typeof createFakeCamera>[0]): Promise<FakeCamera> {
  const made = await createFakeCamera({ quiet: true, ...habits })
  closing.push(() => made.close())
  return made
}

/** Plays 25 pictures a second with a key frame each second, by its timestamps; a B slice now and then if told so. */
async function play(from: FakeCamera, hasBFrames = false, session = 1): Promise<void> {
  await until(() => from.requests.filter(({ method }) => method === 'PLAY').length === session)
  // ue(0), ue(1): the first macroblock, a slice of the kind B.
  const bSlice = Buffer.from([0x01, 0xa0, ...slice.subarray(2)])
  for (let at = 0; at <= 50; at++) {
    const payload = at % 25 === 0 ? idr : hasBFrames && at % 2 === 0 ? bSlice : slice
    from.send(0, { payload, timestamp: at * 3_600, marker: true })
  }
}

test('a stream behind go2rtc is measured by what it sends, and its session is over', async () => {
  const server = await startWhepServer({ go2rtc: { medias: ['audio, sendonly, PCMA/8000'] }, sound: ['PCMA'] })
  closing.push(() => server.close())
  const end = new AbortController()
  const probing = probeCamera(`http://127.0.0.1:${server.port}/api/webrtc?src=door`, undefined, end.signal)
  const feed = setInterval(() => {
    const count = server.asked.length
    for (const [index, payload] of [idr, slice].entries())
      server.send('video', { payload, timestamp: (count + index) * 3_600, marker: true })
  }, 50)
  try {
    const { best } = await probing
    expect(best).toMatchObject({ codec: 'H264', profile: '42c01f', sound: 'PCMA', hasBackChannel: true })
    expect(best?.url).toBe(`whep://127.0.0.1:${server.port}/api/webrtc?src=door`)
  } finally {
    clearInterval(feed)
  }
  await until(() => server.sessions() === 0)
})

test('a stream is measured by what it sends', async () => {
  const at = await camera({ login, sdp: h264.replace(sps.toString('base64'), fullHd) + pcma + backChannel })
  const probing = probeCamera(`rtsp://127.0.0.1:${at.port}/live?secret=1`, login, never)
  await play(at)
  const { best, streams } = await probing
  expect(streams).toEqual([best])
  expect(best).toMatchObject({ codec: 'H264', fps: 25, keyFrameMs: 1_000, hasBFrames: false, sound: 'PCMA' })
  expect(best).toMatchObject({ width: 1920, height: 1080, hasBackChannel: true })
  expect(at.requests.at(-1)?.method).toBe('TEARDOWN')
})

test('of an ONVIF camera the largest stream is chosen that needs no conversion', async () => {
  const hevc = await camera({ sdp: 'm=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=control:trackID=0\r\n' })
  const withB = await camera({})
  const plain = await camera({})
  const device = await createFakeOnvif({
    login,
    streams: [
      { token: 'main', codec: 'H265', width: 2560, height: 1440, uri: `rtsp://10.0.0.1:${hevc.port}/1` },
      { token: 'b', codec: 'H264', width: 1920, height: 1080, uri: `rtsp://10.0.0.1:${withB.port}/2` },
      { token: 'sub', codec: 'H264', width: 320, height: 240, uri: `rtsp://10.0.0.1:${plain.port}/3` },
      { token: 'gone', codec: 'H264', width: 640, height: 360, uri: 'rtsp://10.0.0.1:1/4' },
    ],
    topics:
      '<tns1:RuleEngine wstop:topic="false"><MyRuleDetector><Visitor wstop:topic="true"/><PeopleDetect wstop:topic="true"/></MyRuleDetector></tns1:RuleEngine>',
  })
  closing.push(() => device.close())
  const probing = probeCamera(`127.0.0.1:${device.port}`, login, never)
  await until(() => hevc.requests.some(({ method }) => method === 'PLAY'))
  // IDR_W_RADL (type 19) three times.
  for (let at = 0; at < 3; at++)
    hevc.send(0, { payload: Buffer.from([0x26, 0x01, 0xaf, 0x00]), timestamp: at * 90_000, marker: true })
  await play(withB, true)
  await play(plain)
  const found = await probing
  expect(found.streams.map(({ name, codec, fault }) => [name, codec ?? fault?.code])).toEqual([
    ['main', 'H265'],
    ['b', 'H264'],
    ['sub', 'H264'],
    ['gone', 'source_refused'],
  ])
  expect(found.streams[1]?.hasBFrames).toBe(true)
  expect(found.best?.name).toBe('sub')
  expect(found.events).toEqual(['press', 'person'])
  expect(found.hasStills).toBe(false)
  expect(found.information.model).toBe('Bell & Co')
})

test.each([
  ['a picture', Buffer.from([0xff, 0xd8, 0xff, 0xd9]), '/9j/2Q=='],
  ['nothing', Buffer.alloc(0), undefined],
  ['something else', Buffer.from('<html>'), undefined],
])(
  'where no stream can be decoded, %s of the camera itself is asked for only when a picture is wanted',
  async (_what, snapshot, picture) => {
    const uri = 'rtsp://10.0.0.1:1/1'
    const device = await createFakeOnvif({
      snapshot,
      streams: [{ token: 'main', codec: 'H264', width: 640, height: 360, uri }],
    })
    closing.push(() => device.close())
    const stills = () => device.asked.filter((one) => one.startsWith('GET ')).length
    expect(await probeCamera(`127.0.0.1:${device.port}`, undefined, never)).not.toHaveProperty('picture')
    expect(stills()).toBe(0)
    const { hasStills, picture: shown } = await probeCamera(`127.0.0.1:${device.port}`, undefined, never, {
      hasPicture: true,
    })
    expect([hasStills, shown, stills()]).toEqual([true, picture, 1])
  },
)

test('a wrong password is said at once, and tried once', async () => {
  const at = await camera({ login })
  const wrong = probeCamera(`rtsp://127.0.0.1:${at.port}/live`, { ...login, password: 'no' }, never)
  await expect(wrong).rejects.toMatchObject({ code: 'source_password' })
  expect(at.requests.filter(({ headers }) => headers.has('authorization'))).toHaveLength(1)
})

test('a password that one stream refuses is not tried at the others of the device', async () => {
  const at = await camera({ login: { ...login, password: 'another' } })
  const streams = ['main', 'sub', 'third'].map((token) => ({
    token,
    codec: 'H264',
    width: 640,
    height: 360,
    uri: `rtsp://127.0.0.1:${at.port}/${token}`,
  }))
  const device = await createFakeOnvif({ login, streams })
  closing.push(() => device.close())
  const { streams: found } = await probeCamera(`127.0.0.1:${device.port}`, login, never)
  expect(found.map(({ fault }) => fault?.code)).toEqual(['source_password', 'source_password', 'source_password'])
  expect(at.requests.filter(({ headers }) => headers.has('authorization'))).toHaveLength(1)
})
