/** Account linking as the bridge plugs it together: whose tokens count, and what is reachable. */
import { afterEach, expect, test } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCameras } from '../../src/bridge/cameras/cameras.ts'
import { readConfig } from '../../src/transom/config.ts'
import { createHttpApp } from '../../src/bridge/doors/http.ts'
import { createLinking, type Linking } from '../../src/bridge/assembly/linking.ts'
import { createShares } from '../../src/bridge/cameras/sharing.ts'
import { accountId } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { openWholeHouse } from './whole-house.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function open(env: Record<string, string> = {}): Promise<Linking> {
  const store = createSqliteStore(':memory:', Date.now)
  closing.push(() => store.close())
  const cameras = createCameras(store)
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return createLinking({
    config: readConfig(env).linking,
    behindProxy: 0,
    publicUrl: 'https://bridge.example',
    keys: {
      signing: [{ ...(await exportJWK(privateKey)), kty: 'EC' }],
      cookies: ['k'],
      sealing: randomBytes(32).toString('base64'),
    },
    clients: [],
    store,
    cameras,
    shares: createShares(store, cameras),
    onUnlinked: async () => {},
    clock: Date.now,
    log: () => {},
  })
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test('by default our own server issues and checks the tokens', async () => {
  expect((await open()).isServed).toBe(true)
})

test('verify-only: tokens of the vendor are believed at both doors, and our own endpoints are shut', async () => {
  const vendor = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(vendor.publicKey)), kid: 'v', alg: 'RS256' }
  const port = await listen(createServer((_req, res) => void res.end(JSON.stringify({ keys: [jwk] }))))
  const issuer = 'https://login.vendor.example'
  const env = {
    TRANSOM_TOKEN_ISSUER: issuer,
    TRANSOM_TOKEN_AUDIENCE: 'cameras',
    TRANSOM_TOKEN_JWKS_URL: `http://127.0.0.1:${port}/jwks`,
    TRANSOM_TOKEN_ACCOUNT_CLAIM: 'customer',
  }
  const tokenOf = (clientId: string) =>
    new SignJWT({ customer: 'c-1', client_id: clientId, scope: 'camera' })
      .setProtectedHeader({ alg: 'RS256', kid: 'v' })
      .setIssuer(issuer)
      .setAudience('cameras')
      .setExpirationTime('5m')
      .sign(vendor.privateKey)
  const doors = ['alexa', 'google', 'api', 'page'] as const
  const opened = async ({ authority }: Linking, clientId: string) => {
    const token = await tokenOf(clientId)
    const tried = doors.map((door) =>
      authority.authorize(door, token).then(({ accountId: id }) => id === 'c-1' && door),
    )
    return (await Promise.allSettled(tried)).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  }

  const linking = await open(env)
  expect(linking.isServed).toBe(false)
  expect(await opened(linking, 'their-google')).toEqual(['alexa', 'google', 'api'])

  const told = { TRANSOM_TOKEN_ALEXA_CLIENT_ID: 'their-alexa', TRANSOM_TOKEN_GOOGLE_CLIENT_ID: 'their-google' }
  const strict = await open({ ...env, ...told })
  expect(await opened(strict, 'their-alexa')).toEqual(['alexa'])
  expect(await opened(strict, 'their-google')).toEqual(['google'])
  expect(await opened(strict, 'their-app')).toEqual(['api'])
})

test('verify-only: our own pages and endpoints do not exist, and the doors ask for the vendor’s tokens', async () => {
  const vendor = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(vendor.publicKey)), kid: 'v', alg: 'ES256' }
  const keys = createServer((_req, res) => void res.end(JSON.stringify({ keys: [jwk] })))
  const jwksPort = await listen(keys)
  await using house = await openWholeHouse({
    TRANSOM_TOKEN_ISSUER: 'https://login.vendor.example',
    TRANSOM_TOKEN_AUDIENCE: 'cameras',
    TRANSOM_TOKEN_JWKS_URL: `http://127.0.0.1:${jwksPort}/jwks`,
    TRANSOM_OPERATOR_KEY: 'operator-key-of-the-tests-32-characters',
  })
  const app = createHttpApp(house.bridge, () => {}, { forwarderSecret: undefined, clock: Date.now })
  const url = `http://127.0.0.1:${await listen(createServer(app))}`
  const get = (path: string, token = 'operator-key-of-the-tests-32-characters') =>
    fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })
  for (const path of [
    '/oauth/auth?client_id=alexa',
    '/oauth/token',
    '/oauth/jwks',
    '/oauth/account',
    '/oauth/admin/clients',
    '/.well-known/oauth-authorization-server/oauth',
    '/.well-known/openid-configuration/oauth',
  ]) {
    expect([path, (await get(path)).status]).toEqual([path, 404])
  }

  const owner = accountId('c-1')
  await house.bridge.snapshots.put(await house.addCamera(owner), Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'))
  const token = await new SignJWT({ client_id: 'theirs' })
    .setProtectedHeader({ alg: 'ES256', kid: 'v' })
    .setIssuer('https://login.vendor.example')
    .setAudience('cameras')
    .setSubject(owner)
    .setExpirationTime('5m')
    .sign(vendor.privateKey)
  const ours = await house.link(owner, 'alexa').catch(() => '')
  for (const path of ['/api/sessions', '/cameras/front-door/snapshot']) {
    expect([path, (await get(path, token)).status, (await get(path, ours)).status]).toEqual([path, 200, 401])
  }
})

test('a picture is for the owner and for guests, and for nobody else', async () => {
  await using house = await openWholeHouse()
  const app = createHttpApp(house.bridge, () => {}, { forwarderSecret: undefined, clock: Date.now })
  const url = `http://127.0.0.1:${await listen(createServer(app))}`
  const [ada, bob] = [await house.addUser('ada'), await house.addUser('bob')]
  const door = await house.addCamera(ada)
  await house.bridge.snapshots.put(door, Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'))
  const tokens = [await house.link(ada, 'alexa'), await house.link(bob, 'alexa')]
  const statuses = () =>
    Promise.all(
      tokens.map(async (token) => {
        const headers = { authorization: `Bearer ${token}` }
        return (await fetch(`${url}/cameras/front-door/snapshot`, { headers })).status
      }),
    )
  expect(await statuses()).toEqual([200, 404])
  await house.bridge.shares.share(ada, door.id, bob, { mayTalk: false })
  expect(await statuses()).toEqual([200, 200])
})

test.each([
  [{ TRANSOM_TOKEN_ISSUER: 'x' }, 'belong together'],
  [{ TRANSOM_LOGIN_ISSUER: 'https://id.example' }, 'belong together'],
  [{ TRANSOM_LOGIN_ISSUER: 'http://id.example', TRANSOM_LOGIN_CLIENT_ID: 'c' }, 'must be https'],
  [{ TRANSOM_OPERATOR_KEY: 'short' }, 'TRANSOM_OPERATOR_KEY'],
  [
    { TRANSOM_TOKEN_ISSUER: 'x', TRANSOM_TOKEN_AUDIENCE: 'y', TRANSOM_TOKEN_JWKS_URL: 'http://vendor.example/jwks' },
    'must be https',
  ],
])('half a setting is an error at the start: %j', (env, message) => {
  expect(() => readConfig(env)).toThrow(message)
})

test('where the public URL is https, every answer says that browsers come by https alone', async () => {
  await using house = await openWholeHouse({})
  const server = createServer(createHttpApp(house.bridge, () => {}, { forwarderSecret: undefined, clock: Date.now }))
  const url = `http://127.0.0.1:${await listen(server)}`
  for (const path of ['/', '/healthz', '/api/me', '/oauth/account', '/nothing']) {
    expect((await fetch(`${url}${path}`)).headers.get('strict-transport-security')).toBe('max-age=31536000')
  }
  server.close()
})
