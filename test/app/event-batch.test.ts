/** Events of a vendor's cloud: over HTTP with the operator's key, and as SQS, Kinesis and IoT hand them to a Lambda function. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { failuresOf, itemsOf } from '../../src/bridge/aws/event-records.ts'
import { createHttpApp } from '../../src/bridge/doors/http.ts'
import { createCameraRecords } from '../../src/bridge/operator/camera-records.ts'
import { receiveEvents, type EventDeps } from '../../src/bridge/operator/event-batch.ts'
import { createOperatorRoutes } from '../../src/bridge/operator/operator.ts'
import { BridgeError } from '../../src/core/errors.ts'
import type { AccountId, Camera } from '../../src/core/ports.ts'
import { eventResults, type EventResult } from '../../src/core/wire/operator-events.ts'
import { queryReply } from '../../src/core/wire/google.ts'
import { reportState } from '../alexa/directives.ts'
import { conforming } from '../wire/conform.ts'
import { openWholeHouse, type WholeHouse } from './whole-house.ts'

const operatorKey = 'operator-key-of-the-tests-32-characters'
let house: WholeHouse
let server: Server
let ada: AccountId
let porch: Camera
let yard: Camera

beforeAll(async () => {
  house = await openWholeHouse({}, false)
  const { bridge } = house
  const registrations = createCameraRecords(bridge.cameras, 'https://bridge.example')
  const operator = createOperatorRoutes({ keys: [operatorKey], registrations, eventDoor: bridge, ...bridge })
  server = createServer(createHttpApp(bridge, () => {}, { forwarderSecret: undefined, operator, clock: Date.now }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ada = await house.addUser('ada')
})
beforeEach(async () => {
  // All that is known of them goes with them.
  for (const id of ['porch', 'yard']) await house.bridge.cameras.remove(id)
  porch = await house.addCamera(ada, 'porch')
  yard = await house.addCamera(ada, 'yard')
  house.rung.length = 0
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await house[Symbol.asyncDispose]()
})

async function post(events: readonly unknown[], key = operatorKey): Promise<Response> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/operator/events`
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return conforming('POST', await fetch(url, { method: 'POST', headers, body: JSON.stringify({ events }) }))
}
const resultsOf = async (...events: readonly unknown[]) => {
  const response = await post(events)
  expect(response.status).toBe(200)
  return eventResults.parse(await response.json()).results
}

const press = (cameraId: string, eventId: string, at = Date.now()) => ({ cameraId, kind: 'press', eventId, at })
const pressesOf = async (camera: Camera) => (await house.bridge.visits.visits(camera, 0)).length
const rowOf = async (id: string) => {
  const listed = await house.bridge.cameras.byId(id)
  return listed && house.store.collection<{ presence?: object }>('camera-state').get(id)
}

test('events of many cameras are received as from the cameras themselves, the same again once', async () => {
  const events = [press('porch', '1'), press('yard', '1'), { cameraId: 'yard', kind: 'battery', level: 40, at: 1 }]
  expect(await resultsOf(...events)).toEqual(events.map(() => ({ result: 'accepted' })))
  expect(await resultsOf(...events, press('porch', '2'))).toHaveLength(4)
  expect([await pressesOf(porch), await pressesOf(yard)]).toEqual([2, 1])
})

test('each that is not right is refused with the reason, and stops no other', async () => {
  const results = await resultsOf(
    press('porch', '1'),
    press('nobody', '1'),
    { ...press('porch', '2'), kind: 'knock' },
    'text',
    { cameraId: 'porch', kind: 'press', at: 1 },
    press('..', '1'),
    press('porch', '3'),
  )
  expect(results.map(({ result }) => result)).toEqual([
    'accepted',
    ...Array.from({ length: 5 }, () => 'refused'),
    'accepted',
  ])
  expect(results[1]).toMatchObject({ error: 'camera_not_found' })
  expect(results[4]).toMatchObject({ error: 'invalid_request', message: expect.stringContaining('eventId') })
  expect(await pressesOf(porch)).toBe(2)
})

test('a press that is late is kept, and not announced', async () => {
  await resultsOf(press('porch', 'old', Date.now() - 60_000))
  expect(await pressesOf(porch)).toBe(1)
  expect(house.rung).toEqual([])
})

test.each([
  ['no list', {}],
  ['none', { events: [] }],
  ['too many', { events: Array.from({ length: 101 }, (_, n) => press('porch', String(n))) }],
])('a request with %s is refused', async (_case, body) => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/operator/events`
  const headers = { authorization: `Bearer ${operatorKey}`, 'content-type': 'application/json' }
  expect((await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status).toBe(400)
})

test('without the operator’s key nothing is received', async () => {
  expect((await post([press('porch', '1')], 'x'.repeat(43))).status).toBe(401)
  expect(await pressesOf(porch)).toBe(0)
})

/** What receives events, where some fail once. */
function failing(fails: (camera: Camera, at: number) => BridgeError | undefined) {
  const received: string[] = []
  const deps: EventDeps = {
    ...house.bridge,
    events: {
      ...house.bridge.events,
      async receive(camera, news) {
        const error = fails(camera, news.at)
        if (error !== undefined) throw error
        received.push(`${camera.id} ${news.at}`)
      },
    },
  }
  return { deps, received }
}
const battery = (cameraId: string, at: number) => ({ cameraId, kind: 'battery', level: 50, at })

test('those of a camera are received in their order, and none overtakes one that has failed', async () => {
  const { deps, received } = failing((camera, at) =>
    camera.id === 'porch' && at === 2 ? new BridgeError('store_failed') : undefined,
  )
  const results = await receiveEvents(deps, [
    battery('porch', 1),
    battery('porch', 2),
    battery('yard', 2),
    battery('porch', 3),
    battery('yard', 3),
  ])
  expect(results.map(({ result }) => result)).toEqual(['accepted', 'failed', 'accepted', 'failed', 'accepted'])
  expect(received.filter((one) => one.startsWith('porch'))).toEqual(['porch 1'])
  expect(received.filter((one) => one.startsWith('yard'))).toEqual(['yard 2', 'yard 3'])
})

// As in the AWS Lambda developer guide, "Using Lambda with Amazon SQS" and "… Kinesis".
const queued = (messageId: string, body: unknown) => ({
  messageId,
  receiptHandle: 'AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  attributes: {
    ApproximateReceiveCount: '1',
    SentTimestamp: '1545082649183',
    SenderId: 'AIDAIENQZJOLO23YVJ4VO',
    ApproximateFirstReceiveTimestamp: '1545082649185',
  },
  messageAttributes: {},
  md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:us-east-2:123456789012:my-queue',
  awsRegion: 'us-east-2',
})
const streamed = (sequenceNumber: string, data: unknown) => ({
  kinesis: {
    kinesisSchemaVersion: '1.0',
    partitionKey: '1',
    sequenceNumber,
    data: Buffer.from(JSON.stringify(data)).toString('base64'),
    approximateArrivalTimestamp: 1545084650.987,
  },
  eventSource: 'aws:kinesis',
  eventVersion: '1.0',
  eventID: `shardId-000000000006:${sequenceNumber}`,
  eventName: 'aws:kinesis:record',
  invokeIdentityArn: 'arn:aws:iam::123456789012:role/lambda-role',
  awsRegion: 'us-east-2',
  eventSourceARN: 'arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream',
})

/** As the function does. */
async function invoke(event: unknown, deps: EventDeps = house.bridge) {
  const items = itemsOf(event)
  const results = await receiveEvents(
    deps,
    items.map((item) => item.event),
  )
  return { results, response: failuresOf(items, results) }
}

test('of a queue every record that was not accepted comes again, until it is in the dead-letter queue', async () => {
  const { deps } = failing((_camera, at) => (at === 2 ? new BridgeError('store_failed') : undefined))
  const Records = [
    queued('059f36b4', battery('porch', 1)),
    queued('2e1424d4', battery('porch', 2)),
    queued('3a', 'not JSON'),
    queued('4b', battery('nobody', 1)),
    queued('5c', [battery('yard', 1), battery('yard', 2)]),
  ]
  const { response } = await invoke({ Records }, deps)
  expect(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['2e1424d4', '3a', '4b', '5c'])
})

test('of a stream only what may be accepted later comes again: nothing that never can holds up a shard', async () => {
  const { deps } = failing((_camera, at) => (at === 2 ? new BridgeError('internal') : undefined))
  const Records = [
    streamed('49590338271490256608559692538361571095921575989136588898', battery('nobody', 1)),
    streamed('49590338271490256608559692540925702759324208523137515618', battery('porch', 2)),
    streamed('49590338271490256608559692540925702759324208523137515619', 'nonsense'),
  ]
  expect((await invoke({ Records }, deps)).response).toEqual({
    batchItemFailures: [{ itemIdentifier: '49590338271490256608559692540925702759324208523137515618' }],
  })
  expect((await invoke({ Records: [streamed('1', battery('yard', 1))] })).response).toEqual({ batchItemFailures: [] })
})

// As in the AWS IoT Core developer guide, "Lifecycle events".
const connected = (clientId: string, timestamp: number, versionNumber: number) => ({
  clientId,
  timestamp,
  eventType: 'connected',
  sessionIdentifier: 'a4666d2a7d844ae4ac5d7b38c9cb7967',
  principalIdentifier: '12345678901234567890123456789012',
  ipAddress: '192.0.2.0',
  versionNumber,
})
const disconnected = (clientId: string, timestamp: number, versionNumber: number) => ({
  ...connected(clientId, timestamp, versionNumber),
  eventType: 'disconnected',
  clientInitiatedDisconnect: true,
  disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
})

test('IoT’s lifecycle events say whether a camera is there: from a rule, a queue or a stream, in whatever order', async () => {
  const now = Date.now()
  const rule = await invoke(connected('porch', now - 5_000, 1))
  expect(rule).toEqual({ results: [{ result: 'accepted' }], response: { batchItemFailures: [] } })
  expect((await rowOf('porch'))?.value.presence).toMatchObject({ isOnline: true })
  await invoke({
    Records: [queued('1', connected('porch', now - 3_000, 2)), queued('2', disconnected('porch', now - 2_000, 1))],
  })
  expect((await rowOf('porch'))?.value.presence).toMatchObject({ isOnline: true, version: 2 })
  await invoke({ Records: [streamed('1', disconnected('porch', now - 1_000, 2))] })
  expect((await rowOf('porch'))?.value.presence).toMatchObject({ isOnline: false })
  // A client that is named otherwise, and a rule that says which camera that is.
  await invoke({ ...connected('thing-8', now, 1), cameraId: 'yard' })
  expect((await rowOf('yard'))?.value.presence).toMatchObject({ isOnline: true })
})

test('a camera that is reported to be away is unreachable for Alexa and offline for Google, and both are told', async () => {
  const [alexa, google] = [await house.link(ada, 'alexa'), await house.link(ada, 'google')]
  const facts = async () => {
    const report = await house.bridge.alexa.handler(reportState('porch', alexa))
    const properties = 'context' in report ? report.context.properties : []
    const health = properties.find(({ namespace }) => namespace === 'Alexa.EndpointHealth')
    const inputs = [{ intent: 'action.devices.QUERY', payload: { devices: [{ id: 'porch' }] } }]
    const headers = { authorization: `Bearer ${google}` }
    const { body } = await house.bridge.fulfillment({ requestId: '1', inputs }, headers)
    return { alexa: health?.value, google: queryReply.parse(body).payload.devices['porch'] }
  }
  const event = { cameraId: 'porch', kind: 'presence', at: Date.now() }
  for (const [isOnline, word] of [
    [false, 'UNREACHABLE'],
    [true, 'OK'],
  ] as const) {
    const announced = house.amazon.events.length
    event.at += 1
    expect(await resultsOf({ ...event, isOnline })).toEqual([{ result: 'accepted' }])
    expect(await facts()).toMatchObject({ alexa: { value: word }, google: { online: isOnline } })
    await house.bridge.settled()
    expect(JSON.stringify(house.amazon.events.slice(announced))).toContain(`"value":{"value":"${word}"}`)
  }
})

test('an item of no kind at all is refused, and an empty invocation is one', async () => {
  for (const event of [undefined, null, {}, 'x', []]) {
    const { results } = await invoke(event)
    expect(results.every(({ result }: EventResult) => result === 'refused')).toBe(true)
  }
})
