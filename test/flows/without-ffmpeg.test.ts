/** Where no FFmpeg is installed, everything runs that can: calls, the demo doorbell from its recording; and the rest says why not. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { linkAccount } from '../../src/simulator/link.ts'
import { readSettings } from '../../src/simulator/settings.ts'
import { createHouse, type House } from './house.ts'

const env = { NODE_OPTIONS: `--import ${join(import.meta.dirname, 'without-ffmpeg.ts')}` }
let house: House
beforeAll(async () => {
  house = createHouse()
  await house.start(env)
})
afterAll(() => house.close())

test.each(['alexa', 'google'])(
  'a call of %s shows the recorded doorbell, and its talk-back is heard',
  async (assistant) => {
    const { report } = await house.call('--assistant', assistant)
    expect(report).toMatchObject({ ok: true, cause: null, video: { codec: 'H264', profileLevelId: '42e01f' } })
    expect(report.video.frames).toBeGreaterThan(5)
    expect(report.video).toMatchObject({ decoded: null, reason: expect.stringContaining('npm install node-av') })
    expect(report.audioIn.packets).toBeGreaterThan(20)
    expect(report.audioOut.heardByCamera).toBeGreaterThan(20)
  },
)

test('the list of cameras has a still picture', async () => {
  const { bridge, clients, user } = readSettings(house.dataDir)
  const link = { assistant: 'alexa', bridge, client: clients.alexa, user } as const
  const { accessToken } = await linkAccount(link, AbortSignal.timeout(60_000))
  const still = await fetch(`${bridge}/cameras/front-door/snapshot`, {
    headers: { authorization: `Bearer ${accessToken}` },
  })
  expect([still.status, still.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
  expect(Buffer.from(await still.arrayBuffer()).toString('hex', 0, 3)).toBe('ffd8ff')
})

test('a source that needs FFmpeg is named as what it is, with what to install', async () => {
  await house.stop()
  await house.start({ ...env, TRANSOM_SOURCE: join(import.meta.dirname, 'house.ts') })
  const { report } = await house.call('--assistant', 'google')
  expect(report.ok).toBe(false)
  await house.untilPrinted('FFmpeg is not installed with this bridge: run npm install node-av')
})
