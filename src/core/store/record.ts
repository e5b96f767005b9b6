/** What every store holds a record to, so that nobody can tell which one runs: limits, and the JSON of a value. */
import { BridgeError } from '../errors.ts'
import type { PutOptions, Stored } from '../ports.ts'

/**
 * How long the version of a record is remembered after the record was taken, removed or expired, in milliseconds.
 *
 * A version must never come back with other content: whoever read version 1, lost the record and wrote "at version 1"
 * would overwrite a stranger. So a record that goes leaves a tombstone behind (id and version, nothing else is needed), and
 * the next put of that id counts on from there. An hour is longer than anybody holds a version: requests last seconds,
 * a Lambda fifteen minutes. After it the tombstone goes too, and the id begins at 1 again.
 */
export const versionMemoryMs = 3_600_000

/** DynamoDB's items hold 409,600 bytes, names and keys included; this leaves room for the longest keys. */
const maxValueBytes = 400_000
/** Of the ports: ids and groups are 1 to 512 characters. */
const maxKeyLength = 512
/** DynamoDB's sort keys hold 1,024 bytes, and an id is one in the index of groups. */
const maxIdBytes = 1024
const defaultLimit = 100

/** Checks the name of a kind: 1 to 64 characters without `#`, which joins kind and group in DynamoDB. Throws TypeError. */
export function checkKind(kind: string): void {
  if (kind.length < 1 || kind.length > 64 || kind.includes('#')) {
    throw new TypeError('a kind is 1 to 64 characters without #')
  }
}

/** Whether a record can have this id: 1 to 512 characters, at most 1,024 bytes of UTF-8. What has none is not looked for. */
export const isId = (id: string): boolean => faultOfId(id) === undefined

/** Whether a record can be in a group of this name: 1 to 512 characters. */
export const isGroup = (group: string): boolean => faultOfKey(group) === undefined

/** Checks what a put was given and returns the value as JSON. Throws TypeError, or BridgeError `internal` when it is too big. */
export function checkPut(kind: string, id: string, value: unknown, options: PutOptions): string {
  check('an id', faultOfId(id))
  if (options.group !== undefined) check('a group', faultOfKey(options.group))
  if (options.expiresAt !== undefined && !Number.isSafeInteger(options.expiresAt)) {
    throw new TypeError('expiresAt is a whole number of epoch milliseconds')
  }
  // JSON.stringify gives undefined for what is no JSON at all, although its type says otherwise.
  const text: string | undefined = JSON.stringify(value)
  if (text === undefined) throw new TypeError('a value is JSON, and undefined is not')
  const bytes = Buffer.byteLength(text)
  if (bytes > maxValueBytes) {
    throw new BridgeError('internal', `a ${kind} of ${bytes} bytes is over the ${maxValueBytes} that a record can hold`)
  }
  return text
}

/**
 * The `expiresAt` to store, never before now: nobody can see the difference, but a record that is put when it has long
 * expired must not be forgotten with its version at once.
 */
export function lastInstant({ expiresAt }: PutOptions, now: number): number | undefined {
  return expiresAt === undefined ? undefined : Math.max(expiresAt, now)
}

/** Checks what page of a list was asked for and fills in the defaults. Throws TypeError. */
export function checkPage(page: { readonly limit?: number; readonly after?: string }): {
  readonly limit: number
  readonly after: string | undefined
} {
  if (page.after !== undefined) check('an id', faultOfId(page.after))
  const limit = page.limit ?? defaultLimit
  if (!Number.isSafeInteger(limit) || limit < 1) throw new TypeError('a limit is a whole number from 1 up')
  return { limit, after: page.after }
}

/** Makes a `Stored` of the columns that a store read back; `value` is JSON. */
export function toStored<T>(id: string, text: string, version: number, expiresAt?: number | null): Stored<T> {
  const value: T = JSON.parse(text)
  return expiresAt === undefined || expiresAt === null ? { id, value, version } : { id, value, version, expiresAt }
}

function faultOfKey(key: string): string | undefined {
  if (key.length < 1 || key.length > maxKeyLength) return `is 1 to ${maxKeyLength} characters`
  // A lone surrogate has no UTF-8: two such ids would become one on disk.
  return key.isWellFormed() ? undefined : 'is well-formed Unicode'
}

const faultOfId = (id: string): string | undefined =>
  faultOfKey(id) ?? (Buffer.byteLength(id) > maxIdBytes ? `is at most ${maxIdBytes} bytes of UTF-8` : undefined)

function check(what: string, fault: string | undefined): void {
  if (fault !== undefined) throw new TypeError(`${what} ${fault}`)
}
