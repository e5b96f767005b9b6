/** The file of secrets: made once, read again, private, and never parted from its database. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { loadSecrets, saveSecrets } from '../../src/transom/secrets.ts'

const root = mkdtempSync(join(tmpdir(), 'transom-secrets-'))
let count = 0
let path = ''
let database = ''
beforeEach(() => {
  path = join(root, `${++count}.json`)
  database = join(root, `${count}.db`)
})
afterAll(() => rmSync(root, { recursive: true }))

test('what the first start made, the next one reads', async () => {
  const made = await loadSecrets(path, database)
  writeFileSync(database, 'rows')
  expect(await loadSecrets(path, database)).toEqual(made)
  expect(made.demo.password).toMatch(/^[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}$/)
  expect(Buffer.from(made.keys.sealing, 'base64')).toHaveLength(32)
})

test('only its owner can read it, whatever an earlier crash left behind', async () => {
  writeFileSync(`${path}.new`, 'old', { mode: 0o644 })
  await loadSecrets(path, database)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(existsSync(`${path}.new`)).toBe(false)
})

test('a start that was cut short before the database was made goes on', async () => {
  const made = await loadSecrets(path, database)
  expect(await loadSecrets(path, database)).toEqual(made)
})

test('a database without its secrets, or secrets without their database, say what to do', async () => {
  writeFileSync(database, 'rows')
  await expect(loadSecrets(path, database)).rejects.toThrow(`${path} is missing`)
  rmSync(database)
  const key = { accessKeyId: 'a', secretAccessKey: 's' }
  await saveSecrets(path, { ...(await loadSecrets(path, database)), credentials: { application: key, camera: key } })
  await expect(loadSecrets(path, database)).rejects.toThrow(`${database} is missing`)
  writeFileSync(database, '')
  await expect(loadSecrets(path, database)).rejects.toThrow(`${database} is missing or empty`)
})

test('a sealing key that was cut short is not made do with', async () => {
  const made = await loadSecrets(path, database)
  await saveSecrets(path, { ...made, keys: { ...made.keys, sealing: made.keys.sealing.slice(4) } })
  await expect(loadSecrets(path, database)).rejects.toThrow(`${path} is damaged`)
})

test.each(['', '{}', 'null', '{"keys":1}'])('a damaged file (%j) is named, and stays as it is', async (text) => {
  writeFileSync(path, text)
  writeFileSync(database, '')
  await expect(loadSecrets(path, database)).rejects.toThrow(`${path} is damaged`)
  expect(readFileSync(path, 'utf8')).toBe(text)
})
