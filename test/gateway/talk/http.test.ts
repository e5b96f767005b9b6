/** The visitor hears what is said through the HTTP audio of the brands that have one, and only while somebody talks. */
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { decodeG711, type Law } from '../../../src/gateway/g711.ts'
import { createNetworkSource } from '../../../src/gateway/network-source.ts'
import { createTrust } from '../../../src/gateway/trust.ts'
import { createHttpSpeaker } from '../../../src/gateway/talk/brands.ts'
import { readTalkBack, type Brand } from '../../../src/gateway/talk/speaker.ts'
import { loadTone } from '../../../src/simulator/tone.ts'
import { createFakeCamera, h264 } from '../rtsp/camera.ts'
import { createHttpCamera, login, type HttpHabits } from './http-camera.ts'
import { until } from '../../until.ts'

const never = new AbortController().signal
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function open(habits: HttpHabits) {
  const camera = await createHttpCamera(habits)
  closing.push(() => camera.close())
  return camera
}

const laws: Readonly<Record<Brand, Law>> = { axis: 'PCMU', dahua: 'PCMA', doorbird: 'PCMU', hikvision: 'PCMU' }
const brands = ['axis', 'dahua', 'doorbird', 'hikvision'] as const

/** By its zero crossings, hertz. */
function pitch(law: Law, sound: Buffer): number {
  const samples = [...decodeG711(law, sound)].slice(800)
  const crossings = samples.filter((sample, index) => index > 0 && sample >= 0 && samples[index - 1]! < 0).length
  return crossings / (samples.length / 8_000)
}

const place = (port: number, password: string, trust = createTrust()) => ({
  host: '127.0.0.1',
  port,
  label: 'cam',
  trust,
  login: { user: login.user, password },
})

test('a password that the loudspeaker refuses is not tried again at each word: cameras lock accounts', async () => {
  const http = await open({ brand: 'axis', auth: 'digest' })
  const rtsp = await createFakeCamera({ sdp: h264, quiet: true })
  const failures: unknown[] = []
  const url = `rtsp://${login.user}:wrong@127.0.0.1:${rtsp.port}/live#talk-back=axis:${http.port}`
  const source = createNetworkSource(url, Date.now, (_level, event) => void failures.push(event))
  const steady = performance.now.bind(performance)
  let ahead = 0
  const now = jest.spyOn(performance, 'now').mockImplementation(() => steady() + ahead)
  closing.push(
    () => rtsp.close(),
    () => source.close(),
    async () => now.mockRestore(),
  )
  const ear = await source.createEar!('opus', () => undefined)
  const words = (await loadTone()).slice(0, 10)
  const sayAfter = async (ms: number) => {
    const before = failures.length
    ahead += ms
    for (const word of words) ear.hear(word)
    await until(() => failures.length > before)
    return http.seen.filter((line) => line.startsWith('refused')).length
  }
  const first = await sayAfter(0)
  expect(first).toBeGreaterThan(0)
  expect(await sayAfter(6_000)).toBe(first)
  expect(await sayAfter(6_000)).toBe(first)
  expect(await sayAfter(15_000)).toBe(2 * first)
  ear.close()
})

describe.each(brands)('%s', (brand) => {
  test.each(['digest', 'basic', 'none'] as const)('plays the tone (%s)', async (auth) => {
    const http = await open({ brand, auth })
    const rtsp = await createFakeCamera({ sdp: h264, quiet: true })
    const url = `rtsp://${login.user}:${login.password}@127.0.0.1:${rtsp.port}/live#talk-back=${brand}:${http.port}`
    const source = createNetworkSource(url, Date.now, () => undefined)
    closing.push(
      () => rtsp.close(),
      () => source.close(),
    )
    expect(await source.describe(never)).toMatchObject({ hasSpeaker: true })
    const ear = await source.createEar!('opus', () => undefined)
    expect(http.connections()).toBe(0)
    for (const payload of await loadTone()) ear.hear(payload)
    await until(() => http.played().length >= 160 * 20)
    expect(Math.abs(pitch(laws[brand], http.played()) - 440)).toBeLessThan(25)
    expect(ear.heard().packets).toBeGreaterThanOrEqual(20)
    ear.close()
    await until(() => http.connections() === 0)
    if (brand === 'hikvision') expect(http.seen.at(-1)).toBe('PUT /ISAPI/System/TwoWayAudio/channels/1/close')
    // Each talk asks for the password once.
    expect(http.seen.filter((each) => each === 'refused 401').length).toBeLessThanOrEqual(brand === 'hikvision' ? 3 : 1)
    expect(rtsp.requests.map(({ method }) => method)).not.toContain('PLAY')
  })

  test('refuses with its own cause, and nothing stays open', async () => {
    const http = await open({ brand })
    const opened = createHttpSpeaker(brand, place(http.port, 'wrong')).open(never)
    const wrong = await opened.then(
      ({ ended }) => ended,
      (error: unknown) => error,
    )
    expect(wrong).toMatchObject({ code: 'source_password' })
    expect(String(wrong)).not.toContain('wrong')
    const busy = await open({ brand, status: 503 })
    const refused = await createHttpSpeaker(brand, place(busy.port, login.password))
      .open(never)
      .then(
        ({ ended }) => ended,
        (error: unknown) => error,
      )
    expect(refused).toMatchObject({ code: 'source_busy' })
    await http.close()
    const gone = createHttpSpeaker(brand, place(http.port, login.password)).open(never)
    expect(await gone.catch((error: unknown) => error)).toMatchObject({ code: 'source_unreachable' })
    closing.splice(0, 1)
  })

  test('is not spoken to outside of the networks that are allowed', async () => {
    const http = await open({ brand })
    const away = createTrust({ networks: ['192.168.0.0/16'] })
    const opened = createHttpSpeaker(brand, place(http.port, login.password, away)).open(never)
    expect(await opened.catch((error: unknown) => error)).toMatchObject({ code: 'source_invalid' })
    const named = { ...place(http.port, login.password, away), host: 'localhost' }
    const byName = createHttpSpeaker(brand, named).open(never)
    expect(await byName.catch((error: unknown) => error)).toMatchObject({ code: 'source_invalid' })
    expect(http.seen).toEqual([])
  })
})

test.each([
  ['rtsp://cam/live', { by: 'onvif', port: 80, isHalfDuplex: false }],
  ['rtsp://cam/live#talk-back=off', { by: 'off', port: 80, isHalfDuplex: false }],
  ['rtsp://cam/live#talk-back=Amcrest', { by: 'dahua', port: 80, isHalfDuplex: false }],
  ['rtsp://a:b#c@cam/live#talk-back=axis:8080&duplex=half', { by: 'axis', port: 8_080, isHalfDuplex: true }],
  ['rtsp://cam/live#duplex=half', { by: 'onvif', port: 80, isHalfDuplex: true }],
  ['rtsp://cam/live#backchannel=0', { by: 'onvif', port: 80, isHalfDuplex: false }],
  ['rtsp://cam/live#talk-back=phone', undefined],
  ['rtsp://cam/live#talk-back=axis:0', undefined],
  ['rtsp://cam/live#duplex=both', undefined],
])('%s', (address, wanted) => {
  expect(readTalkBack(address)).toEqual(wanted)
})
