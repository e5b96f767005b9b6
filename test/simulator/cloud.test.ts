/** The clouds of a display that is a browser: whose link it is, how long it may be made, and that nothing stays open. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { conforming } from '../wire/conform.ts'
import express from 'express'
import { answerError } from '../../src/bridge/web/refusals.ts'
import { BridgeError } from '../../src/core/errors.ts'
import { createAnnouncements } from '../../src/simulator/announcements.ts'
import { createSimulatorCloud, type SimulatorCloud } from '../../src/simulator/cloud.ts'
import { createDisplay } from '../../src/simulator/display.ts'
import { createEchoSessions } from '../../src/simulator/echo-sessions.ts'
import { createTimeline } from '../../src/simulator/timeline.ts'
import { type FakeBridge, startFakeBridge } from './fake-bridge.ts'
import { until } from '../until.ts'

const returnTo = '#/display/alexa/bell-1'

let bridge: FakeBridge
let cloud: SimulatorCloud
let server: Server
let now: number
/** Who consented in the pages. */
let consented: string
let isRevoked: boolean

function refuse(): never {
  throw new BridgeError('unauthorized')
}

beforeEach(async () => {
  bridge = await startFakeBridge()
  now = Date.now()
  consented = 'ada'
  isRevoked = false
  cloud = createSimulatorCloud({
    bridge: bridge.settings.bridge,
    publicUrl: bridge.settings.bridge,
    clients: bridge.settings.clients,
    pageAccount: async (token) => (token === '' ? refuse() : token),
    linkAccount: async () => (isRevoked ? refuse() : consented),
    announcements: createAnnouncements(),
    clock: () => now,
    log: () => {},
  })
  server = createServer(
    express()
      .use('/simulator', cloud.router)
      .use(answerError(() => {})),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  await cloud.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await bridge.close()
})

async function ask(method: string, path: string, body?: object, account = 'ada') {
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/simulator${path}`, {
    method,
    headers: { authorization: `Bearer ${account}`, 'content-type': 'application/json' },
    redirect: 'manual',
    ...(body && { body: JSON.stringify(body) }),
  })
  await conforming(method, response)
  const text = await response.text()
  const location = response.headers.get('location')?.replace(bridge.settings.bridge, '')
  return { status: response.status, location, body: text.startsWith('{') ? JSON.parse(text) : text }
}

/** Begins a link; returns the state that the pages bring back. */
async function begin(assistant = 'alexa', account = 'ada'): Promise<string> {
  const { body } = await ask('POST', `/${assistant}/link`, { returnTo }, account)
  return new URL(body.url).searchParams.get('state') ?? ''
}

const comeBack = (state: string, assistant = 'alexa', query = 'code=code-1') =>
  ask('GET', `/${assistant}/linked?${query}&state=${state}`, undefined, '')

const problem = (what: RegExp) => ({ status: 303, location: expect.stringMatching(what) })
const elsewhere = problem(/^\/#\/\?problem=this\+link\+was\+begun\+elsewhere/)

const link = async () => comeBack(await begin())
const openView = () => ask('POST', '/alexa/sessions', { cameraId: 'bell-1' })
const pathOf = (reference: string) => `/alexa/sessions/${encodeURIComponent(reference)}`

async function shown(sessions: ReturnType<typeof createEchoSessions>) {
  const viewer = { account: 'ada', accessToken: 'second-token', timeline: createTimeline() }
  const session = await sessions.open(viewer, 'bell-1', AbortSignal.timeout(60_000))
  const limits = { gatherMs: 10_000, iceMs: 1, dtlsMs: 1 }
  const display = await createDisplay({ style: 'echo', iceServers: [], limits, onStep: () => {} })
  await session.offer(await display.offer(AbortSignal.timeout(60_000)))
  await display.close()
  return session
}
const goodbyes = () => bridge.log.filter((name) => name === 'SessionDisconnected').length

describe('a link', () => {
  test('is begun at the real authorization endpoint, and comes back to where the page was', async () => {
    const { body } = await ask('POST', '/google/link', { returnTo })
    const url = new URL(body.url)
    expect(`${url.origin}${url.pathname}`).toBe(`${bridge.settings.bridge}/oauth/auth`)
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: 'google',
      redirect_uri: `${bridge.settings.bridge}/simulator/google/linked`,
      response_type: 'code',
      scope: 'camera',
    })
    const back = await comeBack(url.searchParams.get('state') ?? '', 'google')
    expect(back).toMatchObject({ status: 303, location: `/${returnTo}` })
    // What Google does first, and by what the bridge knows that it is linked.
    expect(bridge.log).toEqual(['SYNC'])
    expect((await ask('GET', '/state')).body).toEqual({ alexa: { linked: false }, google: { linked: true } })
    expect((await ask('GET', '/state', undefined, 'bob')).body).toMatchObject({ google: { linked: false } })
  })

  test('is made by its state once', async () => {
    const state = await begin()
    expect(await comeBack(state)).toMatchObject({ location: `/${returnTo}` })
    expect(await comeBack(state)).toMatchObject(elsewhere)
  })

  test.each([
    ['a state of nobody', async () => comeBack('x')],
    ['no state', async () => ask('GET', '/alexa/linked?code=code-1')],
    ['a state of the other assistant', async () => comeBack(await begin('google'), 'alexa')],
    [
      'a state that is too old',
      async () => {
        const state = await begin()
        now += 10 * 60_000
        return comeBack(state)
      },
    ],
    [
      'the first state of six',
      async () => {
        const first = await begin()
        for (let more = 0; more < 5; more += 1) await begin()
        return comeBack(first)
      },
    ],
  ])('is not made by %s', async (_, back) => {
    expect(await back()).toMatchObject(elsewhere)
    expect((await ask('GET', '/state')).body).toMatchObject({ alexa: { linked: false } })
  })

  test("is not displaced by another account's", async () => {
    const state = await begin()
    for (let more = 0; more < 6; more += 1) await begin('alexa', 'bob')
    expect(await comeBack(state)).toMatchObject({ location: `/${returnTo}` })
  })

  test('of another account than the one that began it is ended at once', async () => {
    consented = 'bob'
    expect(await comeBack(await begin())).toMatchObject(problem(/^\/#\/display.*problem=another\+account/))
    expect(bridge.log).toEqual(['revoked'])
    expect((await ask('GET', '/state', undefined, 'bob')).body).toMatchObject({ alexa: { linked: false } })
  })

  test('that the person refuses says so', async () => {
    expect(await comeBack(await begin(), 'alexa', 'error=access_denied')).toMatchObject(
      problem(/problem=.*access_denied/),
    )
  })

  test('takes the place of the one before, which is ended', async () => {
    await comeBack(await begin())
    expect(bridge.log).toEqual([])
    await comeBack(await begin())
    expect(bridge.log).toEqual(['revoked'])
  })

  test('that was ended at the bridge is none', async () => {
    await comeBack(await begin())
    isRevoked = true
    expect(await ask('POST', '/alexa/sessions', { cameraId: 'bell-1' })).toMatchObject({
      status: 409,
      body: { error: 'not_linked', steps: [{ step: 'failed' }] },
    })
  })

  test('ends with the bridge', async () => {
    await comeBack(await begin())
    await cloud.close()
    expect(bridge.log).toEqual(['revoked'])
  })

  test.each(['https://evil.example/', '//evil.example', '/page', '#/a b', '#/a\nb', ''])(
    'does not return to %j',
    async (returnTo) => {
      expect(await ask('POST', '/alexa/link', { returnTo })).toMatchObject({
        status: 400,
        body: { error: 'invalid_request' },
      })
    },
  )
})

describe('a view', () => {
  test("is its account's alone", async () => {
    await link()
    const { reference } = (await openView()).body
    expect((await ask('POST', `${pathOf(reference)}/connected`, undefined, 'bob')).status).toBe(400)
    expect((await ask('POST', `${pathOf(reference)}/end`, undefined, 'bob')).status).toBe(204)
    expect((await ask('POST', `${pathOf(reference)}/connected`)).status).toBe(204)
  })

  test('of a camera that was not discovered is refused with what there is', async () => {
    await link()
    const { status, body } = await ask('POST', '/alexa/sessions', { cameraId: 'back-door' })
    expect(status).toBe(404)
    expect(body).toMatchObject({ error: 'no_camera', message: expect.stringContaining('bell-1') })
    expect(body.steps).toMatchObject([{ step: 'account linked' }, { step: 'failed', detail: 'no_camera' }])
  })

  test('whose answer an Echo would not take is over, and the bridge is told', async () => {
    await link()
    const { reference } = (await openView()).body
    const { status, body } = await ask('POST', `${pathOf(reference)}/offer`, { sdp: 'v=0' })
    expect({ status, error: body.error }).toEqual({ status: 502, error: expect.any(String) })
    expect(bridge.log.at(-1)).toBe('SessionDisconnected')
    expect((await ask('POST', `${pathOf(reference)}/offer`, { sdp: 'v=0' })).status).toBe(400)
  })

  test.each([
    ['no camera', '/alexa/sessions', {}],
    ['a camera that is no text', '/google/sessions', { cameraId: 1 }],
    ['no offer', '/alexa/sessions/x/offer', {}],
    ['an offer without an end', '/alexa/sessions/x/offer', { sdp: 'x'.repeat(70_000) }],
  ])('with %s is a bad request', async (_, path, body) => {
    expect(await ask('POST', path, body)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })

  test('that nobody ends is hung up after a while', async () => {
    const timers = jest.spyOn(globalThis, 'setTimeout')
    const sessions = createEchoSessions({ bridge: bridge.settings.bridge, log: () => {} })
    const { reference } = await shown(sessions)
    expect(goodbyes()).toBe(0)
    const [over] = timers.mock.calls.find(([, ms]) => ms === 15 * 60_000) ?? []
    timers.mockRestore()
    over?.()
    await until(() => goodbyes() === 1)
    expect(sessions.find('ada', reference)).toBeUndefined()
  })

  test('too many takes the place of the oldest, and all are hung up at the end', async () => {
    const sessions = createEchoSessions({ bridge: bridge.settings.bridge, log: () => {} })
    const first = await shown(sessions)
    const viewer = { account: 'ada', accessToken: 'second-token', timeline: createTimeline() }
    for (let more = 0; more < 7; more += 1) await sessions.open(viewer, 'bell-1', AbortSignal.timeout(60_000))
    expect(goodbyes()).toBe(0)
    await shown(sessions)
    expect(goodbyes()).toBe(1)
    expect(sessions.find('ada', first.reference)).toBeUndefined()
    await sessions.close()
    await until(() => goodbyes() === 2)
  })
})
