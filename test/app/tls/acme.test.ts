/** A certificate of a public authority, against a strict one in memory: how it is asked for, and what is said when it is refused. */
import { X509Certificate } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { AcmeError } from '../../../src/transom/tls/acme-client.ts'
import { createAcmeSource, type AcmeSettings } from '../../../src/transom/tls/acme.ts'
import { isFor } from '../../../src/transom/tls/certificate.ts'
import { createAcmeServer, directory as acmeDirectory, type AcmeServerOptions } from './acme-server.ts'

const now = Date.now()
const signal = new AbortController().signal
let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'acme-'))
})
afterEach(() => rm(directory, { recursive: true }))

async function openWorld(
  server: Partial<AcmeServerOptions> = {},
  settings: Partial<AcmeSettings> = {},
  challenges = new Map<string, string>(),
) {
  const { fetch, ca, seen } = await createAcmeServer({
    now,
    validate: (type, _name, keyAuthorization, token) =>
      type === 'http-01' && challenges.get(token) === keyAuthorization,
    ...server,
  })
  const source = createAcmeSource({
    settings: {
      kind: 'acme',
      names: ['door.example'],
      directory: acmeDirectory,
      email: undefined,
      binding: undefined,
      dnsHook: undefined,
      ...settings,
    },
    directory,
    challenges,
    fetch,
    pause: async (_ms, { aborted }) => !aborted,
    clock: () => now,
  })
  /** What is said of a failure. */
  const fail = async () => {
    const thrown = await source.renew(signal).catch((error: unknown) => error)
    if (!(thrown instanceof Error)) throw new Error('it was renewed')
    return { thrown, reason: thrown.message, remedy: source.remedy(thrown), waitMs: source.waitMs(thrown) }
  }
  return { source, ca, seen, challenges, fail }
}

/** A hook program that writes down how it is called, and exits with this code. */
async function writeHook(code = 0): Promise<string> {
  const path = join(directory, 'hook.sh')
  await writeFile(path, `#!/bin/sh\necho "$@" >> ${directory}/called\necho "no such zone" >&2\nexit ${code}\n`)
  await chmod(path, 0o755)
  return path
}

test('HTTP-01 for a name and an address: the certificate has its chain, and nothing is left to be answered', async () => {
  const names = ['door.example', '192.0.2.7']
  const { source, ca, challenges } = await openWorld({}, { names })
  const pair = await source.renew(signal)
  const leaf = new X509Certificate(pair.cert)
  expect(leaf.verify(new X509Certificate(ca).publicKey)).toBe(true)
  expect(pair.cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
  expect(isFor(pair, names)).toBe(true)
  expect(challenges.size).toBe(0)
  expect(await source.kept()).toEqual(pair)
})

test('keys and account are for their owner only, and the next order is of the same account', async () => {
  const { source, seen } = await openWorld({}, { email: 'me@example.org' })
  const first = await source.renew(signal)
  const second = await source.renew(signal)
  expect(second.key).not.toBe(first.key)
  expect(seen.accounts.size).toBe(1)
  expect(seen.contacts).toEqual([['mailto:me@example.org'], ['mailto:me@example.org']])
  for (const file of ['acme-account.json', 'acme-acme.example-key.pem'])
    expect((await stat(join(directory, file))).mode & 0o777).toBe(0o600)
})

test('a damaged account file is one more account, and no certificate less', async () => {
  await writeFile(join(directory, 'acme-account.json'), '{')
  const { source, seen } = await openWorld()
  await source.renew(signal)
  expect(seen.accounts.size).toBe(1)
})

test('DNS-01 by a program: it is given the record and its value, and called again to remove it', async () => {
  const dnsHook = await writeHook()
  const shown: string[] = []
  const { source } = await openWorld(
    { validate: (type, _name, value) => type === 'dns-01' && shown.push(value) > 0 },
    { dnsHook },
  )
  await source.renew(signal)
  const [added, removed] = (await readFile(join(directory, 'called'), 'utf8')).trim().split('\n')
  expect(added).toBe(`add _acme-challenge.door.example ${shown[0]}`)
  expect(removed).toBe(`remove _acme-challenge.door.example ${shown[0]}`)
})

test('a program that fails is named with what it wrote', async () => {
  const dnsHook = await writeHook(1)
  const { fail } = await openWorld({ validate: () => true }, { dnsHook })
  const { reason, remedy } = await fail()
  expect(reason).toBe(`${dnsHook} add _acme-challenge.door.example failed: no such zone`)
  expect(remedy).toContain('Run the program of TRANSOM_ACME_DNS_HOOK by hand')
})

test('a nonce that is refused is answered with the next one', async () => {
  const { source } = await openWorld({ dropsNonces: true })
  expect(isFor(await source.renew(signal), ['door.example'])).toBe(true)
})

test('an authority that has customers gets the binding that it gave out', async () => {
  const key = 'k'.repeat(43)
  const { source } = await openWorld({ customers: { one: key } }, { binding: { keyId: 'one', key } })
  await source.renew(signal)
  const { fail } = await openWorld({ customers: { one: key } })
  expect((await fail()).remedy).toContain('TRANSOM_ACME_EAB_KEY_ID')
})

test('a validation that fails says where the way in is missing, and takes its answer away', async () => {
  const { fail, challenges, source } = await openWorld({ validate: () => false })
  const { thrown, reason, remedy } = await fail()
  expect(thrown).toBeInstanceOf(AcmeError)
  expect(reason).toBe('Connection refused')
  expect(remedy).toContain('Forward port 80 of door.example')
  expect(challenges.size).toBe(0)
  expect(await source.kept()).toBeUndefined()
})

test.each([
  ['/order', 'rateLimited', 'The next try comes by itself', '3600', 3_600_000],
  ['/order', 'rejectedIdentifier', 'TRANSOM_HTTPS=own', undefined, undefined],
  ['/order', 'dns', 'Create a record for door.example', undefined, undefined],
  ['/order', 'caa', 'CAA record of door.example', undefined, undefined],
  ['/account', 'invalidContact', 'TRANSOM_ACME_EMAIL', undefined, undefined],
  ['/directory', 'serverInternal', 'TRANSOM_ACME_DIRECTORY', undefined, undefined],
])('refused at %s with %s: the remedy says "%s"', async (path, type, words, wait, waitMs) => {
  const instead = (asked: string) =>
    asked === path ? { type, status: 429, ...(wait !== undefined && { wait }) } : undefined
  const { fail } = await openWorld({ instead })
  const found = await fail()
  expect(found.remedy).toContain(words)
  expect(found.waitMs).toBe(waitMs)
})

test('a certificate for other names than were asked for is not used', async () => {
  const { fail, source } = await openWorld({ names: ['bank.example'] })
  expect((await fail()).reason).toContain('not the one that was asked for')
  expect(await source.kept()).toBeUndefined()
})

test.each([
  ['no JSON', () => new Response('<html>')],
  ['something else', () => Response.json({ newNonce: 'http://a.example/', newOrder: 7 })],
])('an authority that answers %s is said to be none', async (_case, answer) => {
  const source = createAcmeSource({
    settings: {
      kind: 'acme',
      names: ['door.example'],
      directory: acmeDirectory,
      email: undefined,
      binding: undefined,
      dnsHook: undefined,
    },
    directory,
    challenges: new Map(),
    fetch: async () => answer(),
    clock: () => now,
  })
  await expect(source.renew(signal)).rejects.toThrow('RFC 8555')
})

test('an authority that is not reached is named, with the way to it', async () => {
  const { source } = await openWorld()
  expect(source.remedy(new TypeError('fetch failed'))).toContain('Give this machine a way to acme.example')
})
