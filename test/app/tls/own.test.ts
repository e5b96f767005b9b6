/** The bridge's own authority: what it may sign for, how it is kept, and what devices that trust it accept. */
import { createSecretKey, randomBytes, X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { makeAuthority, makeServer, type Pair } from '../../../src/signaling/make-certificate.ts'
import { isFor, renewAt } from '../../../src/transom/tls/certificate.ts'
import { createOwnAuthority } from '../../../src/transom/tls/own.ts'

const dayMs = 24 * 3_600_000
const sealing = createSecretKey(randomBytes(32))
const never = new AbortController().signal
let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'own-'))
})
afterEach(() => rm(directory, { recursive: true }))

const open = (names: readonly string[], now = Date.now(), key = sealing) =>
  createOwnAuthority({ directory, sealing: key, names, clock: () => now, log: () => {} })

/** What a client that trusts only `ca` says of a server with this certificate: undefined when it is content. */
async function judge(pair: Pair, ca: string, name: string): Promise<string | undefined> {
  const server = createServer((socket) => {
    const secure = new TLSSocket(socket, { isServer: true, ...pair })
    secure.on('error', () => secure.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const client = connect({ host: '127.0.0.1', port, ca, servername: name })
  client.once('secureConnect', () => resolve(undefined))
  client.once('error', (error) => resolve(error.message))
  try {
    return await promise
  } finally {
    client.destroy()
    server.close()
  }
}

test('a client that has installed the authority accepts the certificate, for every name of it', async () => {
  const own = open(['door.example', 'door.local'])
  const pair = await own.renew(never)
  const ca = (await own.certificate())!
  expect(isFor(pair, await own.names())).toBe(true)
  expect(await own.names()).toEqual(expect.arrayContaining(['door.example', 'door.local', 'localhost', '127.0.0.1']))
  for (const name of ['door.example', 'door.local', 'localhost', hostname().toLowerCase()])
    expect([name, await judge(pair, ca, name)]).toEqual([name, undefined])
  expect(await judge(pair, ca, 'elsewhere.local')).toContain('does not match')
})

test.each(['bank.example', 'notlocal', '8.8.8.8', '2001:4860:4860::8888'])(
  'no client accepts of it a certificate for %s, whoever has its key',
  async (name) => {
    const permitted = { names: ['local', 'door.example'], networks: ['192.168.0.0/16', 'fc00::/7'] }
    const authority = await makeAuthority(Date.now(), { permitted })
    const pair = await makeServer(authority, { names: [name], commonName: 'Somebody' }, Date.now())
    expect(await judge(pair, authority.cert, name)).toBe('permitted subtree violation')
  },
)

test('of the key only what is sealed lies on the disk, and all keys are for their owner only', async () => {
  await open(['door.local']).renew(never)
  const files = await readdir(directory)
  expect(files.toSorted()).toEqual(['authority-key.sealed', 'authority.pem', 'own-key.pem', 'own.pem'])
  expect(await readFile(join(directory, 'authority-key.sealed'), 'utf8')).toMatch(/^[\w-]+$/)
  for (const file of files.filter((one) => one.includes('key')))
    expect((await stat(join(directory, file))).mode & 0o777).toBe(0o600)
})

test('what is kept is used again, unless another authority has signed it', async () => {
  const pair = await open(['door.local']).renew(never)
  expect(await open(['door.local']).kept()).toEqual(pair)
  await writeFile(join(directory, 'authority.pem'), (await makeAuthority(Date.now())).cert)
  expect(await open(['door.local']).kept()).toBeUndefined()
})

test('a later authority has the key and the limits of the first: devices that trust either accept the certificate', async () => {
  const now = Date.now()
  const first = open(['door.local'], now - 3_000 * dayMs)
  await first.renew(never)
  const older = (await first.certificate())!
  const pair = await open(['door.local'], now).renew(never)
  const newer = (await open([]).certificate())!
  expect(newer).not.toBe(older)
  for (const ca of [older, newer]) expect(await judge(pair, ca, 'door.local')).toBeUndefined()
  await expect(open(['bank.example'], now).renew(never)).rejects.toThrow('cannot sign for bank.example')
})

test('a name for which the authority cannot sign is reported with the way out, and the certificate in use stays', async () => {
  const pair = await open(['door.local']).renew(never)
  const own = open(['bank.example'])
  const thrown = await own.renew(never).catch((error: unknown) => error)
  expect(String(thrown)).toContain('cannot sign for bank.example')
  expect(own.remedy(thrown)).toContain('install the new authority on each device')
  expect(await own.kept()).toEqual(pair)
})

test.each([
  ['its key is gone', () => rm(join(directory, 'authority-key.sealed')), sealing],
  ['it is gone, and its key is there', () => rm(join(directory, 'authority.pem')), sealing],
  ['its key was changed', () => writeFile(join(directory, 'authority-key.sealed'), 'x'.repeat(80)), sealing],
  ['its key was sealed with another key', () => undefined, createSecretKey(randomBytes(32))],
])('no other authority is made because %s', async (_case, damage, key) => {
  await open(['door.local']).renew(never)
  await damage()
  const before = await readdir(directory)
  const own = open(['door.local'], Date.now(), key)
  const thrown = await own.renew(never).catch((error: unknown) => error)
  expect(String(thrown)).toContain('do not belong together')
  expect(own.remedy(thrown)).toContain('Restore authority.pem and authority-key.sealed from your backup')
  expect(await readdir(directory)).toEqual(before)
})

test('it is renewed with a third of its lifetime left', async () => {
  const pair = await open(['door.local']).renew(never)
  const { validFromDate, validToDate } = new X509Certificate(pair.cert)
  expect(renewAt(pair)).toBeCloseTo(
    validFromDate.getTime() + ((validToDate.getTime() - validFromDate.getTime()) * 2) / 3,
  )
})
