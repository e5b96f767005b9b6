/** A TURN server over TLS whose certificate displays do not trust is named in the log. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, getCACertificates, setDefaultCACertificates, type Server } from 'node:tls'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { loadIdentity } from '../../src/signaling/certificates.ts'
import { run } from './running-service.ts'
import { until } from '../until.ts'

let directory: string
let server: Server
let port: number
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'turns-'))
  const { key, cert } = await loadIdentity(directory, ['127.0.0.1', 'localhost', '::1'], Date.now, () => {})
  server = createServer({ key, cert }, (socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})
afterEach(async () => {
  server.close()
  await rm(directory, { recursive: true })
})

const warnings = (logged: readonly { event: string; fields: Readonly<Record<string, unknown>> }[]) =>
  logged.filter(({ event }) => event === 'signaling.turns-certificate-not-trusted').map(({ fields }) => fields['url'])

test.each([
  ['127.0.0.1', '?transport=tcp'],
  ['localhost', ''],
])('at %s, by the TURN settings and by the ICE servers', async (host, query) => {
  const url = `turns:${host}:${port}${query}`
  const others = [`turns:${host}:1`, 'turn:127.0.0.1:1', `turns:${host}:${port}?transport=udp`]
  for (const options of [
    { turn: { urls: [url, ...others], secret: 's' } },
    { iceServers: [{ urls: [...others, url], username: 'u', credential: 'p' }] },
  ]) {
    const running = await run(options)
    try {
      await until(() => warnings(running.logged).length > 0)
    } finally {
      await running.close()
    }
    expect(warnings(running.logged)).toEqual([url])
  }
})

test('closing does not wait for a server that does not answer', async () => {
  server.removeAllListeners('connection')
  const running = await run({ turn: { urls: [`turns:127.0.0.1:${port}`], secret: 's' } })
  await running.close()
  expect(warnings(running.logged)).toEqual([])
})

test('an authority that this machine trusts is none that displays trust', async () => {
  const usual = getCACertificates('default')
  const { ca } = await loadIdentity(directory, ['localhost'], Date.now, () => {})
  const url = `turns:localhost:${port}`
  // As NODE_EXTRA_CA_CERTS does.
  setDefaultCACertificates([...usual, ca])
  const running = await run({ turn: { urls: [url], secret: 's' } })
  try {
    await until(() => warnings(running.logged).length > 0)
    expect(warnings(running.logged)).toEqual([url])
  } finally {
    setDefaultCACertificates(usual)
    await running.close()
  }
})
