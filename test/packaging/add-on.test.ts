/** The add-on of Home Assistant: its files by the Supervisor's rules, and what its start makes of options and services. */
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import * as z from 'zod'
import { readConfig, settingVariables } from '../../src/transom/config.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const addOn = join(root, 'packaging/home-assistant/transom')
const read = (file: string): unknown => parse(readFileSync(join(addOn, file), 'utf8'))

/** The Supervisor's `RE_SCHEMA_ELEMENT`, of what we use. */
const option = z.string().regex(/^(str|password|url|bool|port|list\([^)]+\))\??$/)
/** What we use of the keys that the Supervisor validates (supervisor/addons/validate.py); it drops those that it does not know. */
const config = z.strictObject({
  name: z.string(),
  version: z.string(),
  slug: z.string().regex(/^[-_.A-Za-z0-9]+$/),
  description: z.string(),
  arch: z.array(z.enum(['aarch64', 'amd64', 'armhf', 'armv7', 'i386'])),
  startup: z.enum(['initialize', 'system', 'services', 'application', 'once']),
  stage: z.enum(['stable', 'experimental', 'deprecated']),
  host_network: z.boolean(),
  webui: z.string().regex(/^(?:https?|\[PROTO:\w+\]):\/\/\[HOST\]:\[PORT:\d+\].*$/),
  watchdog: z.string().regex(/^(?:https?|\[PROTO:\w+\]|tcp):\/\/\[HOST\]:(\[PORT:\d+\]|\d+).*$/),
  services: z.array(z.string().regex(/^(mqtt|mysql):(provide|want|need)$/)),
  backup: z.enum(['hot', 'cold']),
  options: z.record(z.string(), z.union([z.string(), z.boolean()])),
  schema: z.record(z.string(), option),
})
const texts = z.strictObject({
  configuration: z.record(z.string(), z.strictObject({ name: z.string(), description: z.string().exactOptional() })),
})

const variable = (name: string) => `TRANSOM_${name.toUpperCase()}`

describe('its files', () => {
  const { options, schema, version } = config.parse(read('config.yaml'))

  test('the version is that of the program', () => {
    const { version: ours } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    expect(version).toBe(ours)
  })

  test('each option is a setting, and those with a default are required', () => {
    expect(Object.keys(schema).filter((name) => !(variable(name) in settingVariables))).toEqual([])
    const required = Object.entries(schema).filter(([, type]) => !type.endsWith('?'))
    expect(Object.keys(options).toSorted()).toEqual(required.map(([name]) => name).toSorted())
  })

  test('of a choice each value is one that the setting accepts', () => {
    for (const [name, type] of Object.entries(schema)) {
      const [, values] = /^list\((.*)\)/.exec(type) ?? []
      for (const value of values?.split('|') ?? []) expect(() => readConfig({ [variable(name)]: value })).not.toThrow()
    }
  })

  test.each(['en', 'de'])('each option has its text (%s)', (language) => {
    const { configuration } = texts.parse(read(`translations/${language}.yaml`))
    expect(Object.keys(configuration)).toEqual(Object.keys(schema))
  })
})

/** What the program saw of its start. */
const seen = z.object({
  env: z.record(z.string(), z.string()),
  words: z.array(z.string()),
  user: z.int(),
  at: z.string(),
})

describe('its start', () => {
  const directory = mkdtempSync(join(tmpdir(), 'transom-add-on-'))
  // Started as root it is soon another user.
  chmodSync(directory, 0o755)
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  /** The settings and the words with which the program is started, by these options, where the Supervisor gives this reply. */
  async function started(options: unknown, reply?: { readonly status: number; readonly data?: unknown }) {
    const asked: unknown[] = []
    const supervisor = createServer(({ url, headers }, response) => {
      asked.push([url, headers.authorization])
      response.writeHead(reply?.status ?? 500, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ result: 'ok', data: reply?.data }))
    }).listen(0, '127.0.0.1')
    await once(supervisor, 'listening')
    const program = join(directory, 'program.mjs')
    const file = join(directory, 'options.json')
    writeFileSync(file, JSON.stringify(options))
    writeFileSync(
      program,
      'console.log(JSON.stringify({ env: process.env, words: process.argv.slice(2), user: process.getuid(), at: process.cwd() }))',
    )
    try {
      const { stdout } = await run(process.execPath, [join(addOn, 'run.mjs'), file, program], {
        env: {
          TRANSOM_DATA: join(directory, 'data'),
          SUPERVISOR_URL: `http://127.0.0.1:${(supervisor.address() as AddressInfo).port}`,
          ...(reply && { SUPERVISOR_TOKEN: 'token' }),
        },
      })
      return { ...seen.parse(JSON.parse(stdout)), asked }
    } finally {
      supervisor.close()
    }
  }

  const broker = { host: 'core-mosquitto', port: 1883, ssl: false, username: 'addons', password: 'p@ss/word' }

  test('options are settings, and what is empty is not set', async () => {
    const options = { public_url: 'https://bridge.example.org', behind_proxy: true, doorbell: false, name: '' }
    const { env, words, user, at } = await started(options)
    expect(env).toMatchObject({
      TRANSOM_PUBLIC_URL: 'https://bridge.example.org',
      TRANSOM_BEHIND_PROXY: 'on',
      TRANSOM_DOORBELL: 'off',
    })
    expect(env).not.toHaveProperty('TRANSOM_NAME')
    expect(words).toEqual([])
    expect(user).not.toBe(0)
    expect(at).toBe(env['TRANSOM_DATA'])
  })

  test("the broker is Home Assistant's, with its user and password", async () => {
    const { env, asked } = await started({}, { status: 200, data: broker })
    expect(env['TRANSOM_MQTT_URL']).toBe('mqtt://addons:p%40ss%2Fword@core-mosquitto:1883')
    expect(asked).toEqual([['/services/mqtt', 'Bearer token']])
  })

  test('a broker with TLS', async () => {
    const { env } = await started({}, { status: 200, data: { ...broker, ssl: true, port: 8883 } })
    expect(env['TRANSOM_MQTT_URL']).toBe('mqtts://addons:p%40ss%2Fword@core-mosquitto:8883')
  })

  test('a broker of the options is used instead', async () => {
    const { env, asked } = await started({ mqtt_url: 'mqtt://mine' }, { status: 200, data: broker })
    expect(env['TRANSOM_MQTT_URL']).toBe('mqtt://mine')
    expect(asked).toEqual([])
  })

  test('without a broker there is none', async () => {
    const { env } = await started({}, { status: 400 })
    expect(env).not.toHaveProperty('TRANSOM_MQTT_URL')
  })
})
