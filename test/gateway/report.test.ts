/** Reports reach the bridge as JSON with the camera's key; a press is repeated, a viewer's numbers are not. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
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

const reporter = () =>
  createReporter({
    url: `http://127.0.0.1:${(bridge.address() as AddressInfo).port}/cameras/front-door/events`,
    key: 'camera-key',
    log: (_level, event) => void logged.push(event),
  })

test('an event is posted with the key of the camera', async () => {
  statuses = []
  await reporter()(viewer)
  expect(posts).toMatchObject([{ headers: { authorization: 'Bearer camera-key', 'content-type': 'application/json' } }])
  expect(cameraEvent.parse(posts[0]?.body)).toEqual(viewer)
  expect(logged).toEqual([])
})

test('a press is repeated while the bridge fails', async () => {
  statuses = [503]
  await reporter()(press)
  expect(posts.map(({ body }) => body)).toEqual([press, press])
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
