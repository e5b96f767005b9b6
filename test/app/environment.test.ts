/** Settings from a file: by the names of their variables, secrets from files of their own, and the environment wins. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { readConfig } from '../../src/transom/config.ts'
import { loadSettings } from '../../src/transom/environment.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'transom-yaml-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function load(yaml: string, env: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  writeFileSync(join(directory, 'transom.yaml'), yaml)
  const found = { ...env }
  loadSettings(found, directory)
  return found
}

test('every shape that the environment knows can be written as YAML has it', () => {
  writeFileSync(join(directory, 'secret'), 'quite secret\n')
  const env = load(`
# A comment.
public_url: https://bridge.example
port: 9000
behind_proxy: on
console: false
turn_urls: [ 'turn:turn.example:3478', 'turns:turn.example:5349' ]
turn_secret: { file: secret }
ice_servers:
  - urls: stun:stun.example:3478
signaling_limits:
  viewersPerChannel: 3
mqtt_url:
`)
  expect(env).toEqual({
    TRANSOM_PUBLIC_URL: 'https://bridge.example',
    TRANSOM_PORT: '9000',
    TRANSOM_BEHIND_PROXY: 'on',
    TRANSOM_CONSOLE: 'off',
    TRANSOM_TURN_URLS: 'turn:turn.example:3478,turns:turn.example:5349',
    TRANSOM_TURN_SECRET: 'quite secret',
    TRANSOM_ICE_SERVERS: '[{"urls":"stun:stun.example:3478"}]',
    TRANSOM_SIGNALING_LIMITS: '{"viewersPerChannel":3}',
    TRANSOM_MQTT_URL: '',
  })
  expect(readConfig(env)).toMatchObject({
    publicUrl: 'https://bridge.example',
    port: 9_000,
    console: false,
    iceServers: [{ urls: ['stun:stun.example:3478'] }],
    signaling: { turn: { secret: 'quite secret' }, limits: { viewersPerChannel: 3 } },
    mqtt: undefined,
  })
})

test('what is in the environment wins; an empty file and none set nothing', () => {
  expect(load('port: 9000\nhost: 0.0.0.0', { TRANSOM_PORT: '7000' })).toEqual({
    TRANSOM_PORT: '7000',
    TRANSOM_HOST: '0.0.0.0',
  })
  expect(load('# nothing yet\n')).toEqual({})
  rmSync(join(directory, 'transom.yaml'))
  const env = {}
  loadSettings(env, directory)
  expect(env).toEqual({})
})

test.each([
  ['is no YAML', 'port: [', 'transom.yaml: '],
  ['sets a thing twice', 'port: 1\nport: 2', 'Map keys must be unique'],
  ['is a list', '- port', 'must be a list of settings'],
  ['names a variable as it is', 'TRANSOM_PORT: 1', 'write TRANSOM_PUBLIC_URL as public_url'],
  ['names a file that is not there', 'turn_secret: { file: nowhere }', 'turn_secret: '],
])('a file that %s is named with what is wrong', (_, yaml, message) => {
  expect(() => load(yaml)).toThrow(message)
})

test.each([
  ['prot: 8080', 'unknown setting TRANSOM_PROT: did you mean TRANSOM_PORT?'],
  ['pubic_url: x', 'did you mean TRANSOM_PUBLIC_URL?'],
  ['lwa_clientid: x', 'did you mean TRANSOM_LWA_CLIENT_ID?'],
  ['something_else_altogether: x', 'docs/settings.md has all of them'],
])('a setting that nobody knows is answered with the one that was meant: %s', (yaml, message) => {
  expect(() => readConfig(load(yaml))).toThrow(message)
})
