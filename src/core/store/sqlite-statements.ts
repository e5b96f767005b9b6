/** The statements on the table of records, which Node prepares once for each store. */
import type { DatabaseSync } from 'node:sqlite'
import type { Clock, PutOptions } from '../ports.ts'
import { lastInstant, versionMemoryMs } from './record.ts'

/** Every so many puts, up to twice as many records that nobody can see any more are deleted. */
const putsPerPurge = 64

const isLive = 'value IS NOT NULL AND (expires_at IS NULL OR expires_at > :now)'
const columns = 'id, version, expires_at AS expiresAt, value'

const upsert = `
  INSERT INTO record (kind, id, group_id, version, expires_at, value) VALUES (:kind, :id, :group, 1, :expiresAt, :value)
  ON CONFLICT (kind, id) DO UPDATE SET
    group_id = excluded.group_id, version = record.version + 1, expires_at = excluded.expires_at, value = excluded.value`

/** A row as the columns of the STRICT table guarantee it. */
export type Row = {
  readonly id: string
  readonly version: number
  readonly expiresAt: number | null
  readonly value: string
}

export interface Statements {
  get(kind: string, id: string): Row | undefined
  list(kind: string, group: string, after: string, limit: number): readonly Row[]
  /** Writes the record and returns its version; undefined where the condition does not hold. Purges now and then. */
  put(kind: string, id: string, value: string, options: PutOptions): number | undefined
  /** Removes the live record and returns it. */
  erase(kind: string, id: string): Row | undefined
}

/** `clock` tells which records have expired. Each function throws what SQLite does. */
export function prepareStatements(db: DatabaseSync, clock: Clock): Statements {
  const sql = prepareAll(db)
  let putsUntilPurge = 0

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

  function find(kind: string, id: string): Row | undefined {
    return sql.get.get({ kind, id, now: clock() }) as Row | undefined
  }

  /** The version never repeats, so what is erased is what was read. */
  function erase(kind: string, id: string): Row | undefined {
    for (;;) {
      const found = find(kind, id)
      if (found === undefined) return undefined
      if (sql.erase.run({ kind, id, now: clock(), version: found.version }).changes === 1) return found
      // Another process wrote or took it in between: look again.
    }
  }

  return {
    get: find,
    list: (kind, group, after, limit) =>
      sql.list.all({ kind, group, after, limit, now: clock() }).map((row) => row as Row),
    put(kind, id, value, options) {
      purgeNowAndThen()
      return write(kind, id, value, options)
    },
    erase,
  }
}

function prepareAll(db: DatabaseSync) {
  return {
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
}
