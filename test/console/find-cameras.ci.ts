/** "Add a camera" without knowing its address: found by WS-Discovery, and picked from the streams of go2rtc and of Frigate; each to a live picture. */
import { createServer } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { createFakeAnnouncer, createFakeOnvif, type FakeOnvif } from '../gateway/onvif/device.ts'
import { media, startRealCameras, type RealCameras } from '../gateway/real-cameras.ts'
import { enter, expectText, launch, look, startBridge, visit, type Bridge, type Visitor } from './visitor.ts'

const login = { user: 'admin', password: 's3cret/of the@gate' }
/** The network on which the camera is: discovery asks no loopback. */
const home = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address
const closing: (() => Promise<unknown>)[] = []
let real: RealCameras
let device: FakeOnvif
let bridge: Bridge
let browser: Browser
let owner: Visitor

beforeAll(async () => {
  if (home === undefined) throw new Error('this machine has no network beside loopback, where cameras are looked for')
  real = await startRealCameras(
    ['/gate', '/yard', '/Back%20porch', '/front'].map((path) => ({
      path,
      media: media['H.264 and G.711'](0x20a020, 440),
    })),
    '0.0.0.0',
  )
  const uri = `rtsp://${home}:${real.port}/gate`
  const streams = [{ token: 'main', codec: 'H264', width: 320, height: 240, uri }]
  device = await createFakeOnvif({ login, streams, host: home })
  const scopes = 'onvif://www.onvif.org/name/Garden%20gate onvif://www.onvif.org/hardware/DS-2CD'
  const xaddrs = `http://${home}:${device.port}/onvif/device_service`
  const announcer = await createFakeAnnouncer(xaddrs, scopes, home)
  closing.push(
    () => real.close(),
    () => device.close(),
    () => announcer.close(),
  )
  ;[bridge, browser] = await Promise.all([startBridge(), launch()])
  owner = await visit(browser, bridge)
  await enter(owner, bridge)
})
afterEach(() => {
  expect(owner.complaints()).toEqual([])
})
afterAll(async () => {
  await browser?.close()
  await bridge?.close()
  for (const close of closing.toReversed()) await close()
})

const button = (name: string | RegExp) => owner.page.getByRole('button', { name })

async function addBy(way: RegExp): Promise<void> {
  await owner.go('#/')
  await button('Add a camera').click()
  await button(way).click()
}

/** From the result of the probe on: its picture, then its live view. */
async function saveAndWatch(name: string): Promise<void> {
  const { page } = owner
  await page.getByAltText('What the camera shows now').waitFor()
  await page.getByRole('textbox', { name: 'Name' }).fill(name)
  await owner.picture(`found ${name} result`)
  await button('Save').click()
  await page.getByRole('link', { name: `${name}, live` }).click()
  await page
    .getByRole('status')
    .filter({ hasText: /^Live$/ })
    .waitFor()
  const seen = await look(page, 6)
  expect(seen.size).toEqual([320, 240])
  expect(seen.colours).toBeGreaterThan(2)
  await owner.picture(`found ${name} live`)
}

test('a camera found on the network is added by its name, and is live', async () => {
  const { page } = owner
  await addBy(/^Found on your network/)
  await expectText(page, 'Looking for ONVIF cameras')
  await owner.picture('found looking')
  await button(/^Garden gate/).click()
  expect(await page.getByRole('textbox', { name: 'Address' }).inputValue()).toContain(`${home}:${device.port}`)
  await page.getByLabel(/^User/).fill(login.user)
  await page.getByLabel('Password').fill(login.password)
  await button('Look at the camera').click()
  await saveAndWatch('Garden gate')
  expect(device.asked).toContain('GetStreamUri')
}, 180_000)

/** Listens until the end of the suite; resolves with the port. */
async function listen(server: Server, port: number, host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(port, host, resolve)
  await promise
  closing.push(() => new Promise((done) => server.close(done)))
  return (server.address() as AddressInfo).port
}

/** Answers the paths of an HTTP API; returns its base URL. */
async function serve(answers: Readonly<Record<string, object>>): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const answer = answers[url]
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? {}))
  })
  return `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}`
}

/**
 * Frigate at its port with authentication: `POST /api/login` gives a cookie, and its go2rtc is below a path of Frigate's own.
 * That gives the streams on at port 8554 of the same host, which the cameras here cannot have: an address of loopback that
 * nobody else uses leads there.
 */
async function serveFrigate(streams: object): Promise<string> {
  const host = '127.85.54.1'
  const rtsp = createTcpServer((viewer) => {
    const camera = connect(real.port, '127.0.0.1')
    viewer.pipe(camera).pipe(viewer)
    for (const [one, other] of [[viewer, camera] as const, [camera, viewer] as const])
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
  })
  await listen(rtsp, 8554, host)
  function answer(asked: string, cookie: string | undefined, body: string) {
    if (asked === 'POST /api/login') {
      const { user, password } = JSON.parse(body) as Readonly<Record<string, unknown>>
      const isKnown = user === login.user && password === login.password
      return isKnown ? { status: 200, headers: { 'set-cookie': 'frigate_token=t; HttpOnly' } } : { status: 401 }
    }
    if (cookie !== 'frigate_token=t') return { status: 401 }
    return asked === 'GET /api/go2rtc/streams' ? { status: 200, body: JSON.stringify(streams) } : { status: 404 }
  }
  const server = createServer((request, response) => {
    text(request)
      .then((body) => answer(`${request.method} ${request.url}`, request.headers.cookie, body))
      .then(({ status, headers, body }) => response.writeHead(status, headers).end(body))
      .catch(() => response.destroy())
  })
  return `http://${host}:${await listen(server, 0, host)}`
}

const producer = { producers: [{ url: 'rtsp://admin:tlJwpbo6@10.0.0.9/live' }], consumers: null }

test.each(['yard', 'Back porch'])(
  'the stream %s of go2rtc is picked from its list, and is live',
  async (name) => {
    const { page } = owner
    const base = await serve({
      '/api/streams': { yard: producer, 'Back porch': producer },
      '/api': { version: '1.9.9', rtsp: { listen: `:${real.port}`, default_query: 'video&audio' } },
    })
    await addBy(/^go2rtc or Frigate/)
    await page.getByRole('textbox', { name: 'Base URL' }).fill(base)
    await button('List its streams').click()
    await button(new RegExp(`^${name}`)).waitFor()
    await owner.picture(`found restreams ${name}`)
    expect(await page.getByRole('dialog').innerText()).not.toContain('tlJwpbo6')
    await button(new RegExp(`^${name}`)).click()
    await saveAndWatch(name)
  },
  180_000,
)

test('a stream of Frigate is picked from its list, which asks for a password, and is live', async () => {
  const { page } = owner
  const base = await serveFrigate({ front: producer, front_sub: producer })
  await addBy(/^go2rtc or Frigate/)
  await page.getByRole('textbox', { name: 'Base URL' }).fill(base)
  await button('List its streams').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('alert').filter({ hasText: 'password' }).waitFor()
  await page.getByLabel(/^User/).fill(login.user)
  await page.getByLabel('Password').fill(login.password)
  await button('List its streams').click()
  await button(/^front_sub/).waitFor()
  await owner.picture('found restreams Frigate')
  expect(await dialog.innerText()).not.toContain('tlJwpbo6')
  await button(/^front rtsp:/).click()
  await saveAndWatch('front')
}, 180_000)

test('a base URL that is neither says so, and what to give', async () => {
  const { page } = owner
  await addBy(/^go2rtc or Frigate/)
  await page.getByRole('textbox', { name: 'Base URL' }).fill(await serve({}))
  await button('List its streams').click()
  const alert = page.getByRole('dialog').getByRole('alert')
  await alert.waitFor()
  expect(await alert.innerText()).toMatch(/neither go2rtc nor Frigate/)
  await owner.picture('found neither')
})
