/** Writes that share one transaction, and so one wait for the disk: those of one turn of the event loop. */
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers'
import { BridgeError } from '../errors.ts'
import { explained } from './sqlite-fault.ts'

export interface Commits {
  /** Does the work in the next transaction. Resolves with what it returned once that is on disk; rejects when it is not. */
  commit<R>(work: () => R): Promise<R>
  /** Commits now what waits. */
  flush(): void
}

interface Write {
  /** Executes the statement and keeps its outcome. */
  readonly run: () => void
  /** Tells the outcome, once it is on disk. */
  readonly settle: () => void
  /** Tells that nothing was written. */
  readonly fail: (thrown: unknown) => void
}

/** The commits of the database that was opened from `path`. */
export function createCommits(db: DatabaseSync, path: string): Commits {
  let waiting: Write[] = []

  function flush(): void {
    const batch = waiting
    waiting = []
    try {
      runAll(db, batch)
    } catch (thrown) {
      for (const { fail } of batch) fail(explained(thrown, path))
      return
    }
    for (const { settle } of batch) settle()
  }

  return {
    flush,
    async commit<R>(work: () => R): Promise<R> {
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
      if (waiting.length === 0) setImmediate(flush)
      waiting.push({ run, settle: () => settle(), fail: reject })
      return promise
    },
  }
}

/** Throws when nothing was written. */
function runAll(db: DatabaseSync, batch: readonly Write[]): void {
  // A statement alone is a transaction of its own.
  if (batch.length <= 1) {
    for (const { run } of batch) run()
    return
  }
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
    throw thrown
  }
}
