/** What stops a start, in words that say which setting or file it is about and what to do. */
import { existsSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Makes the data directory, readable by its owner only. */
export async function makeDataDirectory(path: string): Promise<void> {
  try {
    await makePath(path)
  } catch (cause) {
    const isFile = ['EEXIST', 'ENOTDIR'].includes(codeOf(cause))
    const why = isFile
      ? `${path} is a file, lies in one, or is a link that leads nowhere`
      : `${path} cannot be made (${codeOf(cause)})`
    throw new Error(`TRANSOM_DATA: ${why}: set it to a directory that this user may write to`, { cause })
  }
}

/** Like `mkdir` with `recursive`, which in Node 24 never ends below /proc: there a parent exists and has no place for children. */
async function makePath(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await isDirectory(path))) return
    if (codeOf(error) !== 'ENOENT' || (await isDirectory(dirname(path)))) throw error
    await makePath(dirname(path))
    await mkdir(path, { mode: 0o700 })
  }
}

const isDirectory = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

/** A fault of the file system in words that say which file it is and what to do; any other as it is. */
export function explainFile(thrown: unknown): unknown {
  const path = pathOf(thrown)
  const remedy = fileRemedies[codeOf(thrown)]
  return path === undefined || remedy === undefined ? thrown : new Error(`${path} ${remedy}`, { cause: thrown })
}

/** Of a file that is renamed the place where it should go: there is what stands in its way. */
function pathOf(thrown: unknown): string | undefined {
  if (thrown === null || typeof thrown !== 'object') return undefined
  const path = 'dest' in thrown ? thrown.dest : 'path' in thrown ? thrown.path : undefined
  return typeof path === 'string' ? path : undefined
}

const noRoom = 'cannot be written, its disk is full: free some space, or set TRANSOM_DATA to another disk'
const fileRemedies: Readonly<Record<string, string>> = {
  EACCES: 'is not for this user: let it read and write there',
  EPERM: 'is not for this user: let it read and write there',
  EROFS: 'lies on a disk that is read-only: set TRANSOM_DATA to another directory',
  ENOSPC: noRoom,
  EDQUOT: noRoom,
  EISDIR: 'is a directory, and a file is wanted there: move it away',
  ENOTDIR: 'lies below a file, and a directory is wanted there: move that away',
  EIO: 'cannot be read or written: look at its disk',
}

/** Without this file nobody can sign in to the signaling service any more, and it would be made anew without a word. */
export function requireCredentialsKey(dataDir: string): void {
  const path = join(dataDir, 'certificates', 'credentials.key')
  if (existsSync(path)) return
  throw new Error(
    `${path} is missing, and the cameras' access keys are sealed with it: restore it from your backup. Without one, remove ` +
      `"credentials" from secrets.json, start, and give each camera new keys: npx transom camera key <camera id> --replace`,
  )
}

/** Opens a listener; says which setting moves it when its address cannot be had. */
export async function atAddress<T>(setting: string, host: string, port: number, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (cause) {
    // A file that could not be opened has the same codes, and is another matter.
    if (explainFile(cause) !== cause) throw cause
    const why = whyNotThere(codeOf(cause), setting, host, port)
    throw why === undefined ? cause : new Error(why, { cause })
  }
}

function whyNotThere(code: string, setting: string, host: string, port: number): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is taken: stop what uses it, or set ${setting}`
    case 'EACCES':
      return `port ${port} on ${host} is not for this user (below 1024 the system decides who may): set ${setting}`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return `${host} is no address of this machine: set TRANSOM_HOST to 127.0.0.1, 0.0.0.0 or one of its own, without a scheme`
    default:
      return undefined
  }
}

function codeOf(error: unknown): string {
  return error !== null && typeof error === 'object' && 'code' in error ? String(error.code) : 'no code'
}
