/** The settings of the signaling service, and what belongs together in them. */
import { expect, test } from '@jest/globals'
import { placeOf } from '../../src/signaling/place.ts'
import { readConfig } from '../../src/transom/config.ts'

const settings = (env: Record<string, string>) => readConfig(env).signaling

test('without settings it makes its own certificate and hands out its own address', () => {
  expect(settings({})).toEqual({
    port: 8443,
    region: 'local',
    advertisedHost: undefined,
    advertisedUrl: undefined,
    tls: { kind: 'own' },
    turn: undefined,
    limits: {},
  })
})

test.each([
  [
    { TRANSOM_SIGNALING_CERT: 'a.pem', TRANSOM_SIGNALING_KEY: 'b.pem', TRANSOM_SIGNALING_CA: 'c.pem' },
    { tls: { kind: 'files', certPath: 'a.pem', keyPath: 'b.pem', caPath: 'c.pem' } },
  ],
  [
    { TRANSOM_SIGNALING_TLS: 'off', TRANSOM_SIGNALING_URL: 'https://kvs.example' },
    { tls: { kind: 'none' }, advertisedUrl: 'https://kvs.example' },
  ],
  [
    { TRANSOM_TURN_URLS: 'turn:t.example:3478?transport=udp, turns:t.example:5349', TRANSOM_TURN_SECRET: 's' },
    { turn: { urls: ['turn:t.example:3478?transport=udp', 'turns:t.example:5349'], secret: 's', ttlS: 300 } },
  ],
  [{ TRANSOM_SIGNALING_HOST: 'fd00::5' }, { advertisedHost: 'fd00::5' }],
  [{ TRANSOM_SIGNALING_HOST: 'FD00:0:0::5' }, { advertisedHost: 'fd00::5' }],
  [{ TRANSOM_SIGNALING_HOST: '[fd00::5]' }, { advertisedHost: 'fd00::5' }],
  [{ TRANSOM_SIGNALING_HOST: 'Transom.Local' }, { advertisedHost: 'transom.local' }],
  [{ TRANSOM_SIGNALING_REGION: 'eu-west-1' }, { region: 'eu-west-1' }],
  [{ TRANSOM_SIGNALING_URL: 'https://[2001:db8::7]' }, { advertisedUrl: 'https://[2001:db8::7]' }],
  [{ TRANSOM_SIGNALING_HOST: 'transom.local' }, { advertisedHost: 'transom.local' }],
  [{ TRANSOM_SIGNALING_LIMITS: '{"viewersPerChannel":20}' }, { limits: { viewersPerChannel: 20 } }],
  [
    { TRANSOM_SIGNALING_LIMITS: '{"rates":{"channelConnect":{"perSecond":9,"burst":9}}}' },
    {
      limits: {
        rates: { channelConnect: { perSecond: 9, burst: 9 }, socketCandidate: { perSecond: 20, burst: 100 } },
      },
    },
  ],
])('%j is understood', (env, expected) => {
  expect(settings(env)).toMatchObject(expected)
})

test.each([
  ['a certificate without its key', { TRANSOM_SIGNALING_CERT: 'a.pem' }, 'belong together'],
  [
    'a certificate that nobody would see',
    { TRANSOM_SIGNALING_TLS: 'off', TRANSOM_SIGNALING_CERT: 'a', TRANSOM_SIGNALING_KEY: 'b' },
    'TRANSOM_SIGNALING_TLS is off',
  ],
  ['a port that is none', { TRANSOM_SIGNALING_PORT: ' ' }, 'TRANSOM_SIGNALING_PORT: must be a whole number'],
  [
    'a pause that no timer can hold',
    { TRANSOM_SIGNALING_LIMITS: '{"heartbeatMs":3000000000}' },
    'heartbeatMs: must be',
  ],
  ['a service without channels', { TRANSOM_SIGNALING_LIMITS: '{"channels":0}' }, 'channels: must be'],
  [
    'a rate that lets nothing through',
    { TRANSOM_SIGNALING_LIMITS: '{"rates":{"channelCall":{"perSecond":0,"burst":1}}}' },
    'rates.channelCall.perSecond: must be',
  ],
  ['a time that is none', { TRANSOM_TURN_TTL_S: '5' }, 'TRANSOM_TURN_TTL_S: must be a whole number from 60 to'],
  ['a host with a scheme', { TRANSOM_SIGNALING_HOST: 'https://kvs.example' }, 'TRANSOM_SIGNALING_HOST: must be a name'],
  ['a host with a port', { TRANSOM_SIGNALING_HOST: 'kvs.example:443' }, 'without scheme and port'],
  [
    'a host with a zone',
    { TRANSOM_SIGNALING_HOST: 'fd00::1%eth0' },
    'TRANSOM_SIGNALING_HOST: must be an address without a zone',
  ],
  ['a bracketed host with a zone', { TRANSOM_SIGNALING_HOST: '[fe80::1%25eth0]' }, 'without a zone'],
  ['a host that is every address', { TRANSOM_SIGNALING_HOST: '0.0.0.0' }, 'by which others reach this machine'],
  ['a host that is every address, in full', { TRANSOM_SIGNALING_HOST: '0:0:0:0:0:0:0:0' }, 'by which others reach'],
  ['half an address', { TRANSOM_SIGNALING_HOST: '10.1' }, 'TRANSOM_SIGNALING_HOST: must be a name'],
  ['an address that is none', { TRANSOM_SIGNALING_HOST: '192.168.1.300' }, 'TRANSOM_SIGNALING_HOST: must be a name'],
  ['a region that is none', { TRANSOM_SIGNALING_REGION: 'EU West' }, 'TRANSOM_SIGNALING_REGION: must be a region'],
  ['a host of two words', { TRANSOM_SIGNALING_HOST: 'my house' }, 'TRANSOM_SIGNALING_HOST'],
  ['an address without a scheme', { TRANSOM_SIGNALING_URL: 'kvs.example' }, 'TRANSOM_SIGNALING_URL: must be'],
  ['the authority of no certificate', { TRANSOM_SIGNALING_CA: 'ca.pem' }, 'set one of them too'],
  ['an address with a path', { TRANSOM_SIGNALING_URL: 'https://kvs.example/kvs' }, 'without a path'],
  ['TURN without a secret', { TRANSOM_TURN_URLS: 'turn:t.example' }, 'belong together'],
  ['TURN that is no URL', { TRANSOM_TURN_URLS: 't.example', TRANSOM_TURN_SECRET: 's' }, 'belong together'],
  ['limits that are no JSON', { TRANSOM_SIGNALING_LIMITS: 'many' }, 'it is no JSON'],
  ['a limit that does not exist', { TRANSOM_SIGNALING_LIMITS: '{"viewers":20}' }, 'viewers'],
])('%s is refused', (_case, env, message) => {
  expect(() => settings(env)).toThrow(message)
})

test.each([
  ['0:0:0:0:0:0:0:0', '::'],
  ['::0', '::'],
  ['[::]', '::'],
  ['0000::', '::'],
  ['0', '0.0.0.0'],
  ['0.0', '0.0.0.0'],
  ['00.0.0.0', '0.0.0.0'],
  ['::ffff:0.0.0.0', '0.0.0.0'],
  ['127.1', '127.0.0.1'],
  ['FD00::0:5', 'fd00::5'],
  ['LocalHost', 'localhost'],
])('TRANSOM_HOST=%s is %s, and reached by a name that its certificate has', (given, host) => {
  const config = readConfig({ TRANSOM_HOST: given })
  expect(config.host).toBe(host)
  const isEvery = host === '::' || host === '0.0.0.0'
  const { localHost, names } = placeOf({ host })
  expect(localHost).toBe(isEvery ? '127.0.0.1' : host)
  expect(names).toContain(localHost)
})

test.each([
  '*',
  'http://127.0.0.1',
  '127.0.0.1:80',
  '[::1]:80',
  'fe80::1%eth0',
  'two words',
  '1.2.3.400',
  '/tmp/socket',
])('TRANSOM_HOST=%s is refused', (given) => {
  expect(() => readConfig({ TRANSOM_HOST: given })).toThrow(/TRANSOM_HOST: must be .*0\.0\.0\.0 or ::/)
})
