/** What docs/linking.md tells to type into the two consoles, what skills/ holds, and what the bridge does: one and the same. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { alexaRedirectUris, googleRedirectUris } from '../../src/bridge/oauth/client.ts'
import { alexa, openHouse } from './house.ts'
import { link } from './visitor.ts'

const root = join(import.meta.dirname, '..', '..')
const text = (path: string): string => readFileSync(join(root, path), 'utf8')
const bridge = 'https://bridge.example.org'

/** The table of a section, by the names of its fields. */
function fieldsOf(section: string): ReadonlyMap<string, string> {
  const part =
    text('docs/linking.md')
      .split(/^## /m)
      .find((one) => one.includes(section)) ?? ''
  const rows = [...part.matchAll(/^\| (.+?) \| (.+) \|$/gm)].map(([, name = '', value = '']) => [name, value] as const)
  return new Map(rows.map(([name, value]) => [name, /^`([^`]*)`$/.exec(value)?.[1] ?? value]))
}

const alexaManifest = JSON.parse(text('skills/alexa/account-linking.json')).accountLinkingRequest
const googleManifest = JSON.parse(text('skills/google/account-linking.json'))

test("Alexa's console: the page and the request say the same", () => {
  const fields = fieldsOf('The Alexa developer console')
  expect({
    type: fields.get('Select an authorization grant type') === 'Auth Code Grant' ? 'AUTH_CODE' : undefined,
    authorizationUrl: fields.get('Your Web Authorization URI'),
    accessTokenUrl: fields.get('Access Token URI'),
    accessTokenScheme: fields.get('Your Authentication Scheme')?.startsWith('HTTP Basic') ? 'HTTP_BASIC' : undefined,
    scopes: [fields.get('Scope')],
    domains: fields.get('Domain List')?.startsWith('empty') ? [] : undefined,
    defaultTokenExpirationInSeconds: Number(fields.get('Default Access Token Expiration Time')),
    skipOnEnablement: fields.get('Allow users to enable skill without account linking') !== 'off',
    clientId: alexaManifest.clientId,
    clientSecret: alexaManifest.clientSecret,
  }).toEqual(alexaManifest)
})

test("Google's console: the page and the list say the same", () => {
  const fields = fieldsOf('The Google Home developer console')
  const { $comment: _, ...manifest } = googleManifest
  expect({
    linkingType: 'OAuth',
    grantType: 'Authorization code',
    clientId: manifest.clientId,
    clientSecret: manifest.clientSecret,
    authorizationUrl: fields.get('Authorization URL'),
    tokenUrl: fields.get('Token URL'),
    revocationUrl: fields.get('Token revocation (where offered)'),
    scopes: [fields.get('Scopes')],
    sendClientCredentialsByBasicAuth: !fields
      .get('Do you want Google to transmit Client ID and secret via HTTP basic auth header?')
      ?.startsWith('off'),
    redirectUris: googleRedirectUris('PROJECT_ID'),
  }).toEqual(manifest)
})

test('both are what the bridge serves', async () => {
  const house = await openHouse()
  try {
    const metadata = await (await fetch(`${house.issuer}/.well-known/oauth-authorization-server`)).json()
    const served = JSON.parse(JSON.stringify(metadata).replaceAll(house.origin, bridge))
    const { authorization_endpoint: authorize, token_endpoint: token, revocation_endpoint: revocation } = served
    expect(alexaManifest).toMatchObject({ authorizationUrl: authorize, accessTokenUrl: token })
    expect(googleManifest).toMatchObject({ authorizationUrl: authorize, tokenUrl: token, revocationUrl: revocation })
    expect(served.token_endpoint_auth_methods_supported).toContain('client_secret_basic')
    const { scope, expires_in } = await link(house, alexa)
    expect(alexaManifest).toMatchObject({ scopes: [scope], defaultTokenExpirationInSeconds: expires_in })
    expect(googleManifest.scopes).toEqual([scope])
  } finally {
    await house.close()
  }
})

test('the hosts that Alexa sends a browser back to are those of all its regions', () => {
  expect(alexaRedirectUris('M2').map((uri) => new URL(uri).host)).toEqual([
    'pitangui.amazon.com',
    'layla.amazon.com',
    'alexa.amazon.co.jp',
  ])
})
