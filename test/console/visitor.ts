/** A real browser at the page of a real bridge. It fails the test when the page breaks a policy, throws, or asks elsewhere. */
/* oxlint-disable unicorn/consistent-function-scoping -- what runs in the page must be one function */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { TransomPlayer } from '../../src/player/main.ts'
import { createHouse, type House } from '../flows/house.ts'
import { ensureConsole } from '../../src/console/build.ts'
import { until } from '../until.ts'
import { launchChromium } from '../browser.ts'

/** Where the pictures go, to be looked at; nowhere by default. */
const pictures = process.env['PICTURES_DIR']

export const looks = {
  desktop: { viewport: { width: 1280, height: 860 }, colorScheme: 'light' },
  phone: { viewport: { width: 375, height: 760 }, colorScheme: 'dark', hasTouch: true },
} as const satisfies Record<string, BrowserContextOptions>

export interface Bridge extends Pick<House, 'stop' | 'call' | 'dataDir'> {
  readonly url: string
  /** Again, on the same ports and data. */
  start(env?: Readonly<Record<string, string>>): Promise<void>
  /** The link of the last start; it works once. */
  link(): string
  /** The demo user. */
  demo(): { readonly login: string; readonly password: string }
  close(): Promise<void>
}

/** Adds a network camera by the operator's API, and waits until it is online. */
export async function addCamera({ dataDir }: Bridge, camera: { readonly id: string; readonly source: string }) {
  const { url, token } = JSON.parse(readFileSync(join(dataDir, 'operator.json'), 'utf8')) as Operator
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ name: camera.id, kind: 'camera', ...camera })
  const added = await fetch(`${url}/cameras`, { method: 'POST', headers, body })
  if (added.status !== 201) throw new Error(`${camera.id} is not added: ${await added.text()}`)
  let listed: Listed | undefined
  await until(
    async () => {
      const { cameras } = (await (await fetch(`${url}/cameras`, { headers })).json()) as { cameras: Listed[] }
      listed = cameras.find(({ cameraId }) => cameraId === camera.id)
      return listed?.isOnline
    },
    () => listed,
  )
}

interface Operator {
  readonly url: string
  readonly token: string
}

interface Listed {
  readonly cameraId: string
  readonly isOnline: boolean
}

interface Simulated {
  readonly user: { readonly login: string; readonly password: string }
}

export async function startBridge(): Promise<Bridge> {
  const problem = await ensureConsole()
  if (problem !== undefined) throw new Error(problem)
  const house = createHouse()
  let said = ''
  const found = (pattern: RegExp): string => {
    const [, text] = pattern.exec(said) ?? []
    if (text === undefined) throw new Error(`the bridge does not say ${pattern}:\n${said}`)
    return text
  }
  said = await house.start()
  const ports = {
    TRANSOM_PORT: found(/Bridge\s+http:\/\/localhost:(\d+)/),
    TRANSOM_SIGNALING_PORT: found(/Signaling\s+https:\/\/127\.0\.0\.1:(\d+)/),
  }
  return {
    ...house,
    get url() {
      return found(/Bridge\s+(http:\S+)/)
    },
    start: async (env = {}) => void (said = await house.start({ ...ports, ...env })),
    demo: () => (JSON.parse(readFileSync(join(house.dataDir, 'simulator.json'), 'utf8')) as Simulated).user,
    link: () => found(/(http:\S+\/oauth\/enter\/\S+)/),
  }
}

/** `more`: further arguments of Chromium. */
export function launch(more: readonly string[] = []): Promise<Browser> {
  return launchChromium([
    // The stand-in for a vendor's public page may reach this machine. CORS stays as it is.
    '--disable-features=LocalNetworkAccessChecks',
    // A name of a home network, which no browser takes for a safe one.
    '--host-resolver-rules=MAP doorbell.test 127.0.0.1',
    ...more,
  ])
}

export interface Visitor {
  readonly page: Page
  /** Everything the page did that it should not have done. */
  complaints(): readonly string[]
  go(hash: string): Promise<void>
  /** Of its page, or of another one. */
  picture(name: string, page?: Page): Promise<void>
  leave(): Promise<void>
}

/** A browser profile of its own, not signed in. */
export async function visit(browser: Browser, bridge: Bridge, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext({ ...looks.desktop, permissions: ['microphone'], ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  const { url } = bridge
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    // The browser's own lines about replies and connections that failed are no fault of the page.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text())
  })
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (origin !== url && protocol !== 'blob:' && protocol !== 'data:')
      complaints.push(`asks elsewhere: ${request.url()}`)
  })
  await context.exposeFunction('violated', (text: string) => complaints.push(text))
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      (globalThis as unknown as { violated(text: string): void }).violated(`${violatedDirective}: ${blockedURI}`),
    )
  })
  return {
    page,
    complaints: () => complaints,
    async go(hash) {
      await page.goto(`${bridge.url}/${hash}`)
    },
    async picture(name, shown = page) {
      if (pictures === undefined) return
      mkdirSync(pictures, { recursive: true })
      await shown.screenshot({ path: join(pictures, `${name}.png`) })
    },
    leave: () => context.close(),
  }
}

/** As whoever has just started the bridge. */
export async function enter(visitor: Visitor, bridge: Bridge): Promise<void> {
  const { page } = visitor
  await page.goto(bridge.link())
  await page.getByRole('button').click()
  await page.getByRole('heading', { name: 'Cameras' }).waitFor()
}

/** By login and password. */
export async function signIn({ page }: Visitor, bridge: Bridge, user: { login: string; password: string }) {
  await page.goto(bridge.url)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByLabel('Login').fill(user.login)
  await page.getByLabel('Password').fill(user.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('heading', { name: 'Cameras' }).waitFor()
}

/** What is in the camera's menu of tests: `Ring`, `Show … on an Echo Show`, … */
export async function tryOut(page: Page, role: 'button' | 'link', name: string): Promise<void> {
  await page.getByLabel('Test Front Door').click()
  await page.getByRole(role, { name }).click()
}

/** Unfolds what happened when. */
export const unfold = (page: Page): Promise<void> => page.locator('details.story:not([open]) > summary').click()

/** What a `<video>` of the page has shown and sounded. */
export interface Seen {
  readonly size: readonly [number, number]
  readonly frames: number
  /** Different colours in a coarse grid: a black or an empty picture has hardly any. */
  readonly colours: number
  /** How much of the clock's corner, and of the sky, has changed: 0 to 1. */
  readonly clockMoved: number
  readonly skyMoved: number
  /** Root mean square of the sound, 0 to 1. */
  readonly loudness: number
}

/** Looks at the first video of the page, inside the player or a display, for 2.5 s at least and until so many frames came. */
export function look(page: Page, frames = 21): Promise<Seen> {
  return page.evaluate(async (frames) => {
    const player = document.querySelector<TransomPlayer>('transom-player')
    const video = player?.video ?? document.querySelector('video')
    if (!video) throw new Error('there is no video on this page')
    const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
    const canvas = new OffscreenCanvas(128, 72)
    const context = canvas.getContext('2d', { willReadFrequently: true })!
    const pixels = (): Uint8ClampedArray => {
      context.drawImage(video, 0, 0, 128, 72)
      return context.getImageData(0, 0, 128, 72).data
    }
    const sound = new AudioContext()
    const analyser = sound.createAnalyser()
    sound.createMediaStreamSource(video.srcObject as MediaStream).connect(analyser)
    const [framesBefore, before] = [video.getVideoPlaybackQuality().totalVideoFrames, pixels()]
    const samples = new Float32Array(analyser.fftSize)
    let loudness = 0
    const shown = (): number => video.getVideoPlaybackQuality().totalVideoFrames - framesBefore
    for (const until = performance.now() + 2_500; performance.now() < until || shown() < frames; await wait(50)) {
      analyser.getFloatTimeDomainData(samples)
      loudness = Math.max(loudness, Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length))
    }
    await sound.close()
    const after = pixels()
    /** The share of pixels that differ clearly, of a part of the picture given in 128ths and 72nds. */
    const moved = (left: number, top: number, right: number, bottom: number): number => {
      let count = 0
      for (let y = top; y < bottom; y += 1) {
        for (let x = left; x < right; x += 1) {
          const at = (y * 128 + x) * 4
          if ([0, 1, 2].some((i) => Math.abs(before[at + i]! - after[at + i]!) > 24)) count += 1
        }
      }
      return count / ((right - left) * (bottom - top))
    }
    const colours = new Set<string>()
    for (let at = 0; at < after.length; at += 4)
      colours.add(`${after[at]! >> 4} ${after[at + 1]! >> 4} ${after[at + 2]! >> 4}`)
    return {
      size: [video.videoWidth, video.videoHeight] as const,
      frames: shown(),
      colours: colours.size,
      clockMoved: moved(3, 57, 54, 69),
      skyMoved: moved(30, 6, 90, 20),
      loudness,
    }
  }, frames)
}

/** Waits until the page says this somewhere. */
export async function expectText(page: Page, text: string): Promise<void> {
  await page.getByText(text, { exact: false }).first().waitFor()
}
