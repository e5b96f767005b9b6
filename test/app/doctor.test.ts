/** `transom doctor` against broken set-ups, each of which it must name by its id, with a remedy; and against whole ones. */
import { createSecretKey } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { alexaRedirectUris, googleRedirectUris } from '../../src/bridge/oauth/client.ts'
import { sign } from '../../src/bridge/signature.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { loadIdentity } from '../../src/signaling/certificates.ts'
import { answerBinding, startStunResponder } from '../../src/signaling/stun.ts'
import type { Finding } from '../../src/transom/doctor/check.ts'
import { examine } from '../../src/transom/doctor/doctor.ts'
import { loadSecrets } from '../../src/transom/secrets.ts'
import { createSources } from '../../src/transom/sources.ts'
import { client as lwaClient, startAmazon } from '../alexa/amazon.ts'
import { createFakeCamera, h264, idr, slice, type Habits } from '../gateway/rtsp/camera.ts'
import { startFakeGoogle } from '../google/fake-google.ts'
import { until } from '../until.ts'

const clock = Date.now
const log = () => {}
const year = 365 * 86_400_000
const forwarderSecret = 'f'.repeat(32)
let dataDir: string
let bridge: FakeBridge
const closing: (() => unknown)[] = []
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'transom-doctor-'))
  closing.push(() => rmSync(dataDir, { recursive: true, force: true }))
  bridge = await startBridge()
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

interface FakeBridge {
  readonly url: string
  readonly server: Server
  /** What it answers, by method and path; the status beside the body. */
  readonly answers: Map<string, readonly [status: number, body: unknown]>
}

/** As much of a running bridge as is asked, all of it well. */
async function startBridge(tls?: { readonly key: string; readonly cert: string }): Promise<FakeBridge> {
  const answers: FakeBridge['answers'] = new Map()
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const scheme = tls === undefined ? 'http' : 'https'
  const url = `${scheme}://localhost:${(server.address() as AddressInfo).port}`
  answers.set('GET /readyz', [200, { ready: true, checks: { store: { ok: true } } }])
  answers.set('GET /oauth/.well-known/openid-configuration', [200, { issuer: `${url}/oauth` }])
  answers.set('GET /operator/cameras', [200, { cameras: [] }])
  answers.set('GET /operator/admin/clients', [200, { clients: [] }])
  answers.set('POST /alexa/forwarded', [400, { error: 'invalid_request' }])
  return { url, server, answers }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').replace(/\?.*/, '')
    const [status, body] = answers.get(`${request.method} ${path}`) ?? [404, { error: 'not_found' }]
    const timestamp = String(request.headers['x-transom-timestamp'])
    const isSigned = request.headers['x-transom-signature'] === sign(forwarderSecret, timestamp, '{}')
    response.statusCode = path === '/alexa/forwarded' && !isSigned ? 401 : status
    response.end(JSON.stringify(body))
  }
}

const access = () => ({ url: `${bridge.url}/operator`, token: 'x' })

/** Runs the doctor; `isRunning`: on the fake bridge. */
function run(env: Readonly<Record<string, string>> = {}, isRunning = true, at = clock): Promise<readonly Finding[]> {
  const base = { TRANSOM_DATA: dataDir, TRANSOM_PORT: '0', TRANSOM_SIGNALING_PORT: '0', TRANSOM_DOORBELL: 'off' }
  const given = { env: { ...base, ...env }, access: isRunning ? access() : undefined }
  return examine({ ...given, clock: at, clockUrl: `${bridge.url}/readyz` })
}

async function idsOfFailed(env?: Readonly<Record<string, string>>, isRunning?: boolean, at?: () => number) {
  const found = await run(env, isRunning, at)
  for (const { ok, remedy, id } of found) if (!ok) expect([id, remedy]).toEqual([id, expect.stringMatching(/\w{3}/)])
  return found.filter(({ ok }) => !ok).map(({ id }) => id)
}

/** A data directory as a first start leaves it. */
async function fill(): Promise<Awaited<ReturnType<typeof loadSecrets>>> {
  const secrets = await loadSecrets(join(dataDir, 'secrets.json'), join(dataDir, 'transom.db'))
  await createSqliteStore(join(dataDir, 'transom.db'), clock).close()
  return secrets
}

const closedPort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const inData = (name: string) => join(dataDir, name)

const newerSchema = async () => {
  await fill()
  const db = new DatabaseSync(inData('transom.db'))
  db.exec('PRAGMA user_version = 99')
  db.close()
}

/** As it listens, with a certificate by this authority, made at that time. */
async function listen(directory: string, at: () => number): Promise<Readonly<Record<string, string>>> {
  const identity = await loadIdentity(directory, ['localhost', '127.0.0.1'], at, log)
  const { server } = await startBridge(identity)
  return { TRANSOM_SIGNALING_PORT: String((server.address() as AddressInfo).port) }
}

const certificates = () => join(dataDir, 'certificates')

const iceServers = (...servers: object[]) => ({ TRANSOM_ICE_SERVERS: JSON.stringify(servers) })

async function amazon(): Promise<Readonly<Record<string, string>>> {
  const started = await startAmazon()
  closing.push(() => started[Symbol.asyncDispose]())
  return {
    // Beside these, the public URL is what is wrong: it is not https.
    TRANSOM_PUBLIC_URL: bridge.url,
    TRANSOM_LWA_CLIENT_ID: lwaClient.clientId,
    TRANSOM_LWA_CLIENT_SECRET: lwaClient.clientSecret,
    TRANSOM_LWA_TOKEN_URL: started.tokenUrl,
    TRANSOM_ALEXA_EVENTS_URL: started.gatewayUrls.NA,
  }
}

async function google() {
  const started = await startFakeGoogle(clock)
  closing.push(() => started.close())
  const path = join(dataDir, 'key.json')
  writeFileSync(path, JSON.stringify(started.keyFile), { mode: 0o600 })
  return { started, env: { TRANSOM_GOOGLE_SERVICE_ACCOUNT: path, TRANSOM_PUBLIC_URL: bridge.url } }
}

/** An attribute of STUN (RFC 8489 section 14). */
function attribute(type: number, value: Buffer): Buffer {
  const padded = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4)
  padded.writeUInt16BE(type, 0)
  padded.writeUInt16BE(value.length, 2)
  value.copy(padded, 4)
  return padded
}

const porch = (port: number, user = '') => `rtsp://${user}127.0.0.1:${port}/live`

async function register(address: string, isOfThisBridge = true): Promise<void> {
  const { keys } = await fill()
  const store = createSqliteStore(join(dataDir, 'transom.db'), clock)
  const sealing = isOfThisBridge ? Buffer.from(keys.sealing, 'base64') : Buffer.alloc(32, 1)
  await createSources(store, createSecretKey(sealing)).put('porch', { source: address })
  await store.close()
}

async function camera(habits: Habits = {}) {
  const made = await createFakeCamera({ quiet: true, ...habits })
  closing.push(() => made.close())
  return made
}

/** Plays two seconds of pictures to whoever looks: with key frames this far apart, by their timestamps. */
async function examined(habits: Habits, keyFrameEach: number, hasBFrames = false): Promise<readonly string[]> {
  const at = await camera(habits)
  await register(porch(at.port))
  const running = idsOfFailed()
  await until(() => at.requests.some(({ method }) => method === 'PLAY'))
  // ue(0), ue(1): the first macroblock, a slice of the kind B.
  const bSlice = Buffer.from([0x01, 0xa0, ...slice.subarray(2)])
  for (let index = 0; index <= 2 * keyFrameEach; index++) {
    const payload = index % keyFrameEach === 0 ? idr : hasBFrames && index % 2 === 0 ? bSlice : slice
    at.send(0, { payload, timestamp: index * 3_600, marker: true })
  }
  return running
}

test('a whole set-up has nothing to complain about, empty or filled', async () => {
  expect(await idsOfFailed()).toEqual([])
  await fill()
  expect(await idsOfFailed()).toEqual([])
})

test('a bridge that is stopped is the one thing that is wrong, and its ports are tried', async () => {
  const found = await run({}, false)
  expect(found.filter(({ ok }) => !ok).map(({ id }) => id)).toEqual(['bridge'])
  expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining(['port', 'signaling-port', 'store', 'public-url']))
})

describe('settings', () => {
  test.each([
    ['an unknown setting', { TRANSOM_PROT: '8080' }],
    ['a bad value', { TRANSOM_PORT: 'eighty' }],
    ['half a pair', { TRANSOM_LWA_CLIENT_ID: 'x' }],
  ])('%s', async (_, env) => {
    expect(await idsOfFailed(env)).toEqual(['settings'])
  })
})

describe('the data directory', () => {
  const broken: readonly (readonly [string, string, () => unknown])[] = [
    ['is a file', 'data-directory', () => (rmSync(dataDir, { recursive: true }), writeFileSync(dataDir, ''))],
    ['is open to others', 'data-directory', () => chmodSync(dataDir, 0o755)],
    [
      'has a store that is none',
      'store',
      async () => (await fill(), writeFileSync(inData('transom.db'), 'x'.repeat(9_000))),
    ],
    ['has a store of a newer version', 'store', newerSchema],
    ['has lost its store', 'store', async () => (await fill(), rmSync(inData('transom.db')))],
    ['has lost its secrets', 'secrets', async () => (await fill(), rmSync(inData('secrets.json')))],
    ['has damaged secrets', 'secrets', async () => (await fill(), writeFileSync(inData('secrets.json'), '{"keys":'))],
    [
      'has secrets that others can read',
      'secrets',
      async () => (await fill(), chmodSync(inData('secrets.json'), 0o644)),
    ],
    [
      'has lost the key of its credentials',
      'secrets',
      async () => {
        const key = { accessKeyId: 'a', secretAccessKey: 'b' }
        const whole = { ...(await fill()), credentials: { application: key, camera: key } }
        writeFileSync(inData('secrets.json'), JSON.stringify(whole))
      },
    ],
  ]
  test.each(broken)('%s: %s', async (_, id, breakIt) => {
    await breakIt()
    expect(await idsOfFailed()).toEqual([id])
  })
})

describe('the bridge', () => {
  test('that is not ready', async () => {
    bridge.answers.set('GET /readyz', [503, { ready: false, checks: { outbox: { ok: false, detail: 'stuck' } } }])
    const found = await run()
    expect(found.find(({ id }) => id === 'bridge')).toMatchObject({ ok: false, detail: 'outbox: stuck' })
  })

  test('that has left its address and does not answer', async () => {
    bridge.server.closeAllConnections()
    bridge.server.close()
    expect(await idsOfFailed()).toEqual(expect.arrayContaining(['bridge', 'cameras', 'redirect-uris']))
  })

  test.each([
    ['port', 'TRANSOM_PORT'],
    ['signaling-port', 'TRANSOM_SIGNALING_PORT'],
  ])('whose %s is taken', async (id, setting) => {
    expect(await idsOfFailed({ [setting]: new URL(bridge.url).port }, false)).toEqual(['bridge', id])
  })

  test.each([
    ['alexa', alexaRedirectUris('M2AAAAAAAAAAAA').slice(1)],
    ['alexa', ['https://skill.example/callback']],
    ['google', googleRedirectUris('doorbell').slice(0, 1)],
  ])('whose client for %s has the redirect URIs %j', async (assistant, redirectUris) => {
    const clients = [{ clientId: 'c', assistant, redirectUris }]
    bridge.answers.set('GET /operator/admin/clients', [200, { clients }])
    expect(await idsOfFailed()).toEqual(['redirect-uris'])
  })

  test('whose clients have all of them', async () => {
    const clients = [
      { clientId: 'a', assistant: 'alexa', redirectUris: alexaRedirectUris('M2AAAAAAAAAAAA') },
      { clientId: 'g', assistant: 'google', redirectUris: googleRedirectUris('doorbell') },
      { clientId: 'o', assistant: 'other', redirectUris: ['https://app.example/callback'] },
    ]
    bridge.answers.set('GET /operator/admin/clients', [200, { clients }])
    expect(await idsOfFailed()).toEqual([])
  })
})

describe('the public URL', () => {
  test('that leads to this bridge is good', async () => {
    expect(await idsOfFailed({ TRANSOM_PUBLIC_URL: bridge.url })).toEqual([])
  })

  test('at which nothing listens', async () => {
    const env = { TRANSOM_PUBLIC_URL: `http://127.0.0.1:${await closedPort()}` }
    expect(await idsOfFailed(env)).toEqual(['public-url'])
  })

  test.each([
    ['something else answers', [200, 'It works!']],
    ['the proxy finds no bridge', [502, '<html>']],
    ['another bridge answers', [200, { issuer: 'https://other.example/oauth' }]],
  ] as const)('at which %s', async (_, answer) => {
    bridge.answers.set('GET /oauth/.well-known/openid-configuration', answer)
    expect(await idsOfFailed({ TRANSOM_PUBLIC_URL: bridge.url })).toEqual(['public-url'])
  })

  test('with a certificate that no public authority has signed', async () => {
    const { url } = await startBridge(await loadIdentity(join(dataDir, 'c'), ['localhost'], clock, log))
    const found = await run({ TRANSOM_PUBLIC_URL: url })
    expect(found.find(({ id }) => id === 'public-certificate')).toMatchObject({
      ok: false,
      remedy: expect.stringContaining('public authority'),
    })
  })

  test('that is https where only http is spoken', async () => {
    const found = await run({ TRANSOM_PUBLIC_URL: bridge.url.replace('http:', 'https:') })
    expect(found.find(({ id }) => id === 'public-certificate')).toMatchObject({
      ok: false,
      remedy: expect.stringContaining('does not speak TLS'),
    })
  })
})

describe('the clock', () => {
  test.each([
    ['ahead', 120_000],
    ['behind', -120_000],
  ])('that is %s', async (word, offMs) => {
    const found = await run({}, true, () => clock() + offMs)
    expect(found.find(({ id }) => id === 'clock')).toMatchObject({ ok: false, detail: expect.stringContaining(word) })
  })
})

describe('the signaling service', () => {
  test('with the authority that cameras were given is good', async () => {
    expect(await idsOfFailed(await listen(certificates(), clock))).toEqual([])
  })

  test.each([
    ['whose certificate has ended', () => clock() - 2 * year],
    ['whose certificate is not valid yet', () => clock() + 2 * year],
    ['whose certificate ends in a few days', () => clock() - 392 * 86_400_000],
  ])('%s', async (_, at) => {
    expect(await idsOfFailed(await listen(certificates(), at))).toEqual(['signaling-certificate'])
  })

  test('with the certificate of another authority', async () => {
    await loadIdentity(certificates(), ['localhost'], clock, log)
    expect(await idsOfFailed(await listen(join(dataDir, 'other'), clock))).toEqual(['signaling-certificate'])
  })

  test('whose authority is lost', async () => {
    mkdirSync(certificates())
    expect(await idsOfFailed({ TRANSOM_SIGNALING_PORT: '1' })).toEqual(['signaling-certificate'])
  })

  test.each([
    ['a name that nobody knows', { TRANSOM_SIGNALING_HOST: 'nowhere.invalid' }],
    ['no name, for the whole network', { TRANSOM_HOST: '0.0.0.0' }],
    ['an address of another machine', { TRANSOM_SIGNALING_HOST: '192.0.2.1' }],
  ])('that cameras know by %s', async (_, env) => {
    expect(await idsOfFailed(env)).toContain('signaling-address')
  })
})

test("the bridge's own authority is no failure of the public URL, which public authorities would not sign", async () => {
  const found = await run({ TRANSOM_HTTPS: 'own', TRANSOM_PUBLIC_URL: bridge.url.replace('http:', 'https:') })
  expect(found.map(({ id }) => id)).toContain('https-authority')
  expect(found.filter(({ id }) => id.startsWith('public-'))).toEqual([])
})

describe('ICE servers', () => {
  test('that answer say where this machine is', async () => {
    const { port, close } = await startStunResponder('127.0.0.1', 0, log)
    closing.push(close)
    const found = await run(iceServers({ urls: `stun:127.0.0.1:${port}` }))
    expect(found).toContainEqual(expect.objectContaining({ id: `ice-server:stun:127.0.0.1:${port}`, ok: true }))
    expect(found).toContainEqual(expect.objectContaining({ id: 'nat', detail: expect.stringContaining('none') }))
  })

  test.each([
    ['each destination another port', [40_001, 40_002], false, 'symmetric NAT'],
    ['each destination the same port', [40_001, 40_001], true, 'each destination the same port'],
  ] as const)('behind a NAT that gives %s', async (_case, ports, ok, words) => {
    const urls = await Promise.all(ports.map(beyondNat))
    const found = await run({ TRANSOM_ICE_SERVERS: JSON.stringify(urls.map((url) => ({ urls: url }))) })
    expect(found.find(({ id }) => id === 'nat')).toMatchObject({ ok, detail: expect.stringContaining(words) })
  })

  test('that do not answer', async () => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1')
    await once(silent, 'listening')
    closing.push(() => silent.close())
    const url = `stun:127.0.0.1:${silent.address().port}`
    expect(await idsOfFailed(iceServers({ urls: url }))).toEqual([`ice-server:${url}`])
  })

  test('that refuse the credentials', async () => {
    const turn = createSocket('udp4').bind(0, '127.0.0.1')
    await once(turn, 'listening')
    closing.push(() => turn.close())
    turn.on('message', (request, from) => turn.send(unauthorized(request), from.port, from.address))
    const url = `turn:127.0.0.1:${turn.address().port}`
    const found = await run(iceServers({ urls: url, username: 'u', credential: 'wrong' }))
    expect(found.find(({ id }) => id === `ice-server:${url}`)).toMatchObject({
      ok: false,
      remedy: expect.stringContaining('refuses the credentials'),
    })
  })
})

/** A STUN server beyond a NAT that has given the socket this port, whatever its own. */
async function beyondNat(mappedPort: number): Promise<string> {
  const server = createSocket('udp4').bind(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => server.close())
  server.on('message', (request, from) => {
    const response = answerBinding(request, { address: '203.0.113.7', port: mappedPort })
    if (response) server.send(response, from.port, from.address)
  })
  return `stun:127.0.0.1:${server.address().port}`
}

/** 401 to an Allocate, with realm and nonce (RFC 8489 section 9.2.4): again, whatever credentials come. */
function unauthorized(request: Buffer): Buffer {
  const attributes = Buffer.concat([
    attribute(0x0009, Buffer.concat([Buffer.from([0, 0, 4, 1]), Buffer.from('Unauthorized')])),
    attribute(0x0014, Buffer.from('example')),
    attribute(0x0015, Buffer.from('nonce')),
  ])
  const header = Buffer.from(request.subarray(0, 20))
  header.writeUInt16BE(0x0113, 0)
  header.writeUInt16BE(attributes.length, 2)
  return Buffer.concat([header, attributes])
}

describe("Amazon's side", () => {
  test('that accepts the pair is good, and needs a public URL with https', async () => {
    expect(await idsOfFailed(await amazon())).toEqual(['public-url'])
    expect(await idsOfFailed({ ...(await amazon()), TRANSOM_PUBLIC_URL: '' })).toEqual(['public-url'])
  })

  test.each([
    ['lwa', 'a pair that is wrong', { TRANSOM_LWA_CLIENT_SECRET: 'amzn1.oa2-cs.v1.wrong' }],
    ['lwa', 'a token endpoint that is not there', { TRANSOM_LWA_TOKEN_URL: 'http://127.0.0.1:1/token' }],
    ['event-gateway', 'an event gateway that is not there', { TRANSOM_ALEXA_EVENTS_URL: 'http://127.0.0.1:1/v3' }],
  ])('%s: %s', async (id, _, env) => {
    expect(await idsOfFailed({ ...(await amazon()), ...env })).toEqual(['public-url', id])
  })

  test('event-gateway: an address at which something else is', async () => {
    const env = { ...(await amazon()), TRANSOM_ALEXA_EVENTS_URL: `${bridge.url}/v3/events` }
    expect(await idsOfFailed(env)).toEqual(['public-url', 'event-gateway'])
  })

  test('a forwarder with the secret of this bridge is good, with another one not', async () => {
    const env = { TRANSOM_PUBLIC_URL: bridge.url, TRANSOM_FORWARDER_SECRET: forwarderSecret }
    expect(await idsOfFailed(env)).toEqual([])
    expect(await idsOfFailed({ ...env, TRANSOM_FORWARDER_SECRET: 'g'.repeat(32) })).toEqual(['forwarder'])
    bridge.answers.delete('POST /alexa/forwarded')
    expect(await idsOfFailed(env)).toEqual(['forwarder'])
    expect(await idsOfFailed({ ...env, TRANSOM_PUBLIC_URL: '' })).toEqual(['forwarder'])
  })
})

describe("Google's side", () => {
  test('that accepts the key is good', async () => {
    expect(await idsOfFailed((await google()).env)).toEqual(['public-url'])
  })

  test('home-graph: a key that Google refuses', async () => {
    const { started, env } = await google()
    started.tokenScript.push(400)
    expect(await idsOfFailed(env)).toEqual(['public-url', 'home-graph'])
  })

  test.each([
    ['a file that is missing', undefined],
    ['a file of another kind', '{"type":"authorized_user"}'],
    ['a file that is no JSON', 'private key'],
  ])('home-graph: %s', async (_, text) => {
    const path = join(dataDir, 'other.json')
    if (text !== undefined) writeFileSync(path, text)
    const env = { TRANSOM_GOOGLE_SERVICE_ACCOUNT: path, TRANSOM_PUBLIC_URL: bridge.url }
    expect(await idsOfFailed(env)).toEqual(['public-url', 'home-graph'])
  })
})

describe('a network camera', () => {
  test('that sends what displays play is good', async () => {
    expect(await examined({ sdp: h264 }, 25)).toEqual([])
  })

  test('with B-frames', async () => {
    expect(await examined({ sdp: h264 }, 24, true)).toEqual(['camera-codec:porch'])
  })

  test('with few key frames', async () => {
    expect(await examined({ sdp: h264 }, 250)).toEqual(['camera-key-frames:porch'])
  })

  test.each([
    ['that is away', async () => porch(await closedPort())],
    ['with another password', async () => porch((await camera({ login: { user: 'a', password: 'b' } })).port, 'a:c@')],
    ['whose stream is not there', async () => porch((await camera({ statuses: { DESCRIBE: 404 } })).port)],
    [
      'without video',
      async () => porch((await camera({ sdp: 'm=audio 0 RTP/AVP 8\r\na=control:trackID=0\r\n' })).port),
    ],
  ])('%s', async (_, address) => {
    await register(await address())
    expect(await idsOfFailed()).toEqual(['camera-source:porch'])
  })

  test('whose address was sealed with another key', async () => {
    await register(porch(1), false)
    expect(await idsOfFailed()).toEqual(['camera-source:porch'])
  })
})

test.each([
  ['not connected', {}],
  ['away, as its gateway knows', { fault: { code: 'source_unreachable', message: 'it does not answer' } }],
])('a camera that is %s', async (_, more) => {
  const described = { name: 'Porch', kind: 'doorbell', channelName: 'porch', road: 'viewer', accountId: 'ada' }
  const porch = { ...described, cameraId: 'porch', isOnline: false, keys: [], ...more }
  const door = { ...described, cameraId: 'door', isOnline: true, keys: [] }
  bridge.answers.set('GET /operator/cameras', [200, { cameras: [porch, door] }])
  expect(await idsOfFailed()).toEqual(['camera:porch'])
})
