/** What stops a start says which setting or file it is about, and what to do. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { lockDirectory } from '../../src/transom/data-lock.ts'
import { readConfig } from '../../src/transom/config.ts'
import { startEmbedded } from '../../src/transom/embedded.ts'
import { atAddress, explainFile, makeDataDirectory, requireCredentialsKey } from '../../src/transom/start-faults.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'transom-start-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const at = (name: string) => join(folder, name)

test('a data directory that is a file, or lies in one', async () => {
  writeFileSync(at('file'), '')
  await expect(makeDataDirectory(at('file'))).rejects.toThrow(
    /^TRANSOM_DATA: .*file is a file.*: set it to a directory/,
  )
  await expect(makeDataDirectory(at('file/x'))).rejects.toThrow(/^TRANSOM_DATA: .* is a file, lies in one/)
  symlinkSync(at('nowhere'), at('link'))
  await expect(makeDataDirectory(at('link'))).rejects.toThrow(/^TRANSOM_DATA: .* a link that leads nowhere/)
  await makeDataDirectory(at('new/deep/er'))
  await makeDataDirectory(at('new/deep/er'))
})

test('a data directory where the system has no place for one', async () => {
  // `mkdir` of Node, recursive, never comes back from there.
  const nowhere = existsSync('/proc/self') ? '/proc/transom/data' : '/dev/null/transom/data'
  await expect(makeDataDirectory(nowhere)).rejects.toThrow(/^TRANSOM_DATA: .*: set it to a directory/)
})

const fault = (code: string, more: object) => explainFile(Object.assign(new Error(code), { code, ...more }))

test('a fault of a file names the file and the remedy, and any other is left as it is', () => {
  expect(fault('ENOSPC', { path: '/data/secrets.json.new' })).toMatchObject({
    message: expect.stringMatching(/^\/data\/secrets\.json\.new .*disk is full: free some space/),
  })
  expect(fault('EISDIR', { path: '/data/x.new', dest: '/data/x' })).toMatchObject({
    message: '/data/x is a directory, and a file is wanted there: move it away',
  })
  for (const other of [new Error('ours'), 'text', undefined, Object.assign(new Error('EACCES'), { code: 'EACCES' })]) {
    expect(explainFile(other)).toBe(other)
  }
})

test('a directory that cannot be written to is not one that another bridge uses', () => {
  mkdirSync(at('lock'))
  expect(() => lockDirectory(folder)).toThrow('cannot be written to: make room on its disk')
})

test("the key to the cameras' keys is missed before it is made anew", () => {
  expect(() => requireCredentialsKey(folder)).toThrow(
    /credentials\.key is missing.*restore it.*transom camera key .*--replace/,
  )
  mkdirSync(at('certificates'))
  writeFileSync(at('certificates/credentials.key'), 'key')
  requireCredentialsKey(folder)
})

test.each([
  ['EADDRINUSE', 'is taken: stop what uses it, or set TRANSOM_PORT'],
  ['EACCES', 'not for this user'],
  ['EADDRNOTAVAIL', 'set TRANSOM_HOST'],
  ['ENOTFOUND', 'without a scheme'],
  ['EAI_AGAIN', 'set TRANSOM_HOST'],
  ['EMFILE', 'as it is'],
])('a listener that fails with %s', async (code, remedy) => {
  const failing = () => Promise.reject(Object.assign(new Error('as it is'), { code }))
  await expect(atAddress('TRANSOM_PORT', 'bridge', 80, failing)).rejects.toThrow(remedy)
})

test('a file that is not for us is not taken for a port', async () => {
  const fileFault = Object.assign(new Error('EACCES'), { code: 'EACCES', path: '/data/ca.pem' })
  await expect(atAddress('TRANSOM_PORT', 'bridge', 80, () => Promise.reject(fileFault))).rejects.toMatchObject({
    path: '/data/ca.pem',
  })
})

const start = () => {
  const env = { TRANSOM_DATA: folder, TRANSOM_CONSOLE: 'off', TRANSOM_DOORBELL: 'off' }
  const config = readConfig({ ...env, TRANSOM_PORT: '0', TRANSOM_SIGNALING_PORT: '0' })
  return startEmbedded(config, Date.now, () => {})
}

describe('a data directory of which a part is not as it was', () => {
  beforeEach(async () => (await start()).close())
  const key = 'certificates/credentials.key'

  test.each<readonly [string, () => void, RegExp]>([
    ['an empty database', () => truncateSync(at('transom.db')), /transom\.db is missing or empty.*restore it/],
    ['a database that was cut off', () => truncateSync(at('transom.db'), 9_000), /transom\.db is damaged.*restore/],
    ['a database cut off in its header', () => truncateSync(at('transom.db'), 50), /transom\.db is damaged.*restore/],
    [
      'a database of another bridge',
      () => {
        rmSync(at('transom.db'))
        void createSqliteStore(at('transom.db'), Date.now).close()
      },
      /do not belong together: restore the whole/,
    ],
    [
      'no certificates',
      () => rmSync(at('certificates'), { recursive: true }),
      /credentials\.key is missing.*restore it/,
    ],
    [
      'a damaged authority',
      () => truncateSync(at('certificates/ca.pem'), 100),
      /ca\.pem and ca-key\.pem in .*restore both from your backup/,
    ],
    ['another key', () => writeFileSync(at(key), randomBytes(32).toString('base64')), /do not belong together/],
    ['an empty key', () => truncateSync(at(key)), /credentials\.key is damaged: restore/],
    ['a directory in place of a key', () => (rmSync(at(key)), mkdirSync(at(key))), /credentials\.key is a directory/],
    [
      'a directory in place of the secrets',
      () => (rmSync(at('secrets.json')), mkdirSync(at('secrets.json'))),
      /secrets\.json is a directory/,
    ],
    [
      'a directory in place of a note',
      () => (rmSync(at('simulator.json')), mkdirSync(at('simulator.json'))),
      /simulator\.json is a directory/,
    ],
  ])('%s', async (_what, spoil, remedy) => {
    spoil()
    await expect(start()).rejects.toThrow(remedy)
  })
})

test.each([
  ['noise', 'x'.repeat(4_096), /damaged/],
  ['a directory', undefined, /cannot be opened/],
])('a database that is %s', (_name, content, remedy) => {
  if (content === undefined) mkdirSync(at('transom.db'))
  else writeFileSync(at('transom.db'), content)
  expect(() => createSqliteStore(at('transom.db'), Date.now)).toThrow(remedy)
})

test.each([
  ['a path that leads nowhere', '/nowhere/key.json', 'cannot be read. Make one'],
  ['a key that was cut off', '{"type":"service_acc', 'not the JSON key of a service account'],
  ['another JSON', '{}', 'not the JSON key of a service account'],
])('a Google service account that is %s', async (_name, value, remedy) => {
  const config = readConfig({
    TRANSOM_DATA: folder,
    TRANSOM_PORT: '0',
    TRANSOM_SIGNALING_PORT: '0',
    TRANSOM_GOOGLE_SERVICE_ACCOUNT: value,
  })
  await expect(startEmbedded(config, Date.now, () => {})).rejects.toThrow(
    new RegExp(`^TRANSOM_GOOGLE_SERVICE_ACCOUNT: .*${remedy}`),
  )
})
