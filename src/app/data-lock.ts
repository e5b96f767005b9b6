/** One process per data directory: two would each believe to know every connected camera, and both be wrong. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * Takes the directory for this process, and returns what gives it back. The lock is one of the operating system on a file
 * (SQLite's, which every platform of Node has), so a process that is killed leaves none behind. It does not reach over a
 * network file system, nor does anything else here.
 * Throws an `Error` that says what to do when another process has it.
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, 'lock')
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    // Exclusive, and held until the end: the transaction itself writes nothing.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (cause) {
    db.close()
    throw new Error(
      `${directory} is in use by another Transom: stop it, or set TRANSOM_DATA to another directory (two processes cannot share one)`,
      { cause },
    )
  }
  return () => {
    if (db.isOpen) db.close()
  }
}
