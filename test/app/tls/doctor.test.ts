/** What `transom doctor` says of the certificate that the bridge keeps itself. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecretKey, randomBytes, X509Certificate } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { readConfig } from '../../../src/transom/config.ts'
import { runChecks, type Finding } from '../../../src/transom/doctor/check.ts'
import { httpsChecks } from '../../../src/transom/doctor/https-checks.ts'
import { createOwnAuthority } from '../../../src/transom/tls/own.ts'

const now = Date.now()
const dayMs = 86_400_000
let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'https-doctor-'))
  mkdirSync(join(dataDir, 'https'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const examine = async (env: Readonly<Record<string, string>>, at = now): Promise<ReadonlyMap<string, Finding>> => {
  const config = readConfig({ TRANSOM_DATA: dataDir, TRANSOM_PUBLIC_URL: 'https://door.local', ...env })
  const found = await runChecks(httpsChecks(config, false, () => at))
  return new Map(found.map((finding) => [finding.id, finding]))
}
const own = { TRANSOM_HTTPS: 'own' }

async function makeCertificate(): Promise<string> {
  const directory = join(dataDir, 'https')
  const sealing = createSecretKey(randomBytes(32))
  const authority = createOwnAuthority({ directory, sealing, names: ['door.local'], clock: () => now, log: () => {} })
  await authority.renew(new AbortController().signal)
  return (await authority.certificate())!
}

test('nothing where the bridge speaks no HTTPS itself', async () => {
  expect((await examine({})).size).toBe(0)
})

test('a good certificate with its days and names, and the fingerprint of the authority', async () => {
  const pem = await makeCertificate()
  const found = await examine(own)
  expect(found.get('https-certificate')).toMatchObject({
    ok: true,
    detail: expect.stringMatching(/^valid for 39[67] days/),
  })
  expect(found.get('https-certificate')?.detail).toContain('door.local')
  expect(found.get('https-authority')).toMatchObject({
    ok: true,
    detail: expect.stringContaining(new X509Certificate(pem).fingerprint256),
  })
})

test('none yet, an ended one, and one without a name that is set: each with what to do', async () => {
  expect((await examine(own)).get('https-certificate')).toMatchObject({
    ok: false,
    remedy: expect.stringContaining('Start'),
  })
  await makeCertificate()
  const later = await examine(own, now + 4_000 * dayMs)
  expect([later.get('https-certificate')?.ok, later.get('https-authority')?.ok]).toEqual([false, false])
  const other = await examine({ ...own, TRANSOM_HTTPS_NAMES: 'garden.local' })
  expect(other.get('https-certificate')).toMatchObject({ ok: false, detail: expect.stringContaining('not for all of') })
})

test('why there is no new one, with the remedy and the time of the next try', async () => {
  const fault = { reason: 'Connection refused', remedy: 'Forward port 80.', failures: 2, at: now, nextAt: now + 1_000 }
  writeFileSync(join(dataDir, 'https/fault.json'), JSON.stringify(fault))
  const finding = (await examine({ TRANSOM_HTTPS: 'acme' })).get('https-certificate')
  expect(finding).toMatchObject({ ok: false, remedy: 'Forward port 80.' })
  expect(finding?.detail).toContain(
    `Connection refused (tried 2 times, again at ${new Date(now + 1_000).toISOString()})`,
  )
})
