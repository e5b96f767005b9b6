/** The SQLite store: the contract, and what only a file can be asked: reopening, crashes, full disks, other processes. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { storeContract } from './contract.ts'

const hour = 3_600_000
const child = join(import.meta.dirname, 'child.ts')
let directory: string
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'transom-store-'))
  path = join(directory, 'data', 'transom.sqlite')
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

describe('the store contract, on SQLite in memory', () => {
  storeContract(async (clock) => createSqliteStore(':memory:', clock), 200)
})

describe('the store contract, on an SQLite file', () => {
  const own = mkdtempSync(join(tmpdir(), 'transom-store-'))
  let files = 0
  storeContract(async (clock) => createSqliteStore(join(own, `${(files += 1)}.sqlite`), clock), 20)
  afterAll(() => {
    rmSync(own, { recursive: true, force: true })
  })
})

test('what was written is there when the file is opened again', async () => {
  const before = createSqliteStore(path, () => 1_000)
  await before.collection('camera').put('a', { name: 'Türklingel' }, { group: 'home', expiresAt: 5_000 })
  await before.collection('camera').put('b', 1)
  await before.collection('camera').take('b')
  await before.close()

  const after = createSqliteStore(path, () => 1_000)
  const stored = { id: 'a', value: { name: 'Türklingel' }, version: 1, expiresAt: 5_000 }
  expect(await after.collection('camera').list('home')).toEqual([stored])
  expect(await after.collection('camera').put('b', 2, { onlyIf: 'absent' })).toBe(2)
  await after.close()
})

test('the file is for its owner only and keeps a write-ahead log', async () => {
  const store = createSqliteStore(path, Date.now)
  await store.collection('camera').put('a', 1)
  for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600)
  await store.close()
})

test('users of before there was a list of them are in it, those found by their group alone, too', async () => {
  const before = createSqliteStore(path, Date.now)
  await before.collection('user').put('ada', 1, { group: 'a-1' })
  await before.collection('user').put('bob', 2, { group: 'b-2' })
  await before.collection('user-place').put('b-2', { key: 'bob' })
  await before.collection('user').put('carol', 3, { group: 'c-3' })
  await before.collection('user').take('carol')
  await before.close()
  inspect(path, (db) => db.exec('PRAGMA user_version = 1'))
  const after = createSqliteStore(path, Date.now)
  const places = after.collection('user-place')
  expect(await places.list('people-a')).toEqual([{ id: 'a-1', value: { key: 'ada' }, version: 1 }])
  expect(await places.list('people-b')).toEqual([{ id: 'b-2', value: { key: 'bob' }, version: 2 }])
  expect(await places.list('people-c')).toEqual([])
  await after.close()
  inspect(path, (db) => expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 }))
})

test('a file of a newer program is refused and left as it is', async () => {
  await createSqliteStore(path, Date.now).close()
  inspect(path, (db) => db.exec('PRAGMA user_version = 9'))
  expect(() => createSqliteStore(path, Date.now)).toThrow(
    expect.objectContaining({ code: 'store_failed', message: expect.stringContaining('schema 9') }),
  )
  inspect(path, (db) => expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 9 }))
})

test.each(['CREATE TABLE places (url TEXT)', 'CREATE TABLE record (id TEXT, sleeve TEXT); PRAGMA user_version = 1'])(
  'a database of another program is refused and left as it is: %s',
  (schema) => {
    const foreign = join(directory, 'places.sqlite')
    inspect(foreign, (db) => db.exec(schema))
    const before = readFileSync(foreign)
    expect(() => createSqliteStore(foreign, Date.now)).toThrow(
      expect.objectContaining({ code: 'store_failed', message: expect.stringContaining('of another program') }),
    )
    expect(readFileSync(foreign).equals(before)).toBe(true)
  },
)

test('a file that was cut off is noticed when it is opened, not when somebody asks for what is missing', async () => {
  const store = createSqliteStore(path, Date.now)
  for (let n = 0; n < 50; n += 1) await store.collection('camera').put(`${n}`, 'x'.repeat(1_000))
  await store.close()
  const whole = readFileSync(path)
  for (const bytes of [50, 4_096, 5_000, whole.length - 4_096, whole.length - 1]) {
    writeFileSync(path, whole.subarray(0, bytes))
    expect(() => createSqliteStore(path, Date.now)).toThrow(/is damaged.*restore the whole data directory/)
  }
  writeFileSync(path, whole)
  await createSqliteStore(path, Date.now).close()
})

test('records that are gone leave the file while others are put, and their versions begin anew', async () => {
  let now = 0
  const store = createSqliteStore(path, () => now)
  const records = store.collection('session')
  for (let n = 0; n < 150; n += 1) await records.put(`${n}`, n, { expiresAt: 10, group: 'all' })
  for (let n = 0; n < 150; n += 1) await records.put(`taken ${n}`, n)
  for (let n = 0; n < 150; n += 1) await records.take(`taken ${n}`)
  now = 9 + hour
  for (let n = 0; n < 128; n += 1) await records.put('live', n)
  expect(countRows(path)).toBe(151)
  now = 10 + hour
  for (let n = 0; n < 128; n += 1) await records.put('live', n)
  expect(countRows(path)).toBe(1)
  expect(await records.put('0', 0, { onlyIf: 'absent' })).toBe(1)
  await store.close()
})

test('a process killed in the middle of its writes loses none that it acknowledged', async () => {
  for (let round = 0; round < 3; round += 1) {
    const file = join(directory, `killed-${round}.sqlite`)
    const { running, lines } = startChild([process.execPath, child, 'write', file])
    const acknowledged: string[] = []
    for await (const line of lines) {
      acknowledged.push(line)
      if (acknowledged.length === 100) running.kill('SIGKILL')
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(100)
    const store = createSqliteStore(file, Date.now)
    const records = store.collection<number>('shared')
    for (const id of acknowledged) expect(await records.get(id)).toMatchObject({ value: Number(id), version: 1 })
    await store.close()
    inspect(file, (db) => expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' }))
  }
})

test('a write that the disk has no room for is not acknowledged', async () => {
  // ulimit counts blocks of 512 bytes: the log may grow to 256 KiB, and the next commit fails.
  const { lines } = startChild([
    '/bin/sh',
    '-c',
    'ulimit -f 512; exec "$@"',
    'sh',
    process.execPath,
    child,
    'write',
    path,
  ])
  const said: string[] = []
  for await (const line of lines) said.push(line)
  expect(said.pop()).toMatch(/disk/)
  expect(said.length).toBeGreaterThan(10)
  expect(countRows(path)).toBe(said.length)
})

test('two processes on one file race fairly: every count counts, every ticket is drawn once', async () => {
  const store = createSqliteStore(path, Date.now)
  for (let n = 0; n < 50; n += 1) await store.collection('shared').put(`ticket-${n}`, n)
  const said = await Promise.all(
    [1, 2].map(async () => {
      const all: string[] = []
      for await (const line of startChild([process.execPath, child, 'share', path]).lines) all.push(line)
      return all
    }),
  )
  const counted = said.flat().filter((line) => line === 'counted')
  const drawn = said.flat().filter((line) => line.startsWith('drew'))
  expect(new Set(drawn).size).toBe(50)
  expect(drawn).toHaveLength(50)
  expect(await store.collection('shared').get('counter')).toMatchObject({
    value: counted.length,
    version: counted.length,
  })
  await store.close()
  inspect(path, (db) => expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' }))
})

function startChild([command = '', ...args]: readonly string[]) {
  const running = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 10_000, killSignal: 'SIGKILL' })
  return { running, lines: createInterface({ input: running.stdout }) }
}

function inspect(file: string, look: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(file)
  try {
    look(db)
  } finally {
    db.close()
  }
}

function countRows(file: string): number {
  let rows = 0
  inspect(file, (db) => {
    rows = Number(db.prepare('SELECT count(*) AS rows FROM record').get()?.rows)
  })
  return rows
}

test('writes of one moment share the wait for the disk, and each has its own outcome', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'transom-batch-'))
  const path = join(dir, 'store.db')
  const store = createSqliteStore(path, () => 0)
  const records = store.collection<number>('batch')
  await records.put('kept', 1)
  const outcomes = await Promise.all([
    records.put('kept', 2, { onlyIf: 'absent' }),
    records.put('new', 3, { onlyIf: 'absent' }),
    records.put('new', 4, { onlyIf: 'absent' }),
    records.take('kept'),
    records.take('kept'),
    ...Array.from({ length: 200 }, (_, index) => records.put(`n${index}`, index)),
  ])
  expect(outcomes.slice(0, 5)).toEqual([undefined, 1, undefined, expect.objectContaining({ value: 1 }), undefined])
  await Promise.all([records.put('last', 5), store.close()])
  const again = createSqliteStore(path, () => 0)
  const found = await Promise.all(['new', 'n199', 'last'].map((id) => again.collection<number>('batch').get(id)))
  expect(found.map((each) => each?.value)).toEqual([3, 199, 5])
  await again.close()
  rmSync(dir, { recursive: true })
})
