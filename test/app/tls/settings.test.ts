/** Settings of HTTPS: what they mean together, and what is said of those that do not fit. */
import { expect, test } from '@jest/globals'
import { readConfig } from '../../../src/transom/config.ts'

const door = { TRANSOM_PUBLIC_URL: 'https://door.example:8080' }

test('HTTPS is off unless it is set', () => {
  expect(readConfig(door).https).toBeUndefined()
})

test.each([
  ['own', {}, ['door.example']],
  ['own', { TRANSOM_HTTPS_NAMES: 'Door.local, [fd00::1], door.example' }, ['door.example', 'door.local', 'fd00::1']],
  ['acme', { TRANSOM_PUBLIC_URL: 'https://[2001:db8::7]' }, ['2001:db8::7']],
])('%s is for the host of the public URL, and for the names that are set: %j', (kind, more, names) => {
  expect(readConfig({ ...door, TRANSOM_HTTPS: kind, ...more }).https).toMatchObject({ kind, names })
})

test("without another authority it is Let's Encrypt, and a binding has both halves", () => {
  const bound = { TRANSOM_ACME_EAB_KEY_ID: 'me', TRANSOM_ACME_EAB_KEY: 'k'.repeat(43) }
  expect(readConfig({ ...door, TRANSOM_HTTPS: 'acme', ...bound }).https).toEqual({
    kind: 'acme',
    names: ['door.example'],
    directory: 'https://acme-v02.api.letsencrypt.org/directory',
    email: undefined,
    binding: { keyId: 'me', key: 'k'.repeat(43) },
    dnsHook: undefined,
  })
})

test.each([
  [{ TRANSOM_HTTPS: 'own' }, 'needs TRANSOM_PUBLIC_URL'],
  [{ TRANSOM_HTTPS: 'acme', TRANSOM_PUBLIC_URL: 'http://door.example' }, 'needs TRANSOM_PUBLIC_URL'],
  [{ ...door, TRANSOM_HTTPS: 'acme', TRANSOM_BEHIND_PROXY: 'on' }, 'either the bridge or the proxy ends TLS'],
  [{ ...door, TRANSOM_HTTP_PORT: '80' }, 'TRANSOM_HTTP_PORT is for'],
  [{ ...door, TRANSOM_HTTPS: 'acme', TRANSOM_ACME_EAB_KEY_ID: 'me' }, 'belong together'],
  [{ ...door, TRANSOM_HTTPS: 'own', TRANSOM_HTTPS_NAMES: '*.example' }, 'names or addresses alone'],
  [{ ...door, TRANSOM_HTTPS: 'own', TRANSOM_HTTPS_NAMES: '0.0.0.0' }, 'names or addresses alone'],
  [{ ...door, TRANSOM_HTTPS: 'own', TRANSOM_HTTPS_NAMES: 'https://a.example' }, 'names or addresses alone'],
  [{ ...door, TRANSOM_HTTPS: 'acme', TRANSOM_ACME_DIRECTORY: 'http://ca.example' }, 'must be an https address'],
  [
    { ...door, TRANSOM_HTTPS: 'acme', TRANSOM_ACME_DNS_HOOK: '/hook', TRANSOM_HTTPS_NAMES: '192.0.2.7' },
    '192.0.2.7 has no DNS',
  ],
])('%j is refused: %s', (env, words) => {
  expect(() => readConfig(env)).toThrow(words)
})
