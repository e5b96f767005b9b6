/** The authority and the server certificate: what they say, when they are kept, when they are made anew. */
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { loadIdentity } from '../../src/signaling/certificates.ts'

const dayMs = 24 * 3_600_000
const names = ['localhost', '127.0.0.1', '::1', 'bridge.home']
let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'certificates-'))
})
afterEach(() => rm(directory, { recursive: true }))

const load = (at = Date.now(), wanted = names) =>
  loadIdentity(
    directory,
    wanted,
    () => at,
    () => {},
  )

test('the server certificate is signed by the authority and names every host', async () => {
  const { ca, caPath, cert, key } = await load()
  const [authority, server] = [new X509Certificate(ca), new X509Certificate(cert)]
  expect(await readFile(caPath, 'utf8')).toBe(ca)
  expect(authority.ca).toBe(true)
  expect([server.ca, server.checkIssued(authority), server.verify(authority.publicKey)]).toEqual([false, true, true])
  expect(server.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:bridge.home')
  expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  expect(key).toContain('PRIVATE KEY')
})

test('keys are for their owner only, and no draft is left', async () => {
  await load()
  const files = await readdir(directory)
  expect(files.sort()).toEqual(['ca-key.pem', 'ca.pem', 'server-key.pem', 'server.pem'])
  for (const file of files) {
    const { mode } = await stat(join(directory, file))
    expect((mode & 0o777).toString(8)).toBe(file.includes('key') ? '600' : '644')
  }
})

test('a second start keeps both', async () => {
  expect(await load()).toEqual(await load())
})

test.each([
  ['near its end', Date.now() + 370 * dayMs, names],
  ['without a name that is wanted', Date.now(), [...names, '192.0.2.7']],
])('a server certificate %s is made anew by the same authority', async (_case, at, wanted) => {
  const first = await load()
  const second = await load(at, wanted)
  expect(second.ca).toBe(first.ca)
  expect(second.cert).not.toBe(first.cert)
  expect(new X509Certificate(second.cert).verify(new X509Certificate(first.ca).publicKey)).toBe(true)
})

test.each(['server-key.pem', 'server.pem'])('a damaged %s is made anew', async (file) => {
  const first = await load()
  await writeFile(join(directory, file), 'damaged')
  const second = await load()
  expect(second.ca).toBe(first.ca)
  expect(new X509Certificate(second.cert).verify(new X509Certificate(first.ca).publicKey)).toBe(true)
})

test('an authority near its end is replaced together with the server certificate', async () => {
  const first = await load()
  const second = await load(Date.now() + 3_630 * dayMs)
  expect(second.ca).not.toBe(first.ca)
  expect(new X509Certificate(second.cert).verify(new X509Certificate(second.ca).publicKey)).toBe(true)
})
