/** Account linking as the bridge plugs it together: whose tokens count, and what is reachable. */
import { afterEach, expect, test } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createCameras } from '../../src/app/cameras.ts'
import { readConfig } from '../../src/app/config.ts'
import { createLinking, type Linking } from '../../src/app/linking.ts'
import { createShares } from '../../src/app/sharing.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'

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
    behindProxy: false,
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

test('by default our own server issues and checks the tokens', async () => {
  const linking = await open()
  expect(linking.isServed).toBe(true)
  expect(linking.verifyToken).toBe(linking.oauth.verifyToken)
})

test('verify-only: tokens of the vendor are believed at both doors, and our own endpoints are shut', async () => {
  const vendor = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(vendor.publicKey)), kid: 'v', alg: 'RS256' }
  const server = createServer((_req, res) => void res.end(JSON.stringify({ keys: [jwk] })))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const issuer = 'https://login.vendor.example'
  const linking = await open({
    TRANSOM_TOKEN_ISSUER: issuer,
    TRANSOM_TOKEN_AUDIENCE: 'cameras',
    TRANSOM_TOKEN_JWKS_URL: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/jwks`,
    TRANSOM_TOKEN_ACCOUNT_CLAIM: 'customer',
  })
  expect(linking.isServed).toBe(false)
  const token = await new SignJWT({ customer: 'c-1', client_id: 'their-google', scope: 'camera' })
    .setProtectedHeader({ alg: 'RS256', kid: 'v' })
    .setIssuer(issuer)
    .setAudience('cameras')
    .setExpirationTime('5m')
    .sign(vendor.privateKey)
  expect(await linking.verifyToken(token)).toEqual({ accountId: 'c-1', clientId: 'their-google', scopes: ['camera'] })
  expect(await linking.verifyGoogleToken(token)).toMatchObject({ accountId: 'c-1', clientId: linking.googleClient })
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
