/** Network cameras by the page's API: found, probed, added, tried, edited, by those who may; a gateway reads them. */
import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import express, { type Response } from 'express'
import { mayNameSource } from '../../src/bridge/cameras/source-rule.ts'
import { answerError } from '../../src/bridge/web/refusals.ts'
import { createSourceRoutes, type SourceWork } from '../../src/bridge/web/sources.ts'
import { accountId, type Camera } from '../../src/core/ports.ts'
import { startGatewayForBridge } from '../../src/gateway/for-bridge.ts'
import { createGatewayConnections } from '../../src/transom/gateway-connections.ts'
import type { CameraSource, SourceProbe } from '../../src/core/wire/source.ts'
import { createFakeOnvif } from '../gateway/onvif/device.ts'
import { backChannel, createFakeCamera, pcma, type FakeCamera, type Habits } from '../gateway/rtsp/camera.ts'
import { createCertificate } from '../kvs/fake-kvs.ts'
import { recordMoving, sendMoving, type Moving } from '../gateway/rtsp/moving.ts'
import { gatewayKey, openHouse, type HouseOptions } from './house.ts'
import { until } from '../until.ts'

const login = { user: 'admin', password: 's3cret/of the@porch' }
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A house with a gateway that reads for it, and its owner. */
async function house(options: HouseOptions = {}) {
  const one = await openHouse({ hasGateways: true, ...options })
  closing.push(() => one[Symbol.asyncDispose]())
  const gateway = startGatewayForBridge({ bridge: one.url, key: gatewayKey, clock: Date.now, log: () => undefined })
  closing.push(() => gateway.close())
  await until(() => one.gateways.isConnected('home'))
  const anna = await one.person('anna')
  const ask = async (method: string, path: string, body?: unknown, token = anna.token) => {
    const reply = await one.ask(token, method, path, body)
    return { status: reply.status, body: reply.body as unknown as Answer }
  }
  return { ...one, anna, ask }
}
type Answer = SourceProbe &
  CameraSource & {
    readonly error: string
    readonly message: string
    readonly advice: string
    readonly cameraId: string
  } & {
    readonly fault: { readonly code: string; readonly advice: string }
    readonly certificate: { readonly place: string; readonly fingerprint: string }
    readonly packets: number
    readonly canNameSource?: true
  }

async function camera(habits: Habits = {}): Promise<FakeCamera> {
  const made = await createFakeCamera({ quiet: true, ...habits })
  closing.push(() => made.close())
  return made
}
const isPlaying = (from: FakeCamera) => () => from.requests.some(({ method }) => method === 'PLAY')
const h264 = async () => recordMoving('H.264', 3)
const sdpOf = ({ sdp }: Moving) => sdp + pcma + backChannel

/** Three groups of three pictures, each a second after the other. */
async function play(from: FakeCamera, moving: Moving): Promise<void> {
  await until(isPlaying(from))
  for (const second of [0, 1, 2]) sendMoving(from, moving, second * 90_000)
}

test('an address is probed with its password: what it sends, what displays get, and a picture, before anything is saved', async () => {
  const moving = await h264()
  const at = await camera({ login, sdp: sdpOf(moving) })
  const { ask } = await house()
  expect((await ask('GET', '/api/me')).body.canNameSource).toBe(true)
  const probing = ask('POST', '/api/sources/probe', { address: `rtsp://127.0.0.1:${at.port}/live`, ...login })
  await play(at, moving)
  const { status, body } = await probing
  expect(status).toBe(200)
  expect(body.best).toEqual(body.streams[0])
  expect(body.best).toMatchObject({ codec: 'H264', width: 320, height: 240, keyFrameMs: 1_000, hasBackChannel: true })
  expect(body.best).toMatchObject({ displays: expect.stringContaining('Echo Show'), advice: [] })
  expect(Buffer.from(body.picture ?? '', 'base64').readUInt16BE()).toBe(0xffd8)
  expect(JSON.stringify(body)).not.toContain(login.password)
  expect((await ask('GET', '/api/cameras')).body).toEqual({ cameras: [] })
  expect(at.requests.at(-1)?.method).toBe('TEARDOWN')
})

test('all streams of an ONVIF camera, of which H.265 is converted and says so', async () => {
  const [plain, hevc] = await Promise.all([h264(), recordMoving('H.265', 3)])
  const [sub, main] = [await camera({ sdp: sdpOf(plain) }), await camera({ sdp: hevc.sdp })]
  const device = await createFakeOnvif({
    login,
    streams: [
      { token: 'main', codec: 'H265', width: 2560, height: 1440, uri: `rtsp://10.0.0.1:${main.port}/1` },
      { token: 'sub', codec: 'H264', width: 320, height: 240, uri: `rtsp://10.0.0.1:${sub.port}/2` },
    ],
  })
  closing.push(() => device.close())
  const { ask } = await house()
  const probing = ask('POST', '/api/sources/probe', { address: `127.0.0.1:${device.port}`, ...login })
  await play(main, hevc)
  await play(sub, plain)
  const { body } = await probing
  expect(body.best?.name).toBe('sub')
  expect(body.streams[0]).toMatchObject({ name: 'main', converted: 'H.265', displays: expect.stringContaining('core') })
  expect(body.information.model).toBe('Bell & Co')
})

test.each<[string, Habits | undefined, string, string]>([
  ['a wrong password', { login: { ...login, password: 'other' } }, '/live', 'source_password'],
  ['a wrong path', { statuses: { DESCRIBE: 404 } }, '/nothing', 'source_not_found'],
  ['no camera', undefined, '/live', 'source_refused'],
])('%s is refused with its cause and advice', async (_what, habits, path, code) => {
  const at = await camera(habits)
  if (habits === undefined) await at.unplug()
  const { ask } = await house()
  const address = `rtsp://127.0.0.1:${at.port}${path}`
  const { status, body } = await ask('POST', '/api/sources/probe', { address, ...login })
  expect([status, body.error, body.advice.length > 20]).toEqual([503, code, true])
  expect(JSON.stringify(body)).not.toContain(login.password)
})

test('what is no address is the request’s own fault', async () => {
  const { ask } = await house()
  const wrong = [
    ['/api/sources/probe', { address: 'rtsp://' }],
    ['/api/sources/probe', { address: 'file:///etc/passwd' }],
    ['/api/sources/probe', { address: 'camera', password: 'without a user' }],
    ['/api/sources/restreams', { address: 'rtsp://nas:8554/' }],
    ['/api/cameras', { name: 'Porch', source: { address: '/etc/passwd' } }],
    ['/api/cameras', { name: 'Porch', source: { address: 'synthetic' } }],
  ] as const
  for (const [path, body] of wrong) {
    const { status, body: answer } = await ask('POST', path, body)
    expect([path, body, status, answer.error]).toEqual([path, body, 400, 'invalid_request'])
  }
})

test('an added camera is edited without its password, tried by it, and never shows it', async () => {
  const moving = await h264()
  const at = await camera({ login, sdp: sdpOf(moving) })
  const { ask } = await house()
  const source = { address: `rtsp://127.0.0.1:${at.port}/user=admin_password=tlJwpbo6`, ...login }
  const added = await ask('POST', '/api/cameras', { name: 'Porch', kind: 'camera', model: 'Bell', source })
  expect([added.status, Object.keys(added.body).sort()]).toEqual([
    201,
    ['cameraId', 'cameraKey', 'channelName', 'eventsUrl'],
  ])
  const path = `/api/cameras/${added.body.cameraId}`
  expect((await ask('GET', `${path}/source`)).body).toEqual({
    place: `rtsp://127.0.0.1:${at.port}`,
    user: 'admin',
    gateway: 'home',
    certificates: [],
  })
  // The name alone, then the user alone: the password that is kept goes to its own user only.
  expect((await ask('PATCH', path, { name: 'Back porch', room: 'Garden' })).status).toBe(204)
  expect((await ask('GET', path)).body).toMatchObject({ name: 'Back porch', room: 'Garden' })
  expect((await ask('PATCH', path, { source: { password: 'wrong' } })).status).toBe(204)
  const refused = await ask('POST', `${path}/try`)
  expect([refused.status, refused.body.fault.code]).toEqual([200, 'source_password'])
  expect((await ask('PATCH', path, { room: null, source: { password: login.password } })).status).toBe(204)
  const count = at.requests.length
  const trying = ask('POST', `${path}/try`)
  await until(() => at.requests.slice(count).some(({ method }) => method === 'PLAY'))
  for (const second of [0, 1, 2]) sendMoving(at, moving, second * 90_000)
  const tried = await trying
  expect(tried.body.best).toMatchObject({ codec: 'H264', keyFrameMs: 1_000 })
  const said = JSON.stringify([added, refused, await ask('GET', path), await ask('GET', `${path}/source`)])
  for (const secret of [login.password, 'tlJwpbo6']) expect(said).not.toContain(secret)
})

test('a kept password goes neither to another host nor to another user', async () => {
  const [old, other] = [await camera({ login }), await camera({ challenges: ['Basic realm="r"'], login })]
  const { ask } = await house()
  const source = { address: `rtsp://127.0.0.1:${old.port}/live`, ...login }
  const { body } = await ask('POST', '/api/cameras', { name: 'Porch', source })
  const path = `/api/cameras/${body.cameraId}`
  await ask('PATCH', path, { source: { address: `rtsp://127.0.0.1:${other.port}/live` } })
  expect((await ask('GET', `${path}/source`)).body).not.toHaveProperty('user')
  await ask('PATCH', path, { source: { user: 'guest' } })
  await ask('POST', `${path}/try`)
  const sent = other.requests.flatMap(({ headers }) => headers.get('authorization') ?? [])
  expect(new Set(sent.map((one) => Buffer.from(one.replace('Basic ', ''), 'base64').toString()))).toEqual(
    new Set(['guest:']),
  )
})

test('an ONVIF device at another host than before is asked with a password that is given for it only', async () => {
  const { ask, gateways } = await house()
  const source = { address: 'rtsp://127.0.0.1:9/live', ...login }
  const { body } = await ask('POST', '/api/cameras', { name: 'Porch', source })
  const path = `/api/cameras/${body.cameraId}`
  const change = async (source: object) => (await ask('PATCH', path, { source })).status
  const elsewhere = 'http://127.0.0.2:9/onvif/device_service'
  expect(await change({ onvif: elsewhere })).toBe(400)
  expect(await change({ onvif: elsewhere, user: login.user })).toBe(400)
  expect(await change({ onvif: 'http://127.0.0.1:81/onvif/device_service' })).toBe(204)
  expect(await change({ onvif: elsewhere, password: login.password })).toBe(204)
  expect(await change({ onvif: `${elsewhere}?other` })).toBe(204)
  expect(await change({ onvif: 'http://127.0.0.3/', address: 'rtsp://127.0.0.1:9/other' })).toBe(400)
  expect(await change({ onvif: 'http://127.0.0.3/', address: 'rtsp://127.0.0.3/', user: null })).toBe(204)
  for (const unreadable of ['http://[', 'http://porch:99999/']) expect(await change({ onvif: unreadable })).toBe(400)
  expect((await gateways.sourceOf(body.cameraId))?.onvif).toBe('http://127.0.0.3/')
})

test('another certificate than the first is shown, and trusted when its owner says so', async () => {
  const [first, second] = await Promise.all([createCertificate(), createCertificate()])
  const at = await camera({ tls: first })
  const { ask } = await house()
  const place = `127.0.0.1:${at.port}`
  const source = { address: `rtsps://${place}/live` }
  const { body } = await ask('POST', '/api/cameras', { name: 'Porch', source })
  const path = `/api/cameras/${body.cameraId}`
  const trusted = async () => (await ask('GET', `${path}/source`)).body.certificates
  await until(async () => (await trusted()).length > 0)
  at.changeCertificate(second)
  const refused = await ask('POST', `${path}/try`)
  expect(refused.body.fault.code).toBe('source_certificate')
  const shown = refused.body.certificate
  expect(shown.place).toBe(place)
  expect(await trusted()).not.toEqual([shown])
  expect((await ask('PUT', `${path}/certificate`, shown)).status).toBe(204)
  expect(await trusted()).toEqual([shown])
})

/** The routes with somebody of a vendor's tenant, who never has the page of a bridge that several parties share. */
async function tenanted() {
  const app = express()
  const untouched = new Proxy({} as SourceWork, {
    get: (_target, name) => {
      throw new Error(`${String(name)} was asked for`)
    },
  })
  app.use(
    createSourceRoutes({
      ownerOf: async () => ({ accountId: accountId('eve'), login: 'eve', name: 'Eve', tenant: 'vendor' }),
      mayNameSource,
      own: { list: async () => [], find: async () => ({ id: 'porch' }) as unknown as Camera },
      registrations: { change: async () => undefined },
      networkCameras: untouched,
    }),
  )
  app.use(answerError(() => undefined))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(async () => server.close())
  return async (method: string, path: string, body: unknown) => {
    const { port } = server.address() as AddressInfo
    const init = { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
    return `${response.status} ${await response.text()}`
  }
}

test('to somebody of a tenant all addresses are alike, and no gateway is asked', async () => {
  const ask = await tenanted()
  const answers = new Set<string>()
  for (const address of ['rtsp://127.0.0.1/', 'rtsp://10.0.0.1:1/', 'nowhere.invalid', '', 7]) {
    for (const what of ['probe', 'restreams', 'discover'])
      answers.add(await ask('POST', `/sources/${what}`, { address }))
    answers.add(await ask('PATCH', '/cameras/porch', { source: { address: 'rtsp://10.0.0.1/' } }))
    answers.add(await ask('PUT', '/cameras/porch/certificate', { place: address }))
  }
  expect([...answers]).toEqual([expect.stringMatching(/^403 .*forbidden/)])
})

test('an app may look and not name, and a camera of somebody else does not exist', async () => {
  const at = await camera()
  const { ask, person, appToken } = await house()
  const { token: bob } = await person('bob')
  const source = { address: `rtsp://127.0.0.1:${at.port}/1` }
  const { body } = await ask('POST', '/api/cameras', { name: 'Porch', source })
  const app = await appToken('anna')
  for (const path of ['/api/sources/probe', '/api/sources/restreams', '/api/sources/discover'])
    expect((await ask('POST', path, source, app)).status).toBe(403)
  expect((await ask('GET', '/api/me', undefined, app)).body).not.toHaveProperty('canNameSource')
  const ways = [
    ['GET', '/source'],
    ['POST', '/try'],
    ['POST', '/tone'],
    ['PATCH', ''],
  ] as const
  for (const [method, rest] of ways)
    expect((await ask(method, `/api/cameras/${body.cameraId}${rest}`, { name: 'x' }, bob)).status).toBe(404)
})

test('one look at a time for each account, and it ends with whoever asked', async () => {
  const at = await camera()
  const { ask, url, anna } = await house()
  const leaving = new AbortController()
  const body = JSON.stringify({ address: `rtsp://127.0.0.1:${at.port}/live` })
  const first = fetch(`${url}/api/sources/probe`, {
    method: 'POST',
    headers: { authorization: `Bearer ${anna.token}` },
    body,
    signal: leaving.signal,
  }).catch(() => 'left')
  await until(isPlaying(at))
  const second = await ask('POST', '/api/sources/probe', { address: 'rtsp://127.0.0.1:1/' })
  expect([second.status, second.body.error]).toEqual([429, 'rate_limited'])
  leaving.abort()
  expect(await first).toBe('left')
  // The gateway has let go of the camera, too, and the next one may come.
  await until(() => at.requests.at(-1)?.method === 'TEARDOWN')
  expect((await ask('POST', '/api/sources/probe', { address: 'rtsp://127.0.0.1:1/' })).body.error).toBe(
    'source_refused',
  )
})

test('a gateway goes no further than the networks that the operator allows', async () => {
  const at = await camera()
  const { ask } = await house({ networks: ['192.0.2.0/24'] })
  for (const address of [`rtsp://127.0.0.1:${at.port}/`, `rtsp://localhost:${at.port}/`, `localhost:${at.port}`]) {
    const { status, body } = await ask('POST', '/api/sources/probe', { address })
    expect([address, status, body.error]).toEqual([address, 400, 'invalid_request'])
  }
  expect((await ask('POST', '/api/sources/restreams', { address: `localhost:${at.port}` })).status).toBe(400)
  expect([at.connections(), at.requests]).toEqual([0, []])
})

test('without a gateway the cause is the gateway', async () => {
  const one = await openHouse({ hasGateways: true })
  closing.push(() => one[Symbol.asyncDispose]())
  const { token } = await one.person('anna')
  const { status, body } = await one.ask(token, 'POST', '/api/sources/discover')
  expect([status, body.error]).toEqual([503, 'source_gateway'])
})

test('a camera that connects by itself has no source, and one without a loudspeaker of its own no tone', async () => {
  const { ask, anna, addCamera } = await house()
  const { id } = await addCamera(anna.account)
  expect((await ask('GET', `/api/cameras/${id}/source`)).status).toBe(404)
  for (const what of ['try', 'tone']) {
    const { status, body } = await ask('POST', `/api/cameras/${id}/${what}`)
    expect([what, status, body.error]).toEqual([what, 400, 'invalid_request'])
  }
})

test('a tone is played at the visitor’s side, and the camera’s word is passed on', async () => {
  const moving = await h264()
  const [bell, mute] = [await camera({ sdp: sdpOf(moving) }), await camera({ sdp: moving.sdp })]
  const { ask } = await house()
  const add = async (at: FakeCamera) =>
    (await ask('POST', '/api/cameras', { name: 'Bell', source: { address: `rtsp://127.0.0.1:${at.port}/live` } })).body
  const [withSpeaker, without] = [await add(bell), await add(mute)]
  const { status, body } = await ask('POST', `/api/cameras/${withSpeaker.cameraId}/tone`)
  expect([status, body]).toEqual([200, { packets: 75, sent: 75 }])
  expect(bell.played.length).toBe(75)
  const refused = await ask('POST', `/api/cameras/${without.cameraId}/tone`)
  expect([refused.status, refused.body.message]).toEqual([503, expect.stringContaining('no back channel')])
})

test.each([
  'PUT recordings/1/fragments/1',
  'PUT recordings/1/picture',
  'PUT snapshot',
  'POST events',
  'POST certificates',
])('a stranger who has %s of a camera to send is refused before a byte of it is read', async (what) => {
  const [method = '', path = ''] = what.split(' ')
  const { url } = await house()
  const asked = request(`${url}/gateway/cameras/porch/${path}`, {
    method,
    headers: { authorization: 'Bearer nobody', 'content-type': 'application/json', 'content-length': 1_000 },
  })
  asked.flushHeaders()
  const [response] = await once(asked, 'response')
  expect(response.statusCode).toBe(401)
  asked.destroy()
})

test('a gateway that hangs up while its key is looked up does not count as connected', () => {
  const gone = { destroyed: true } as Response
  const connections = createGatewayConnections({
    wantedOf: () => Promise.reject(new Error('nobody is to be told anything')),
    onLost: () => undefined,
    log: () => undefined,
  })
  connections.open('garage', gone)
  expect(connections.has('garage')).toBe(false)
})
