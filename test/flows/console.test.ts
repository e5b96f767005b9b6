/** Who opens the printed link sees the doorbell, talks to it, adds a camera and leaves: all that the page does, by its wire. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { conforming } from '../wire/conform.ts'
import * as oauth from 'oauth4webapi'
import { readAnswer } from '../../src/simulator/answer.ts'
import { createBrowser, formsOf, type Browser } from '../../src/simulator/browser.ts'
import { createDisplay } from '../../src/simulator/display.ts'
import { createHouse, type House } from './house.ts'
import { openMaster } from './master.ts'
import { until } from '../until.ts'

const client = { client_id: 'console' }
const insecure = { [oauth.allowInsecureRequests]: true }

let house: House
let url: string
let browser: Browser
let server: oauth.AuthorizationServer
let tokens: oauth.TokenEndpointResponse

const linkOf = ({ printed }: House): string => /\S+\/oauth\/enter\/\S+/.exec(printed())![0]
const signal = AbortSignal.timeout(150_000)

beforeAll(async () => {
  house = createHouse()
  await house.start()
  url = new URL(linkOf(house)).origin
  browser = createBrowser((to) => to.replace(/\?.*/, '') === `${url}/`, signal)
})
afterAll(() => house.close())

async function ask(method: string, path: string, body?: object) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens.access_token}` },
    ...(body && { body: JSON.stringify(body) }),
    signal,
  })
  await conforming(method, response)
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  return {
    status: response.status,
    type,
    size: text.length,
    body: type.includes('json') ? JSON.parse(text) : undefined,
  }
}

/** RFC 8414, RFC 7636, RFC 9207, by a library that takes nothing on trust. */
async function signIn(): Promise<oauth.TokenEndpointResponse> {
  const issuer = new URL(`${url}/oauth`)
  server = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
  )
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const request = new URL(server.authorization_endpoint!)
  request.search = new URLSearchParams({
    ...client,
    redirect_uri: `${url}/`,
    response_type: 'code',
    scope: 'camera',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }).toString()
  const back = await browser.open(request.href)
  if (back.kind !== 'left') throw new Error('the page was asked a question')
  const answer = oauth.validateAuthResponse(server, client, new URL(back.url), state)
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    answer,
    `${url}/`,
    verifier,
    insecure,
  )
  return oauth.processAuthorizationCodeResponse(server, client, response)
}

describe('the page', () => {
  test('is entered by the link that the start prints, once', async () => {
    const entered = await browser.open(linkOf(house))
    if (entered.kind !== 'page') throw new Error('the link asks nothing')
    await browser.submit(entered.page, formsOf(entered.page)[0]!)
    tokens = await signIn()
    expect(tokens).toMatchObject({ token_type: 'bearer', scope: 'camera' })
    expect((await ask('GET', '/api/me')).body).toMatchObject({ login: 'demo', canRegister: true })
    expect((await fetch(linkOf(house))).status).toBe(404)
  })

  test('shows a picture of the doorbell, which cannot be removed while it is built in', async () => {
    await until(async () => {
      const [camera] = (await ask('GET', '/api/cameras')).body.cameras
      return camera.snapshotAt !== undefined
    })
    const [camera] = (await ask('GET', '/api/cameras')).body.cameras
    expect(camera).toMatchObject({ id: 'front-door', isOnline: true, isOwner: true, mayTalk: true, viewers: 0 })
    expect(await ask('GET', '/cameras/front-door/snapshot')).toMatchObject({ status: 200, type: 'image/jpeg' })
    const refused = await ask('DELETE', '/api/cameras/front-door')
    expect(refused).toMatchObject({ status: 400, body: { message: expect.stringContaining('TRANSOM_DOORBELL=off') } })
  })

  test('sees, hears and is heard; the session tells so while it happens', async () => {
    const hangUp = new AbortController()
    const stream = await fetch(`${url}/api/stream`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
      signal: hangUp.signal,
    })
    let told = ''
    const reading = stream
      .body!.pipeThrough(new TextDecoderStream())
      .pipeTo(new WritableStream({ write: (text) => void (told += text) }))
      .catch(() => {})

    const { reference, iceServers, answerWithinMs } = (await ask('POST', '/api/cameras/front-door/views')).body
    expect(answerWithinMs).toBeGreaterThan(0)
    const steps: string[] = []
    const limits = { gatherMs: 10_000, iceMs: 20_000, dtlsMs: 20_000 }
    const display = await createDisplay({ style: 'hub', iceServers, limits, onStep: (step) => void steps.push(step) })
    try {
      const sdp = await display.offer(signal)
      const answer = await ask('POST', `/api/views/${reference}/offer`, { cameraId: 'front-door', sdp })
      expect(answer.status).toBe(200)
      await display.connect(readAnswer(sdp, answer.body.sdp, { ipv4Only: false }), signal)
      await ask('POST', `/api/views/${reference}/connected`)
      display.talk([Buffer.from([0xf8, 0xff, 0xfe])])
      await until(() => steps.includes('first-frame') && steps.includes('first-audio'))
      await until(() => /"viewers":1\b/.test(told))
      await ask('POST', '/api/cameras/front-door/ring')
      await until(() => told.includes('event: press') && told.includes('talk-back-heard'))
    } finally {
      await display.close()
    }
    await ask('POST', `/api/views/${reference}/end`)
    await until(
      () => /"phase":"closed"/.test(told) && told.lastIndexOf('"viewers":0') > told.lastIndexOf('"viewers":1'),
    )
    hangUp.abort()
    await reading
    const [row] = (await ask('GET', '/api/sessions')).body.sessions
    expect(row).toMatchObject({ assistant: 'console', reference, phase: 'closed' })
    const session = (await ask('GET', `/api/sessions/${row.id}`)).body
    expect(session.timeline.map(({ step }: { step: string }) => step)).toEqual(
      expect.arrayContaining(['answer-sent', 'camera-connected', 'display-connected', 'talk-back-heard', 'ended']),
    )
  })

  test('sees what was recorded by a session like any other', async () => {
    expect((await ask('PATCH', '/api/cameras/front-door', { record: 'always' })).status).toBe(204)
    const kept = async () => (await ask('GET', '/api/cameras/front-door/recordings')).body.recordings
    await until(async () => (await kept())[0]?.to - (await kept())[0]?.from >= 2_000)
    const recording = { from: (await kept())[0].from + 500 }
    const { reference, iceServers } = (await ask('POST', '/api/cameras/front-door/views', { recording })).body
    const steps: string[] = []
    const limits = { gatherMs: 10_000, iceMs: 20_000, dtlsMs: 20_000 }
    const display = await createDisplay({ style: 'hub', iceServers, limits, onStep: (step) => void steps.push(step) })
    try {
      const sdp = await display.offer(signal)
      const offer = { cameraId: 'front-door', sdp, recording }
      const answer = await ask('POST', `/api/views/${reference}/offer`, offer)
      expect(answer.status).toBe(200)
      await display.connect(readAnswer(sdp, answer.body.sdp, { ipv4Only: false }), signal)
      await until(() => steps.includes('first-frame') && steps.includes('first-audio'))
    } finally {
      await display.close()
    }
    await ask('POST', `/api/views/${reference}/end`)
    const shown = async () => (await ask('GET', '/api/sessions')).body.sessions[0]
    await until(async () => (await shown()).phase === 'closed')
    expect(await shown()).toMatchObject({ reference, recording, mayTalk: false })
    expect(await shown()).not.toHaveProperty('cause')
    expect((await ask('PATCH', '/api/cameras/front-door', { record: null })).status).toBe(204)
    expect((await ask('DELETE', '/api/cameras/front-door/recordings')).status).toBe(204)
  })

  test('adds a camera with all that it needs, and removes it', async () => {
    const made = await ask('POST', '/api/cameras', { name: 'Back porch', kind: 'doorbell' })
    // An id that is taken would tell that somebody else has such a camera.
    expect(made).toMatchObject({ status: 201, body: { cameraId: expect.stringMatching(/^back-porch-[\da-f]{8}$/) } })
    const { cameraId } = made.body
    const master = await openMaster(made.body.environment, cameraId)
    await until(async () => {
      const { cameras } = (await ask('GET', '/api/cameras')).body
      return cameras.find(({ id }: { id: string }) => id === cameraId)?.isOnline === true
    })
    const press = await fetch(made.body.eventsUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${made.body.cameraKey}` },
      body: JSON.stringify({ kind: 'press', eventId: '1', at: Date.now() }),
    })
    expect(press.status).toBe(202)
    expect((await ask('DELETE', `/api/cameras/${cameraId}`)).status).toBe(204)
    await master.closed
    expect((await ask('GET', '/api/cameras')).body.cameras).toHaveLength(1)
  })

  test('is renewed, survives a restart, and is left for good', async () => {
    const renew = async (refreshToken: string) =>
      oauth.processRefreshTokenResponse(
        server,
        client,
        await oauth.refreshTokenGrantRequest(server, client, oauth.None(), refreshToken, insecure),
      )
    tokens = await renew(tokens.refresh_token!)
    const before = linkOf(house)
    await house.stop()
    await house.start({ TRANSOM_PORT: new URL(url).port })
    expect((await ask('GET', '/api/me')).body).toMatchObject({ login: 'demo' })
    expect(linkOf(house)).not.toBe(before)

    const gone = await oauth.revocationRequest(server, client, oauth.None(), tokens.refresh_token!, insecure)
    expect(gone.status).toBe(200)
    expect((await ask('GET', '/api/me')).status).toBe(401)
    await expect(renew(tokens.refresh_token!)).rejects.toThrow()
  })
})
