/** The file of the store: made readable by its owner only, checked before anything is written to it, brought up to date. */
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { BridgeError } from '../errors.ts'
import { explained, hasCode, isBusy, restore } from './sqlite-fault.ts'

const schemaVersion = 2
const busyMs = 5_000

const schema = `
  CREATE TABLE record (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    group_id TEXT,
    version INTEGER NOT NULL,
    expires_at INTEGER,
    value TEXT, -- NULL: taken or removed at expires_at, only the version is remembered
    PRIMARY KEY (kind, id)
  ) STRICT;
  CREATE INDEX record_by_group ON record (kind, group_id, id) WHERE group_id IS NOT NULL;
  CREATE INDEX record_by_expiry ON record (expires_at) WHERE expires_at IS NOT NULL;
`
/**
 * From schema 1 to 2: every user is in a list. Before, an account was found by its id alone (`user-place`), or, still earlier,
 * by the group of its record. Nothing but a look at the whole table finds them all, so that is done here, and once.
 */
const listUsers = `
  INSERT INTO record (kind, id, group_id, version, value)
  SELECT 'user-place', group_id, 'people-' || substr(group_id, 1, 1), 1, json_object('key', id)
  FROM record WHERE kind = 'user' AND value IS NOT NULL AND group_id IS NOT NULL
  ON CONFLICT (kind, id) DO UPDATE SET
    group_id = excluded.group_id, version = record.version + 1, expires_at = NULL, value = excluded.value;
`
/** Of the table, as SQLite lists them. */
const recordColumns = 'kind,id,group_id,version,expires_at,value'

/** `read`: only looks at what is there, also of an older schema, and changes nothing. */
export type AccessMode = 'read' | 'write'

/** Opens the database, ready for records. Throws what `createSqliteStore` does. */
export function openDatabase(path: string, mode: AccessMode): DatabaseSync {
  if (mode === 'write' && path !== ':memory:') createPrivateFile(path)
  const db = openFile(path, mode)
  try {
    checkContent(db, path)
    if (mode === 'read') return db
    useWriteAheadLog(db)
    // FULL: a commit waits for the disk; in WAL mode the default would lose acknowledged writes with the power.
    db.exec('PRAGMA synchronous = FULL')
    migrate(db)
    return db
  } catch (error) {
    db.close()
    throw explained(error, path)
  }
}

/** Refuses a file that is not one of ours, whole and of our time, before anything is written to it. */
function checkContent(db: DatabaseSync, path: string): void {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  if (tables.length === 0) return
  const found = db.prepare("SELECT name FROM pragma_table_info('record') ORDER BY cid").all()
  if (found.map(({ name }) => name).join() !== recordColumns) {
    throw new BridgeError('store_failed', `${path} is a database of another program: ${restore}`)
  }
  const version = versionOf(db)
  if (version > schemaVersion) {
    const known = `has schema ${version} and this program knows ${schemaVersion}`
    throw new BridgeError('store_failed', `${path} ${known}: it was written by a newer Transom, start that one`)
  }
  // A file that was cut off opens, and fails on the day that somebody asks for what is missing.
  const { quick_check: verdict } = db.prepare('PRAGMA quick_check(1)').get() ?? {}
  if (verdict !== 'ok' || isShort(db, path))
    throw new BridgeError('store_failed', `${path} is damaged: ${restore}`, { cause: verdict })
}

function openFile(path: string, mode: AccessMode): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: busyMs, readOnly: mode === 'read' })
  } catch (error) {
    throw explained(error, path)
  }
}

/** The file holds camera keys and hashed passwords; SQLite gives its log files the same permissions. */
function createPrivateFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    // `x`: a file that exists is not even opened, since closing it would drop the locks this process may hold on it.
    closeSync(openSync(path, 'ax', 0o600))
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
}

/** SQLite does not wait for the lock when two processes switch a new file at once; so this does. */
function useWriteAheadLog(db: DatabaseSync): void {
  const giveUpAt = performance.now() + busyMs
  for (;;) {
    try {
      db.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAt) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0

/** Of a last page that is there in part, SQLite reads the rest as zeros. With a log beside the file it may still be on its way. */
function isShort(db: DatabaseSync, path: string): boolean {
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() ?? {}
  const { page_size: bytes } = db.prepare('PRAGMA page_size').get() ?? {}
  return sizeOf(`${path}-wal`) === 0 && sizeOf(path) < Number(pages) * Number(bytes)
}

/** Again by somebody who has the lock: of two processes that open a new file at once, one makes the table. */
function migrate(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE')
  const version = versionOf(db)
  if (version === 0) db.exec(schema)
  if (version === 1) db.exec(listUsers)
  if (version < schemaVersion) db.exec(`PRAGMA user_version = ${schemaVersion}`)
  db.exec('COMMIT')
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
}
