/** The visitor hears what is said at a display: by ONVIF's back channel, and only while somebody talks. */
import { afterEach, describe, expect, test } from '@jest/globals'
import { loadFfmpeg } from '../../../src/gateway/ffmpeg.ts'
import { openListener } from '../../../src/gateway/listener.ts'
import type { AudioPacket } from '../../../src/gateway/media.ts'
import { readDescription } from '../../../src/gateway/rtsp/description.ts'
import { transcodeSound } from '../../../src/gateway/rtsp/sound.ts'
import { createNetworkSource } from '../../../src/gateway/network-source.ts'
import { decodeG711, type Law } from '../../../src/gateway/g711.ts'
import { loadTone } from '../../../src/simulator/tone.ts'
import { createWorld, type World } from '../world.ts'
import { backChannel, createFakeCamera, h264, pcma, type FakeCamera } from './camera.ts'
import { until } from '../../until.ts'

const never = new AbortController().signal
const silence = Buffer.from([0xf8, 0xff, 0xfe])
let camera: FakeCamera
let world: World | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
  await camera.close()
})

const source = () => createNetworkSource(`rtsp://127.0.0.1:${camera.port}/live`, Date.now, () => undefined)
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
  await until(() => world!.logged.some(({ event }) => event === 'gateway.camera-online'))
  await until(() => world!.events.some((event) => event.kind === 'source' && event.hasSpeaker === true))
  const viewer = await world.view('echo-1')
  await viewer.say(await loadTone())
  await until(() => camera.played.length >= 20)
  expect(Math.abs(pitch('PCMU') - 440)).toBeLessThan(25)
  const stamps = camera.played.map(({ timestamp }) => timestamp)
  expect(stamps.slice(1).every((stamp, index) => ((stamp - stamps[index]!) >>> 0) % 160 === 0)).toBe(true)
  await until(() => world!.events.some((event) => event.kind === 'viewer' && (event.heard?.packets ?? 0) >= 20))
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
      await until(() => camera.played.length >= 20)
      expect(Math.abs(pitch(law) - 440)).toBeLessThan(25)
    }
    await until(() => ear.heard().packets >= 20)
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
    await until(() => first.heard().packets >= 10)
    expect(second.heard().packets).toBe(0)
    expect(methods().filter((method) => method === 'PLAY')).toHaveLength(1)
    first.close()
    for (const payload of tone) second.hear(payload)
    await until(() => second.heard().packets >= 10)
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

test('who talks while somebody else does is told so, until the floor is free', async () => {
  camera = await createFakeCamera({ sdp: h264 + backChannel, quiet: true })
  const speaking = source()
  await speaking.describe(never)
  const [first, second] = [
    await speaking.createEar!('opus', () => undefined),
    await speaking.createEar!('opus', () => undefined),
  ]
  const tone = (await loadTone()).slice(0, 10)
  for (const payload of tone) first.hear(payload)
  for (const payload of tone) second.hear(payload)
  expect([first.heard().isWaiting, second.heard().isWaiting]).toEqual([undefined, true])
  // Silence waits for nothing.
  for (let index = 0; index < 10; index += 1) second.hear(silence)
  second.heard()
  for (let index = 0; index < 10; index += 1) second.hear(silence)
  expect(second.heard().isWaiting).toBeUndefined()
  first.close()
  for (const payload of tone) second.hear(payload)
  expect(second.heard().isWaiting).toBeUndefined()
  second.close()
  await speaking.close()
})

/** What the camera got, by its own words on the wire. */
describe('a back channel in', () => {
  const g726 = 'm=audio 0 RTP/AVP 97\r\na=rtpmap:97 G726-32/8000\r\na=control:trackID=2\r\na=sendonly\r\n'
  const aac =
    'm=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000\r\na=fmtp:97 mode=AAC-hbr;config=1408;sizelength=13;indexlength=3;indexdeltalength=3\r\na=control:trackID=2\r\na=sendonly\r\n'

  test.each([
    ['G.726', g726, 'G726-32', 20],
    ['AAC', aac, 'MPEG4-GENERIC', 6],
  ])('%s plays the tone', async (_name, section, encoding, fewest) => {
    camera = await createFakeCamera({ sdp: h264 + section, quiet: true })
    const speaking = source()
    expect(await speaking.describe(never)).toMatchObject({ hasSpeaker: true })
    const ear = await speaking.createEar!('opus', () => undefined)
    for (const payload of await loadTone()) ear.hear(payload)
    await until(() => camera.played.length >= fewest)
    // As a display would be sent the same sound from a camera's microphone.
    const [track] = readDescription(`v=0\r\n${section.replace('sendonly', 'recvonly')}`, 'rtsp://cam/').tracks
    const ffmpeg = await loadFfmpeg()
    const heard = transcodeSound(ffmpeg, track!)!
    const listener = await openListener('opus', () => undefined)
    const samples: number[] = []
    for (const packet of camera.played)
      for (const { payload } of heard.convert(packet, false, packet.timestamp / 8))
        for (const piece of listener.hear(payload)) samples.push(...piece)
    const tail = samples.slice(1_600)
    const crossings = tail.filter((sample, index) => index > 0 && sample >= 0 && tail[index - 1]! < 0).length
    expect(track!.encoding).toBe(encoding)
    expect(Math.abs(crossings / (tail.length / 8_000) - 440)).toBeLessThan(25)
    heard.close()
    listener.close()
    ear.close()
    await speaking.close()
  })
})

test('a camera that is half duplex is silent while it speaks, and is heard before', async () => {
  camera = await createFakeCamera({ sdp: h264 + pcma + backChannel })
  const speaking = createNetworkSource(`rtsp://127.0.0.1:${camera.port}/live#duplex=half`, Date.now, () => undefined)
  await speaking.describe(never)
  const end = new AbortController()
  const heard: string[] = []
  const audio = ({ codec, payload }: AudioPacket) =>
    void (codec === 'PCMA' && heard.push(payload.toString('hex', 0, 1)))
  const running = speaking.run({ video: () => undefined, audio, described: () => undefined }, end.signal)
  let sent = 0
  const send = () => camera.send(1, { payload: Buffer.alloc(160, 0x11), timestamp: sent++ * 160 })
  await until(() => camera.requests.some(({ method }) => method === 'PLAY'))
  await until(() => {
    send()
    return heard.includes('11')
  })
  const ear = await speaking.createEar!('opus', () => undefined)
  for (const payload of await loadTone()) ear.hear(payload)
  await until(() => camera.played.length > 0)
  heard.length = 0
  await until(() => {
    send()
    return heard.length > 3
  })
  expect(new Set(heard.slice(1))).toEqual(new Set(['d5']))
  ear.close()
  end.abort()
  await running
  await speaking.close()
})
