/** The authority and the server certificate: what they say, when they are kept, when they are made anew. */
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
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

const authority = ['ca.pem', 'ca-key.pem']
const remedy = /ca\.pem and ca-key\.pem in .* restore both from your backup\. Without one, remove .*on each camera/

describe('an authority that was in use, which cameras trust, is not replaced by another', () => {
  const damages: readonly (readonly [string, readonly string[], (path: string) => Promise<void>])[] = [
    ['damaged', ['ca.pem'], (path) => writeFile(path, 'damaged')],
    ['damaged', ['ca-key.pem'], (path) => writeFile(path, 'damaged')],
    ['empty', ['ca.pem'], (path) => truncate(path)],
    ['cut off', ['ca.pem'], (path) => truncate(path, 200)],
    ['missing', ['ca.pem'], (path) => rm(path)],
    ['missing', ['ca-key.pem'], (path) => rm(path)],
    ['missing', authority, (path) => rm(path)],
    ['damaged', [...authority, 'server.pem'], (path) => writeFile(path, 'damaged')],
  ]
  test.each(damages)('%s: %j', async (_what, files, damage) => {
    await load()
    for (const file of files) await damage(join(directory, file))
    const left = await contents()
    await expect(load()).rejects.toThrow(remedy)
    expect(await contents()).toEqual(left)
  })

  test('the key of another one', async () => {
    await load()
    const cert = await readFile(join(directory, 'ca.pem'))
    for (const file of await readdir(directory)) await rm(join(directory, file))
    await load()
    await writeFile(join(directory, 'ca.pem'), cert)
    await expect(load()).rejects.toThrow(remedy)
  })
})

test('a first start that was cut short after the key is begun again', async () => {
  await load()
  for (const file of ['ca.pem', 'server.pem', 'server-key.pem']) await rm(join(directory, file))
  const { ca, cert } = await load()
  expect(new X509Certificate(cert).verify(new X509Certificate(ca).publicKey)).toBe(true)
})

test('the remedy works: without all four there is another authority', async () => {
  const first = await load()
  for (const file of await readdir(directory)) await rm(join(directory, file))
  const second = await load()
  expect(new X509Certificate(second.ca).subject).not.toBe(new X509Certificate(first.ca).subject)
})

/** Every file by its name. */
async function contents() {
  const files = await readdir(directory)
  return Promise.all(files.map(async (file) => [file, await readFile(join(directory, file), 'utf8')]))
}
