/** A whole run of the bridge, and its log searched for every secret and code that was made or used in it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { linkAccount } from '../../src/simulator/link.ts'
import { readSettings } from '../../src/simulator/settings.ts'
import { createHouse, type House } from './house.ts'

const operatorKey = 'operator-key-of-the-log-test-32-chars'
const password = 'correct-horse-of-the-log-test'
let house: House
let greeting = ''
beforeAll(async () => {
  house = createHouse()
  greeting = await house.start({ TRANSOM_OPERATOR_KEY: operatorKey })
})
afterAll(() => house.close())

async function run(program: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: join(import.meta.dirname, '..', '..'),
    env: { ...process.env, NODE_OPTIONS: '', TRANSOM_DATA: house.dataDir, NEW_PASSWORD: password },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  const [code] = await once(child, 'close', { signal: AbortSignal.timeout(60_000) })
  expect({ args, code }).toMatchObject({ code: 0 })
  return out
}
const admin = (...args: readonly string[]) => run('src/transom/bin.ts', 'admin', ...args)
const link = async (...args: readonly string[]) => (JSON.parse(await admin(...args)) as { link: string }).link

/** Every text in a value that could be a secret: long enough not to stand anywhere by chance. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.length >= 12 ? [value] : []
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
const isPublic = (text: string) => /^TRSM|^[\da-f]{8}-/.test(text)
const readJson = (name: string): unknown => JSON.parse(readFileSync(join(house.dataDir, name), 'utf8'))
const codeOf = (url: string) => url.slice(url.lastIndexOf('/') + 1)

/** What a person, a stranger and a broken proxy do with a one-time link: open it, send half a form, mangle it. */
async function handle(url: string): Promise<void> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  await fetch(url)
  for (const address of [url, `${url}%`, `${url}/`]) {
    await fetch(address)
    await fetch(address, { method: 'POST', headers, body: `csrf=no&password=${password}` })
    await fetch(address, { method: 'POST', headers, body: `password=${password.repeat(1_000)}` })
    await fetch(address, { method: 'POST', headers: { 'content-encoding': 'gzip' }, body: password })
  }
}

test('no secret, code, token, session description or address of a candidate is in the log of a full run', async () => {
  const { bridge, clients, user, cameraKeys } = readSettings(house.dataDir)
  const known: string[] = [operatorKey, password, user.password, ...Object.values(cameraKeys ?? {})]

  for (const assistant of ['alexa', 'google'] as const) {
    const { report } = await house.call('--assistant', assistant, '--ring')
    expect(report).toMatchObject({ ok: true, cause: null })
    const signal = AbortSignal.timeout(60_000)
    const made = await linkAccount({ assistant, bridge, client: clients[assistant], user }, signal)
    known.push(made.accessToken, made.refreshToken, clients[assistant].clientSecret)
    await fetch(`${bridge}/sessions`, { headers: { authorization: `Bearer ${made.accessToken}x` } })
  }

  const entry = /https?:\/\/\S+\/enter\/\S+/.exec(greeting)?.[0] ?? ''
  const links = [entry, await link('user', 'invite'), await link('user', 'reset', user.login)]
  for (const url of links) await handle(url)
  known.push(...links.map(codeOf))

  await admin('user', 'add', 'grace', '--name', 'Grace')
  known.push(
    ...secretsOf(JSON.parse(await admin('client', 'add', 'alexa', '--vendor', 'M2AAAAAAAA', '--id', 'second'))),
  )
  await admin('keys', 'rotate')
  const camera: unknown = JSON.parse(await run('src/transom/bin.ts', 'camera', 'add', 'porch', '--json'))
  const replaced: unknown = JSON.parse(await run('src/transom/bin.ts', 'camera', 'key', 'porch', '--replace', '--json'))
  known.push(...[camera, replaced].flatMap(secretsOf))

  // Doors that refuse: a wrong key, a torn directive with a token in it, an event with the key in the wrong place.
  const [token] = known.filter((text) => text.startsWith('eyJ'))
  for (const path of [
    'alexa',
    'google/fulfillment',
    'google/signaling',
    'cameras/front-door/events',
    'operator/users',
  ]) {
    await fetch(`${bridge}/${path}`, { method: 'POST', body: `{"token":"${token}"`, headers: { authorization: 'x' } })
    await fetch(`${bridge}/${path}?access_token=${token}`, { method: 'POST', body: `{"scope":{"token":"${token}"}}` })
  }
  expect(await house.stop()).toBe(0)

  known.push(...textsIn(readJson('secrets.json')).filter((text) => !isPublic(text)))

  // What the greeting says is meant for the person at the terminal; the log is the lines of JSON.
  const log = house
    .printed()
    .split('\n')
    .filter((line) => line.startsWith('{'))
  expect(log.length).toBeGreaterThan(20)
  expect(new Set(known).size).toBeGreaterThan(20)
  const betrayed = known.filter((secret) => log.some((line) => line.includes(secret)))
  expect(betrayed).toEqual([])
  const patterns = [
    /eyJ[\w-]+\.[\w-]+\./,
    /v=0\\r\\n|a=ice-pwd|a=fingerprint/,
    /candidate:\S+ \d/,
    /"Bearer |"authorization"/i,
  ]
  expect(log.filter((line) => patterns.some((pattern) => pattern.test(line)))).toEqual([])
})

/** The secret halves of a camera's or application's keys; their ids may be logged. */
function secretsOf(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    typeof inner === 'string' ? (/secret|key$|password/i.test(name) ? textsIn(inner) : []) : secretsOf(inner),
  )
}
