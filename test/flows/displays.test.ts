/** Being the display: who is signed in at the page links it with both assistants, and plays an Echo Show and a Nest Hub. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readConfig } from '../../src/transom/config.ts'
import { startEmbedded, type Embedded } from '../../src/transom/embedded.ts'
import { readAnswer } from '../../src/simulator/answer.ts'
import { type Browser, createBrowser, formsOf } from '../../src/simulator/browser.ts'
import { call } from '../../src/simulator/call.ts'
import { createDisplay } from '../../src/simulator/display.ts'
import { endLink, linkAccount } from '../../src/simulator/link.ts'
import { readSettings } from '../../src/simulator/settings.ts'
import { conforming } from '../wire/conform.ts'
import { until } from '../until.ts'
import { embedHouse } from './embedded-house.ts'

const signal = AbortSignal.timeout(120_000)

interface Step {
  readonly step: string
  readonly at: number
}

async function openHouse(env: Readonly<Record<string, string>>) {
  const dataDir = mkdtempSync(join(tmpdir(), 'transom-displays-'))
  const logged: string[] = []
  const house = await embedHouse(dataDir, env, (_level, event) => void logged.push(event))
  const browser = createBrowser((url) => url.startsWith(`${house.publicUrl}/#`) || isHome(house, url), signal)
  const token = await signIn(house, browser)
  return {
    house,
    browser,
    dataDir,
    logged,
    /** What the page asks of the simulator. */
    async ask(method: string, path: string, body?: object) {
      const response = await fetch(`${house.publicUrl}/simulator${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
        signal,
      })
      await conforming(method, response)
      const text = await response.text()
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
    },
    token,
    async close() {
      await house.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
type House = Awaited<ReturnType<typeof openHouse>>

/** The page itself, with the code of its sign-in or without. */
const isHome = ({ publicUrl }: Embedded, url: string) => url.replace(/\?.*/, '') === `${publicUrl}/`

/** As the page does: by the one-time link, then by code and PKCE. */
async function signIn({ publicUrl, signInLink }: Embedded, browser: Browser): Promise<string> {
  const entered = await browser.open(signInLink ?? 'there is no link')
  if (entered.kind !== 'page') throw new Error('the link asks nothing')
  await browser.submit(entered.page, formsOf(entered.page)[0]!)
  const verifier = randomBytes(32).toString('base64url')
  const redirectUri = `${publicUrl}/`
  const query = new URLSearchParams({
    client_id: 'console',
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'camera',
    state: 'x',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const back = await browser.open(`${publicUrl}/oauth/auth?${query.toString()}`)
  if (back.kind !== 'left') throw new Error('the page is not signed in')
  const response = await fetch(`${publicUrl}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'console',
      redirect_uri: redirectUri,
      code: new URL(back.url).searchParams.get('code') ?? '',
      code_verifier: verifier,
    }),
  })
  return ((await response.json()) as { access_token: string }).access_token
}

/** Consents in the real page; returns where the window is after it. */
async function link({ ask, browser }: House, assistant: string): Promise<string> {
  const { body } = await ask('POST', `/${assistant}/link`, { returnTo: `#/display/${assistant}/front-door` })
  const consent = await browser.open(body.url)
  if (consent.kind !== 'page') return consent.url
  const back = await browser.submit(consent.page, formsOf(consent.page)[0]!)
  return back.kind === 'left' ? back.url : back.page.html
}

/** Goes through ICE and DTLS to a picture, by whatever exchanges its offer for an answer. */
async function watch(
  style: 'echo' | 'hub',
  exchange: (sdp: string) => Promise<string>,
  whileShown: () => Promise<void> = async () => {},
): Promise<void> {
  const steps: string[] = []
  const limits = { gatherMs: 10_000, iceMs: 20_000, dtlsMs: 20_000 }
  const display = await createDisplay({ style, iceServers: [], limits, onStep: (step) => void steps.push(step) })
  try {
    const offer = await display.offer(signal)
    await display.connect(readAnswer(offer, await exchange(offer), { ipv4Only: style === 'echo' }), signal)
    await until(() => steps.includes('first-frame') && steps.includes('first-audio'))
    await whileShown()
  } finally {
    await display.close()
  }
}

const labels = (steps: readonly Step[]) => steps.map(({ step }) => step)

describe('with a doorbell', () => {
  let open: House
  beforeAll(async () => {
    open = await openHouse({})
  })
  afterAll(() => open.close())

  test('an Echo Show is linked, shows the door, and hangs up', async () => {
    const { ask, house } = open
    expect((await ask('GET', '/state')).body).toEqual({ alexa: { linked: false }, google: { linked: false } })
    expect(await ask('POST', '/alexa/sessions', { cameraId: 'front-door' })).toMatchObject({
      status: 409,
      body: { error: 'not_linked' },
    })

    expect(await link(open, 'alexa')).toBe(`${house.publicUrl}/#/display/alexa/front-door`)
    expect((await ask('GET', '/state')).body).toEqual({ alexa: { linked: true }, google: { linked: false } })

    const begun = await ask('POST', '/alexa/sessions', { cameraId: 'front-door' })
    expect(begun.status).toBe(201)
    expect(labels(begun.body.steps)).toEqual(['account linked', 'discovered', 'state'])
    const path = `/alexa/sessions/${encodeURIComponent(begun.body.reference)}`
    const exchange = async (sdp: string) => {
      const { status, body } = await ask('POST', `${path}/offer`, { sdp })
      expect(status).toBe(200)
      expect(labels(body.steps)).toEqual(['account linked', 'discovered', 'state', 'offer sent', 'answer received'])
      expect(body.steps.at(-1).at).toBeGreaterThan(Date.now() - 60_000)
      return body.sdp
    }
    await watch('echo', exchange, async () => {
      expect((await ask('POST', `${path}/connected`)).status).toBe(204)
    })
    expect((await ask('POST', `${path}/end`)).status).toBe(204)
    const [session] = await house.bridge.broker.recent(house.camera.accountId)
    expect(session).toMatchObject({ assistant: 'alexa', reference: begun.body.reference, phase: 'closed' })
    expect(labels(session?.timeline ?? [])).toEqual(
      expect.arrayContaining(['answer-sent', 'display-connected', 'ended']),
    )
    // What is over is over.
    expect((await ask('POST', `${path}/connected`)).status).toBe(400)
    expect((await ask('POST', `${path}/end`)).status).toBe(204)
  })

  test("a Nest Hub is linked, and its own player speaks to the bridge's signaling URL", async () => {
    const { ask, house } = open
    expect(await link(open, 'google')).toBe(`${house.publicUrl}/#/display/google/front-door`)
    const { status, body } = await ask('POST', '/google/sessions', { cameraId: 'front-door' })
    expect(status).toBe(201)
    expect(labels(body.steps)).toEqual(['account linked', 'discovered', 'state', 'stream'])
    const post = async (message: object) => {
      const response = await fetch(body.signalingUrl, {
        method: 'POST',
        headers: { authorization: `Bearer ${body.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ deviceId: 'front-door', ...message }),
      })
      return (await response.json()) as { sdp: string }
    }
    await watch('hub', async (sdp) => (await post({ action: 'offer', sdp })).sdp)
    await post({ action: 'end' })
    const [session] = await house.bridge.broker.recent(house.camera.accountId)
    expect(session).toMatchObject({ assistant: 'google', reference: body.reference, phase: 'closed' })
  })

  test('a press is announced to both', async () => {
    const { house, token, dataDir } = open
    const hangUp = new AbortController()
    const stream = await fetch(`${house.publicUrl}/api/stream`, {
      headers: { authorization: `Bearer ${token}` },
      signal: hangUp.signal,
    })
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/)
    let heard = ''
    const reading = (async () => {
      for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) heard += chunk
    })().catch(() => {})
    await until(() => heard.includes('event: hello'))
    const { cameraKeys } = readSettings(dataDir)
    const at = Date.now()
    await fetch(`${house.publicUrl}/cameras/front-door/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${cameraKeys?.['front-door']}` },
      body: JSON.stringify({ kind: 'press', eventId: 'finger', at }),
    })
    await until(() => heard.split('event: announced').length === 3)
    hangUp.abort()
    await reading
    expect(heard).not.toContain('complaint')
    const announced = [...heard.matchAll(/event: announced\ndata: (.*)/g)].map(([, data = '']) => JSON.parse(data))
    expect(announced.toSorted((a, b) => a.assistant.localeCompare(b.assistant))).toMatchObject([
      { assistant: 'alexa', cameraId: 'front-door', pressedAt: Math.floor(at / 1000) * 1000 },
      { assistant: 'google', cameraId: 'front-door', pressedAt: at },
    ])
  })

  test('a link that the person removes at the bridge is gone here, too', async () => {
    const { ask, house } = open
    const { accountId } = house.camera
    await house.bridge.notices.add(accountId, 'alexa_same_names', 'Front Door')
    await house.bridge.oauth.unlinkAssistant(accountId, 'alexa')
    // Whoever ends a link knows it, and needs no advice on Alexa any more.
    expect(await house.bridge.notices.list(accountId)).toEqual([])
    expect((await ask('GET', '/state')).body).toEqual({ alexa: { linked: false }, google: { linked: true } })
  })

  test('npm run call rings at the same Amazon, and takes its leave to be told with it', async () => {
    const settings = readSettings(open.dataDir)
    const { report, link } = await call({ assistant: 'alexa', settings, seconds: 0.5, ring: true })
    expect(report).toMatchObject({ ok: true, display: 'Echo Show', cause: null })
    const { bridge, clients } = settings
    open.logged.length = 0
    await endLink({ assistant: 'alexa', bridge, client: clients.alexa }, link!, signal)
    expect(open.logged).toContain('alexa.grant-dropped')
    expect(await open.house.bridge.notices.list(open.house.camera.accountId)).toEqual([])
  })

  test.each([
    ['without a token', ''],
    ['with a token that is none', 'nonsense'],
  ])('nobody comes in %s', async (_, token) => {
    for (const [method, path] of [
      ['GET', '/state'],
      ['POST', '/alexa/link'],
      ['POST', '/google/sessions'],
      ['POST', '/alexa/sessions/x/offer'],
    ] as const) {
      const headers = { authorization: `Bearer ${token}` }
      const response = await fetch(`${open.house.publicUrl}/simulator${path}`, { method, headers })
      expect([path, response.status]).toEqual([path, 401])
    }
  })

  test("an assistant's token is not the page's", async () => {
    const { bridge, clients, user } = readSettings(open.dataDir)
    const options = { assistant: 'google', bridge, client: clients.google, user } as const
    const { accessToken } = await linkAccount(options, signal)
    const headers = { authorization: `Bearer ${accessToken}` }
    expect((await fetch(`${bridge}/simulator/state`, { headers })).status).toBe(401)
  })
})

test('with the doorbell stopped both say so, and name the session of the bridge that knows the cause', async () => {
  const open = await openHouse({ TRANSOM_DOORBELL: 'off' })
  const { ask, house } = open
  try {
    await link(open, 'alexa')
    await link(open, 'google')
    const causeOf = async (sessionId: string) => {
      const sessions = await house.bridge.broker.recent(house.camera.accountId)
      return sessions.find(({ id }) => id === sessionId)?.cause?.code
    }
    const begun = await ask('POST', '/alexa/sessions', { cameraId: 'front-door' })
    const display = await createDisplay({
      style: 'echo',
      iceServers: [],
      limits: { gatherMs: 10_000, iceMs: 1, dtlsMs: 1 },
      onStep: () => {},
    })
    const sdp = await display.offer(signal)
    await display.close()
    const path = `/alexa/sessions/${encodeURIComponent(begun.body.reference)}/offer`
    const echo = await ask('POST', path, { sdp })
    expect(echo).toMatchObject({ status: 502, body: { error: 'refused' } })
    expect(echo.body.message).toContain('ENDPOINT_UNREACHABLE')
    expect(labels(echo.body.steps).slice(-3)).toEqual(['offer sent', 'hung up', 'failed'])
    expect(await causeOf(echo.body.sessionId)).toBe('camera_offline')

    const hub = await ask('POST', '/google/sessions', { cameraId: 'front-door' })
    expect(hub).toMatchObject({ status: 502, body: { error: 'refused' } })
    expect(await causeOf(hub.body.sessionId)).toBe('camera_offline')
  } finally {
    await open.close()
  }
})

test.each([
  ['its page is off', { TRANSOM_CONSOLE: 'off' }, true],
  ['it is off', { TRANSOM_SIMULATOR: 'off' }, false],
  ['the bridge is public', { TRANSOM_PUBLIC_URL: 'http://localhost:9' }, false],
  ['plain http leads to it', { TRANSOM_PUBLIC_URL: 'http://192.0.2.1:9', TRANSOM_SIMULATOR: 'on' }, true],
])('there is no display to be when %s', async (_, env, hasReceivers) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'transom-displays-'))
  const ports = { TRANSOM_DATA: dataDir, TRANSOM_PORT: '0', TRANSOM_SIGNALING_PORT: '0', TRANSOM_DOORBELL: 'off' }
  const house = await startEmbedded(readConfig({ ...ports, ...env }), Date.now, () => {})
  try {
    const { bridge, receivers } = readSettings(dataDir)
    // Accounts are linked where the bridge says it is.
    expect(bridge).toBe(house.publicUrl)
    const { url } = JSON.parse(readFileSync(join(dataDir, 'operator.json'), 'utf8')) as { url: string }
    expect((await fetch(new URL('/simulator/state', url))).status).toBe(404)
    expect(receivers !== undefined).toBe(hasReceivers)
  } finally {
    await house.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
})
