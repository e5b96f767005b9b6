/** Calls to Home Graph, against a strict fake of it: bodies, tokens, quota, and every outcome told apart. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createHomeGraph, type HomeGraphDeps } from '../../src/bridge/google/home-graph.ts'
import { createQuota } from '../../src/bridge/google/quota.ts'
import { startFakeGoogle } from './fake-google.ts'
import { ada } from './fake-house.ts'

let now = 1_700_000_000_000
let google: Awaited<ReturnType<typeof startFakeGoogle>>
const log: unknown[] = []
const homeGraph = (options: Partial<HomeGraphDeps> = {}) =>
  createHomeGraph({
    serviceAccount: google.serviceAccount,
    url: google.url,
    quota: createQuota({ clock: () => now }),
    clock: () => now,
    log: (...line) => void log.push(line),
    ...options,
  })
const online = { states: { 'bell-1': { online: true } } }
const press = {
  ...online,
  notifications: {
    'bell-1': {
      ObjectDetection: { objects: { unfamiliar: 1 }, priority: 0 as const, detectionTimestamp: 1_700_000_000_123 },
    },
  },
}
const accepted = { kind: 'accepted', value: undefined }

beforeEach(async () => {
  google = await startFakeGoogle(() => now)
  google.devices.set(ada, [{ id: 'bell-1' }])
})
afterEach(() => google.close())

describe('each method', () => {
  test('reports a press as an ObjectDetection notification to the letter', async () => {
    expect(await homeGraph().report(ada, press, { id: 'press-1', lane: 'press' })).toEqual(accepted)
    expect(google.reports).toEqual([
      {
        requestId: expect.stringMatching(/^[\da-f-]{36}$/),
        eventId: 'press-1',
        agentUserId: ada,
        payload: { devices: press },
      },
    ])
  })

  test('reports states without an event id', async () => {
    expect(await homeGraph().report(ada, online)).toEqual(accepted)
    expect(google.reports).toEqual([{ requestId: expect.any(String), agentUserId: ada, payload: { devices: online } }])
  })

  test('asks for a SYNC, queued', async () => {
    expect(await homeGraph().requestSync(ada)).toEqual(accepted)
    expect(google.calls).toMatchObject([{ call: 'requestSync', account: ada }])
  })

  test('asks what Home Graph believes of states and devices', async () => {
    google.devices.set(ada, [{ id: 'bell-1', customData: { rev: 'x' }, traits: [] }])
    const graph = homeGraph()
    await graph.report(ada, online)
    expect(await graph.query(ada, ['bell-1', 'cam-2'])).toEqual({
      kind: 'accepted',
      value: { 'bell-1': { online: true }, 'cam-2': {} },
    })
    expect(await graph.devices(ada)).toEqual({
      kind: 'accepted',
      value: [{ id: 'bell-1', customData: { rev: 'x' }, traits: [] }],
    })
  })

  test('deletes an agent user, whatever is in the id', async () => {
    const odd = 'a/b ?c' as typeof ada
    google.devices.set(odd, [])
    expect(await homeGraph().deleteAgentUser(odd)).toEqual(accepted)
    expect(google.calls).toMatchObject([{ call: 'delete', account: odd }])
  })

  afterEach(() => expect(google.complaints).toEqual([]))
})

describe('the access token', () => {
  test('is used for an hour, also when many calls go at once', async () => {
    const { requestSync } = homeGraph()
    await Promise.all([1, 2, 3].map(() => requestSync(ada)))
    now += 58 * 60_000
    await requestSync(ada)
    expect(google.tokensIssued()).toBe(1)
    now += 60_000
    await requestSync(ada)
    expect(google.tokensIssued()).toBe(2)
    expect(google.complaints).toEqual([])
  })

  test('that is refused is fetched anew, once', async () => {
    google.script.push(401)
    expect(await homeGraph().report(ada, online)).toEqual(accepted)
    expect(google.tokensIssued()).toBe(2)
    google.script.push(401, 401)
    expect(await homeGraph().report(ada, online)).toMatchObject({ kind: 'failed', retryable: true })
  })

  test.each([
    [400, false],
    [401, false],
    [429, true],
    [503, true],
    ['hang', true],
  ] as const)('that cannot be had because the endpoint says %s can be tried again: %s', async (planned, retryable) => {
    google.tokenScript.push(planned)
    expect(await homeGraph({ deadlineMs: 300 }).report(ada, online)).toMatchObject({ kind: 'failed', retryable })
    expect(google.reports).toEqual([])
  })

  test('of an account that Google does not know is refused for good, and no secret is in the log', async () => {
    const serviceAccount = { ...google.serviceAccount, client_email: 'somebody@else' }
    expect(await homeGraph({ serviceAccount }).report(ada, online)).toEqual({
      kind: 'failed',
      retryable: false,
      reason: expect.stringContaining('400 invalid_grant'),
    })
    expect(JSON.stringify(log)).not.toMatch(/token-\d|PRIVATE|eyJ/)
  })

  test('needs a private key that is one', () => {
    expect(() => homeGraph({ serviceAccount: { ...google.serviceAccount, private_key: 'none' } })).toThrow()
  })
})

describe('an outcome', () => {
  test.each([
    [404, { kind: 'not-found' }],
    [400, { kind: 'failed', retryable: false, reason: expect.stringContaining('400 AS_PLANNED') }],
    [403, { kind: 'failed', retryable: false, reason: expect.stringContaining('HomeGraph API switched on') }],
    [500, { kind: 'failed', retryable: true, reason: expect.stringContaining('500') }],
    [503, { kind: 'failed', retryable: true, reason: expect.stringContaining('503') }],
  ])('%i is told apart', async (status, result) => {
    google.script.push(status)
    expect(await homeGraph().report(ada, press, { id: 'press-1', lane: 'press' })).toEqual(result)
  })

  test('503 with Retry-After says when', async () => {
    google.script.push({ status: 503, headers: { 'retry-after': '7' } })
    expect(await homeGraph().report(ada, online)).toMatchObject({ retryable: true, afterMs: 7000 })
  })

  test('of a call that is not answered is a failure at its deadline, or when the caller gives up', async () => {
    google.script.push('hang', 'hang')
    expect(await homeGraph({ deadlineMs: 300 }).report(ada, online)).toMatchObject({ kind: 'failed', retryable: true })
    const givenUp = await homeGraph().report(ada, online, undefined, AbortSignal.timeout(300))
    expect(givenUp).toMatchObject({ kind: 'failed', retryable: true })
  })
})

test('of a call that cannot be made says why', async () => {
  const graph = homeGraph({ url: 'http://127.0.0.1:1' })
  expect(await graph.report(ada, online)).toMatchObject({ kind: 'failed', retryable: true })
  const [, , fields] = log.at(-1) as [string, string, { error: string }]
  expect(fields.error).toMatch(/fetch failed: .*(ECONNREFUSED|bad port)/)
})

describe('the quota', () => {
  test('of 6,000 in any minute holds for reports, and leaves room for presses; a reconciliation leaves room for both', async () => {
    const quota = createQuota({ clock: () => now })
    const at: number[] = []
    const until = now + 180_000
    for (; now < until; now += 5) if ((await quota.take('report')) === 0) at.push(now)
    for (const first of at) expect(at.filter((one) => one >= first && one < first + 60_000).length).toBeLessThan(6001)
    now += 60_000
    while ((await quota.take('reconcile')) === 0);
    expect(await quota.take('reconcile')).toBeGreaterThan(0)
    expect(await quota.take('report')).toBe(0)
    while ((await quota.take('report')) === 0);
    expect(await quota.take('report')).toBeGreaterThan(0)
    expect(await quota.take('press')).toBe(0)
  })

  test('that is used up is not asked of Google, and says when to come again', async () => {
    const quota = createQuota({ clock: () => now, perMinute: 8 })
    const graph = homeGraph({ quota })
    const results = [await graph.report(ada, online), await graph.report(ada, online)]
    expect(results).toEqual([
      accepted,
      {
        kind: 'failed',
        retryable: true,
        afterMs: expect.any(Number),
        isThrottled: true,
        reason: expect.any(String),
      },
    ])
    expect(google.calls).toHaveLength(1)
    expect(await graph.report(ada, press, { id: 'press-1', lane: 'press' })).toEqual(accepted)
  })

  test('that presses have used up is paid back before the next report', async () => {
    const quota = createQuota({ clock: () => now, perMinute: 40 })
    for (let press = 0; press < 30; press += 1) expect(await quota.take('press')).toBe(0)
    let reports = 0
    const until = now + 60_000
    for (; now < until; now += 100) if ((await quota.take('report')) === 0) reports += 1
    expect(reports).toBeGreaterThan(0)
    expect(reports + 30).toBeLessThanOrEqual(40)
  })

  test('that is full lets a press come again as soon as after any other failure, and a report later', async () => {
    google.script.push(429, 429)
    const graph = homeGraph()
    expect(await graph.report(ada, press, { id: 'p', lane: 'press' })).toMatchObject({ retryable: true, afterMs: 0 })
    expect(await graph.report(ada, press, { id: 'q', lane: 'report' })).toMatchObject({ afterMs: 10_000 })
  })

  test('that Google says is used up stops reports for so long, and no press', async () => {
    google.script.push({ status: 429, headers: { 'retry-after': '30' } })
    const graph = homeGraph()
    expect(await graph.report(ada, online)).toMatchObject({ kind: 'failed', retryable: true, afterMs: 30_000 })
    expect(await graph.requestSync(ada)).toMatchObject({ kind: 'failed', retryable: true, afterMs: 30_000 })
    const throttled = ['warn', 'google.home-graph', expect.objectContaining({ isThrottled: true })]
    expect(log.slice(-2)).toEqual([throttled, throttled])
    expect(google.calls).toEqual([])
    expect(await graph.report(ada, press, { id: 'press-1', lane: 'press' })).toEqual(accepted)
    now += 30_000
    expect(await graph.report(ada, online)).toEqual(accepted)
  })
})
