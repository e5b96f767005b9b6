/** What SQLite's errors mean to whoever can mend them. */
import { BridgeError, type ErrorCode } from '../errors.ts'

const SQLITE_BUSY = 5

export const restore = 'stop, and restore the whole data directory from your backup'

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

/** The fault in words that say what to do, where there are any; else what was thrown. */
export function explained(thrown: unknown, path: string): unknown {
  const remedy = remedies[kindOf(thrown) ?? 0]
  return remedy === undefined ? thrown : new BridgeError(remedy[0], `${path} ${remedy[1]}`, { cause: thrown })
}

export function isBusy(error: unknown): boolean {
  return kindOf(error) === SQLITE_BUSY
}

/** The low byte is the kind of error, the rest its finer reason (sqlite.org/rescode.html). */
function kindOf(error: unknown): number | undefined {
  return isObject(error) && 'errcode' in error ? Number(error.errcode) & 0xff : undefined
}

export function hasCode(error: unknown, code: string): boolean {
  return isObject(error) && 'code' in error && error.code === code
}

/** Not `instanceof Error`: under Jest, Node's own errors come from another realm. */
function isObject(error: unknown): error is object {
  return typeof error === 'object' && error !== null
}
