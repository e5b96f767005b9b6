/** The operator's API for cameras where they are records only, as on AWS: who may, whose they are, what can be changed. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { openOnAws } from '../../src/bridge/aws/aws.ts'
import { createCameraRecords } from '../../src/bridge/operator/camera-records.ts'
import { createHttpApp } from '../../src/bridge/doors/http.ts'
import { createOperatorRoutes } from '../../src/bridge/operator/operator.ts'
import { conforming } from '../wire/conform.ts'
import { openWholeHouse, type WholeHouse } from './whole-house.ts'

const operatorKey = 'operator-key-of-the-tests-32-characters'
const foreign = {
  TRANSOM_TOKEN_ISSUER: 'https://login.vendor.example',
  TRANSOM_TOKEN_AUDIENCE: 'cameras',
  TRANSOM_TOKEN_JWKS_URL: 'http://127.0.0.1:9/jwks',
}
let house: WholeHouse
let server: Server

async function open(env: Readonly<Record<string, string>> = {}, keys: readonly string[] = [operatorKey]) {
  house = await openWholeHouse(env)
  const { bridge } = house
  const registrations = createCameraRecords(bridge.cameras, 'https://bridge.example')
  const operator = createOperatorRoutes({ keys, registrations, broker: bridge.broker, linking: bridge.linking })
  const options = { forwarderSecret: undefined, operator, behindProxy: 2, clock: Date.now }
  server = createServer(createHttpApp(bridge, () => {}, options))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
}
beforeEach(() => open())
afterEach(close)

async function close() {
  server.closeAllConnections()
  server.close()
  await house[Symbol.asyncDispose]()
}

async function ask(method: string, path: string, body?: object, key = operatorKey) {
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/operator${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  await conforming(method, response)
  const text = await response.text()
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as Record<string, string> }
}

test('on AWS there is such an API only with an operator key', () => {
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const keys = { signing: [jwk], cookies: ['c'.repeat(32)], sealing: randomBytes(32).toString('base64') }
  const env = {
    AWS_REGION: 'us-east-1',
    TRANSOM_TABLE: 't',
    TRANSOM_PUBLIC_URL: 'https://bridge.example',
    TRANSOM_KEYS: JSON.stringify(keys),
    TRANSOM_CLIENTS: '[]',
  }
  expect(openOnAws({ ...env, TRANSOM_OPERATOR_KEY: '' }, Date.now, () => {}).operator).toBeUndefined()
  expect(openOnAws({ ...env, TRANSOM_OPERATOR_KEY: operatorKey }, Date.now, () => {}).operator).toBeDefined()
})

test('only a key of the operator opens it, and any of several', async () => {
  await close()
  await open({}, ['token-of-this-run', operatorKey])
  await house.addUser('ada')
  for (const key of ['token-of-this-run', operatorKey]) {
    expect(await ask('GET', '/cameras?owner=ada', undefined, key)).toEqual({ status: 200, body: { cameras: [] } })
  }
  for (const key of ['x', operatorKey.slice(1), `${operatorKey}x`]) {
    expect((await ask('GET', '/cameras?owner=ada', undefined, key)).status).toBe(401)
  }
})

test('behind proxies wrong keys are counted by the client’s address, at the cameras’ door, too', async () => {
  const { port } = server.address() as AddressInfo
  const clients = Array.from({ length: 30 }, (_, n) => `198.51.100.${n}, 203.0.113.7`)
  for (const path of ['/operator/cameras', '/cameras/porch/events']) {
    const before = house.lines.length
    const answers = await Promise.all(
      clients.map(async (client) => {
        const headers = { authorization: 'Bearer wrong', 'x-forwarded-for': client }
        return (await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers })).status
      }),
    )
    expect(new Set(answers)).toEqual(new Set([401]))
    // One whose address had said many wrong keys would be slowed, and not logged.
    const logged = house.lines.slice(before).filter((line) => line.includes('admission.wrong-key'))
    expect(logged).toHaveLength(clients.length)
  }
  const app = createHttpApp(house.bridge, () => {}, { forwarderSecret: undefined, clock: Date.now })
  expect(app.get('trust proxy')).toBe(0)
})

test('a camera is added with its key, on a channel that the vendor names', async () => {
  const accountId = await house.addUser('ada')
  const { status, body } = await ask('POST', '/cameras', { id: 'porch', name: 'Porch', owner: 'ada' })
  expect([status, body]).toEqual([
    201,
    {
      cameraId: 'porch',
      channelName: 'porch',
      cameraKey: expect.stringMatching(/^[\w-]{43}$/),
      eventsUrl: 'https://bridge.example/cameras/porch/events',
    },
  ])
  const { cameras } = house.bridge
  expect(await cameras.byKey('porch', body['cameraKey'] ?? '')).toMatchObject({ accountId, name: 'Porch' })

  const byAccount = await ask('POST', '/cameras', { id: 'yard', name: 'Yard', account: accountId, channelName: 'v-7' })
  expect(byAccount.body).toMatchObject({ cameraId: 'yard', channelName: 'v-7' })
  expect(await cameras.byChannel('v-7')).toMatchObject({ id: 'yard', channel: { channelName: 'v-7', road: 'viewer' } })
})

test.each([
  ['nobody named', {}, 'owner (a login) or account'],
  ['two named', { owner: 'ada', account: 'a' }, 'owner (a login) or account'],
  ['a login that nobody has', { owner: 'eve' }, 'nobody has the login eve'],
  ['an account that is none', { account: 'a-1' }, 'there is no account a-1'],
  ['a channel that is none', { owner: 'ada', channelName: 'a b' }, '1 to 256 of a-z'],
  ['the channel of another camera', { owner: 'ada', channelName: 'front-door' }, 'that of camera front-door'],
  ['an id that is taken', { id: 'front-door', owner: 'ada' }, 'there is a camera front-door already'],
])('%s is refused with what would be right', async (_case, request, message) => {
  await house.addCamera(await house.addUser('ada'))
  const answer = await ask('POST', '/cameras', { id: 'porch', name: 'Porch', ...request })
  expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining(message) } })
  expect(await house.bridge.cameras.byId('porch')).toBeUndefined()
})

test('where another server has the accounts, they are named by their ids', async () => {
  await close()
  await open(foreign)
  const refused = await ask('POST', '/cameras', { id: 'porch', name: 'Porch', owner: 'ada' })
  expect(refused.body['message']).toContain('name the account id')
  expect((await ask('POST', '/cameras', { id: 'porch', name: 'Porch', account: 'theirs|7' })).status).toBe(201)
  const { body } = await ask('GET', '/cameras?account=theirs%7C7')
  expect(body).toEqual({ cameras: [expect.objectContaining({ cameraId: 'porch', accountId: 'theirs|7' })] })
})

test('a change keeps the key and all that is not named, null takes away, and the assistants are told', async () => {
  const account = await house.addUser('ada')
  const { body } = await ask('POST', '/cameras', {
    id: 'porch',
    name: 'Porch',
    room: 'Yard',
    hasMotion: true,
    owner: 'ada',
  })
  const before = (await house.bridge.cameras.byId('porch'))!
  await house.link(account, 'alexa')
  await house.bridge.settled()
  const told = () => house.amazon.events.filter(({ event }) => event.header.name === 'AddOrUpdateReport').length
  const toldBefore = told()

  const sensors = [{ name: 'AirQuality', states: ['healthy', 'unhealthy'] }]
  const change = { name: 'Back porch', room: null, manufacturer: 'Vendor', hasSpeaker: false, sensors }
  expect((await ask('PATCH', '/cameras/porch', change)).status).toBe(204)
  const { room: _room, ...rest } = before
  const after = { ...rest, name: 'Back porch', manufacturer: 'Vendor', hasSpeaker: false, sensors }
  expect(await house.bridge.cameras.byKey('porch', body['cameraKey'] ?? '')).toEqual(after)
  expect(await house.bridge.cameras.signer('porch')).toBeDefined()
  await house.bridge.settled()
  expect(told()).toBe(toldBefore + 1)

  for (const wrong of [{ name: null }, { id: 'x' }, { owner: 'eve' }, { kind: 'camera' }, { channelName: 'x' }]) {
    expect([wrong, (await ask('PATCH', '/cameras/porch', wrong)).status]).toEqual([wrong, 400])
  }
  expect(await house.bridge.cameras.byId('porch')).toEqual(after)
  expect((await ask('PATCH', '/cameras/attic', { name: 'x' })).status).toBe(404)
})

test('where no gateway runs, a source is refused and kept nowhere', async () => {
  await house.addCamera(await house.addUser('ada'), 'porch')
  const source = 'rtsp://me:s3cret@camera.example/live'
  const added = await ask('POST', '/cameras', { id: 'attic', name: 'Attic', owner: 'ada', source })
  const changed = await ask('PATCH', '/cameras/porch', { name: 'Elsewhere', source })
  for (const { status, body } of [added, changed]) {
    expect([status, body['message']]).toEqual([400, expect.stringContaining('no gateway runs here')])
    expect(JSON.stringify(body)).not.toContain('s3cret')
  }
  expect(await house.bridge.cameras.byId('attic')).toBeUndefined()
  expect(await house.bridge.cameras.byId('porch')).not.toMatchObject({ name: 'Elsewhere' })
})

test('where nothing is recorded, no camera claims to be', async () => {
  await house.addCamera(await house.addUser('ada'), 'porch')
  const added = await ask('POST', '/cameras', { id: 'attic', name: 'Attic', owner: 'ada', record: 'always' })
  const changed = await ask('PATCH', '/cameras/porch', { record: 'events' })
  for (const { status, body } of [added, changed])
    expect([status, body['message']]).toEqual([400, 'record: nothing is recorded here'])
  expect(await house.bridge.cameras.byId('attic')).toBeUndefined()
  expect(await house.bridge.cameras.byId('porch')).not.toHaveProperty('record')
})

test('changes at the same time are all kept', async () => {
  await house.addCamera(await house.addUser('ada'), 'porch')
  const changes = [{ name: 'Porch' }, { room: 'Yard' }]
  await Promise.all(changes.map((change) => ask('PATCH', '/cameras/porch', change)))
  expect(await house.bridge.cameras.byId('porch')).toMatchObject({ name: 'Porch', room: 'Yard' })
})

test('a new key ends the old one, and a removed camera is gone', async () => {
  await house.addUser('ada')
  const { body: first } = await ask('POST', '/cameras', {
    id: 'porch',
    name: 'Porch',
    owner: 'ada',
    channelName: 'v-7',
  })
  const { status, body: second } = await ask('POST', '/cameras/porch/keys')
  expect([status, second]).toEqual([201, { ...first, cameraKey: expect.any(String) }])
  const { cameras } = house.bridge
  expect(await cameras.byKey('porch', first['cameraKey'] ?? '')).toBeUndefined()
  expect(await cameras.byKey('porch', second['cameraKey'] ?? '')).toBeDefined()
  for (const [method, path, body] of [
    ['DELETE', '/keys/AKIA'],
    ['GET', '/keys'],
    ['POST', '/keys', { cameras: ['porch'] }],
  ] as const)
    expect((await ask(method, path, body)).body['message']).toContain('IAM')

  expect((await ask('DELETE', '/cameras/porch')).status).toBe(204)
  expect([await cameras.byId('porch'), await cameras.byChannel('v-7')]).toEqual([undefined, undefined])
  for (const [method, path] of [
    ['DELETE', '/cameras/porch'],
    ['POST', '/cameras/porch/keys'],
  ] as const) {
    expect((await ask(method, path)).status).toBe(404)
  }
})
