/** Reports to Home Graph, against a strict fake of it: bodies, tokens, and what becomes of them. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createHomeGraph, type HomeGraphDeps } from '../../src/google/home-graph.ts'
import { startFakeGoogle } from './fake-google.ts'
import { ada, camera } from './fake-house.ts'

let now = 1_700_000_000_000
let google: Awaited<ReturnType<typeof startFakeGoogle>>
const log: unknown[] = []
const homeGraph = (options: Partial<HomeGraphDeps> = {}) =>
  createHomeGraph({
    serviceAccount: google.serviceAccount,
    url: google.url,
    clock: () => now,
    log: (...line) => void log.push(line),
    ...options,
  })

beforeEach(async () => {
  google = await startFakeGoogle(() => now)
})
afterEach(() => google.close())

describe('a report', () => {
  test('of a press is an ObjectDetection notification to the letter', async () => {
    expect(await homeGraph().doorbellPress(camera(), 1_700_000_000_123, 'press-1')).toEqual({ kind: 'accepted' })
    expect(google.reports).toEqual([
      {
        requestId: expect.stringMatching(/^[\da-f-]{36}$/),
        eventId: 'press-1',
        agentUserId: ada,
        payload: {
          devices: {
            states: { 'bell-1': { online: true } },
            notifications: {
              'bell-1': {
                ObjectDetection: { objects: { unfamiliar: 1 }, priority: 0, detectionTimestamp: 1_700_000_000_123 },
              },
            },
          },
        },
      },
    ])
    expect(google.complaints).toEqual([])
  })

  test.each([true, false])('that a camera is online: %s holds the whole state and no event', async (online) => {
    expect(await homeGraph().reportOnline(camera(), online)).toEqual({ kind: 'accepted' })
    expect(google.reports).toEqual([
      { requestId: expect.any(String), agentUserId: ada, payload: { devices: { states: { 'bell-1': { online } } } } },
    ])
  })

  test('uses one access token for an hour, also when many go at once', async () => {
    const { reportOnline } = homeGraph()
    await Promise.all([1, 2, 3].map(() => reportOnline(camera(), true)))
    now += 58 * 60_000
    await reportOnline(camera(), true)
    expect(google.tokensIssued()).toBe(1)
    now += 60_000
    await reportOnline(camera(), true)
    expect(google.tokensIssued()).toBe(2)
    expect(google.reports).toHaveLength(5)
    expect(google.complaints).toEqual([])
  })

  test('that is refused for its token is sent once more with a new one', async () => {
    google.script.push(401)
    expect(await homeGraph().reportOnline(camera(), true)).toEqual({ kind: 'accepted' })
    expect(google.tokensIssued()).toBe(2)
    google.script.push(401, 401)
    expect(await homeGraph().reportOnline(camera(), true)).toMatchObject({ kind: 'failed', retryable: true })
  })

  test.each([
    [404, { kind: 'unlinked' }],
    [400, { kind: 'failed', retryable: false, reason: expect.stringContaining('400') }],
    [403, { kind: 'failed', retryable: false, reason: expect.stringContaining('403') }],
    [429, { kind: 'failed', retryable: true, reason: expect.stringContaining('429') }],
    [503, { kind: 'failed', retryable: true, reason: expect.stringContaining('503') }],
  ])('that Home Graph answers with %i', async (status, result) => {
    google.script.push(status)
    expect(await homeGraph().doorbellPress(camera(), now, 'press-1')).toEqual(result)
  })

  test('that is not answered fails at its deadline, or when the caller gives up', async () => {
    google.script.push('hang', 'hang')
    expect(await homeGraph({ deadlineMs: 300 }).reportOnline(camera(), true)).toMatchObject({
      kind: 'failed',
      retryable: true,
    })
    const givenUp = await homeGraph().reportOnline(camera(), true, AbortSignal.timeout(300))
    expect(givenUp).toMatchObject({ kind: 'failed', retryable: true })
  })

  test('fails when no token can be had, and leaves no secret in the log', async () => {
    const serviceAccount = { ...google.serviceAccount, client_email: 'somebody@else' }
    expect(await homeGraph({ serviceAccount }).reportOnline(camera(), true)).toMatchObject({
      kind: 'failed',
      retryable: true,
    })
    expect(google.reports).toEqual([])
    expect(JSON.stringify(log)).not.toMatch(/token-\d|PRIVATE|eyJ/)
  })

  test('cannot be made with a private key that is none', () => {
    expect(() => homeGraph({ serviceAccount: { ...google.serviceAccount, private_key: 'none' } })).toThrow()
  })
})
