/** The Amazon and the Google that a bridge without credentials speaks to: as strict as the real ones, each account for itself. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { createHomeGraph, type Devices } from '../../src/bridge/google/home-graph.ts'
import { createQuota } from '../../src/bridge/google/quota.ts'
import { serviceAccountKey } from '../../src/bridge/google/service-token.ts'
import { BridgeError } from '../../src/core/errors.ts'
import { accountId } from '../../src/core/ports.ts'
import type { DisplayEvent } from '../../src/core/wire/api.ts'
import { type EventReceivers, startEventReceivers } from '../../src/simulator/event-receivers.ts'
import { listenAt } from '../../src/simulator/event-stream.ts'

let now = Date.now()
let receivers: EventReceivers
let heard: DisplayEvent[] = []

beforeAll(async () => {
  receivers = await startEventReceivers({
    async accountOf(token) {
      if (token !== 'ada' && token !== 'bob') throw new BridgeError('unauthorized')
      return token
    },
    clock: () => now,
  })
  receivers.announcements.listen('ada', (each) => heard.push(each))
})
afterAll(() => receivers.close())
afterEach(() => {
  heard = []
})

const complaint = (message: RegExp) => [
  { event: 'complaint', data: { assistant: expect.any(String), message: expect.stringMatching(message) } },
]

async function tokens(fields: Record<string, string>) {
  const { clientId, clientSecret, tokenUrl } = receivers.amazon
  const form = { client_id: clientId, client_secret: clientSecret, ...fields }
  const response = await fetch(tokenUrl, { method: 'POST', body: new URLSearchParams(form) })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}
const grant = async (account: string) =>
  (await tokens({ grant_type: 'authorization_code', code: receivers.grantCode(account) })).body

const press = (token: string, timestamp = '2026-11-22T10:00:00Z') => ({
  context: {},
  event: {
    header: { namespace: 'Alexa.DoorbellEventSource', name: 'DoorbellPress', messageId: 'm-1', payloadVersion: '3' },
    endpoint: { scope: { type: 'BearerToken', token }, endpointId: 'bell-1' },
    payload: { cause: { type: 'PHYSICAL_INTERACTION' }, timestamp },
  },
})
async function send(token: string, event: object) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const response = await fetch(receivers.amazon.gatewayUrl, { method: 'POST', headers, body: JSON.stringify(event) })
  return response.status
}

const openGraph = (change: object = {}) => {
  const { url, serviceAccount } = receivers.homeGraph
  const key = serviceAccountKey.parse({ ...serviceAccount, ...change })
  const deps = { clock: () => now, log: () => {} }
  return createHomeGraph({ ...deps, serviceAccount: key, url, quota: createQuota(deps) })
}
const detection = (more: object = {}): Devices => ({
  states: {},
  notifications: {
    'bell-1': { ObjectDetection: { objects: { unclassified: 1 }, priority: 0, detectionTimestamp: 5, ...more } },
  },
})
const ada = accountId('ada')

describe('Amazon', () => {
  test('gives tokens for a code once, and for a refresh token again and again', async () => {
    const code = receivers.grantCode('ada')
    const first = await tokens({ grant_type: 'authorization_code', code })
    expect(first).toMatchObject({ status: 200, body: { token_type: 'bearer', expires_in: 3600 } })
    expect(await tokens({ grant_type: 'authorization_code', code })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    })
    const refresh = { grant_type: 'refresh_token', refresh_token: first.body['refresh_token'] ?? '' }
    for (let time = 0; time < 2; time += 1) expect((await tokens(refresh)).status).toBe(200)
    // Of a simulator that is gone, and of the real Amazon, which will be needed again.
    expect((await tokens({ ...refresh, refresh_token: 'Atzr|simulated.x' })).status).toBe(400)
    expect((await tokens({ ...refresh, refresh_token: 'Atzr|real' })).status).toBe(503)
    expect(heard).toEqual([])
  })

  test('complains of a client that it does not know', async () => {
    expect(await tokens({ client_secret: 'x' })).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    expect(heard).toEqual(complaint(/client id and secret/))
  })

  test('announces a press to its account alone', async () => {
    const [ada, bob] = await Promise.all([grant('ada'), grant('bob')])
    const token = ada['access_token'] ?? ''
    expect(await send(bob['access_token'] ?? '', press(bob['access_token'] ?? ''))).toBe(204)
    expect(heard).toEqual([])
    expect(await send(token, press(token))).toBe(204)
    const pressedAt = Date.parse('2026-11-22T10:00:00Z')
    expect(heard).toEqual([
      { event: 'announced', data: { assistant: 'alexa', cameraId: 'bell-1', at: now, pressedAt } },
    ])
  })

  test.each([
    ['milliseconds', (token: string) => press(token, '2026-11-22T10:00:00.000Z'), /whole seconds/],
    ['the token of another', () => press('x'), /not that of the header/],
    ['more than it knows', (token: string) => ({ ...press(token), more: 1 }), /more/],
  ])('complains of a press with %s', async (_, make, why) => {
    const token = (await grant('ada'))['access_token'] ?? ''
    expect(await send(token, make(token))).toBe(400)
    expect(heard).toEqual(complaint(why))
  })

  test('takes a token for an hour, and none of its own making otherwise', async () => {
    const token = (await grant('ada'))['access_token'] ?? ''
    now += 3_600_001
    expect(await send(token, press(token))).toBe(401)
    expect(await send('x', press('x'))).toBe(401)
    expect(heard).toEqual([])
  })
})

describe('Google', () => {
  test('takes what the bridge sends, and announces who is at the door to the account alone', async () => {
    const graph = openGraph()
    expect(await graph.report(ada, { states: { 'bell-1': { online: true } } })).toMatchObject({ kind: 'accepted' })
    expect(await graph.requestSync(ada)).toMatchObject({ kind: 'accepted' })
    expect(await graph.deleteAgentUser(ada)).toMatchObject({ kind: 'accepted' })
    expect(await graph.report(accountId('bob'), detection(), { id: 'e-0', lane: 'press' })).toMatchObject({
      kind: 'accepted',
    })
    expect(heard).toEqual([])
    expect(await graph.report(ada, detection(), { id: 'e-1', lane: 'press' })).toMatchObject({ kind: 'accepted' })
    const data = { assistant: 'google', cameraId: 'bell-1', at: now, pressedAt: 5, eventId: 'e-1' }
    expect(heard).toEqual([{ event: 'announced', data }])
  })

  test('complains of a notification without its event, and of one with more than it knows', async () => {
    const graph = openGraph()
    expect(await graph.report(ada, detection())).toMatchObject({ kind: 'failed' })
    expect(heard.splice(0)).toEqual(complaint(/without eventId/))
    expect(await graph.report(ada, detection({ more: 1 }), { id: 'e-2', lane: 'press' })).toMatchObject({
      kind: 'failed',
    })
    expect(heard).toEqual(complaint(/more/))
  })

  test('complains of a service account that is not ours, and of a call without its token', async () => {
    expect(await openGraph({ client_email: 'x@example' }).requestSync(ada)).toMatchObject({ kind: 'failed' })
    expect(heard.splice(0)).toEqual(complaint(/iss/))
    const url = `${receivers.homeGraph.url}/v1/devices:requestSync`
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(400)
    expect(heard).toEqual(complaint(/no valid token/))
  })
})

describe('who listens', () => {
  const hangUp = new AbortController()
  afterAll(() => hangUp.abort())

  test('and who asks for a code must have a token of the bridge', async () => {
    expect((await fetch(`${receivers.url}/stream`)).status).toBe(401)
    expect((await fetch(`${receivers.url}/grants`, { method: 'POST' })).status).toBe(401)
  })

  test('hears what happens from the hello on', async () => {
    const events = await listenAt(`${receivers.url}/stream`, 'bob', hangUp.signal)
    receivers.announcements.complained({ assistant: 'google', message: "ada's" }, 'ada')
    receivers.announcements.complained({ assistant: 'google', message: "everybody's" })
    const data = { assistant: 'google', message: "everybody's" }
    expect((await events.next()).value).toEqual({ event: 'complaint', data })
  })

  test('is one of twenty at most', async () => {
    const open = Array.from({ length: 19 }, () => listenAt(`${receivers.url}/stream`, 'bob', hangUp.signal))
    await Promise.all(open)
    const headers = { authorization: 'Bearer bob' }
    expect((await fetch(`${receivers.url}/stream`, { headers })).status).toBe(429)
  })
})
