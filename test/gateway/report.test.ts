/** Reports reach the bridge as JSON with the camera's key; a press is repeated, a viewer's numbers are not. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { createReporter } from '../../src/gateway/report.ts'
import { cameraEvent, type CameraEvent } from '../../src/core/wire/camera-event.ts'

const press: CameraEvent = { kind: 'press', eventId: 'press-1', at: 1_000 }
const viewer: CameraEvent = { kind: 'viewer', viewerId: 'echo-1', state: 'connected', at: 1_000 }

let bridge: Server
let statuses: number[]
let reply: string | undefined
let posts: { headers: IncomingHttpHeaders; body: unknown }[]
let logged: string[]

beforeEach(async () => {
  posts = []
  logged = []
  statuses = []
  reply = ''
  bridge = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      posts.push({ headers: request.headers, body: JSON.parse(body) })
      if (reply !== undefined) response.writeHead(statuses.shift() ?? 202).end(reply)
    })
  })
  await new Promise<void>((resolve) => {
    bridge.listen(0, '127.0.0.1', resolve)
  })
})
afterEach(() => {
  bridge.closeAllConnections()
  bridge.close()
})

const idsOf = (events: readonly CameraEvent[]) =>
  events.map((event) => ('eventId' in event ? event.eventId : event.kind))
const pressed = (eventId: string): CameraEvent => ({ kind: 'press', eventId, at: Date.now() })
const moved = (eventId: string, isDetected = true): CameraEvent => ({
  kind: 'motion',
  eventId,
  isDetected,
  at: Date.now(),
})

const reporter = () =>
  createReporter({
    url: `http://127.0.0.1:${(bridge.address() as AddressInfo).port}/cameras/front-door/events`,
    key: 'camera-key',
    clock: () => 5_000,
    log: (_level, event) => void logged.push(event),
  })

test('an event is posted with the key of the camera', async () => {
  statuses = []
  await reporter()(viewer)
  expect(posts).toMatchObject([{ headers: { authorization: 'Bearer camera-key', 'content-type': 'application/json' } }])
  expect(cameraEvent.parse(posts[0]?.body)).toEqual(viewer)
  expect(logged).toEqual([])
})

test('a press is repeated while the bridge fails, and says when it was sent', async () => {
  statuses = [503]
  await reporter()(press)
  expect(posts.map(({ body }) => body)).toEqual([
    { ...press, sentAt: 5_000 },
    { ...press, sentAt: 5_000 },
  ])
  expect(cameraEvent.parse(posts[1]?.body)).toEqual({ ...press, sentAt: 5_000 })
})

describe('while the bridge is away', () => {
  /** Answers each post from now on; `undefined`: nobody is there. */
  let answer: (event: CameraEvent) => { readonly status: number; readonly retryAfter?: string } | undefined
  let received: CameraEvent[]
  let lost: unknown[]

  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000, doNotFake: ['nextTick'] })
    answer = () => undefined
    received = []
    lost = []
    jest.spyOn(globalThis, 'fetch').mockImplementation(async (_url, init) => {
      const event = cameraEvent.parse(JSON.parse(typeof init?.body === 'string' ? init.body : ''))
      const reply = answer(event)
      if (!reply) throw new TypeError('fetch failed')
      if (reply.status === 202) received.push(event)
      const headers = reply.retryAfter === undefined ? {} : { 'retry-after': reply.retryAfter }
      return new Response('{}', { status: reply.status, headers })
    })
  })
  afterEach(() => {
    jest.restoreAllMocks()
    jest.useRealTimers()
  })

  const waiting = (signal?: AbortSignal) =>
    createReporter({
      url: 'http://bridge.test/cameras/front-door/events',
      key: 'camera-key',
      clock: Date.now,
      log: (_level, event, fields) => void (event === 'gateway.event-lost' && lost.push({ ...fields })),
      ...(signal && { signal }),
    })
  test('what happens waits, and is told afterwards in its order, with its own time and its age', async () => {
    const report = waiting()
    void report(moved('m'))
    await jest.advanceTimersByTimeAsync(60_000)
    void report({ kind: 'person', eventId: 'who', at: Date.now() })
    await jest.advanceTimersByTimeAsync(60_000)
    void report(pressed('p'))
    await jest.advanceTimersByTimeAsync(60_000)
    void report(moved('m-end', false))
    answer = () => ({ status: 202 })
    await jest.advanceTimersByTimeAsync(10_000)
    expect(idsOf(received)).toEqual(['m', 'who', 'p', 'm-end'])
    expect(received.map(({ at }) => at)).toEqual([1_000_000, 1_060_000, 1_120_000, 1_180_000])
    for (const event of received) expect('sentAt' in event && event.sentAt).toBeGreaterThanOrEqual(1_180_000)
    expect(lost).toEqual([])
  })

  test.each([502, 503, 504, 429])('an answer of %i is no refusal', async (status) => {
    const report = waiting()
    answer = () => ({ status })
    void report(moved('m'))
    await jest.advanceTimersByTimeAsync(600_000)
    answer = () => ({ status: 202 })
    await jest.advanceTimersByTimeAsync(10_000)
    expect(idsOf(received)).toEqual(['m'])
  })

  test('any report that gets through brings those that wait', async () => {
    const report = waiting()
    void report(moved('m'))
    await jest.advanceTimersByTimeAsync(300_000)
    answer = () => ({ status: 202 })
    await report({ kind: 'source', at: Date.now() })
    await jest.advanceTimersByTimeAsync(0)
    expect(idsOf(received)).toEqual(['source', 'm'])
  })

  test('what has waited for an hour is lost', async () => {
    const report = waiting()
    void report(pressed('old'))
    await jest.advanceTimersByTimeAsync(1_800_000)
    void report(pressed('newer'))
    await jest.advanceTimersByTimeAsync(1_900_000)
    answer = () => ({ status: 202 })
    await jest.advanceTimersByTimeAsync(10_000)
    expect(idsOf(received)).toEqual(['newer'])
    expect(lost).toEqual([{ kind: 'press', eventId: 'old' }])
  })

  test('of too many the oldest are lost, and of presses all but the last eight: more would be a stuck button', async () => {
    const report = waiting()
    for (let number = 0; number < 12; number += 1) void report(pressed(`p${number}`))
    for (let number = 0; number < 60; number += 1) void report(moved(`m${number}`, number % 2 === 0))
    answer = () => ({ status: 202 })
    await jest.advanceTimersByTimeAsync(60_000)
    expect(received).toHaveLength(50)
    expect(idsOf(received).at(-1)).toBe('m59')
    expect(lost).toHaveLength(22)
  })

  test('a bridge that fails at one of them is told the others', async () => {
    const report = waiting()
    answer = (event) => ({ status: event.kind === 'motion' ? 500 : 202 })
    void report(moved('m'))
    void report(pressed('p'))
    await jest.advanceTimersByTimeAsync(30_000)
    expect(idsOf(received)).toEqual(['p'])
    expect(lost).toEqual([{ kind: 'motion', eventId: 'm' }])
  })

  test('a bridge that asks for a pause gets it; a press that would be late by then is lost', async () => {
    const report = waiting()
    answer = () => ({ status: 429, retryAfter: '20' })
    void report(pressed('p'))
    await jest.advanceTimersByTimeAsync(19_000)
    expect(fetch).toHaveBeenCalledTimes(1)
    answer = () => ({ status: 429, retryAfter: '60' })
    await jest.advanceTimersByTimeAsync(2_000)
    expect(lost).toEqual([{ kind: 'press', eventId: 'p' }])
  })

  test('nothing waits any more when the gateway ends', async () => {
    const life = new AbortController()
    const report = waiting(life.signal)
    const told = report(moved('m'))
    await jest.advanceTimersByTimeAsync(100)
    life.abort()
    await told
    expect(jest.getTimerCount()).toBe(0)
    expect(lost).toHaveLength(1)
  })
})

test('a press that is refused is not repeated', async () => {
  statuses = [401]
  await reporter()(press)
  expect(posts).toHaveLength(1)
  expect(logged).toEqual(['gateway.report-refused'])
})

test('only a reply that says so ends a viewer', async () => {
  reply = '{"ended":true}'
  expect(await reporter()(viewer)).toBe(true)
  expect(await reporter()(press)).toBe(false)
  statuses = [500]
  expect(await reporter()(viewer)).toBe(false)
  for (reply of ['{}', '', 'not JSON', 'null', '{"ended":false}', '{"ended":"true"}'])
    expect([reply, await reporter()(viewer)]).toEqual([reply, false])
})

test('a bridge that never replies ends no viewer', async () => {
  reply = undefined
  expect(await reporter()(viewer)).toBe(false)
  expect(logged).toEqual(['gateway.report-failed'])
})

test('the numbers of a viewer are told once', async () => {
  statuses = [503]
  await reporter()(viewer)
  expect(posts).toHaveLength(1)
})

test.each([
  { ...press, eventId: '' },
  { ...press, at: -1 },
  { ...viewer, state: 'asleep' },
  { ...viewer, viewerId: 'no spaces' },
  { ...viewer, heard: { packets: 1, level: 2 } },
  { kind: 'other' },
])('%j is no event', (event) => {
  expect(cameraEvent.safeParse(event).success).toBe(false)
})
