/** The visitor hears what is said at a display: by ONVIF's back channel, and only while somebody talks. */
import { afterEach, describe, expect, test } from '@jest/globals'
import { createRtspSource } from '../../../src/gateway/rtsp/source.ts'
import { decodeG711, type Law } from '../../../src/gateway/g711.ts'
import { loadTone } from '../../../src/simulator/tone.ts'
import { createWorld, until, type World } from '../world.ts'
import { backChannel, createFakeCamera, h264, type FakeCamera } from './camera.ts'

const never = new AbortController().signal
const silence = Buffer.from([0xf8, 0xff, 0xfe])
let camera: FakeCamera
let world: World | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
  await camera.close()
})

const source = () => createRtspSource(`rtsp://127.0.0.1:${camera.port}/live`, Date.now, () => undefined)
const methods = () => camera.requests.map(({ method }) => method)

/** By its zero crossings, hertz. */
function pitch(law: Law): number {
  const samples = camera.played.flatMap(({ payload }) => [...decodeG711(law, payload)]).slice(800)
  const crossings = samples.filter((sample, index) => index > 0 && sample >= 0 && samples[index - 1]! < 0).length
  return crossings / (samples.length / 8_000)
}

test('a tone at the display is the same tone at the camera, and the camera is said to have a speaker', async () => {
  camera = await createFakeCamera({ sdp: h264 + backChannel })
  world = await createWorld()
  await world.startCamera(`rtsp://127.0.0.1:${camera.port}/live`)
  await until(() => world!.logged.some(({ event }) => event === 'camera-online'))
  await until(() => world!.events.some((event) => event.kind === 'source' && event.hasSpeaker === true))
  const viewer = await world.view('echo-1')
  await viewer.say(await loadTone())
  await until(() => camera.played.length >= 40)
  expect(Math.abs(pitch('PCMU') - 440)).toBeLessThan(25)
  const stamps = camera.played.map(({ timestamp }) => timestamp)
  expect(stamps.slice(1).every((stamp, index) => ((stamp - stamps[index]!) >>> 0) % 160 === 0)).toBe(true)
  await until(() => world!.events.some((event) => event.kind === 'viewer' && (event.heard?.packets ?? 0) >= 40))
  const setUp = camera.requests.find(({ method, url }) => method === 'SETUP' && url.endsWith('trackID=2'))
  expect(setUp?.headers.get('require')).toEqual(['www.onvif.org/ver20/backchannel'])
})

describe('the back channel', () => {
  test.each([
    ['PCMA', 'udp'],
    ['PCMA', 'tcp'],
  ] as const)('in %s by %s is opened by a voice, not by silence, and closed by TEARDOWN', async (law, transport) => {
    const sdp = h264 + backChannel.replace('AVP 0', 'AVP 8').replace('0 PCMU', '8 PCMA')
    camera = await createFakeCamera({ sdp, transport, quiet: true })
    const speaking = source()
    expect(await speaking.describe(never)).toMatchObject({ hasSpeaker: true })
    const ear = await speaking.createEar!('opus', () => undefined)
    for (let index = 0; index < 20; index += 1) ear.hear(silence)
    expect(methods()).toEqual(['DESCRIBE'])
    for (const payload of await loadTone()) ear.hear(payload)
    if (transport === 'tcp') {
      await until(() => camera.played.length >= 40)
      expect(Math.abs(pitch(law) - 440)).toBeLessThan(25)
    }
    await until(() => ear.heard().packets >= 40)
    ear.close()
    await until(() => methods().at(-1) === 'TEARDOWN')
    await speaking.close()
  })

  test('has one talker at a time', async () => {
    camera = await createFakeCamera({ sdp: h264 + backChannel, quiet: true })
    const speaking = source()
    await speaking.describe(never)
    const [first, second] = [
      await speaking.createEar!('opus', () => undefined),
      await speaking.createEar!('opus', () => undefined),
    ]
    const tone = (await loadTone()).slice(0, 20)
    for (const payload of tone) {
      first.hear(payload)
      second.hear(payload)
    }
    await until(() => first.heard().packets >= 15)
    expect(second.heard().packets).toBe(0)
    expect(methods().filter((method) => method === 'PLAY')).toHaveLength(1)
    first.close()
    for (const payload of tone) second.hear(payload)
    await until(() => second.heard().packets >= 15)
    second.close()
    await speaking.close()
  })

  test('that the camera refuses is heard by nobody, and is not claimed to be', async () => {
    camera = await createFakeCamera({ sdp: h264 + backChannel, statuses: { SETUP: 453 } })
    const speaking = source()
    await speaking.describe(never)
    const ear = await speaking.createEar!('opus', () => undefined)
    for (const payload of await loadTone()) ear.hear(payload)
    await until(() => methods().includes('SETUP'))
    expect(ear.heard().packets).toBe(0)
    ear.close()
    await speaking.close()
  })
})

test.each([
  ['no back channel', h264],
  ['one in AAC alone', `${h264}m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000\r\na=sendonly\r\n`],
])('a camera with %s has no speaker', async (_name, sdp) => {
  camera = await createFakeCamera({ sdp })
  const silent = source()
  expect(await silent.describe(never)).toMatchObject({ hasSpeaker: false })
  await silent.close()
})
