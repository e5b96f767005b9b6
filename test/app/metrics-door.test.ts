/** Who may read `/metrics`. */
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import express from 'express'
import { expect, test } from '@jest/globals'
import { createWrongKeys } from '../../src/core/admission.ts'
import { readConfig } from '../../src/transom/config.ts'
import { createMetricsDoor } from '../../src/transom/metrics-door.ts'

const key = 'm'.repeat(20)
const operatorKey = 'o'.repeat(32)
const https = 'https://bridge.example'
const by = (token: string) => ({ authorization: `Bearer ${token}` })

test.each<readonly [string, Readonly<Record<string, string>>, Readonly<Record<string, string>>, number]>([
  ['this machine', {}, {}, 200],
  ['this machine, at an address of the house', { TRANSOM_PUBLIC_URL: 'http://192.0.2.7:8080' }, {}, 200],
  ['whoever comes by a proxy', {}, { 'x-forwarded-for': '192.0.2.1' }, 401],
  ['whoever comes by a proxy (RFC 7239)', {}, { forwarded: 'for=192.0.2.1' }, 401],
  ['this machine, where a proxy is set', { TRANSOM_BEHIND_PROXY: 'on' }, {}, 401],
  ['this machine, where only a proxy can speak HTTPS', { TRANSOM_PUBLIC_URL: https }, {}, 401],
  ['whoever has the key', { TRANSOM_PUBLIC_URL: https, TRANSOM_METRICS_KEY: key }, by(key), 200],
  ['the operator', { TRANSOM_PUBLIC_URL: https }, by(operatorKey), 200],
  ['whoever has another key', { TRANSOM_PUBLIC_URL: https, TRANSOM_METRICS_KEY: key }, by(`${key}m`), 401],
  ['everybody where it is open', { TRANSOM_PUBLIC_URL: https, TRANSOM_METRICS: 'open' }, {}, 200],
  ['nobody where it is off', { TRANSOM_METRICS: 'off' }, by(operatorKey), 404],
])('%s: %j %j is answered %d', async (_, env, headers, status) => {
  const door = createMetricsDoor({
    metrics: { read: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'transom_info 1\n' }) },
    config: readConfig(env),
    operatorKeys: [operatorKey],
    wrongKeys: createWrongKeys({ clock: () => 0, log: () => {} }),
  })
  const app = express()
  if (door !== undefined) app.use(door)
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`, { headers })
  server.close()
  expect(response.status).toBe(status)
  if (status !== 200) return
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(await response.text()).toBe('transom_info 1\n')
})
