/**
 * A real browser in the Hub's place: a page of Google's player's origin takes EXECUTE's result to picture and sound, with
 * CORS enforced by Chromium itself. Needs `chromium` (CHROMIUM names another one); run by continuous integration.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import type { Embedded } from '../../src/transom/embedded.ts'
import { linkAccount } from '../../src/simulator/link.ts'
import { readSettings } from '../../src/simulator/settings.ts'
import { launchChromium } from '../browser.ts'
import { embedHouse } from '../flows/embedded-house.ts'

const player = 'https://www.gstatic.com'
/** Where the last picture goes, to be looked at. */
const screenshot = process.env['SCREENSHOT'] ?? join(tmpdir(), 'transom-hub.png')

let dataDir: string
let house: Embedded
let browser: Browser
let accessToken: string

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'transom-browser-'))
  house = await embedHouse(dataDir)
  const { bridge, clients, user } = readSettings(dataDir)
  const link = { assistant: 'google', bridge, client: clients.google, user } as const
  accessToken = (await linkAccount(link, AbortSignal.timeout(60_000))).accessToken
  browser = await launchChromium([
    // The stand-in for a public page may reach this machine; a real Hub reaches a public bridge. CORS stays as it is.
    '--disable-features=LocalNetworkAccessChecks',
  ])
})

afterAll(async () => {
  await browser?.close()
  await house?.close()
  rmSync(dataDir, { recursive: true, force: true })
})

interface Stream {
  readonly cameraStreamSignalingUrl: string
  readonly cameraStreamAuthToken: string
  readonly cameraStreamIceServers?: string
}

/** What Google's cloud asks when somebody says "show me the front door". */
async function execute(): Promise<Stream> {
  const params = { StreamToChromecast: true, SupportedStreamProtocols: ['webrtc'] }
  const execution = [{ command: 'action.devices.commands.GetCameraStream', params }]
  const commands = [{ devices: [{ id: 'front-door' }], execution }]
  const response = await fetch(`${house.publicUrl}/google/fulfillment`, {
    method: 'POST',
    headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ requestId: '1', inputs: [{ intent: 'action.devices.EXECUTE', payload: { commands } }] }),
  })
  const { payload } = (await response.json()) as { payload: { commands: { status: string; states: Stream }[] } }
  expect(payload.commands[0]?.status).toBe('SUCCESS')
  return payload.commands[0]!.states
}

/** The player as a page of that origin, which is really another server's. */
async function pageOf(origin: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, permissions: ['microphone'] })
  const page = await context.newPage()
  const body = readFileSync(join(import.meta.dirname, 'player.html'), 'utf8')
  await page.route(`${origin}/**`, (route) => route.fulfill({ contentType: 'text/html', body }))
  await page.goto(`${origin}/player`)
  return page
}

interface Played {
  readonly action: string
  readonly isTrickling: boolean
  readonly size: readonly [number, number]
}

/** Calls a function of player.html in the page. */
const ask = <T>(page: Page, name: string, argument?: unknown): Promise<T> =>
  page.evaluate<T>(`${name}(${JSON.stringify(argument ?? null)})`)

describe('a player in a real browser', () => {
  test('of the origin of Google shows the picture, plays the sound, and says goodbye', async () => {
    const page = await pageOf(player)
    const seen = await ask<Played>(page, 'play', await execute())
    expect(seen).toMatchObject({ action: 'answer', isTrickling: false })
    expect(seen.size[0]).toBeGreaterThanOrEqual(640)
    const picture = (await page.screenshot({ path: screenshot })).toString('base64')
    expect(await ask<number>(page, 'colours', `data:image/png;base64,${picture}`)).toBeGreaterThan(12)
    // A token is revoked by its own `end`.
    expect(await ask<number[]>(page, 'hangUp')).toEqual([200, 401])
    await page.close()
  })

  test('of any other origin may not even ask: the browser itself refuses', async () => {
    const page = await pageOf('https://evil.example')
    await expect(ask(page, 'play', await execute())).rejects.toThrow(/Failed to fetch/)
    await page.close()
  })

  test('may read why it was refused', async () => {
    const page = await pageOf(player)
    const stream = await execute()
    const refused = await ask(page, 'refused', stream.cameraStreamSignalingUrl)
    expect(refused).toEqual({ status: 401, body: { error: 'authFailure' } })
    await page.close()
  })
})
