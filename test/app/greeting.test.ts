/** The start says what there is, and nothing that there is not. */
import { expect, test } from '@jest/globals'
import { readConfig } from '../../src/transom/config.ts'
import { greetingWords } from '../../src/transom/greeting-words.ts'
import { greeting, terminalLanguage } from '../../src/transom/greeting.ts'
import { leavesOf, looksEnglish } from '../catalogues.ts'
import { accountId, cameraId, type Camera } from '../../src/core/ports.ts'

const camera: Camera = {
  id: cameraId('front-door'),
  accountId: accountId('a'),
  name: 'Front Door',
  kind: 'doorbell',
  channel: { channelName: 'front-door', road: 'viewer' },
  manufacturer: 'Transom',
  model: 'Synthetic Doorbell',
  hasSpeaker: true,
}
const shown = {
  publicUrl: 'http://localhost:8080',
  signalingEndpoint: 'https://127.0.0.1:8443',
  demo: { login: 'demo', password: 'abcd', cameraKey: '' },
  signInLink: 'http://localhost:8080/oauth/enter/x' as string | undefined,
  camera,
  hasDoorbell: true,
}
const greet = (env: Record<string, string>, changed: Partial<typeof shown> = {}, hasKeyboard = false) =>
  greeting({ ...shown, ...changed }, readConfig(env), hasKeyboard)

test('at home there are a page, an authority, a demo user and something to try', () => {
  const text = greet({})
  for (const part of ['/oauth/enter/x', 'its page', 'with its own CA', 'demo / abcd', 'npm run call']) {
    expect(text).toContain(part)
  }
})

test.each([
  ['the page is off', {}, { signInLink: undefined }, /page|Open/],
  ['a proxy ends TLS', { TRANSOM_SIGNALING_TLS: 'off' }, {}, /own CA/],
  ['the certificate is the user’s', { TRANSOM_SIGNALING_CERT: 'a', TRANSOM_SIGNALING_KEY: 'b' }, {}, /own CA/],
  [
    'a public authority has signed',
    { TRANSOM_PUBLIC_URL: 'https://door.example.org', TRANSOM_HTTPS: 'acme' },
    { publicUrl: 'https://door.example.org' },
    /HTTPS|authority of/,
  ],
  ['a proxy speaks HTTPS', { TRANSOM_PUBLIC_URL: 'https://door.example.org' }, {}, /HTTPS|authority of/],
  ['nobody sits at a keyboard', {}, {}, /r and Enter/],
  ['the doorbell is off', {}, { hasDoorbell: false }, /r and Enter/],
  [
    'another provider signs people in',
    { TRANSOM_LOGIN_ISSUER: 'https://login.example', TRANSOM_LOGIN_CLIENT_ID: 'c' },
    {},
    /abcd|npm run call/,
  ],
  [
    'somebody else issues the tokens',
    {
      TRANSOM_TOKEN_ISSUER: 'https://login.example',
      TRANSOM_TOKEN_AUDIENCE: 'b',
      TRANSOM_TOKEN_JWKS_URL: 'https://login.example/jwks',
    },
    { signInLink: undefined },
    /abcd|npm run call|account linking|page/,
  ],
])('it promises nothing that is not there: %s', (_case, env, changed, promise) => {
  expect(greet(env, changed)).not.toMatch(promise)
})

test('a bridge with an authority of its own says where devices install it, in either language', () => {
  const publicUrl = 'https://door.local:8080'
  const env = { TRANSOM_PUBLIC_URL: publicUrl, TRANSOM_HTTPS: 'own' }
  for (const language of ['en', 'de'] as const) {
    const text = greeting({ ...shown, publicUrl }, readConfig(env), false, language)
    expect(text).toContain(' http://door.local:8080/ ')
    expect(text).toContain(greetingWords[language].install)
  }
})

test('who sits at a keyboard is told how to ring', () => {
  expect(greet({}, {}, true)).toContain('r and Enter rings the doorbell.')
})

test.each([
  [{ LANG: 'de_DE.UTF-8' }, undefined, 'de'],
  [{ LC_ALL: 'de_AT', LANG: 'en_US.UTF-8' }, undefined, 'de'],
  [{ LC_ALL: '', LC_MESSAGES: 'de', LANG: 'en' }, undefined, 'de'],
  [{ LANG: 'C.UTF-8' }, undefined, 'en'],
  [{}, undefined, 'en'],
  [{ LANG: 'en_US.UTF-8' }, 'de', 'de'],
] as const)('a terminal with %j, set to %s, reads %s', (env, set, language) => {
  expect(terminalLanguage(env, set)).toBe(language)
})

test('in German it says all of it, under the names that scripts look for', () => {
  const text = greeting(shown, readConfig({}), true, 'de')
  for (const part of ['Bridge', 'Signaling', '/oauth/enter/x', 'demo / abcd', 'npm run call', 'klingelt'])
    expect(text).toContain(part)
  for (const [, english, german] of leavesOf(greetingWords.en, greetingWords.de)) {
    expect(german.placeholders).toEqual(english.placeholders)
    expect(looksEnglish(german.text)).toBe(false)
  }
})
