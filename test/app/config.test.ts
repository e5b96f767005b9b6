/** Settings: defaults, and errors that say what to do. */
import { expect, test } from '@jest/globals'
import { readConfig } from '../../src/transom/config.ts'

test('nothing needs to be set', () => {
  expect(readConfig({})).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    doorbell: { isOn: true, source: 'synthetic' },
    sources: { hasAnyCertificate: false, networks: undefined },
    budgets: { settleCapMs: 1_500, quietMs: 200 },
    alexa: { budgetMs: 5_000 },
    google: { budgetMs: 2_000, talkBack: true },
  })
})

test('every budget can be overridden', () => {
  const config = readConfig({
    TRANSOM_ALEXA_BUDGET_MS: '4000',
    TRANSOM_GOOGLE_BUDGET_MS: '1500',
    TRANSOM_SETTLE_CAP_MS: '900',
    TRANSOM_QUIET_MS: '50',
  })
  expect([config.alexa.budgetMs, config.google.budgetMs, config.budgets.settleCapMs, config.budgets.quietMs]).toEqual([
    4_000, 1_500, 900, 50,
  ])
})

test('any certificate of the source is accepted only where that is set', () => {
  expect(readConfig({}).sources.hasAnyCertificate).toBe(false)
  expect(readConfig({ TRANSOM_SOURCE_CERTIFICATE: 'any' }).sources.hasAnyCertificate).toBe(true)
  expect(() => readConfig({ TRANSOM_SOURCE_CERTIFICATE: 'none' })).toThrow('TRANSOM_SOURCE_CERTIFICATE')
})

test('ICE servers are a JSON array in the words of the W3C', () => {
  const { iceServers } = readConfig({
    TRANSOM_ICE_SERVERS:
      '[{"urls":"stun:stun.example:3478"},{"urls":["turn:turn.example"],"username":"u","credential":"c"}]',
  })
  expect(iceServers).toEqual([
    { urls: ['stun:stun.example:3478'] },
    { urls: ['turn:turn.example'], username: 'u', credential: 'c' },
  ])
})

test('more origins for the signaling URL are a list', () => {
  const { google } = readConfig({ TRANSOM_GOOGLE_ORIGINS: 'https://receiver.example, http://localhost:8000' })
  expect(google.origins).toEqual(['https://receiver.example', 'http://localhost:8000'])
  expect(readConfig({}).google.origins).toEqual([])
})

test.each([
  ['an origin with a path', { TRANSOM_GOOGLE_ORIGINS: 'https://receiver.example/' }, 'must be origins'],
  ['any origin', { TRANSOM_GOOGLE_ORIGINS: '*' }, 'must be origins'],
  ['a port that is none', { TRANSOM_PORT: '99999' }, 'TRANSOM_PORT'],
  ['no time for Alexa', { TRANSOM_ALEXA_BUDGET_MS: '0' }, 'TRANSOM_ALEXA_BUDGET_MS: must be a whole number from 200'],
  [
    'no time for Google',
    { TRANSOM_GOOGLE_BUDGET_MS: '0' },
    'TRANSOM_GOOGLE_BUDGET_MS: must be a whole number from 200',
  ],
  ['no time for candidates', { TRANSOM_SETTLE_CAP_MS: '0' }, 'TRANSOM_SETTLE_CAP_MS: must be a whole number from 50'],
  ['a number with a sign', { TRANSOM_QUIET_MS: '-1' }, 'TRANSOM_QUIET_MS: must be a whole number from 0'],
  ['a number with a power', { TRANSOM_ALEXA_BUDGET_MS: '1e9' }, 'TRANSOM_ALEXA_BUDGET_MS: must be a whole number'],
  ['reconciling without a pause', { TRANSOM_GOOGLE_RECONCILE_MS: '1' }, 'TRANSOM_GOOGLE_RECONCILE_MS: must be 60000'],
  ['one port for two', { TRANSOM_PORT: '8443' }, 'TRANSOM_PORT and TRANSOM_SIGNALING_PORT are the same'],
  ['a number that is none', { TRANSOM_PORT: ' ' }, 'TRANSOM_PORT: must be a whole number from 0 to 65535'],
  [
    'a URL that is none',
    { TRANSOM_PUBLIC_URL: 'bridge.example' },
    'TRANSOM_PUBLIC_URL: must be an http or https address',
  ],
  ['a public URL with a path', { TRANSOM_PUBLIC_URL: 'https://home.example/bridge' }, 'TRANSOM_PUBLIC_URL: must be'],
  ['a public URL with a query', { TRANSOM_PUBLIC_URL: 'https://home.example/?a' }, 'TRANSOM_PUBLIC_URL: must be'],
  ['a time zone that is none', { TRANSOM_TIME_ZONE: 'Berlin' }, 'TRANSOM_TIME_ZONE: must be'],
  ['an offset for a time zone', { TRANSOM_TIME_ZONE: '+01:00' }, 'TRANSOM_TIME_ZONE: must be'],
  ['ICE servers that are not JSON', { TRANSOM_ICE_SERVERS: 'stun:stun.example' }, 'must be a JSON array'],
  ['an ICE server that no browser takes', { TRANSOM_ICE_SERVERS: '[{"urls":"http://foo"}]' }, 'must be a JSON array'],
  ['TURN without credentials', { TRANSOM_ICE_SERVERS: '[{"urls":"turn:turn.example"}]' }, 'TURN with credentials'],
  ['a switch that is neither on nor off', { TRANSOM_DOORBELL: 'yes' }, 'TRANSOM_DOORBELL'],
  [
    'half a pair for Login with Amazon',
    { TRANSOM_LWA_CLIENT_ID: 'amzn1.x' },
    'TRANSOM_LWA_CLIENT_SECRET belong together',
  ],
  ['the other half', { TRANSOM_LWA_CLIENT_SECRET: 's' }, 'TRANSOM_LWA_CLIENT_ID and'],
  ['a setting that does not exist', { TRANSOM_SAUCE: 'file.mp4' }, 'unknown setting TRANSOM_SAUCE'],
])('%s is refused by name', (_, env, message) => {
  expect(() => readConfig(env)).toThrow(message)
})

test.each(['Europe/Berlin', 'Europe/Kyiv', 'Asia/Kolkata', 'Asia/Calcutta', 'Etc/UTC', 'UTC'])(
  '%s is a time zone',
  (zone) => {
    expect(readConfig({ TRANSOM_TIME_ZONE: zone }).alexa.timeZone).toBe(zone)
  },
)

test.each([
  ['https://bridge.example/', 'https://bridge.example'],
  ['https://Bridge.example:443', 'https://bridge.example'],
  ['http://192.168.1.5:8080', 'http://192.168.1.5:8080'],
])('the public URL %s is %s', (given, origin) => {
  expect(readConfig({ TRANSOM_PUBLIC_URL: given }).publicUrl).toBe(origin)
})

test('Google need not be reconciled, and any free port may be had twice', () => {
  const env = { TRANSOM_GOOGLE_RECONCILE_MS: '0', TRANSOM_PORT: '0', TRANSOM_SIGNALING_PORT: '0' }
  expect(readConfig(env)).toMatchObject({ google: { reconcileMs: 0 }, port: 0, signaling: { port: 0 } })
})

const hops = (text: string) => readConfig({ TRANSOM_BEHIND_PROXY: text }).behindProxy

test('proxies before the bridge are one, none, or counted', () => {
  expect([hops(''), hops('off'), hops('on'), hops('2')]).toEqual([0, 0, 1, 2])
  for (const wrong of ['0', '10', 'yes', '-1', '1.5', '10.0.0.1'])
    expect(() => hops(wrong)).toThrow('TRANSOM_BEHIND_PROXY: must be on, off or a number of proxies from 1 to 9')
})

test('an empty value means not set', () => {
  expect(readConfig({ TRANSOM_LWA_CLIENT_ID: '', TRANSOM_PORT: '' })).toMatchObject({ port: 8080, alexa: { lwa: {} } })
})

const publicUrl = { TRANSOM_PUBLIC_URL: 'https://bridge.example' }
const foreignTokens = {
  TRANSOM_TOKEN_ISSUER: 'https://login.example',
  TRANSOM_TOKEN_AUDIENCE: 'bridge',
  TRANSOM_TOKEN_JWKS_URL: 'https://login.example/jwks',
}
test.each([
  ['a bridge at home', {}, true],
  ['a bridge at home that says no', { TRANSOM_SIMULATOR: 'off' }, false],
  ['a public bridge', publicUrl, false],
  ['a public bridge that says yes', { ...publicUrl, TRANSOM_SIMULATOR: 'on' }, true],
  ['a bridge whose accounts are linked elsewhere', { ...foreignTokens, TRANSOM_SIMULATOR: 'on' }, false],
])('%s: the simulator may play in it or not', (_, env, simulator) => {
  expect(readConfig(env).simulator).toBe(simulator)
})
