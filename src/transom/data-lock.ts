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
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { timeout: 0 })
    // Exclusive, and held until the end: the transaction itself writes nothing.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (cause) {
    db?.close()
    throw new Error(
      isBusy(cause)
        ? `${directory} is in use by another Transom: stop it, or set TRANSOM_DATA to another directory (two processes cannot share one)`
        : `${directory} cannot be written to: make room on its disk, let this user write there, or set TRANSOM_DATA`,
      { cause },
    )
  }
  const taken = db
  return () => {
    if (taken.isOpen) taken.close()
  }
}

/** SQLITE_BUSY is the kind of error in the low byte (sqlite.org/rescode.html). */
function isBusy(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'errcode' in error && (Number(error.errcode) & 0xff) === 5
}
