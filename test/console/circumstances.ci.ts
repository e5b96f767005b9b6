/** What happens around the views: microphones and windows that go, small screens, many cameras, and browsers that refuse. */
/* oxlint-disable unicorn/consistent-function-scoping -- what runs in the page must be one function */
import { execFileSync } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import type * as PlayerModule from '../../src/player/main.ts'
import { expectAccessible } from './accessible.ts'
import {
  enter,
  expectText,
  launch,
  looks,
  signIn,
  startBridge,
  tryOut,
  unfold,
  visit,
  type Bridge,
  type Visitor,
} from './visitor.ts'

let bridge: Bridge
let browser: Browser
let owner: Visitor
let page: Page

beforeAll(async () => {
  ;[bridge, browser] = await Promise.all([startBridge(), launch()])
  execFileSync(process.execPath, ['src/transom/bin.ts', 'admin', 'user', 'add', 'grace', '--name', '👩‍🚀 Grace'], {
    env: { ...process.env, NODE_OPTIONS: '', TRANSOM_DATA: bridge.dataDir, NEW_PASSWORD: 'correct horse battery' },
  })
  owner = await visit(browser, bridge)
  page = owner.page
  await enter(owner, bridge)
})
afterEach(() => {
  expect(owner.complaints()).toEqual([])
})
afterAll(async () => {
  await browser?.close()
  await bridge?.close()
})

const button = (name: string | RegExp, on = page) => on.getByRole('button', { name, exact: typeof name === 'string' })

async function watch(visitor: Visitor): Promise<void> {
  await visitor.go('#/camera/front-door')
  await visitor.page
    .getByRole('status')
    .filter({ hasText: /^Live$/ })
    .waitFor()
  await unfold(visitor.page)
}

describe('the microphone', () => {
  test('that is taken away leaves no button that says it is open', async () => {
    await watch(owner)
    await page.evaluate(() => {
      const { mediaDevices } = navigator
      const ask = mediaDevices.getUserMedia.bind(mediaDevices)
      mediaDevices.getUserMedia = async (wanted) => {
        const stream = await ask(wanted)
        Object.assign(globalThis, { microphone: stream.getAudioTracks()[0] })
        return stream
      }
    })
    const talk = button(/^Talk/)
    await talk.click()
    await expectText(page, 'Talk-back started')
    await page.evaluate(() => {
      const { microphone } = globalThis as unknown as { microphone: MediaStreamTrack }
      microphone.stop()
      // A browser says so when it was not the page that stopped it.
      microphone.dispatchEvent(new Event('ended'))
    })
    await expectText(page, 'the microphone is gone')
    expect(await talk.getAttribute('aria-pressed')).toBe('false')
    // Another one may be there by now.
    await talk.click()
    await page.waitForFunction(
      () => (globalThis as unknown as { microphone: MediaStreamTrack }).microphone.readyState === 'live',
    )
    expect(await talk.getAttribute('aria-pressed')).toBe('true')
    await talk.click()
  })

  test('is closed when the key that holds it open is let go in another window', async () => {
    const talk = button(/^Talk/)
    await talk.focus()
    await page.keyboard.down('Space')
    expect(await talk.getAttribute('aria-pressed')).toBe('true')
    await talk.blur()
    expect(await talk.getAttribute('aria-pressed')).toBe('false')
    await page.keyboard.up('Space')
  })
})

test('a touch where controls were before they went brings them back, and does not use them', async () => {
  const phone = await visit(browser, bridge, looks.phone)
  await signIn(phone, bridge, bridge.demo())
  await watch(phone)
  await phone.page.locator('transom-player.is-calm').waitFor()
  const { x, y, width, height } = (await button('Stop', phone.page).boundingBox())!
  await phone.page.touchscreen.tap(x + width / 2, y + height / 2)
  await phone.page.locator('transom-player:not(.is-calm)').waitFor()
  expect(await phone.page.evaluate(() => document.querySelector('transom-player')!.state.state)).toBe('live')
  await phone.leave()
})

/** In the page: the states within ten seconds of a player whose camera sends sound only. */
async function listening(bridge: string): Promise<readonly string[]> {
  const { createPlayer } = (await import(`${bridge}/transom-player.js`)) as typeof PlayerModule
  const camera = new RTCPeerConnection()
  const sound = new AudioContext()
  const destination = sound.createMediaStreamDestination()
  const tone = new OscillatorNode(sound)
  tone.connect(destination)
  tone.start()
  const answer = async (body: string): Promise<object> => {
    const { sdp } = JSON.parse(body) as { sdp: string }
    await camera.setRemoteDescription({ type: 'offer', sdp })
    for (const transceiver of camera.getTransceivers())
      if (transceiver.receiver.track.kind === 'video') transceiver.direction = 'inactive'
    camera.addTrack(destination.stream.getAudioTracks()[0]!)
    await camera.setLocalDescription()
    while (camera.iceGatheringState !== 'complete') await new Promise((resolve) => setTimeout(resolve, 20))
    return { sdp: camera.localDescription!.sdp }
  }
  const player = createPlayer({
    bridge,
    cameraId: 'intercom',
    token: async () => 'any',
    video: document.createElement('video'),
    fetch: async (url, init) => {
      const path = (url as URL).pathname
      if (path.endsWith('/views')) return Response.json({ reference: 'r', iceServers: [] })
      return Response.json(path.endsWith('/offer') ? await answer(init!.body as string) : {})
    },
  })
  const states: string[] = []
  const { promise: isLive, resolve } = Promise.withResolvers<void>()
  player.on('state', (state) => {
    states.push('problem' in state ? state.problem.message : state.state)
    if (state.state === 'live') resolve()
  })
  player.play()
  await isLive
  // Longer than a picture may stand still.
  await new Promise((resolve) => setTimeout(resolve, 10_000))
  player.stop()
  camera.close()
  await sound.close()
  return states
}

test('a camera without a picture is heard, and not taken for one that stands still', async () => {
  expect(await page.evaluate(listening, bridge.url)).toEqual(['connecting', 'live', 'idle'])
})

describe('a dialog', () => {
  test('gives the focus back to the menu that it was chosen from', async () => {
    await owner.go('#/')
    await page.getByLabel('More for Front Door').press('Enter')
    await button('Share …').press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.locator('summary[aria-label="More for Front Door"]:focus').waitFor()
  })

  test('stays when the marking of a text ends outside of it', async () => {
    await button('Add a camera').click()
    await button(/^Firmware with KVS/).click()
    await page.getByLabel('Name', { exact: true }).fill('Back porch')
    const { x, y } = (await page.getByLabel('Name', { exact: true }).boundingBox())!
    await page.mouse.move(x + 60, y + 10)
    await page.mouse.down()
    await page.mouse.move(20, y + 10)
    await page.mouse.up()
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Back porch')
    await page.mouse.click(20, 400)
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  test('says inside what was refused, and shows what is still so', async () => {
    // The operator shares without asking.
    execFileSync(
      process.execPath,
      ['src/transom/bin.ts', 'admin', 'share', 'add', 'front-door', 'demo', 'grace', '--talk'],
      {
        env: { ...process.env, NODE_OPTIONS: '', TRANSOM_DATA: bridge.dataDir },
      },
    )
    await page.getByLabel('More for Front Door').click()
    await button('Share …').click()
    await button(/^Stop sharing with/).waitFor()
    expect(await page.locator('.guests .initial').innerText()).toBe('👩‍🚀')
    await page.route('**/guests/grace', (route) =>
      route.fulfill({ status: 500, json: { error: 'internal', message: 'out of order' } }),
    )
    const mayTalk = page.getByLabel(/Grace may talk/)
    await mayTalk.click()
    await page.getByRole('dialog').getByRole('alert').filter({ hasText: 'out of order' }).waitFor()
    expect(await mayTalk.isChecked()).toBe(true)
    await page.unroute('**/guests/grace')
    await page.keyboard.press('Escape')
  })

  test('never says that a key is copied when it is not', async () => {
    const visitor = await visit(browser, bridge)
    await visitor.page.addInitScript(() => {
      Reflect.deleteProperty(Navigator.prototype, 'clipboard')
      Object.assign(globalThis, { copied: undefined, isRefused: true })
      const copy = document.execCommand.bind(document)
      document.execCommand = (what) => !(globalThis as unknown as { isRefused: boolean }).isRefused && copy(what)
      document.addEventListener('copy', () => Object.assign(globalThis, { copied: String(getSelection()) }))
    })
    await signIn(visitor, bridge, bridge.demo())
    await button('Add a camera', visitor.page).click()
    await button(/^Firmware with KVS/, visitor.page).click()
    await visitor.page.getByLabel('Name', { exact: true }).fill('Garage')
    await button('Add', visitor.page).click()
    const copy = button('Copy Secret key', visitor.page)
    await copy.click()
    // It is marked, to be copied by hand.
    const secret = await visitor.page.getByRole('definition').filter({ has: copy }).innerText()
    expect(await visitor.page.evaluate(() => String(getSelection()))).toBe(secret.trim())
    expect(await button('Secret key is copied', visitor.page).count()).toBe(0)
    await visitor.page.evaluate(() => Object.assign(globalThis, { isRefused: false }))
    await copy.click()
    await button('Secret key is copied', visitor.page).waitFor()
    expect(await visitor.page.evaluate(() => (globalThis as unknown as { copied: string }).copied)).toBe(secret.trim())
    await visitor.leave()
  })
})

test('of three hundred cameras it asks for the pictures that are in view', async () => {
  const visitor = await visit(browser, bridge)
  const cameras = Array.from({ length: 300 }, (_, index) => ({
    id: `camera-${index}`,
    name: `Camera ${String(index).padStart(3, '0')}`,
    kind: 'camera',
    ...(index < 150 && { room: 'Hall' }),
    isOwner: true,
    mayTalk: true,
    hasVideo: true,
    isOnline: true,
    viewers: 0,
    snapshotAt: 1,
    manufacturer: 'Transom',
    model: 'Test',
  }))
  const asked = new Set<string>()
  await visitor.page.route('**/api/cameras', (route) => route.fulfill({ json: { cameras } }))
  await visitor.page.route('**/snapshot', (route) => {
    asked.add(new URL(route.request().url()).pathname)
    return route.fulfill({ contentType: 'image/png', body: '' })
  })
  await signIn(visitor, bridge, bridge.demo())
  await visitor.page.getByRole('heading', { name: 'Camera 000' }).waitFor()
  const last = visitor.page.waitForResponse('**/camera-299/snapshot')
  await visitor.page.getByRole('heading', { name: 'Camera 299' }).scrollIntoViewIfNeeded()
  await last
  expect(asked).toContain('/cameras/camera-0/snapshot')
  expect(asked).toContain('/cameras/camera-299/snapshot')
  expect(asked.size).toBeLessThan(60)
  // So many are a wall: room by room, and looked through by words.
  await visitor.page.getByRole('heading', { name: 'Hall', level: 2 }).waitFor()
  await visitor.page.getByLabel('Find').fill('hall 49')
  await visitor.page.getByRole('status').getByText('2 of 2 cameras online').waitFor()
  expect(await visitor.page.getByRole('heading', { level: 3 }).allTextContents()).toEqual(['Camera 049', 'Camera 149'])
  await expectAccessible(visitor, 'wall')
  await visitor.leave()
})

test('names of any length and writing stay in their places, on the narrowest screen, too', async () => {
  const visitor = await visit(browser, bridge)
  await visitor.page.route('**/api/cameras', async (route) => {
    const { cameras } = (await (await route.fetch()).json()) as { cameras: { room?: string }[] }
    const names = [
      'Longnamewithoutaspace'.repeat(6),
      'الباب الأمامي 🚪 <b>x</b>',
      '\u202eevil "><img src=x onerror=alert(1)>',
    ]
    const more = names.map((name, index) => ({ ...cameras[0], id: `c${index}`, name, room: name }))
    await route.fulfill({ json: { cameras: [...cameras, ...more] } })
  })
  await signIn(visitor, bridge, bridge.demo())
  for (const width of [1280, 320]) {
    await visitor.page.setViewportSize({ width, height: 700 })
    for (const hash of ['#/', '#/camera/c0', '#/display/alexa/c0', '#/display/google/c2', '#/sessions']) {
      await visitor.go(hash)
      await visitor.page.getByRole('heading', { level: 1 }).filter({ hasText: /\S/ }).waitFor()
      const overflow = await visitor.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      expect({ width, hash, overflow }).toEqual({ width, hash, overflow: 0 })
      await visitor.picture(`names-${width}-${hash.replaceAll(/\W+/g, '-')}`)
    }
  }
  expect(visitor.complaints()).toEqual([])
  await visitor.leave()
})

test('each screen has a title of its own', async () => {
  for (const [hash, title] of [
    ['#/', 'Cameras'],
    ['#/camera/front-door', 'Front Door'],
    ['#/display/alexa/front-door', 'Front Door on an Echo Show'],
    ['#/sessions', 'Sessions'],
  ] as const) {
    await owner.go(hash)
    await page.waitForFunction((wanted) => document.title === wanted, `${title} · Transom`)
  }
})

test('a window of the Echo Show that is closed ends its session', async () => {
  const window = await page.context().newPage()
  await window.goto(`${bridge.url}/#/display/alexa/front-door`)
  await button('Link Alexa', window).click()
  await window.waitForURL(/\/oauth\//)
  await button(/Agree|Link|Allow/, window).click()
  await button(/show the Front Door/, window).click()
  await button(/^Talk/, window).waitFor()
  await owner.go('#/sessions')
  const row = page.getByRole('link', { name: /Front Door on Alexa/ }).first()
  await row.filter({ hasText: 'Running' }).waitFor()
  const closedAt = Date.now()
  await window.close({ runBeforeUnload: true })
  await row.filter({ hasText: 'Fine' }).waitFor()
  // Sooner than anybody would find out by silence.
  expect(Date.now() - closedAt).toBeLessThan(4_000)
})

test('a stream that begins again at once is no outage', async () => {
  const visitor = await visit(browser, bridge)
  await visitor.page.addInitScript(() => {
    const ask = globalThis.fetch
    const said: string[] = []
    Object.assign(globalThis, { said, streams: 0 })
    globalThis.fetch = (url, init) => {
      if (url !== '/api/stream') return ask(url, init)
      const end = new AbortController()
      const known = globalThis as unknown as { streams: number }
      known.streams += 1
      Object.assign(globalThis, { cut: () => end.abort() })
      return ask(url, { ...init, signal: AbortSignal.any([init!.signal!, end.signal]) })
    }
    new MutationObserver(() => said.push(document.querySelector('.outage')?.textContent ?? '')).observe(document, {
      childList: true,
      characterData: true,
      subtree: true,
    })
  })
  await signIn(visitor, bridge, bridge.demo())
  await visitor.page.waitForFunction(() => (globalThis as unknown as { streams: number }).streams === 1)
  await visitor.page.evaluate(() => (globalThis as unknown as { cut(): void }).cut())
  await visitor.page.waitForFunction(() => (globalThis as unknown as { streams: number }).streams === 2)
  await tryOut(visitor.page, 'button', 'Ring Front Door')
  await expectText(visitor.page, 'Rings')
  const said = await visitor.page.evaluate(() => (globalThis as unknown as { said: string[] }).said)
  expect(said.filter(Boolean)).toEqual([])
  await visitor.leave()
})

// The last one: it ends the sign-in of them all.
test('signing out in one window signs out the others', async () => {
  await owner.go('#/')
  const other = await page.context().newPage()
  await other.goto(bridge.url)
  await other.getByLabel('Account of Demo').click()
  await button('Sign out', other).click()
  await button('Sign in', other).waitFor()
  await button('Sign in').waitFor()
})
