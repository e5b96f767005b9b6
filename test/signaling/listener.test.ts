/** The ways to listen: our own certificate, the user's, or none behind a proxy; and the addresses that are handed out. */
import { once } from 'node:events'
import { X509Certificate } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import {
  DescribeSignalingChannelCommand,
  GetSignalingChannelEndpointCommand,
  KinesisVideoClient,
} from '@aws-sdk/client-kinesis-video'
import { openKvs } from '../../src/kvs/access.ts'
import { findChannel } from '../../src/kvs/resources.ts'
import { loadIdentity } from '../../src/signaling/certificates.ts'
import { region, run, type Running } from './running-service.ts'
import { until } from '../until.ts'

const dayMs = 24 * 3_600_000
let directory: string
let running: Running | undefined
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'listener-'))
})
afterEach(async () => {
  await running?.close()
  running = undefined
  await rm(directory, { recursive: true, force: true })
})

/** The certificate that a client gets which names this host, or none. */
async function shown(service: { localEndpoint: string }, servername?: string): Promise<X509Certificate> {
  const { hostname, port } = new URL(service.localEndpoint)
  const socket = connectTls({
    host: hostname,
    port: Number(port),
    rejectUnauthorized: false,
    ...(servername !== undefined && { servername }),
  })
  await once(socket, 'secureConnect')
  const certificate = socket.getPeerX509Certificate()
  socket.destroy()
  if (certificate === undefined) throw new Error('no certificate')
  return certificate
}

/** Files as a user has them, from an authority of his own. */
async function issue(name: string): Promise<{ certPath: string; keyPath: string; ca: string; cert: string }> {
  const made = await loadIdentity(join(directory, `${name}-${Date.now()}`), [name], Date.now, () => {})
  const [certPath, keyPath] = [join(directory, 'user.pem'), join(directory, 'user-key.pem')]
  await writeFile(certPath, made.cert)
  await writeFile(keyPath, made.key)
  return { certPath, keyPath, ca: made.ca, cert: made.cert }
}

const endpointsBy = async (endpoint: string, ca: string | undefined) => {
  const { NodeHttpHandler } = await import('@smithy/node-http-handler')
  const requestHandler = new NodeHttpHandler({ httpsAgent: { ca } })
  const client = new KinesisVideoClient({ region, endpoint, credentials: running!.key, requestHandler })
  const ChannelARN = await running!.service.ensureChannel('door')
  try {
    const { ResourceEndpointList } = await client.send(
      new GetSignalingChannelEndpointCommand({
        ChannelARN,
        SingleMasterChannelEndpointConfiguration: { Protocols: ['WSS', 'HTTPS'], Role: 'MASTER' },
      }),
    )
    return ResourceEndpointList?.map(({ ResourceEndpoint }) => ResourceEndpoint)
  } finally {
    client.destroy()
    requestHandler.destroy()
  }
}

test('the certificate made here is renewed before its end, without a restart and by the same authority', async () => {
  let now = Date.now()
  running = await run({ clock: () => now, limits: { certificateCheckMs: 3_600_000 } })
  const first = await shown(running.service)
  await running.service.refreshCertificate()
  expect((await shown(running.service)).fingerprint).toBe(first.fingerprint)
  now += 380 * dayMs
  await running.service.refreshCertificate()
  const second = await shown(running.service)
  expect(second.fingerprint).not.toBe(first.fingerprint)
  expect(second.validToDate.getTime()).toBeGreaterThan(now + 300 * dayMs)
  expect(second.verify(new X509Certificate(running.ca).publicKey)).toBe(true)
})

test("the user's certificate is shown to who names a host, and taken anew when its files change", async () => {
  const { certPath, keyPath, cert } = await issue('kvs.example')
  const url = 'https://kvs.example'
  running = await run({
    tls: { kind: 'files', certPath, keyPath },
    advertisedUrl: url,
    limits: { certificateCheckMs: 20 },
  })
  expect(running.service).toMatchObject({ endpoint: url, caPath: undefined })
  expect((await shown(running.service, 'kvs.example')).toString()).toBe(new X509Certificate(cert).toString())
  // The bridge on this machine goes by address, and trusts our own authority.
  expect((await shown(running.service)).checkIP('127.0.0.1')).toBe('127.0.0.1')
  await expect(endpointsBy(running.service.localEndpoint, running.service.ca)).resolves.toHaveLength(2)

  const renewed = await issue('kvs.example')
  const [{ service }, expected] = [running, new X509Certificate(renewed.cert).toString()]
  await until(async () => (await shown(service, 'kvs.example')).toString() === expected)
})

test('files that are damaged while the service runs are reported, and what was good goes on', async () => {
  const { certPath, keyPath, cert } = await issue('kvs.example')
  running = await run({ tls: { kind: 'files', certPath, keyPath }, limits: { certificateCheckMs: 3_600_000 } })
  await copyFile(certPath, keyPath)
  await writeFile(certPath, 'half a certif')
  await running.service.refreshCertificate()
  expect(running.logged.at(-1)).toMatchObject({ level: 'error', event: 'signaling.certificate-unusable' })
  expect((await shown(running.service, 'kvs.example')).toString()).toBe(new X509Certificate(cert).toString())
})

test('a key that is still being written is not taken, and the whole one is', async () => {
  const { certPath, keyPath, cert } = await issue('kvs.example')
  running = await run({ tls: { kind: 'files', certPath, keyPath }, limits: { certificateCheckMs: 3_600_000 } })
  const renewed = await issue('kvs.example')
  const key = await readFile(keyPath)
  for (const half of ['', key.subarray(0, 60)]) {
    await writeFile(keyPath, half)
    await running.service.refreshCertificate()
    expect((await shown(running.service, 'kvs.example')).toString()).toBe(new X509Certificate(cert).toString())
  }
  await writeFile(keyPath, key)
  await running.service.refreshCertificate()
  expect((await shown(running.service, 'kvs.example')).toString()).toBe(new X509Certificate(renewed.cert).toString())
})

test('files that cannot be used do not let it start', async () => {
  const { certPath } = await issue('kvs.example')
  await expect(run({ tls: { kind: 'files', certPath, keyPath: certPath } })).rejects.toThrow(
    `key ${certPath} cannot be`,
  )
  await expect(run({ tls: { kind: 'files', certPath: '/nowhere', keyPath: '/nowhere' } })).rejects.toThrow(
    /^certificate \/nowhere .* cannot be used \(Error: ENOENT.*PEM files that belong together/,
  )
})

test('behind a proxy it starts where there is no directory yet', async () => {
  running = await run({ tls: { kind: 'none' }, certificateDir: join(directory, 'new', 'certificates') })
})

test('behind a proxy it speaks plain HTTP, and hands out the addresses by which it was reached', async () => {
  running = await run({ tls: { kind: 'none' }, advertisedUrl: 'https://kvs.example' })
  const { service } = running
  expect(service).toMatchObject({ endpoint: 'https://kvs.example', ca: undefined, caPath: undefined })
  expect(service.localEndpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const local = service.localEndpoint
  expect(await endpointsBy(local, undefined)).toEqual([`${local.replace('http', 'ws')}/master`, local])

  // What a proxy passes on: the Host that the client signed.
  const ChannelARN = await service.ensureChannel('door')
  const client = new KinesisVideoClient({ region, endpoint: local, credentials: running.key })
  client.middlewareStack.add(
    (next) => async (args) => {
      const request = args.request as { headers: Record<string, string> }
      request.headers['host'] = 'kvs.example'
      return next(args)
    },
    { step: 'build', priority: 'low' },
  )
  const { ResourceEndpointList } = await client.send(new GetSignalingChannelEndpointCommand({ ChannelARN }))
  expect(ResourceEndpointList?.map(({ ResourceEndpoint }) => ResourceEndpoint)).toEqual([
    'wss://kvs.example',
    'https://kvs.example',
  ])
  await client.send(new DescribeSignalingChannelCommand({ ChannelARN }))
  client.destroy()
})

test.each([
  ['a name and an address', { advertisedHost: '192.0.2.7', advertisedUrl: 'https://kvs.example' }, 'wss://kvs.example'],
  ['two IPv6 literals', { advertisedHost: 'fd00::7', advertisedUrl: 'https://[2001:db8::7]' }, 'wss://[2001:db8::7]'],
])('the certificate names the host and that of the URL: %s', async (_case, advertised) => {
  running = await run(advertised)
  const cert = new X509Certificate(await readFile(join(running.directory, 'server.pem')))
  for (const name of [advertised.advertisedHost, new URL(advertised.advertisedUrl).hostname.replace(/[[\]]/g, '')])
    expect(isIP(name) ? cert.checkIP(name) : cert.checkHost(name)).toBe(name)
  expect(running.service.endpoint).toBe(advertised.advertisedUrl)
})

test('a client on this machine goes on when a wrong clock comes right, without a restart', async () => {
  let aheadMs = 30 * 24 * 3_600_000
  running = await run({ clock: () => Date.now() + aheadMs })
  const { service, key } = running
  await service.ensureChannel('door')
  // The SDK corrects its own clock by the service's.
  const kvs = openKvs({ region, endpoint: service.localEndpoint, credentials: key, ca: () => service.ca })
  try {
    const find = () => findChannel(kvs, 'door', 'VIEWER', AbortSignal.timeout(60_000))
    await expect(find()).rejects.toMatchObject({ code: 'signaling_failed' })
    aheadMs = 0
    await service.refreshCertificate()
    expect(await find()).toMatchObject({ channelName: 'door' })
  } finally {
    kvs.close()
  }
})
