/** The store in one SQLite file, on Node's own SQLite: durable before it answers, and safe to share between processes. */
import type { BasicCollection, Clock, Collection, Store } from '../ports.ts'
import { checkKind, checkPage, checkPut, isGroup, isId, toStored } from './record.ts'
import { createCommits } from './sqlite-commits.ts'
import { explained } from './sqlite-fault.ts'
import { openDatabase, type AccessMode } from './sqlite-file.ts'
import { prepareStatements, type Row } from './sqlite-statements.ts'
import { createTurns, withVerbs } from './verbs.ts'

/**
 * Opens the store in the file at `path`, creating it (readable by its owner only) and its directory when missing; `:memory:`
 * keeps it in memory. What a verb has answered is on disk. A file may be opened by several processes at once.
 * Throws `BridgeError`, in words that say what to do: `store_failed` when the file is damaged, foreign, or written by a newer
 * program, and is left as it is; `no_room` when its disk is full. The verbs reject with the same two.
 * `mode` `read` is for a file that exists: it is checked in the same way and not brought up to date, and nothing can be written.
 */
export function createSqliteStore(path: string, clock: Clock, mode: AccessMode = 'write'): Store {
  const db = openDatabase(path, mode)
  const statements = prepareStatements(db, clock)
  const { commit, flush } = createCommits(db, path)
  const inTurn = createTurns()

  function read<R>(work: () => R): R {
    try {
      return work()
    } catch (thrown) {
      throw explained(thrown, path)
    }
  }

  return {
    collection<T>(kind: string): Collection<T> {
      checkKind(kind)
      const basic: BasicCollection<T> = {
        async get(id) {
          if (!isId(id)) return undefined
          const found = read(() => statements.get(kind, id))
          return found && fromRow<T>(found)
        },
        async put(id, value, options = {}) {
          const text = checkPut(kind, id, value, options)
          return commit(() => statements.put(kind, id, text, options))
        },
        async take(id) {
          if (!isId(id)) return undefined
          const taken = await commit(() => statements.erase(kind, id))
          return taken && fromRow<T>(taken)
        },
        async remove(id) {
          if (isId(id)) await commit(() => statements.erase(kind, id))
        },
        async list(group, page = {}) {
          const { limit, after } = checkPage(page)
          if (!isGroup(group)) return []
          const rows = read(() => statements.list(kind, group, after ?? '', limit))
          return rows.map((row) => fromRow<T>(row))
        },
      }
      return withVerbs(kind, basic, inTurn)
    },
    async close() {
      flush()
      if (db.isOpen) db.close()
    },
  }
}

function fromRow<T>({ id, value, version, expiresAt }: Row) {
  return toStored<T>(id, value, version, expiresAt)
}
