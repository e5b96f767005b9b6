/** Every request that leaves the bridge, as docs/security.md lists them, against servers that mean harm. */
import { createECDH, createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { createAlexaDeliver } from '../src/bridge/alexa/event-gateway.ts'
import { createLwa } from '../src/bridge/alexa/lwa.ts'
import { newsForAlexa } from '../src/bridge/alexa/news.ts'
import { createCertificateChains } from '../src/bridge/alexa/skill/certificate-chain.ts'
import { timeZoneOf } from '../src/bridge/alexa/skill/time-zone.ts'
import { createSoap } from '../src/gateway/onvif/soap.ts'
import { createTrust } from '../src/gateway/trust.ts'
import { listRestreams } from '../src/gateway/restreams.ts'
import { createReporter, createStillPoster } from '../src/gateway/report.ts'
import { createHomeGraph } from '../src/bridge/google/home-graph.ts'
import { createForeignVerifier } from '../src/bridge/oauth/provider/foreign-tokens.ts'
import { remoteKeys } from '../src/bridge/oauth/provider/key-set.ts'
import { googleKeys } from '../src/bridge/oauth/provider/streamlined.ts'
import { createUpstream } from '../src/bridge/oauth/people/upstream.ts'
import type { Users } from '../src/bridge/oauth/people/users.ts'
import { createPush } from '../src/bridge/web/push.ts'
import { createPushDevices } from '../src/bridge/web/push-devices.ts'
import { accountId } from '../src/core/ports.ts'
import { createAcmeSource } from '../src/transom/tls/acme.ts'
import { readConfig } from '../src/transom/config.ts'
import { createSqliteStore } from '../src/core/store/sqlite.ts'
import { openHostileServer, type Harm } from './hostile-server.ts'
import { createRegistryHook } from '../src/bridge/aws/registry-hook.ts'
import { frontDoor, noon } from './alexa/world.ts'

const root = join(import.meta.dirname, '..')
const clock = () => noon
const log = () => {}
const never = new AbortController().signal

/** The rows of the table: the request, its bound in bytes and its deadline in milliseconds. */
const rows = readFileSync(join(root, 'docs/security.md'), 'utf8')
  .split('\n')
  .map((line) => /^\| ([^|]+) \|.*\| (\d+) (KiB|MiB) \| ([\d.]+) s \|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, name = '', size, unit, seconds]) => ({
    name,
    maxBytes: Number(size) * (unit === 'MiB' ? 1024 * 1024 : 1024),
    ms: Number(seconds) * 1000,
  }))

interface Outgoing {
  /** Whom it asks, as it stands in the code. */
  readonly host: string
  /** Makes the request; resolves or rejects with what came of it. */
  readonly run: () => Promise<unknown>
  /** What other hosts answer that are asked on the way. */
  readonly before?: object
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const serviceAccount = {
  client_email: 'bell@project.example',
  private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  token_uri: 'https://oauth2.googleapis.com/token',
}
const reportToGoogle = () => {
  const quota = { take: async () => 0, exhausted: async () => {} }
  return createHomeGraph({ serviceAccount, quota, clock, log }).requestSync(accountId('anna'))
}
const someToken = async () =>
  new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid: 'unknown' })
    .setIssuer('https://tokens.example')
    .setAudience('cameras')
    .setExpirationTime('1h')
    .sign((await generateKeyPair('ES256')).privateKey)

const provider = 'https://login.example'
const openUpstream = () =>
  createUpstream(
    { issuer: provider, clientId: 'transom', name: 'Example' },
    {
      redirectUri: 'https://bridge.example/oauth/callback',
      store: createSqliteStore(':memory:', clock),
      users: {} as Users,
      clock,
      log,
    },
  )
const browser = { returnTo: '/', browser: 'b' }

const outgoing: Readonly<Record<string, Outgoing>> = {
  "Amazon's certificates of skill requests": {
    host: 's3.amazonaws.com',
    run: () => createCertificateChains({ clock }).keyAt('https://s3.amazonaws.com/echo.api/cert.pem'),
  },
  'Login with Amazon': {
    host: 'api.amazon.com',
    run: () => createLwa({ clientId: 'i', clientSecret: 's' }, clock).exchange('code', never),
  },
  "Alexa's event gateway": {
    host: 'api.amazonalexa.com',
    run: () => {
      const deliver = createAlexaDeliver({
        grants: {
          bearer: async () => ({ kind: 'token', token: 't', region: 'NA' }),
          forget: async () => {},
          moved: async () => {},
        },
        cameras: { find: async () => frontDoor },
        stateOf: async () => ({}),
        isOnline: () => true,
        clock,
        log,
      })
      return deliver(newsForAlexa(frontDoor, { kind: 'press', eventId: 'p', at: noon })[0]!, never)
    },
  },
  'time zone of an Echo': {
    host: 'api.eu.amazonalexa.com',
    run: () => {
      const system = { apiEndpoint: 'https://api.eu.amazonalexa.com', apiAccessToken: 't', device: { deviceId: 'd' } }
      const input = { requestEnvelope: { context: { System: system } } } as unknown as Parameters<typeof timeZoneOf>[0]
      return timeZoneOf(input, never)
    },
  },
  "a vendor's registry of cameras": {
    host: 'registry.example',
    run: () => {
      const place = { kind: 'http', url: 'https://registry.example/cameras', secret: 's' } as const
      return createRegistryHook(place, { clock }).camerasOf(accountId('anna'), never)
    },
  },
  "Google's token endpoint": { host: 'oauth2.googleapis.com', run: reportToGoogle },
  'Home Graph': {
    host: 'homegraph.googleapis.com',
    run: reportToGoogle,
    before: { access_token: 't', expires_in: 3600, token_type: 'Bearer' },
  },
  "Google's keys": {
    host: 'www.googleapis.com',
    run: async () => jwtVerify(await someToken(), remoteKeys(googleKeys)),
  },
  'keys of another token issuer': {
    host: 'tokens.example',
    run: async () => {
      const options = { issuer: 'https://tokens.example', audience: 'cameras', jwksUrl: 'https://tokens.example/keys' }
      return createForeignVerifier(options, Date.now)(await someToken())
    },
  },
  'login provider: metadata': { host: 'login.example', run: () => openUpstream().begin(browser) },
  'login provider: tokens and keys': {
    host: 'tokens.login.example',
    before: {
      issuer: provider,
      authorization_endpoint: `${provider}/auth`,
      token_endpoint: 'https://tokens.login.example/token',
      jwks_uri: 'https://tokens.login.example/keys',
    },
    run: async () => {
      const upstream = openUpstream()
      const state = new URL(await upstream.begin(browser)).searchParams.get('state') ?? ''
      const back = new URL('https://bridge.example/oauth/callback')
      back.search = new URLSearchParams({ code: 'c', state }).toString()
      return upstream.complete(back)
    },
  },
  'events and pictures of the built-in doorbell': {
    host: 'bridge.example',
    run: async () => {
      const at = { url: 'https://bridge.example/cameras/front-door/events', key: 'k' }
      await createReporter({ ...at, clock: () => noon, log })({ kind: 'battery', level: 5, at: noon })
      return createStillPoster(at)(Buffer.from('jpeg')).catch((error: unknown) => error)
    },
  },
  'certificates by ACME': {
    host: 'acme-v02.api.letsencrypt.org',
    run: async () => {
      const { https } = readConfig({ TRANSOM_HTTPS: 'acme', TRANSOM_PUBLIC_URL: 'https://door.example' })
      if (https?.kind !== 'acme') throw new Error('ACME is not set up')
      const directory = mkdtempSync(join(tmpdir(), 'outbound-'))
      await createAcmeSource({ settings: https, directory, challenges: new Map(), clock })
        .renew(never)
        .finally(() => rmSync(directory, { recursive: true }))
    },
  },
  'push services': {
    host: 'fcm.googleapis.com',
    run: async () => {
      const sealing = createSecretKey(randomBytes(32))
      const devices = createPushDevices({ store: createSqliteStore(':memory:', clock), sealing, clock })
      const pair = createECDH('prime256v1')
      const keys = { p256dh: pair.generateKeys('base64url'), auth: randomBytes(16).toString('base64url') }
      const subscription = { endpoint: 'https://fcm.googleapis.com/send/x', keys }
      await devices.add(frontDoor.accountId, { name: 'phone', language: 'en', subscription })
      const push = createPush({
        devices,
        contact: 'https://bridge.example',
        services: [],
        audience: async (camera) => [camera],
        mutedUntil: async () => undefined,
        clock,
        log,
      })
      push.rang(frontDoor, noon)
      await push.settled()
    },
  },
}
/** Asked on sockets of our own, which stay within networks and check certificates: not to be diverted, but pointed elsewhere. */
const askOnvif = (server: string) =>
  createSoap(server, { user: 'admin', password: 's3cret' }, createTrust()).call(
    { url: `${server}/onvif`, action: 'http://www.onvif.org/a', body: '<a/>' },
    never,
  )
/** The rows of these, and their paths. */
const onSockets = {
  'ONVIF cameras': { ask: askOnvif, path: '/onvif' },
  'go2rtc and Frigate': { ask: (server: string) => listRestreams(server, undefined, never), path: '/api/streams' },
} as const

const { fetch } = globalThis
/** Asks the hostile server in the place of the real one. */
const instead =
  (server: string) =>
  (url: URL, init?: RequestInit): Promise<Response> =>
    fetch(new URL(url.pathname, server), init)

afterEach(() => void jest.restoreAllMocks())

/**
 * Every request to the host is answered so instead, others get `before`. The deadlines that are asked for are
 * noted, and are over when `pass` is called: no test waits for one.
 */
function divert({ host, before }: Outgoing, answer: (url: URL, init?: RequestInit) => Promise<Response>) {
  const strangers: string[] = []
  jest.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    if (url.host === host) return answer(url, init)
    if (before !== undefined) return Response.json(before)
    strangers.push(url.host)
    return Response.error()
  })
  const deadline = new AbortController()
  const asked: number[] = []
  jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    asked.push(ms)
    return deadline.signal
  })
  return { asked, strangers, pass: () => deadline.abort(new DOMException('the deadline is over', 'TimeoutError')) }
}

test('the table and this file name the same requests', () => {
  expect(rows.map(({ name }) => name).sort()).toEqual([...Object.keys(outgoing), ...Object.keys(onSockets)].sort())
})

test('nothing of the house goes out over HTTP on another way', () => {
  const packages = 'core,kvs,signaling,gateway,bridge,transom'
  const others = [
    // In a browser; the command line, which asks the operator's own bridge; and two verbs that are not HTTP's.
    'bridge/oauth/pages/passkey-form.ts',
    'transom/operator-client.ts',
    // The way itself.
    'core/fetch.ts',
    'kvs/cached.ts',
    // Asks the bridge's own service, by its own authority.
    'transom/readiness.ts',
    // Asks by a certificate of its own, which `fetch` cannot show.
    'gateway/iot-credentials.ts',
    // Cameras, whose networks and certificates `fetch` cannot hold to; bounded by the last rows of the table.
    'gateway/onvif/http.ts',
    'signaling/mailbox.ts',
  ]
  const bare = globSync(`{${packages}}/**/*.ts`, { cwd: join(root, 'src') }).filter((file) =>
    /(?<![\w.])fetch\(|\bhttps?\.(get|request)\(|createRemoteJWKSet\(|\brequest\b.*from 'node:https?'/.test(
      readFileSync(join(root, 'src', file), 'utf8'),
    ),
  )
  expect(bare.filter((file) => !others.includes(file))).toEqual(['bridge/oauth/provider/key-set.ts'])
})

describe.each(Object.entries(onSockets))('%s', (socketRow, { ask, path }) => {
  const row = rows.find(({ name }) => name === socketRow)!

  test.each<Harm>(['silence', 'stalled body'])('%s is left at the deadline of the table', async (harm) => {
    await using server = await openHostileServer(harm)
    const deadline = new AbortController()
    const timeout = jest.spyOn(AbortSignal, 'timeout').mockReturnValue(deadline.signal)
    server.whenAsked(() => deadline.abort())
    await expect(ask(server.url)).rejects.toMatchObject({ code: 'source_unreachable' })
    expect(timeout.mock.calls).toEqual([[row.ms]])
  })

  test('a body without end is left at the bound of the table', async () => {
    await using server = await openHostileServer('endless body')
    await expect(ask(server.url)).rejects.toMatchObject({
      message: expect.stringContaining(`more than ${row.maxBytes / 1024 / 1024} MiB`),
    })
  })

  test('a redirect is not followed', async () => {
    await using server = await openHostileServer('redirect')
    await expect(ask(server.url)).rejects.toMatchObject({ message: expect.stringContaining('redirects') })
    expect(server.asked).toEqual([path])
  })
})

describe.each(rows.filter(({ name }) => !(name in onSockets)))('$name', ({ name, ms, maxBytes }) => {
  const request = outgoing[name]!

  test.each<Harm>(['silence', 'stalled body'])('%s is left at the deadline of the table', async (harm) => {
    await using server = await openHostileServer(harm)
    const { asked, strangers, pass } = divert(request, instead(server.url))
    server.whenAsked(pass)
    await request.run().catch((error: unknown) => error)
    expect(new Set(asked)).toEqual(new Set([ms]))
    expect(server.asked.length).toBeGreaterThan(0)
    expect(strangers).toEqual([])
  })

  test('a body without end is left at the bound of the table, whatever the deadline', async () => {
    const chunk = 4096
    const sent: number[] = []
    divert(request, async () => {
      const index = sent.push(0) - 1
      const body = new ReadableStream({
        pull(controller) {
          sent[index]! += chunk
          controller.enqueue(new Uint8Array(chunk))
        },
      })
      return new Response(body, { headers: { 'content-type': 'application/json' } })
    })
    await request.run().catch((error: unknown) => error)
    expect(sent.length).toBeGreaterThan(0)
    for (const bytes of sent) {
      expect(bytes).toBeGreaterThan(maxBytes)
      // The stream makes one chunk ahead of its reader.
      expect(bytes).toBeLessThanOrEqual(maxBytes + 2 * chunk)
    }
  })

  test('a redirect is not followed', async () => {
    await using server = await openHostileServer('redirect')
    divert(request, instead(server.url))
    await request.run().catch((error: unknown) => error)
    expect(server.asked.filter((path) => path === '/elsewhere')).toEqual([])
    expect(server.asked.length).toBeGreaterThan(0)
  })
})
