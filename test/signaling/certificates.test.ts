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

const years = 365 * dayMs
test.each([
  ['nears its end', Date.now(), Date.now() + 3_630 * dayMs],
  ['was made while the clock was ahead', Date.now() + 3 * years, Date.now()],
  ['was made in 1970, before the machine knew the time', 0, Date.now()],
])(
  'an authority that %s is made again with its key and its name, and so is the server certificate',
  async (...times) => {
    const [, madeAt, now] = times
    const first = await load(madeAt)
    const second = await load(now)
    const [older, newer, server] = [first.ca, second.ca, second.cert].map((pem) => new X509Certificate(pem))
    expect(second.ca).not.toBe(first.ca)
    expect([newer?.subject, newer?.publicKey.export({ type: 'spki', format: 'pem' })]).toEqual([
      older?.subject,
      older?.publicKey.export({ type: 'spki', format: 'pem' }),
    ])
    for (const cert of [newer, server]) {
      expect(cert?.validFromDate.getTime()).toBeLessThanOrEqual(now)
      expect(cert?.validToDate.getTime()).toBeGreaterThan(now + 30 * dayMs)
    }
    // Whoever trusts the older one still trusts the server.
    expect(server?.verify(older!.publicKey)).toBe(true)
    expect(await load(now)).toEqual(second)
  },
)

test('a clock that was wrong for a while changes no key', async () => {
  const first = await load()
  await load(0)
  const third = await load()
  expect(new X509Certificate(third.cert).verify(new X509Certificate(first.ca).publicKey)).toBe(true)
})

test.each(['ca.pem', 'ca-key.pem'])('without a readable %s there is another authority', async (file) => {
  const first = await load()
  await writeFile(join(directory, file), 'damaged')
  const second = await load()
  expect(new X509Certificate(second.ca).subject).not.toBe(new X509Certificate(first.ca).subject)
  expect(new X509Certificate(second.cert).verify(new X509Certificate(second.ca).publicKey)).toBe(true)
})
