/** Four cameras of different codecs in one browser at once, from GStreamer's RTSP server: each with its own picture and sound. */
/* oxlint-disable unicorn/consistent-function-scoping -- what runs in the page must be one function */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import type { TransomPlayer } from '../../src/player/main.ts'
import { media, startRealCameras, type RealCameras } from '../gateway/real-cameras.ts'
import { addCamera, enter, launch, startBridge, visit, type Bridge, type Visitor } from './visitor.ts'

const cameras = [
  { id: 'red', colour: 0xc02020, hertz: 440, make: media['H.264 and G.711'], reencodes: undefined },
  { id: 'green', colour: 0x20a020, hertz: 660, make: media['H.265 and AAC'], reencodes: 'H.265' },
  { id: 'blue', colour: 0x2020c0, hertz: undefined, make: media.MJPEG, reencodes: 'MJPEG' },
  { id: 'yellow', colour: 0xc0c020, hertz: 880, make: media['H.264 4:2:2 with B-frames and Opus'], reencodes: '4:2:2' },
] as const
let real: RealCameras
let bridge: Bridge
let browser: Browser
let owner: Visitor

beforeAll(async () => {
  const given = cameras.map(({ id, colour, hertz, make }) => ({ path: `/${id}`, media: make(colour, hertz ?? 0) }))
  ;[real, bridge, browser] = await Promise.all([startRealCameras(given), startBridge(), launch()])
  for (const { id } of cameras) await addCamera(bridge, { id, source: `rtsp://127.0.0.1:${real.port}/${id}` })
  owner = await visit(browser, bridge)
  await enter(owner, bridge)
})
afterAll(async () => {
  await browser?.close()
  await bridge?.close()
  await real?.close()
})

/** In the page: what its player shows and sounds like, until `frames` more pictures were shown. */
function observe(frames: number) {
  const { video } = document.querySelector<TransomPlayer>('transom-player')!
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
  const context = new OffscreenCanvas(64, 48).getContext('2d', { willReadFrequently: true })!
  const pixels = (): Uint8ClampedArray => {
    context.drawImage(video, 0, 0, 64, 48)
    return context.getImageData(0, 0, 64, 48).data
  }
  const median = (values: number[]): number => values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0
  const strongest = (analyser: AnalyserNode): { hertz: number; decibels: number } => {
    const bins = new Float32Array(analyser.frequencyBinCount)
    analyser.getFloatFrequencyData(bins)
    const decibels = Math.max(...bins)
    return { hertz: (bins.indexOf(decibels) * analyser.context.sampleRate) / analyser.fftSize, decibels }
  }
  return (async () => {
    const sound = new AudioContext()
    const analyser = new AnalyserNode(sound, { fftSize: 8_192 })
    const stream = video.srcObject as MediaStream
    const hasSound = stream.getAudioTracks().length > 0
    if (hasSound) sound.createMediaStreamSource(stream).connect(analyser)
    const shown = () => video.getVideoPlaybackQuality().totalVideoFrames
    const [before, framesBefore] = [pixels(), shown()]
    while (shown() < framesBefore + frames) await wait(50)
    const after = pixels()
    let heard = strongest(analyser)
    for (let tries = hasSound ? 100 : 0; tries > 0 && !(heard.decibels > -40); tries -= 1) {
      await wait(50)
      heard = strongest(analyser)
    }
    await sound.close()
    const at = (channel: number) => median([...after].filter((_, index) => index % 4 === channel))
    const changed = after.filter((value, index) => Math.abs(value - before[index]!) > 60).length
    return { colour: [at(0), at(1), at(2)], changed, heard }
  })()
}

const parts = (colour: number) => [colour >> 16, (colour >> 8) & 0xff, colour & 0xff]

async function watch(page: Page, id: string): Promise<void> {
  await page.goto(`${bridge.url}/#/camera/${id}`)
  await page
    .getByRole('status')
    .filter({ hasText: /^Live$/ })
    .waitFor()
}

test('four cameras of different codecs at once each show their own picture, and those with sound are heard', async () => {
  const pages = await Promise.all(cameras.map(() => owner.page.context().newPage()))
  await Promise.all(cameras.map(({ id }, index) => watch(pages[index]!, id)))
  // All of them, while the others go on.
  const seen = await Promise.all(pages.map((page) => page.evaluate(observe, 30)))
  for (const [index, { id, colour, hertz }] of cameras.entries()) {
    const { colour: shown, changed, heard } = seen[index]!
    const distance = Math.max(...parts(colour).map((part, channel) => Math.abs(part - shown[channel]!)))
    expect({ id, distance: distance < 40 ? 'near' : shown }).toEqual({ id, distance: 'near' })
    expect({ id, moves: changed > 20 }).toEqual({ id, moves: true })
    if (hertz === undefined) continue
    expect({ id, isHeard: heard.decibels > -40, isItsTone: Math.abs(heard.hertz - hertz) < hertz * 0.02 }).toEqual({
      id,
      isHeard: true,
      isItsTone: true,
    })
  }
  for (const [index, { id, reencodes }] of cameras.entries()) {
    const facts = await pages[index]!.locator('dl.facts').innerText()
    expect({ id, of: /Re-encoded for displays\s+(\S+)/.exec(facts)?.[1]?.replace(/:$/, '') }).toEqual({
      id,
      of: reencodes,
    })
    await pages[index]!.bringToFront()
    await owner.picture(`real ${id}`, pages[index])
  }
  expect(owner.complaints()).toEqual([])
}, 180_000)

test('the cards of all four show that they are online, with a still', async () => {
  const { page } = owner
  await owner.go('#/')
  for (const { id } of cameras) await page.getByRole('heading', { name: id }).waitFor()
  await page.waitForFunction(() => document.querySelectorAll('.still img').length >= 5)
  await owner.picture('real cameras')
})
