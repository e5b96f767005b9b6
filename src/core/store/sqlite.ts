/** The store in one SQLite file, on Node's own SQLite: durable before it answers, and safe to share between processes. */
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers'
import { BridgeError, type ErrorCode } from '../errors.ts'
import type { BasicCollection, Clock, Collection, PutOptions, Store } from '../ports.ts'
import { checkId, checkKind, checkList, checkPut, lastInstant, toStored, versionMemoryMs } from './record.ts'
import { createTurns, withVerbs } from './verbs.ts'

const schemaVersion = 1
const busyMs = 5_000
/** Every so many puts, up to twice as many records that nobody can see any more are deleted. */
const putsPerPurge = 64

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
/** Of the table, as SQLite lists them. */
const recordColumns = 'kind,id,group_id,version,expires_at,value'
const isLive = 'value IS NOT NULL AND (expires_at IS NULL OR expires_at > :now)'
const columns = 'id, version, expires_at AS expiresAt, value'

const upsert = `
  INSERT INTO record (kind, id, group_id, version, expires_at, value) VALUES (:kind, :id, :group, 1, :expiresAt, :value)
  ON CONFLICT (kind, id) DO UPDATE SET
    group_id = excluded.group_id, version = record.version + 1, expires_at = excluded.expires_at, value = excluded.value`

/** A row as the columns of the STRICT table guarantee it. */
type Row = {
  readonly id: string
  readonly version: number
  readonly expiresAt: number | null
  readonly value: string
}

interface Write {
  /** Executes the statement and keeps its outcome. */
  readonly run: () => void
  /** Tells the outcome, once it is on disk. */
  readonly settle: () => void
  /** Tells that nothing was written. */
  readonly fail: (thrown: unknown) => void
}

/**
 * Opens the store in the file at `path`, creating it (readable by its owner only) and its directory when missing; `:memory:`
 * keeps it in memory. What a verb has answered is on disk. A file may be opened by several processes at once.
 * Throws `BridgeError`, in words that say what to do: `store_failed` when the file is damaged, foreign, or written by a newer
 * program, and is left as it is; `no_room` when its disk is full. The verbs reject with the same two.
 */
export function createSqliteStore(path: string, clock: Clock): Store {
  const db = openDatabase(path)
  const sql = {
    get: db.prepare(`SELECT ${columns} FROM record WHERE kind = :kind AND id = :id AND ${isLive}`),
    list: db.prepare(`
      SELECT ${columns} FROM record WHERE kind = :kind AND group_id = :group AND id > :after AND ${isLive}
      ORDER BY id LIMIT :limit`),
    put: db.prepare(`${upsert} RETURNING version`),
    putAbsent: db.prepare(`${upsert} WHERE record.value IS NULL OR record.expires_at <= :now RETURNING version`),
    putAtVersion: db.prepare(`
      UPDATE record SET group_id = :group, version = version + 1, expires_at = :expiresAt, value = :value
      WHERE kind = :kind AND id = :id AND version = :version AND ${isLive} RETURNING version`),
    erase: db.prepare(`
      UPDATE record SET group_id = NULL, expires_at = :now, value = NULL
      WHERE kind = :kind AND id = :id AND version = :version AND value IS NOT NULL`),
    purge: db.prepare(`
      DELETE FROM record WHERE rowid IN (SELECT rowid FROM record WHERE expires_at <= :before LIMIT ${2 * putsPerPurge})`),
  }
  const inTurn = createTurns()
  let putsUntilPurge = 0
  /** Writes that share one transaction, and so one wait for the disk: those of one turn of the event loop. */
  let waiting: Write[] = []

  async function commit<R>(work: () => R): Promise<R> {
    // Without a disk there is nothing to wait for.
    if (path === ':memory:') return work()
    const { promise, resolve, reject } = Promise.withResolvers<R>()
    let settle = (): void => reject(new BridgeError('internal', 'the transaction ended before this write'))
    const run = (): void => {
      // What a statement itself refuses is its own fault; the others go on.
      try {
        const value = work()
        settle = () => resolve(value)
      } catch (thrown) {
        settle = () => reject(explained(thrown, path))
      }
    }
    if (waiting.length === 0) setImmediate(commitAll)
    waiting.push({ run, settle: () => settle(), fail: reject })
    return promise
  }

  function commitAll(): void {
    const batch = waiting
    waiting = []
    // A statement alone is a transaction of its own.
    if (batch.length === 1) {
      for (const { run } of batch) run()
    } else if (batch.length > 1) {
      try {
        db.exec('BEGIN IMMEDIATE')
        for (const { run } of batch) {
          // A full disk, for one, ends the transaction; what came after it would be written alone.
          if (!db.isTransaction) throw new BridgeError('internal', 'the transaction was rolled back')
          run()
        }
        db.exec('COMMIT')
      } catch (thrown) {
        if (db.isOpen && db.isTransaction) db.exec('ROLLBACK')
        for (const { fail } of batch) fail(explained(thrown, path))
        return
      }
    }
    for (const { settle } of batch) settle()
  }

  function read<R>(work: () => R): R {
    try {
      return work()
    } catch (thrown) {
      throw explained(thrown, path)
    }
  }

  /** Purging rides on puts, because only they make the file grow: no timer to own, and a failure has somebody to hear it. */
  function purgeNowAndThen(): void {
    if (putsUntilPurge === 0) {
      sql.purge.run({ before: clock() - versionMemoryMs })
      putsUntilPurge = putsPerPurge
    }
    putsUntilPurge -= 1
  }

  function write(kind: string, id: string, value: string, options: PutOptions): number | undefined {
    const { group = null, onlyIf } = options
    const now = clock()
    const record = { kind, id, group, expiresAt: lastInstant(options, now) ?? null, value }
    // `all`, not `get`: get() stops at the first row, and the commit that follows it then fails unheard (a full disk).
    const written =
      onlyIf === undefined
        ? sql.put.all(record)
        : onlyIf === 'absent'
          ? sql.putAbsent.all({ ...record, now })
          : sql.putAtVersion.all({ ...record, now, version: onlyIf.version })
    return (written[0] as Pick<Row, 'version'> | undefined)?.version
  }

  /** Removes the live record and returns it. The version never repeats, so what is erased is what was read. */
  function erase(kind: string, id: string): Row | undefined {
    for (;;) {
      const now = clock()
      const found = sql.get.get({ kind, id, now }) as Row | undefined
      if (found === undefined) return undefined
      if (sql.erase.run({ kind, id, now, version: found.version }).changes === 1) return found
      // Another process wrote or took it in between: look again.
    }
  }

  return {
    collection<T>(kind: string): Collection<T> {
      checkKind(kind)
      const basic: BasicCollection<T> = {
        async get(id) {
          checkId(id)
          const found = read(() => sql.get.get({ kind, id, now: clock() }) as Row | undefined)
          return found && fromRow<T>(found)
        },
        async put(id, value, options = {}) {
          const text = checkPut(kind, id, value, options)
          return commit(() => {
            purgeNowAndThen()
            return write(kind, id, text, options)
          })
        },
        async take(id) {
          checkId(id)
          const taken = await commit(() => erase(kind, id))
          return taken && fromRow<T>(taken)
        },
        async remove(id) {
          checkId(id)
          await commit(() => erase(kind, id))
        },
        async list(group, page = {}) {
          const { limit, after } = checkList(group, page)
          const rows = read(() => sql.list.all({ kind, group, after: after ?? '', limit, now: clock() }))
          return rows.map((row) => fromRow<T>(row as Row))
        },
      }
      return withVerbs(kind, basic, inTurn)
    },
    async close() {
      commitAll()
      if (db.isOpen) db.close()
    },
  }
}

function openDatabase(path: string): DatabaseSync {
  if (path !== ':memory:') createPrivateFile(path)
  const db = openFile(path)
  try {
    checkContent(db, path)
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

function openFile(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: busyMs })
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
  if (versionOf(db) === 0) db.exec(`${schema}; PRAGMA user_version = ${schemaVersion}`)
  db.exec('COMMIT')
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
}

function fromRow<T>({ id, value, version, expiresAt }: Row) {
  return toStored<T>(id, value, version, expiresAt)
}

const SQLITE_BUSY = 5

const restore = 'stop, and restore the whole data directory from your backup'

/** By SQLite's code, for faults that somebody can mend. */
const remedies: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  [SQLITE_BUSY]: ['store_failed', 'is locked by another program: stop that one'],
  8: ['store_failed', 'cannot be written: let this user write to it and to its directory'],
  10: ['store_failed', 'cannot be read or written: look at its disk, and at the quota of this user'],
  11: ['store_failed', `is damaged: ${restore}`],
  13: ['no_room', 'has no room left on its disk: free some space'],
  14: ['store_failed', 'cannot be opened: let this user read and write it'],
  26: ['store_failed', `is damaged, or no database: ${restore}`],
}

function explained(thrown: unknown, path: string): unknown {
  const remedy = remedies[kindOf(thrown) ?? 0]
  return remedy === undefined ? thrown : new BridgeError(remedy[0], `${path} ${remedy[1]}`, { cause: thrown })
}

function isBusy(error: unknown): boolean {
  return kindOf(error) === SQLITE_BUSY
}

/** The low byte is the kind of error, the rest its finer reason (sqlite.org/rescode.html). */
function kindOf(error: unknown): number | undefined {
  return isObject(error) && 'errcode' in error ? Number(error.errcode) & 0xff : undefined
}

function hasCode(error: unknown, code: string): boolean {
  return isObject(error) && 'code' in error && error.code === code
}

/** Not `instanceof Error`: under Jest, Node's own errors come from another realm. */
function isObject(error: unknown): error is object {
  return typeof error === 'object' && error !== null
}
