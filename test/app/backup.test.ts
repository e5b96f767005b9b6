/** A backup that is made while the store is written, and restored: one file, for its owner only, whole or refused. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createSecretKey, X509Certificate } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { version } from '../../src/core/version.ts'
import { backUp, restore } from '../../src/transom/backup.ts'
import { lockDirectory } from '../../src/transom/data-lock.ts'
import { loadSecrets } from '../../src/transom/secrets.ts'
import { createPairFile, httpsDirectory } from '../../src/transom/tls/certificate.ts'
import { createOwnAuthority } from '../../src/transom/tls/own.ts'
import { createTerminal } from './terminal.ts'

const now = Date.UTC(2026, 10, 28, 8)
let root: string
let dataDir: string
let file: string
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'transom-backup-'))
  dataDir = join(root, 'data')
  file = join(root, 'doorbell.backup')
  mkdirSync(join(dataDir, 'certificates'), { recursive: true, mode: 0o700 })
  await loadSecrets(join(dataDir, 'secrets.json'), join(dataDir, 'transom.db'))
  writeFileSync(join(dataDir, 'certificates', 'credentials.key'), 'key', { mode: 0o600 })
  for (const name of ['operator.json', 'simulator.json']) writeFileSync(join(dataDir, name), '{}')
  await put('one', 'first')
})
afterEach(() => rmSync(root, { recursive: true }))

async function put(id: string, text: string, directory = dataDir): Promise<void> {
  const store = createSqliteStore(join(directory, 'transom.db'), () => now)
  await store.collection('thing').put(id, { text })
  await store.close()
}

async function texts(directory: string): Promise<unknown> {
  const store = createSqliteStore(join(directory, 'transom.db'), () => now)
  const found = await Promise.all(['one', 'two'].map((id) => store.collection('thing').get(id)))
  await store.close()
  return found.map((stored) => stored?.value)
}

test('a backup of a store that is open and written is restored whole, in an empty place', async () => {
  const open = createSqliteStore(join(dataDir, 'transom.db'), () => now)
  const writing = open.collection('thing').put('two', { text: 'second' })
  await writing
  const unlock = lockDirectory(dataDir)
  const facts = backUp(dataDir, file, now)
  unlock()
  await open.collection('thing').put('two', { text: 'after the backup' })
  await open.close()
  expect(facts).toMatchObject({ version, madeAt: now, files: expect.arrayContaining(['secrets.json']) })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(root)).toEqual(['data', 'doorbell.backup'])

  const there = join(root, 'elsewhere')
  expect(restore(file, there, now)).toMatchObject({ version, madeAt: now, kept: undefined })
  expect(await texts(there)).toEqual([{ text: 'first' }, { text: 'second' }])
  for (const name of ['secrets.json', 'certificates/credentials.key']) {
    expect(readFileSync(join(there, name))).toEqual(readFileSync(join(dataDir, name)))
    expect(statSync(join(there, name)).mode & 0o777).toBe(0o600)
  }
  expect(readdirSync(there).toSorted()).toEqual(['certificates', 'lock', 'secrets.json', 'transom.db'])
  const db = new DatabaseSync(join(there, 'transom.db'))
  expect(db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()).toEqual([{ name: 'record' }])
  db.close()
})

test('HTTPS goes on where it is restored: its certificates, and its own authority, which phones trust already', async () => {
  const open = async (directory: string) => {
    const { keys } = await loadSecrets(join(directory, 'secrets.json'), join(directory, 'transom.db'))
    const https = httpsDirectory(directory)
    const own = createOwnAuthority({
      directory: https,
      sealing: createSecretKey(keys.sealing, 'base64'),
      names: ['door.local'],
      clock: () => now,
      log: () => {},
    })
    return { own, acme: createPairFile(https, 'acme-acme-v02.api.letsencrypt.org') }
  }
  const here = await open(dataDir)
  mkdirSync(httpsDirectory(dataDir), { mode: 0o700 })
  const pair = await here.own.renew(new AbortController().signal)
  await here.acme.write(pair)
  backUp(dataDir, file, now)
  const elsewhere = join(root, 'elsewhere')
  restore(file, elsewhere, now)

  const there = await open(elsewhere)
  expect(await there.own.kept()).toEqual(pair)
  expect(await there.acme.read()).toEqual(pair)
  // Its key is sealed with one of the restored secrets, and signs the next certificate.
  const next = new X509Certificate((await there.own.renew(new AbortController().signal)).cert)
  const authority = new X509Certificate((await here.own.certificate())!)
  expect(next.verify(authority.publicKey)).toBe(true)
  expect(await there.own.certificate()).toBe(await here.own.certificate())
})

test('what was there before is kept, and is no part of the next backup', async () => {
  backUp(dataDir, file, now)
  await put('two', 'newer')
  const { kept } = restore(file, dataDir, now + 1)
  expect(await texts(dataDir)).toEqual([{ text: 'first' }, undefined])
  expect(await texts(kept!)).toEqual([{ text: 'first' }, { text: 'newer' }])
  const again = backUp(dataDir, join(root, 'again.backup'), now)
  expect(again.files.toSorted()).toEqual(['certificates/credentials.key', 'secrets.json'])
})

/** As one recording of a camera lies there. */
const recorded = join('recordings', 'a'.repeat(32), '2026-11-28', '1795852800000.rec')
function record(): void {
  mkdirSync(join(dataDir, recorded, '..'), { recursive: true })
  writeFileSync(join(dataDir, recorded), 'pictures')
}

test('recordings are no part of a backup, and stay in place for the same bridge', () => {
  record()
  expect(backUp(dataDir, file, now).files.toSorted()).toEqual(['certificates/credentials.key', 'secrets.json'])
  const { kept } = restore(file, dataDir, now)
  expect(readFileSync(join(dataDir, recorded), 'utf8')).toBe('pictures')
  expect(existsSync(join(kept!, 'recordings'))).toBe(false)
})

test('recordings that the restored bridge could not open are kept with what was there before', async () => {
  backUp(dataDir, file, now)
  rmSync(join(dataDir, 'secrets.json'))
  rmSync(join(dataDir, 'transom.db'))
  await loadSecrets(join(dataDir, 'secrets.json'), join(dataDir, 'transom.db'))
  record()
  const { kept } = restore(file, dataDir, now)
  expect(readFileSync(join(kept!, recorded), 'utf8')).toBe('pictures')
  expect(existsSync(join(dataDir, 'recordings'))).toBe(false)
})

test('a directory on which a bridge runs is not restored', () => {
  backUp(dataDir, file, now)
  const unlock = lockDirectory(dataDir)
  expect(() => restore(file, dataDir, now)).toThrow('in use by another Transom')
  unlock()
})

/** Changes the backup as somebody who means harm, or a newer program, would. */
function change(sql: string): void {
  const db = new DatabaseSync(file)
  db.exec(sql)
  db.close()
}

test.each([
  ['that is no database', () => writeFileSync(file, 'x'.repeat(5_000)), 'no backup of Transom'],
  ['that is a store without its files', () => change('DROP TABLE backup_file'), 'no backup of Transom'],
  ['that was cut off', () => writeFileSync(file, readFileSync(file).subarray(0, 9_000)), 'no backup of Transom'],
  ['of a newer Transom', () => change('PRAGMA user_version = 99'), 'written by a newer Transom'],
  [
    'that leads out of its directory',
    () => change("UPDATE backup_file SET name = '../../out' WHERE name LIKE 's%'"),
    'no backup of Transom',
  ],
  [
    'that would replace the lock',
    () => change("UPDATE backup_file SET name = 'lock' WHERE name LIKE 's%'"),
    'no backup',
  ],
  [
    'with damaged secrets',
    () => change("UPDATE backup_file SET content = x'7b7d' WHERE name = 'secrets.json'"),
    'damaged',
  ],
  ['that is not there', () => rmSync(file), 'there is no'],
])('a backup %s changes nothing', async (_, spoil, message) => {
  backUp(dataDir, file, now)
  await put('two', 'newer')
  spoil()
  expect(() => restore(file, dataDir, now)).toThrow(message)
  expect(await texts(dataDir)).toEqual([{ text: 'first' }, { text: 'newer' }])
  expect(readdirSync(dataDir).filter((name) => /restor/.test(name))).toEqual([])
  expect(existsSync(join(root, 'out'))).toBe(false)
})

test('a file that exists is not written over, and a directory without a bridge has nothing to back up', () => {
  writeFileSync(file, 'mine')
  expect(() => backUp(dataDir, file, now)).toThrow('exists already')
  expect(readFileSync(file, 'utf8')).toBe('mine')
  expect(() => backUp(root, join(root, 'x'), now)).toThrow('holds no bridge')
})

test('by the command line: there and back, and whether this version can start', async () => {
  const env = { TRANSOM_DATA: dataDir }
  const terminal = createTerminal({ env })
  expect(await terminal.run('backup', file)).toBe(0)
  expect(terminal.printed()).toContain('the store and 2 other files')
  expect(await terminal.run('restore', file)).toBe(0)
  expect(terminal.printed()).toContain(`made by Transom ${version}`)
  expect(await terminal.run('backup', file)).toBe(1)
  chmodSync(dataDir, 0o700)
  expect(await createTerminal({ env }).run('upgrade-check')).toBe(0)
  const schema = (version?: number) => {
    const db = new DatabaseSync(join(dataDir, 'transom.db'))
    if (version !== undefined) db.exec(`PRAGMA user_version = ${version}`)
    const found = db.prepare('PRAGMA user_version').get()?.['user_version']
    db.close()
    return found
  }
  // The bridge that runs may be older, and must be able to start again.
  schema(1)
  expect(await createTerminal({ env }).run('upgrade-check')).toBe(0)
  expect(schema()).toBe(1)
  schema(99)
  const json = createTerminal({ env })
  expect(await json.run('upgrade-check', '--json')).toBe(1)
  expect(JSON.parse(json.printed()).checks).toContainEqual(expect.objectContaining({ id: 'store', ok: false }))
})
