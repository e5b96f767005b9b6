/**
 * A backup of a data directory in one file, made while the bridge runs: a copy of the store by SQLite itself, and in a table of
 * that copy every other file that belongs to it, but for recordings, which may be a thousand times as large.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createSqliteStore } from 'transom-core/store/sqlite'
import { version } from 'transom-core/version'
import { lockDirectory } from './data-lock.ts'
import { secretsShape } from './secrets.ts'

const databaseName = 'transom.db'
const secretsName = 'secrets.json'
/** Made by each run for itself, or not part of what is kept. */
const notKept = /^(lock|operator\.json|simulator\.json|transom\.db|before-restore-|restoring-)/
/** Files of recordings lie below it, sealed with a key of `secrets.json`. */
const recordingsFolder = 'recordings'
/** Whatever is in a backup becomes a path below the data directory, and nowhere else. */
const safeName = /^(?!\.)[\w.-]{1,100}(\/(?!\.)[\w.-]{1,100}){0,3}$/

/** What a backup holds. */
export interface BackupFacts {
  readonly file: string
  readonly bytes: number
  /** Of Transom, when it was made. */
  readonly version: string
  /** Epoch milliseconds. */
  readonly madeAt: number
  readonly files: readonly string[]
}

/**
 * Writes a backup of `dataDir` to `file`, which must not exist; readable by its owner only. The store is copied in one read
 * transaction (`VACUUM INTO`, sqlite.org/lang_vacuum.html), so it may be written meanwhile. Throws an `Error` that says what to do.
 */
export function backUp(dataDir: string, file: string, now: number): BackupFacts {
  const database = join(dataDir, databaseName)
  if (!existsSync(database)) throw new Error(`${dataDir} holds no bridge: set TRANSOM_DATA to its data directory`)
  if (existsSync(file)) throw new Error(`${file} exists already: name another file`)
  const files = globSync('**', { cwd: dataDir }).filter(
    (name) => !notKept.test(name) && name.split(sep)[0] !== recordingsFolder && statSync(join(dataDir, name)).isFile(),
  )
  // Made before SQLite writes to it, lest others read it for a moment. SQLite accepts an empty file.
  closeSync(openSync(file, 'ax', 0o600))
  try {
    copyDatabase(database, file)
    const copy = new DatabaseSync(file)
    try {
      copy.exec(
        'CREATE TABLE backup (version TEXT, made_at INTEGER) STRICT; CREATE TABLE backup_file (name TEXT PRIMARY KEY, content BLOB) STRICT',
      )
      copy.prepare('INSERT INTO backup VALUES (?, ?)').run(version, now)
      const insert = copy.prepare('INSERT INTO backup_file VALUES (?, ?)')
      for (const name of files) insert.run(name.replaceAll(sep, '/'), readFileSync(join(dataDir, name)))
    } finally {
      copy.close()
    }
  } catch (error) {
    rmSync(file, { force: true })
    throw error
  }
  return { file, bytes: statSync(file).size, version, madeAt: now, files }
}

/**
 * Puts a backup in the place of what is in `dataDir`, on which no bridge may run. What was there is kept in a folder below it;
 * recordings stay where they are, if the bridge of the backup can open them.
 * Nothing is changed unless the whole backup is good. Throws an `Error` that says what to do.
 */
export function restore(
  file: string,
  dataDir: string,
  now: number,
): BackupFacts & { readonly kept: string | undefined } {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const unlock = lockDirectory(dataDir)
  const fresh = join(dataDir, `restoring-${now}`)
  try {
    const facts = unpack(file, fresh)
    check(fresh, now)
    const staying = canOpenRecordings(fresh, dataDir) ? [recordingsFolder] : []
    const before = globSync('*', { cwd: dataDir }).filter(
      (name) => !/^(lock|before-restore-|restoring-)/.test(name) && !staying.includes(name),
    )
    const kept = before.length === 0 ? undefined : join(dataDir, `before-restore-${now}`)
    if (kept !== undefined) {
      mkdirSync(kept, { mode: 0o700 })
      for (const name of before) renameSync(join(dataDir, name), join(kept, name))
    }
    for (const name of globSync('*', { cwd: fresh })) renameSync(join(fresh, name), join(dataDir, name))
    return { ...facts, kept }
  } finally {
    rmSync(fresh, { recursive: true, force: true })
    unlock()
  }
}

function unpack(file: string, to: string): BackupFacts {
  const backup = open(file)
  try {
    const { version: madeBy, made_at: madeAt } = backup.prepare('SELECT version, made_at FROM backup').get() ?? {}
    mkdirSync(to, { mode: 0o700 })
    const rows = backup.prepare('SELECT name, content FROM backup_file').all()
    const files = rows.map(({ name, content }) => {
      const path = String(name)
      if (!safeName.test(path) || notKept.test(path) || !(content instanceof Uint8Array)) throw notOurs(file)
      mkdirSync(dirname(join(to, path)), { recursive: true, mode: 0o700 })
      writeFileSync(join(to, path), content, { mode: 0o600 })
      return path
    })
    const database = join(to, databaseName)
    closeSync(openSync(database, 'ax', 0o600))
    copyDatabase(file, database)
    const copy = new DatabaseSync(database)
    copy.exec('DROP TABLE backup; DROP TABLE backup_file; VACUUM')
    copy.close()
    return { file, bytes: statSync(file).size, version: String(madeBy), madeAt: Number(madeAt), files }
  } finally {
    backup.close()
  }
}

/** Opens it for reading, and makes sure that it is a backup, and whole. */
function open(file: string): DatabaseSync {
  if (!existsSync(file)) throw new Error(`there is no ${file}`)
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(file, { readOnly: true })
    const tables = db
      .prepare("SELECT count(*) AS found FROM sqlite_schema WHERE name IN ('record', 'backup', 'backup_file')")
      .get()
    if (tables?.['found'] !== 3) throw notOurs(file)
    if (db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] !== 'ok') throw notOurs(file)
    return db
  } catch (cause) {
    db?.close()
    throw new Error(notOurs(file).message, { cause })
  }
}

/** As the bridge opens them at its start: a store of a newer Transom is refused here already. */
function check(directory: string, now: number): void {
  if (sealingKeyOf(directory) === undefined)
    throw new Error('the secrets in the backup are damaged: use another backup')
  void createSqliteStore(join(directory, databaseName), () => now).close()
}

/** The recordings in `dataDir` are sealed with a key that the restored bridge has, and it brings none of its own. */
function canOpenRecordings(fresh: string, dataDir: string): boolean {
  return sealingKeyOf(dataDir) === sealingKeyOf(fresh) && !existsSync(join(fresh, recordingsFolder))
}

/** `undefined` where the secrets of this directory cannot be read. */
function sealingKeyOf(directory: string): string | undefined {
  try {
    return secretsShape.parse(JSON.parse(readFileSync(join(directory, secretsName), 'utf8'))).keys.sealing
  } catch {
    return undefined
  }
}

function copyDatabase(from: string, to: string): void {
  const db = new DatabaseSync(from, { readOnly: true, timeout: 5_000 })
  try {
    db.prepare('VACUUM INTO ?').run(to)
  } finally {
    db.close()
  }
  chmodSync(to, 0o600)
}

const notOurs = (file: string) => new Error(`${file} is damaged, or no backup of Transom: use another one`)
