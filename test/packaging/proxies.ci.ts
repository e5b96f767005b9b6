/**
 * The bridge behind a real proxy, with the recipe of packaging/proxies: calls of both assistants, a camera with KVS, the page
 * with its events, and whose address the bridge sees.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { ensureConsole } from '../../src/console/build.ts'
import { defaultLimits } from '../../src/signaling/limits.ts'
import { createHouse, type House } from '../flows/house.ts'
import { freePorts, proxyNames, startProxy, type Ports, type Proxy } from './proxy.ts'
import { launchChromium } from '../browser.ts'
import { until } from '../until.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')

let browser: Browser
beforeAll(async () => {
  const problem = await ensureConsole()
  if (problem !== undefined) throw new Error(problem)
  browser = await launchChromium()
})
afterAll(() => browser?.close())

describe.each(proxyNames)('behind %s', (name) => {
  let house: House
  let proxy: Proxy
  let ports: Ports
  let env: Readonly<Record<string, string>>
  let page: Page
  let camera: ChildProcess | undefined
  const atBridge = () => `https://localhost:${ports.bridge}`

  beforeAll(async () => {
    const [bridge = 0, signaling = 0, bridgeBehind = 0, signalingBehind = 0] = await freePorts(4)
    ports = { bridge, signaling, bridgeBehind, signalingBehind }
    proxy = await startProxy(name, ports)
    house = createHouse()
    env = {
      TRANSOM_PORT: `${bridgeBehind}`,
      TRANSOM_PUBLIC_URL: atBridge(),
      TRANSOM_BEHIND_PROXY: 'on',
      TRANSOM_SIGNALING_PORT: `${signalingBehind}`,
      TRANSOM_SIGNALING_URL: `https://localhost:${signaling}`,
      TRANSOM_SIGNALING_TLS: 'off',
      TRANSOM_SIMULATOR: 'on',
      // Directives then come signed, over the bytes of their body.
      TRANSOM_FORWARDER_SECRET: 'a secret that both know, 32 characters or more',
      NODE_EXTRA_CA_CERTS: proxy.caPath,
    }
    await house.start(env)
    page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage()
  })
  afterAll(async () => {
    camera?.kill('SIGKILL')
    await page?.context().close()
    await house?.close()
    await proxy?.close()
  })

  test.each(['alexa', 'google'])('%s calls, with picture and sound, and announces a press', async (assistant) => {
    const { report } = await house.call('--assistant', assistant, '--ring')
    expect(report).toMatchObject({ ok: true, cause: null })
    expect(report.video.frames).toBeGreaterThan(0)
  })

  test('a camera that speaks KVS connects: its requests are signed with the name of the proxy, and a WebSocket', async () => {
    const cli = ['src/transom/bin.ts', 'camera', 'add', 'porch', '--name', 'Porch', '--json']
    const { stdout } = await run(process.execPath, cli, {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: '', TRANSOM_DATA: house.dataDir },
    })
    const { environment } = JSON.parse(stdout) as { environment: Readonly<Record<string, string>> }
    const endpoint = `https://localhost:${ports.signaling}`
    expect(Object.values(environment)).toContain(endpoint)
    const file = join(house.dataDir, 'cameras.json')
    const cameras = [{ channelName: 'porch', source: 'synthetic' }]
    const region = environment['AWS_DEFAULT_REGION'] ?? ''
    writeFileSync(file, JSON.stringify({ region, endpoint, caPath: proxy.caPath, cameras }))
    chmodSync(file, 0o600)
    camera = spawn(process.execPath, ['src/gateway/main.ts', '--cameras', file], {
      cwd: root,
      env: { ...process.env, ...environment, NODE_OPTIONS: '' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    await said(camera, 'gateway.camera-online')
    const { report } = await house.call('--assistant', 'alexa', '--camera', 'porch')
    expect(report).toMatchObject({ ok: true, cause: null, cameraId: 'porch' })
  })

  test('the page loads by HTTP/2, cameras get HTTP/1.1', async () => {
    expect(await agreed(ports.bridge)).toBe('h2')
    expect(await agreed(ports.signaling)).not.toBe('h2')
    const [link = ''] = /https:\S+\/oauth\/enter\/\S+/.exec(house.printed()) ?? []
    await page.goto(link)
    await page.getByRole('button').click()
    await page.getByRole('heading', { name: 'Cameras' }).waitFor()
  })

  test('an event arrives while the stream that carries it is open', async () => {
    const asked = page.waitForRequest((one) => one.url().endsWith('/api/stream'))
    await page.reload()
    const { authorization = '' } = await (await asked).allHeaders()
    const stream = await events(`${atBridge()}/api/stream`, authorization, proxy.caPath)
    try {
      await stream.saw('event: hello')
      await page.request.post(`${atBridge()}/api/cameras/front-door/ring`, { headers: { authorization } })
      await stream.saw('event: press')
    } finally {
      stream.close()
    }
  })

  test('a visitor who forges his address is known by the one that the proxy sees', async () => {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      extraHTTPHeaders: { 'x-forwarded-for': '203.0.113.7' },
    })
    const stranger = await context.newPage()
    await stranger.goto(atBridge())
    await stranger.getByRole('button', { name: 'Sign in' }).click()
    await stranger.getByLabel('Login').fill('demo')
    await stranger.getByLabel('Password').fill('a guess')
    await stranger.getByRole('button', { name: 'Sign in', exact: true }).click()
    await stranger.getByRole('alert').waitFor()
    await context.close()
    // Each but the last, which may not be whole yet.
    const lines = () => house.printed().split('\n').slice(0, -1)
    const line = await until(() => lines().find((one) => one.includes('oauth.login-failed')), house.printed)
    expect(JSON.parse(line)).toMatchObject({ address: expect.stringMatching(/^(127\.0\.0\.1|::1)$/) })
  })
})

test('what is idle lives longer than a proxy waits: it is pinged more often than each of them asks', () => {
  const nginx = ['nginx.conf', 'nginx-signaling.conf'].flatMap((file) => {
    const text = readFileSync(join(root, 'packaging/proxies', file), 'utf8')
    return [...text.matchAll(/proxy_(?:read|send)_timeout (\d+)s;/g)].map(([, seconds]) => Number(seconds))
  })
  expect(nginx.length).toBeGreaterThan(2)
  // Two pings may be late.
  expect(Math.min(...nginx) * 1_000).toBeGreaterThan(2 * defaultLimits.heartbeatMs)
})

/** What both sides agreed to speak (RFC 7301), where the client can do HTTP/2. */
async function agreed(port: number): Promise<string | false | null> {
  const socket: TLSSocket = connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ALPNProtocols: ['h2', 'http/1.1'],
    rejectUnauthorized: false,
  })
  await once(socket, 'secureConnect')
  socket.destroy()
  return socket.alpnProtocol
}

/** A stream of events that is being read. `saw` resolves once this text has come. */
async function events(url: string, authorization: string, caPath: string) {
  const asked = request(url, { ca: readFileSync(caPath), headers: { authorization, accept: 'text/event-stream' } })
  asked.end()
  const [response] = (await once(asked, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }]
  expect(response.statusCode).toBe(200)
  const chunks = response[Symbol.asyncIterator]()
  let text = ''
  return {
    async saw(wanted: string): Promise<void> {
      while (!text.includes(wanted)) {
        const { done, value } = await chunks.next()
        if (done) throw new Error(`the stream ended without ${wanted}:\n${text}`)
        text += String(value)
      }
    },
    close: () => asked.destroy(),
  }
}

/** Resolves once the program has logged this event. */
async function said(child: ChildProcess, event: string): Promise<void> {
  let text = ''
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    if (text.includes(event)) resolve()
  })
  child.once('close', () => reject(new Error(`it ended without ${event}:\n${text}`)))
  return promise
}
