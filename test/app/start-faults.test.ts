/** What stops a start says which setting or file it is about, and what to do. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { lockDirectory } from '../../src/app/data-lock.ts'
import { readConfig } from '../../src/app/config.ts'
import { startEmbedded } from '../../src/app/embedded.ts'
import { atAddress, makeDataDirectory, requireCredentialsKey } from '../../src/app/start-faults.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'transom-start-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const at = (name: string) => join(folder, name)

test('a data directory that is a file, or lies in one', async () => {
  writeFileSync(at('file'), '')
  await expect(makeDataDirectory(at('file'))).rejects.toThrow(
    /^TRANSOM_DATA: .*file is a file.*: set it to a directory/,
  )
  await expect(makeDataDirectory(at('file/x'))).rejects.toThrow(/^TRANSOM_DATA: .* is a file, or lies in one/)
  await makeDataDirectory(at('new/deep'))
  await makeDataDirectory(at('new/deep'))
})

test('a directory that cannot be written to is not one that another bridge uses', () => {
  mkdirSync(at('lock'))
  expect(() => lockDirectory(folder)).toThrow('cannot be written to: make room on its disk')
})

test("the key to the cameras' keys is missed before it is made anew", () => {
  expect(() => requireCredentialsKey(folder)).toThrow(
    /credentials\.key is missing.*restore it.*transom -- camera key .*--replace/,
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
