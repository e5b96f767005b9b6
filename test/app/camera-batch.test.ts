/** Many cameras in one request of the operator: each made what is said of it, and refused by itself. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { enterCameras } from '../../src/bridge/operator/camera-batch.ts'
import { createCameraRecords } from '../../src/bridge/operator/camera-records.ts'
import { createHttpApp } from '../../src/bridge/doors/http.ts'
import { createOperatorRoutes } from '../../src/bridge/operator/operator.ts'
import { BridgeError } from '../../src/core/errors.ts'
import { cameraBatchResults, type BatchResult } from '../../src/core/wire/registration.ts'
import { conforming } from '../wire/conform.ts'
import { openWholeHouse, type WholeHouse } from './whole-house.ts'

const operatorKey = 'operator-key-of-the-tests-32-characters'
let house: WholeHouse
let server: Server

beforeEach(async () => {
  house = await openWholeHouse()
  const { bridge } = house
  const registrations = createCameraRecords(bridge.cameras, 'https://bridge.example')
  const operator = createOperatorRoutes({ keys: [operatorKey], registrations, ...bridge })
  server = createServer(createHttpApp(bridge, () => {}, { forwarderSecret: undefined, operator, clock: Date.now }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await house.addUser('ada')
  await house.addUser('bob')
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await house[Symbol.asyncDispose]()
})

async function post(body: object, key = operatorKey): Promise<Response> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/operator/cameras:batch`
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return conforming('POST', await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }))
}

async function batch(cameras: readonly unknown[], options: object = {}): Promise<readonly BatchResult[]> {
  const response = await post({ cameras, ...options })
  expect(response.status).toBe(200)
  return cameraBatchResults.parse(await response.json()).results
}

const porch = { id: 'porch', name: 'Porch', owner: 'ada', room: 'Garden', hasMotion: true }
const yard = { id: 'yard', name: 'Yard', owner: 'bob', kind: 'camera', channelName: 'v-7' }
const versionOf = async (id: string) => (await house.store.collection('camera').get(id))?.version

test('cameras are created with what their firmware needs, and the same batch again writes nothing', async () => {
  const made = await batch([porch, yard])
  expect(made).toMatchObject([
    { result: 'created', cameraId: 'porch', access: { channelName: 'porch', cameraKey: expect.any(String) } },
    { result: 'created', cameraId: 'yard', access: { channelName: 'v-7' } },
  ])
  expect(await batch([porch, yard])).toEqual([
    { result: 'unchanged', cameraId: 'porch' },
    { result: 'unchanged', cameraId: 'yard' },
  ])
  expect([await versionOf('porch'), await versionOf('yard')]).toEqual([1, 1])
})

test('a camera that is said otherwise is changed, and what is not said any more is gone; its key stays', async () => {
  const [made] = await batch([porch])
  const { room: _room, ...without } = porch
  expect(await batch([{ ...without, name: 'Back porch', hasBattery: true }])).toEqual([
    { result: 'changed', cameraId: 'porch' },
  ])
  const key = made?.result === 'created' ? made.access?.cameraKey : undefined
  const camera = await house.bridge.cameras.byKey('porch', key ?? '')
  expect(camera).toMatchObject({ name: 'Back porch', hasBattery: true, hasMotion: true })
  expect(camera).not.toHaveProperty('room')
})

test.each([
  ['text', 'porch', undefined, 'must be'],
  ['nothing', null, undefined, 'must be'],
  ['no name', { id: 'gate', owner: 'ada' }, 'gate', 'name: is missing'],
  ['an id that is none', { ...porch, id: '..' }, undefined, 'id: must be 1 to 256'],
  ['a field that is none', { ...porch, id: 'gate', nmae: 'x' }, 'gate', 'unknown fields: nmae'],
  ['a network camera', { ...porch, id: 'gate', source: 'rtsp://10.0.0.1/' }, 'gate', 'unknown fields: source'],
  ['nobody named', { id: 'gate', name: 'Gate' }, 'gate', 'owner (a login) or account'],
  ['a login that nobody has', { ...porch, id: 'gate', owner: 'eve' }, 'gate', 'nobody has the login eve'],
  ['the channel of another camera', { ...porch, id: 'gate', channelName: 'v-7' }, 'gate', 'that of camera yard'],
  ['another owner', { ...yard, owner: 'ada' }, 'yard', 'owner: cannot be changed'],
  ['another kind and channel', { ...yard, kind: 'doorbell', channelName: 'x' }, 'yard', 'kind, channelName: cannot'],
  ['a recording where nothing is recorded', { ...porch, id: 'gate', record: 'always' }, 'gate', 'nothing is recorded'],
  ['another way of offering', { ...yard, road: 'alexa-offer' }, 'yard', 'road: cannot be changed'],
])('%s is refused with the reason, in a dry run too, and stops no other', async (_case, item, cameraId, message) => {
  await batch([yard])
  for (const options of [{ dryRun: true }, {}]) {
    const [refused, other] = await batch([item, porch], options)
    expect(refused).toMatchObject({ result: 'refused', error: 'invalid_request' })
    expect(refused).toMatchObject({ message: expect.stringContaining(message) })
    expect(refused?.cameraId).toBe(cameraId)
    expect(other).toMatchObject({ result: 'created', cameraId: 'porch' })
  }
  expect(await house.bridge.cameras.byId('gate')).toBeUndefined()
  expect(await versionOf('yard')).toBe(1)
})

test('of two items for one camera, or for one channel, the first counts', async () => {
  const results = await batch([porch, { ...porch, name: 'Other' }, yard, { ...yard, id: 'gate' }])
  expect(results.map(({ result }) => result)).toEqual(['created', 'refused', 'created', 'refused'])
  expect(results).toMatchObject([{}, { message: expect.stringContaining('twice') }, {}, { cameraId: 'gate' }])
  expect(await house.bridge.cameras.byId('porch')).toMatchObject({ name: 'Porch' })
})

test('a dry run says what would be done, and does none of it', async () => {
  await batch([porch])
  expect(
    await batch([{ ...porch, name: 'Other' }, yard, { ...porch, id: 'gate', owner: 'bob' }], { dryRun: true }),
  ).toEqual([
    { result: 'changed', cameraId: 'porch' },
    { result: 'created', cameraId: 'yard' },
    { result: 'created', cameraId: 'gate' },
  ])
  expect(await house.bridge.cameras.byId('porch')).toMatchObject({ name: 'Porch' })
  expect(await house.bridge.cameras.byId('yard')).toBeUndefined()
})

test.each([
  ['no cameras', { cameras: [] }, 400],
  ['no list', {}, 400],
  ['more than 100', { cameras: Array.from({ length: 101 }, (_, n) => ({ ...porch, id: `c-${n}` })) }, 400],
  ['a field that is none', { cameras: [porch], dry: true }, 400],
  ['more than the body holds', { cameras: [{ ...porch, name: 'x'.repeat(513 * 1024) }] }, 413],
])('a batch of %s is refused as a whole', async (_case, body, status) => {
  expect((await post(body)).status).toBe(status)
  expect(await house.bridge.cameras.byId('porch')).toBeUndefined()
})

test('only the operator opens it', async () => {
  expect((await post({ cameras: [porch] }, 'x')).status).toBe(401)
})

test('a hundred cameras are one request, and of each owner one question', async () => {
  const cameras = Array.from({ length: 100 }, (_, n) => ({
    id: `c-${n}`,
    name: `Camera ${n}`,
    owner: n % 2 ? 'ada' : 'bob',
  }))
  expect((await batch(cameras)).every(({ result }) => result === 'created')).toBe(true)

  const asked: unknown[] = []
  const ada = await house.bridge.cameras.byId('c-1')
  const ownerOf = async (owner: object) => {
    asked.push(owner)
    if (ada === undefined) throw new Error('no camera')
    return ada.accountId
  }
  const records = createCameraRecords(house.bridge.cameras, 'https://bridge.example')
  const results = await enterCameras(cameras, { records, ownerOf, dryRun: true })
  expect(results).toHaveLength(100)
  expect(asked).toEqual([{ owner: 'bob' }, { owner: 'ada' }])
})

test.each(['store_failed', 'rate_limited', 'internal'] as const)(
  'what is no fault of a camera (%s) fails the batch once the others are tried, and the batch again completes it',
  async (code) => {
    const records = createCameraRecords(house.bridge.cameras, 'https://bridge.example')
    const accountId = (await house.bridge.linking.oauth.users.find('ada'))?.accountId
    if (accountId === undefined) throw new Error('no ada')
    const ownerOf = async () => accountId
    const items = [porch, { ...porch, id: 'gate' }]
    const broken: typeof records = {
      ...records,
      async add(camera, ...rest) {
        if (camera.id === 'porch') throw new BridgeError(code, 'of the test')
        return records.add(camera, ...rest)
      },
    }
    await expect(enterCameras(items, { records: broken, ownerOf, dryRun: false })).rejects.toMatchObject({ code })
    const again = await enterCameras(items, { records, ownerOf, dryRun: false })
    expect(again.map(({ result }) => result)).toEqual(['created', 'unchanged'])
  },
)

test('a camera that the same request, sent twice, added meanwhile is unchanged', async () => {
  const records = createCameraRecords(house.bridge.cameras, 'https://bridge.example')
  const accountId = (await house.bridge.linking.oauth.users.find('ada'))?.accountId
  if (accountId === undefined) throw new Error('no ada')
  const options = { records, ownerOf: async () => accountId, dryRun: false }
  const both = await Promise.all([enterCameras([porch], options), enterCameras([porch], options)])
  expect(both.flatMap((results) => results.map(({ result }) => result)).toSorted()).toEqual(['created', 'unchanged'])
})
